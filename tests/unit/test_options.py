"""What the command line understands, and how each command ends when it does not."""

import argparse
import os
import pwd
import shlex
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from claimatlas import __version__, cli
from claimatlas.cli import parser_of
from claimatlas.commands import guard, options
from claimatlas.commands import job as job_module
from claimatlas.configuration import load_configuration
from claimatlas.errors import ClaimatlasError, ConcurrentRunError, InputError, QualityGateError
from claimatlas.spark import jars
from delta.exceptions import DeltaConcurrentModificationException
from pyspark.errors import PySparkValueError


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="trial", exit_on_error=False)
    options.add_input(made, required=False)
    options.add_output(made)
    options.add_years(made)
    options.add_complete_through(made)
    options.add_configuration(made)
    return made


def parse(*arguments: str) -> argparse.Namespace:
    return parser().parse_args(["--output", "out", "--year", "2023", *arguments])


def years(*arguments: str) -> tuple[int, ...]:
    parsed = parser().parse_args(["--output", "out", *arguments])
    return options.years_of(parsed, load_configuration())


# --- Years ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--year", "2023"], (2023,)),
        (["--year", "2023", "--year", "2021"], (2021, 2023)),
        (["--year", "2023", "2021"], (2021, 2023)),
        (["--year", "2019-2021"], (2019, 2020, 2021)),
        (["--year", "2021-2021"], (2021,)),
        (["--year", "2019-2021", "2020", "--year", "2023"], (2019, 2020, 2021, 2023)),
        (["--year", "2006"], (2006,)),
        (["--year", "2022,2023"], (2022, 2023)),
        (["--year", "2022,2024-2025", "2019", "--year", "2023,2022"], (2019, 2022, 2023, 2024, 2025)),
    ],
)
def test_years_and_ranges(arguments: list[str], expected: tuple[int, ...]) -> None:
    assert years(*arguments) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("23", "'23' is not a year or a range such as 2019-2023"),
        ("2023.0", "'2023.0' is not a year"),
        ("2019-", "'2019-' is not a year"),
        ("2019-20", "'2019-20' is not a year"),
        ("2019 - 2021", "'2019 - 2021' is not a year"),
        ("2019,", "'' is not a year"),
        ("2019, 2020", "' 2020' is not a year"),
        ("2019;2020", "'2019;2020' is not a year"),
        ("2019,2022-2021", "the range '2022-2021' ends before it starts"),
        ("", "'' is not a year"),
        ("2021-2019", "the range '2021-2019' ends before it starts"),
    ],
)
def test_wrong_years_are_refused(text: str, message: str) -> None:
    with pytest.raises(argparse.ArgumentError) as caught:
        years("--year", text)
    assert message in str(caught.value)


@pytest.mark.parametrize(("text", "year"), [("2005", 2005), ("2004-2008", 2004), ("0000", 0)])
def test_a_year_before_the_first_reference_year_is_an_input_error(text: str, year: int) -> None:
    with pytest.raises(InputError) as caught:
        years("--year", text)
    assert str(caught.value) == f"The year {year} is before 2006, the first reference year."


# --- Dates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["--as-of", "--complete-through"])
def test_dates_are_read(option: str) -> None:
    name = option.removeprefix("--").replace("-", "_")
    assert getattr(parse(option, "2024-02-29"), name) == date(2024, 2, 29)
    assert getattr(parse(), name) is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2023-02-29", "'2023-02-29' is not a date of the calendar"),
        ("2023-13-01", "is not a date of the calendar"),
        ("2023-2-3", "'2023-2-3' is not a date YYYY-MM-DD"),
        ("20230203", "'20230203' is not a date YYYY-MM-DD"),
        ("2023-W05-5", "is not a date YYYY-MM-DD"),
        ("03/02/2023", "is not a date YYYY-MM-DD"),
        ("2023-02-03T00:00", "is not a date YYYY-MM-DD"),
        ("２０２３-02-03", "is not a date"),
        ("today", "is not a date YYYY-MM-DD"),
    ],
)
def test_wrong_dates_are_refused(text: str, message: str) -> None:
    with pytest.raises(argparse.ArgumentError) as caught:
        parse("--as-of", text)
    assert message in str(caught.value)


def test_as_of_is_today_unless_it_is_given() -> None:
    before = datetime.now(UTC).date()
    taken = options.ingest_options_of(parse(), (2023,)).as_of
    assert before <= taken <= datetime.now(UTC).date()
    given = options.ingest_options_of(parse("--as-of", "2024-06-30", "--replace"), (2023,))
    assert (given.as_of, given.replace, given.years) == (date(2024, 6, 30), True, (2023,))


# --- Input, output, settings ---------------------------------------------------------------------


def test_where_the_input_is() -> None:
    assert not options.input_of(parse()).given
    paths = options.input_of(parse("--input", "in", "--claims", "c", "--population", "p", "--hospital-stays", "h"))
    assert (paths.folder, paths.claims, paths.population, paths.hospital_stays) == ("in", "c", "p", "h")
    assert options.input_of(parse("--claims", "c")).given


def test_any_number_of_settings() -> None:
    parsed = parse("--set", "episode_rule=anchored", "--set", "postnatal_window.last_day=10")
    settings = options.configuration_of(parsed).settings
    assert (settings.episode_rule, settings.postnatal_window.last_day) == ("anchored", 10)
    assert options.configuration_of(parse()).settings == load_configuration().settings


# --- Paths ---------------------------------------------------------------------------------------

PATH_OPTIONS = ("input", "output", "claims", "population", "hospital_stays", "conf")


@pytest.mark.parametrize("name", PATH_OPTIONS)
def test_the_home_folder_is_meant_after_an_equals_sign_too(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    option = "--" + name.replace("_", "-")
    assert getattr(parse(f"{option}=~/x y"), name) == "/home/somebody/x y"
    assert getattr(parse(option, "~"), name) == "/home/somebody"
    assert getattr(parse(f"{option}=~root/x"), name) == pwd.getpwnam("root").pw_dir + "/x"
    for other in ("s3a://bucket/~/x", "main.claims_raw", "x/~/y", "file:///~", "./~"):
        assert getattr(parse(f"{option}={other}"), name) == other


def test_a_home_folder_that_is_not_known_is_refused() -> None:
    with pytest.raises(argparse.ArgumentError, match="'~nobody-of-this-name/x' names a home folder that is not known"):
        parse("--input=~nobody-of-this-name/x")


def test_other_commands_know_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cli.main(["describe", "--output=~/sheets", "--language", "en", "--format", "md"]) == 0
    assert (tmp_path / "sheets").is_dir()
    assert str(jars._path("~/jars")) == f"{tmp_path}/jars"


def test_a_path_that_is_no_text_here_is_refused_with_the_remedy() -> None:
    with pytest.raises(argparse.ArgumentError) as caught:
        parse("--input", os.fsdecode(b"donn\xe9es"))
    assert r"the locale cannot name the path 'donn\udce9es': set LC_ALL=C.UTF-8" in str(caught.value)


@pytest.mark.parametrize("given", ["donn??es", "données"])
def test_a_path_that_java_could_not_hand_on_is_refused(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("locale.getencoding", lambda: "ANSI_X3.4-1968")
    assert parse("--input", given).input == given
    monkeypatch.setenv("PYSPARK_GATEWAY_PORT", "1")
    with pytest.raises(argparse.ArgumentError, match=r"set LC_ALL=C\.UTF-8"):
        parse("--input", given)
    assert parse("--input", "in").input == "in"
    monkeypatch.setattr("locale.getencoding", lambda: "UTF-8")
    assert parse("--input", given).input == given


# --- The console command -------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_names_every_command(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([option]) == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: claimatlas COMMAND [options]\n")
    for name in ("run-year", "ingest", "deliveries", "indicators", "generate", "codelists", "check", "jars"):
        assert f"\n    {name} " in out


def test_the_help_of_the_program_loads_no_command() -> None:
    code = (
        "import sys; from claimatlas.cli import main; main(['--help']); "
        "sys.exit(any(name.split('.')[0] in ('pyspark', 'pydantic', 'tqdm') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"claimatlas {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [([], "say which command."), (["rum-year"], "there is no command 'rum-year'."), ([""], "there is no command ''.")],
)
def test_a_command_that_is_not_there(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"claimatlas: {message}\n\nusage: claimatlas COMMAND")


@pytest.mark.parametrize(
    "name", ["run-year", "run_year", "ingest", "deliveries", "indicators", "generate", "codelists", "check"]
)
def test_every_command_has_its_own_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([name, "--help"]) == 0
    out = capsys.readouterr().out
    command = f"claimatlas {name.replace('_', '-')}"
    assert out.startswith(f"usage: {command} ")
    assert f"example:\n  {command} --" in out
    assert "--conf DIR" in out


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_the_example_of_each_help_is_one_that_its_parser_takes(name: str) -> None:
    parser = parser_of(name)
    example = shlex.split((parser.epilog or "").removeprefix("example:"))
    assert example[:2] == ["claimatlas", name]
    parser.parse_args(example[2:])


@pytest.mark.parametrize("command", [["ingest"], ["run-year", "--year", "2022"]])
def test_add_and_replace_exclude_each_other(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main([*command, "--input", "in", "--output", "out", "--add", "--replace"])
    assert caught.value.code == 2
    assert "argument --replace: not allowed with argument --add" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["run-year"],
        ["run-year", "--output", "out"],
        ["run-year", "--output", "out", "--year", "soon"],
        ["run-year", "--output", "out", "--year", "2023", "--colour", "red"],
        ["ingest"],
        ["deliveries", "--year", "2023"],
        ["indicators", "--output", "out", "--year", "2023", "--complete-through", "never"],
        ["generate", "--output", "out", "--beneficiaries", "many", "--years", "2022-2023", "--seed", "1"],
        ["codelists", "--set"],
        ["check"],
        ["check", "--output", "out", "--year", "soon"],
    ],
)
def test_wrong_usage_ends_with_2_and_writes_nothing_on_standard_output(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)
    assert caught.value.code == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert "usage: " in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run-year", "--output", "OUT", "--year", "2005"], "The year 2005 is before 2006, the first reference year."),
        (
            ["run-year", "--output", "OUT", "--year", "2023", "--set", "x=1"],
            "--set x: there is no setting of this name",
        ),
        (["indicators", "--output", "OUT", "--year", "2023", "--conf", "nowhere"], "folder nowhere does not exist."),
        (["deliveries", "--output", "OUT", "--year", "2023", "--set", "episode_rule=x"], "'chained' or 'anchored'"),
        (["codelists", "--conf", "nowhere"], "folder nowhere does not exist."),
        (["check", "--output", "OUT", "--year", "2005"], "The year 2005 is before 2006, the first reference year."),
        (["check", "--output", "OUT", "--set", "checks.x=1"], "--set checks.x: there is no setting of this name"),
    ],
)
def test_wrong_settings_end_with_2_before_anything_is_written(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = f"{tmp_path}/output"
    assert cli.main([output if argument == "OUT" else argument for argument in arguments]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("claimatlas: ")
    assert message in err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["ingest"], "Give --input, or a path for each table."),
        (["ingest", "--input", "in", "--allow-schema-change"], "--allow-schema-change goes with --add"),
        (["run-year", "--input", "in", "--year", "2022", "--full-refresh"], "--full-refresh goes with --add"),
        (["run-year", "--input", "in", "--year", "2005"], "The year 2005 is before 2006"),
        (["KEY", "run-year", "--input", "in", "--year", "2022"], "The key of CLAIMATLAS_PSEUDONYM_KEY is too short"),
        (["KEY", "ingest", "--input", "in"], "The key of CLAIMATLAS_PSEUDONYM_KEY is too short"),
    ],
)
def test_what_the_command_line_has_wrong_is_said_without_spark(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def started(*_: object, **__: object) -> None:
        raise AssertionError("Spark was started")

    monkeypatch.setattr(job_module, "session_for", started)
    if arguments[0] == "KEY":
        monkeypatch.setenv("CLAIMATLAS_PSEUDONYM_KEY", "short")
    command = [argument for argument in arguments if argument != "KEY"]
    assert cli.main([*command, "--output", f"{tmp_path}/output"]) == 2
    assert message in capsys.readouterr().err


def test_it_can_be_started_as_a_module() -> None:
    code = "import sys; from claimatlas.cli import main; sys.exit(main(['nothing']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.startswith("claimatlas: there is no command 'nothing'.")


# --- Exit codes ----------------------------------------------------------------------------------


def raising(error: BaseException) -> int:
    def action() -> None:
        raise error

    return guard.guarded(action)


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (InputError("No such file."), 2, "claimatlas: No such file.\n"),
        (QualityGateError("Too many."), 3, "claimatlas: Too many.\n"),
        (ConcurrentRunError("Another run."), 4, "claimatlas: Another run.\n"),
        (ClaimatlasError("Odd."), 1, "claimatlas: Odd.\n"),
        (KeyboardInterrupt(), 130, "claimatlas: Interrupted."),
        (DeltaConcurrentModificationException("a row"), 4, "claimatlas: Another run wrote to the same tables"),
        (ValueError("beneficiary 12345"), 1, "claimatlas: Unexpected failure (ValueError)."),
        (
            PySparkValueError(errorClass="CANNOT_BE_NONE", messageParameters={"arg_name": "12345"}),
            1,
            "claimatlas: Unexpected failure (PySparkValueError, CANNOT_BE_NONE).",
        ),
    ],
)
def test_each_error_has_its_exit_code(
    error: BaseException, code: int, message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(guard.DEBUG, raising=False)
    assert raising(error) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(message)
    assert "12345" not in err, "the message of an unknown failure may quote data"
    assert "Traceback" not in err


def test_a_message_is_short_and_does_not_steer_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert raising(InputError("no column \x1b[2J\x07\x00é\u202e\nand no " + "x" * 10_000_000)) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert first == r"claimatlas: no column \x1b[2J\x07\x00é\u202e"
    assert len(second) < 3000


def test_the_whole_trace_is_shown_on_demand(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(guard.DEBUG, "1")
    assert raising(ValueError("details")) == 1
    assert "ValueError: details" in capsys.readouterr().err


def test_done_is_0() -> None:
    assert guard.guarded(lambda: None) == 0
