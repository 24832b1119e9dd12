"""What commands say on standard error: lines for a person, one JSON object a line for a program. Without Spark."""

import json
import logging
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from claimatlas.cli import main
from claimatlas.commands.guard import DEBUG, guarded
from claimatlas.configuration import load_configuration
from claimatlas.console import messages
from claimatlas.console.messages import Event, bind, complain, say, set_up
from claimatlas.errors import InputError
from claimatlas.runs.record import RunRecord

Captured = pytest.CaptureFixture[str]
ALWAYS = ["time", "level", "job", "run_id", "stage", "event", "message"]


@pytest.fixture(autouse=True)
def _text_again() -> Iterator[None]:
    yield
    set_up("text", None)


def lines(capsys: Captured) -> list[dict[str, Any]]:
    out, err = capsys.readouterr()
    assert out == ""
    return [json.loads(line) for line in err.splitlines()]


def test_a_line_says_when_what_and_where_from(capsys: Captured) -> None:
    set_up("json", "ingest")
    say(Event.MESSAGE, "first")
    bind(run_id="r1", stage="reading")
    say(Event.PROGRESS, "100 % of it", {"elapsed_seconds": 1.5, "table": "claims"})
    complain("wrong", 2)
    first, second, third = lines(capsys)
    assert list(first) == ALWAYS
    assert {**first, "time": None} == {
        "time": None,
        "level": "INFO",
        "job": "ingest",
        "run_id": None,
        "stage": None,
        "event": "message",
        "message": "first",
    }
    assert datetime.fromisoformat(first["time"]).utcoffset() is not None
    assert first["time"].endswith("Z")
    assert (second["run_id"], second["stage"], second["table"]) == ("r1", "reading", "claims")
    assert second["message"] == "100 % of it"
    assert (third["level"], third["event"], third["exit_code"], third["run_id"]) == ("ERROR", "error", 2, "r1")


def test_another_command_starts_afresh(capsys: Captured) -> None:
    set_up("json", "ingest")
    bind(run_id="r1", stage="reading")
    set_up("json", "check")
    say(Event.MESSAGE, "second")
    (line,) = lines(capsys)
    assert (line["job"], line["run_id"], line["stage"]) == ("check", None, None)


def test_for_a_person_it_is_the_same_in_words(capsys: Captured) -> None:
    set_up("text", "ingest")
    say(Event.PROGRESS, "reading", {"elapsed_seconds": 1.25, "table": "claims"})
    say(Event.WARNING, "odd", level=logging.WARNING)
    say(Event.NOTE, "empty")
    say(Event.SUMMARY, "done", {"seconds": 2}, text="\nall\nof it")
    complain("wrong", 2)
    assert capsys.readouterr().err == "[    1.2 s] reading\nNote: empty\n\nall\nof it\nclaimatlas: wrong\n"


@pytest.mark.parametrize("odd", ["a\nb", "a\u2028b", "a\x85b", "\x1b[2J", "é"])
def test_whatever_is_said_stays_one_line(capsys: Captured, odd: str) -> None:
    set_up("json", "ingest")
    say(Event.MESSAGE, odd)
    complain(odd, 2)
    plain, shown = lines(capsys)
    assert plain["message"] == odd
    assert "\x1b" not in shown["message"]


def test_a_message_is_short_in_json_too(capsys: Captured) -> None:
    set_up("json", "ingest")
    complain("x" * 10_000_000, 2)
    assert len(capsys.readouterr().err) < 3000


def in_a_process(script: str) -> list[dict[str, Any]]:
    """What a program says that has the package."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_a_byte_that_is_no_text_stays_in_its_line() -> None:
    """Of a path in another encoding. In a process of its own: no process of the tests could send it to another."""
    script = (
        "from claimatlas.console.messages import Event, complain, say, set_up\n"
        "set_up('json', 'ingest')\nsay(Event.MESSAGE, '\\udce9')\ncomplain('\\udce9', 2)"
    )
    assert [line["message"] for line in in_a_process(script)] == ["\udce9", r"\udce9"]


def test_warnings_of_python_and_libraries_are_lines_too() -> None:
    old, odd = in_a_process(
        "import logging, warnings; from claimatlas.console.messages import set_up; set_up('json', 'ingest'); "
        "warnings.warn('old'); logging.getLogger('somebody').warning('odd')"
    )
    assert (old["logger"], odd["logger"], odd["message"]) == ("py.warnings", "somebody", "odd")
    assert "old" in old["message"]


def test_the_handlers_of_a_notebook_say_nothing_twice(capsys: Captured) -> None:
    heard: list[logging.LogRecord] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            heard.append(record)

    ear = Ear()
    logging.getLogger().addHandler(ear)
    try:
        set_up("json", "ingest")
        say(Event.MESSAGE, "once")
    finally:
        logging.getLogger().removeHandler(ear)
    assert len(lines(capsys)) == 1
    assert heard == []


def test_python_warns_as_ever_after_a_command_with_json() -> None:
    set_up("json", "ingest")
    set_up("text", None)
    with pytest.warns(UserWarning, match="here"):
        warnings.warn("here", UserWarning, stacklevel=1)


# --- Commands -----------------------------------------------------------------------------------------


def test_wrong_usage_is_a_line(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as end:
        main(["run-year", "--log-format", "json", "--year", "22"])
    assert end.value.code == 2
    (line,) = lines(capsys)
    assert (line["event"], line["exit_code"], line["job"]) == ("error", 2, "run_year")
    assert "'22' is not a year" in line["message"]


def test_a_failing_command_says_why_in_one_line(capsys: Captured) -> None:
    assert main(["codelists", "--conf", "nowhere", "--log-format=json"]) == 2
    (line,) = lines(capsys)
    assert (line["level"], line["exit_code"]) == ("ERROR", 2)
    assert line["message"].startswith("The configuration folder")


def test_a_format_that_there_is_not(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as end:
        main(["check", "--output", "x", "--log-format", "xml"])
    assert end.value.code == 2
    assert "invalid choice: 'xml'" in capsys.readouterr().err


COMMANDS = ["run-year", "ingest", "deliveries", "indicators", "generate", "explain", "diff", "rollback", "check"]


@pytest.mark.parametrize("name", [*COMMANDS, "codelists", "describe"])
def test_every_command_takes_the_format(name: str, capsys: Captured) -> None:
    assert main([name, "--help"]) == 0
    assert "--log-format {text,json}" in capsys.readouterr().out


def test_an_unexpected_failure_quotes_nothing_unless_asked(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ValueError("beneficiary 12345")

    set_up("json", "ingest")
    monkeypatch.delenv(DEBUG, raising=False)
    assert guarded(fail) == 1
    monkeypatch.setenv(DEBUG, "1")
    assert guarded(fail) == 1
    first, second = lines(capsys)
    assert "12345" not in json.dumps(first)
    assert "beneficiary 12345" in second["trace"]


# --- A run's record -----------------------------------------------------------------------------------


def test_stages_tell_their_start_and_end(capsys: Captured) -> None:
    set_up("json", "trial")
    record = RunRecord("trial", [2023], load_configuration(), 2)
    with record.stage("reading"):
        record.progress("reading claims", table="claims")
    with record.stage("writing"):
        pass
    said = lines(capsys)
    assert [(line["event"], line["stage"], line.get("number"), line.get("of")) for line in said] == [
        ("stage_started", "reading", 1, 2),
        ("progress", "reading", None, None),
        ("stage_ended", "reading", 1, 2),
        ("stage_started", "writing", 2, 2),
        ("stage_ended", "writing", 2, 2),
    ]
    assert {line["run_id"] for line in said} == {record.run_id}
    assert said[2]["seconds"] == record.durations["reading"]
    assert said[2]["metrics"] is None


def test_stages_are_numbered_for_a_person_too(capsys: Captured) -> None:
    set_up("text", "trial")
    record = RunRecord("trial", [2023], load_configuration(), 2)
    with record.stage("reading"):
        pass
    err = capsys.readouterr().err
    assert "s] stage 1 of 2: reading\n" in err
    assert "s] stage 1 of 2: reading done in 0.0 s\n" in err


def test_a_failure_names_the_stage_in_which_it_came(capsys: Captured) -> None:
    def fail() -> None:
        record = RunRecord("trial", [2023], load_configuration(), 2)
        with record.stage("reading"):
            raise InputError("no such column")

    set_up("json", "trial")
    assert guarded(fail) == 2
    line = lines(capsys)[-1]
    assert (line["event"], line["stage"], line["exit_code"]) == ("error", "reading", 2)
    assert line["run_id"] is not None


def test_a_warning_is_said_once_and_kept(capsys: Captured) -> None:
    set_up("json", "trial")
    record = RunRecord("trial", [2023], load_configuration(), 2)
    record.warn("odd")
    record.warn("odd")
    (line,) = lines(capsys)
    assert (line["level"], line["event"], line["message"]) == ("WARNING", "warning", "odd")
    assert record.warnings == ["odd"]


def test_a_record_for_another_purpose_says_nothing_and_is_not_the_run(capsys: Captured) -> None:
    set_up("json", "explain")
    record = RunRecord("explain", [2023], load_configuration())
    with record.stage("reading"):
        record.progress("reading")
        record.warn("odd")
    say(Event.MESSAGE, "after")
    (line,) = lines(capsys)
    assert (line["run_id"], line["stage"]) == (None, None)


OTHER_PROGRAM = """\
import subprocess, sys, time
from claimatlas.console.messages import Event, say, set_up
from claimatlas.console.relay import relayed

set_up("json", "ingest")
said_by_it = "import sys, time; sys.stderr.write('a\\\\n'); sys.stderr.flush(); time.sleep(1); sys.stderr.write('b')"
with relayed("java"):
    subprocess.run([sys.executable, "-c", "import sys; sys.stderr.write('at once\\\\n')"])
    child = subprocess.Popen([sys.executable, "-c", said_by_it])
    say(Event.MESSAGE, "meanwhile")
    time.sleep(0.5)
say(Event.MESSAGE, "ours")
child.wait()
time.sleep(0.5)
"""


def test_other_programs_speak_through_us() -> None:
    """In a process of its own, as the standard error of the process itself is replaced for a moment."""
    said = in_a_process(OTHER_PROGRAM)
    assert sorted((line["message"], line.get("logger")) for line in said) == [
        ("a", "java"),
        ("at once", "java"),
        ("b", "java"),
        ("meanwhile", None),
        ("ours", None),
    ]


def test_is_json_tells_the_format() -> None:
    set_up("json", None)
    assert messages.is_json()
    set_up("text", None)
    assert not messages.is_json()
