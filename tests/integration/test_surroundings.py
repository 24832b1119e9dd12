"""Surroundings that Spark cannot work in: the cause in one sentence, or it works all the same. And Ctrl-C."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.console import PATIENCE, ROOT, Said, plain_environment, program, run_program, submit
from integration.inputs import write_small

pytestmark = pytest.mark.integration

JAVA_25 = Path("/usr/lib/jvm/temurin-25-jdk-amd64")
INTERRUPTED = "claimatlas: Interrupted. Tables that were not yet replaced are as before; run the job again."
JAVA = "java"
"""The moment when Java has started, and has not yet said where it listens."""


def said(folder: Path, *command: object, **variables: str) -> Said:
    environment = plain_environment(folder, with_package=True, settings={"spark.master": "local[1]"})
    return run_program(command, {**environment, **variables}, folder)


def the_sentence(said: Said, code: int = 2) -> str:
    assert said.code == code, said.everything
    assert not said.has_trace(), said.everything
    lines = [line for line in said.everything.splitlines() if line.startswith("claimatlas: ")]
    assert len(lines) == 1, said.everything
    return lines[0]


def test_options_that_a_notebook_left_are_named(tmp_path: Path) -> None:
    done = said(tmp_path, "check", "--output", tmp_path / "new", PYSPARK_SUBMIT_ARGS="--garbage x")
    assert "Unrecognized option: --garbage. The variable PYSPARK_SUBMIT_ARGS is set" in the_sentence(done)
    assert len(done.err.splitlines()) == 1


def test_options_without_their_last_word_and_another_python_do_no_harm(tmp_path: Path) -> None:
    options = {"PYSPARK_SUBMIT_ARGS": "--name x", "PYSPARK_PYTHON": "/nonexistent"}
    done = said(tmp_path, "check", "--output", tmp_path / "new", **options)
    assert "There are no tables to check" in the_sentence(done)


def test_too_much_memory_is_the_cause_only_where_it_is(tmp_path: Path) -> None:
    environment = plain_environment(tmp_path, with_package=True) | {"CLAIMATLAS_DRIVER_MEMORY": "90000g"}
    done = run_program(["check", "--output", tmp_path / "new"], environment, tmp_path)
    assert "ask for an amount that the machine has, such as 4g, in CLAIMATLAS_DRIVER_MEMORY" in the_sentence(done)


@pytest.mark.skipif(os.geteuid() != 0, reason="only the administrator can become a user without a name")
def test_a_user_without_a_name(tmp_path: Path) -> None:
    code = (
        "import os\nfrom claimatlas.commands.guard import guarded\nfrom claimatlas.spark.session import get_session\n"
        "os.setuid(54321)\nraise SystemExit(guarded(lambda: get_session('x')))"
    )
    environment = plain_environment(tmp_path, with_package=True)
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert done.stderr == (
        "claimatlas: The user with the id 54321 has no name on this machine, and Spark needs one: add the user to "
        "/etc/passwd, or run this as a user that is listed there.\n"
    )


@pytest.fixture
def noexec(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "noexec"
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount or "false", "-t", "tmpfs", "-o", "noexec", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_temporary_folder_that_lets_nothing_run(tmp_path: Path, noexec: Path) -> None:
    option = {"JAVA_TOOL_OPTIONS": f"-Djava.io.tmpdir={noexec}"}
    done = said(tmp_path, "check", "--output", tmp_path / "new", **option)
    sentence = the_sentence(done)
    assert f"libraries for compression from Java's temporary folder {noexec}" in sentence
    assert "JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=FOLDER" in sentence


@pytest.mark.long
def test_a_plain_locale_names_every_path(tmp_path: Path) -> None:
    source = write_small(tmp_path / "données")
    done = said(tmp_path, "ingest", "--input", source, "--output", tmp_path / "sorties été", LC_ALL="C")
    assert done.code == 0, done.err
    assert (tmp_path / "sorties été" / "silver").is_dir()


def test_a_plain_locale_under_spark_submit(tmp_path: Path) -> None:
    if "LC_ALL=C.UTF-8" in (Path(sys.executable).parent / "spark-submit").read_text(encoding="utf-8"):
        pytest.skip("this spark-submit puts the locale right")
    environment = plain_environment(tmp_path, with_package=True) | {"LC_ALL": "C"}
    arguments = ["--input", "données", "--output", tmp_path / "new"]
    done = submit(ROOT / "jobs" / "ingest.py", arguments, environment)
    assert done.code == 2, done.everything
    assert "the locale cannot name the path 'donn??es': set LC_ALL=C.UTF-8" in done.everything
    assert not done.has_trace()


@pytest.mark.skipif(not JAVA_25.is_dir(), reason="there is no Java 25 here")
def test_another_java_under_spark_submit(tmp_path: Path) -> None:
    environment = plain_environment(tmp_path, with_package=True) | {"JAVA_HOME": str(JAVA_25)}
    done = submit(ROOT / "jobs" / "check.py", ["--output", tmp_path / "new"], environment)
    assert "25" in the_sentence(done)
    assert "but Java 17 or 21 is needed" in the_sentence(done)


@pytest.mark.parametrize("script", sorted((ROOT / "jobs").glob("*.py")), ids=lambda script: script.stem)
def test_a_python_without_the_package(script: Path, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-S", script], capture_output=True, text=True, check=False, cwd=tmp_path)
    if "required" in done.stderr or "PYTHONPATH" in os.environ:
        done = subprocess.run(
            [sys.executable, "-S", "-E", script], capture_output=True, text=True, check=False, cwd=tmp_path
        )
    assert done.returncode == 2
    assert done.stderr.startswith(f"claimatlas: {sys.executable} does not have the package claimatlas: name a Python")
    assert len(done.stderr.splitlines()) == 1


def commands_of(session: int) -> str:
    """The command lines of a session's processes that run."""
    done = subprocess.run(["ps", "-ww", "-o", "args=", "-s", str(session)], capture_output=True, text=True, check=False)
    return done.stdout


def interrupted(folder: Path, moment: float | str) -> tuple[int, list[str]]:
    """Press Ctrl-C after so many seconds, or once something is said, or Java runs; the exit code and what was said.

    All that the program started must end with it.
    """
    source = write_small(folder / "input")
    environment = plain_environment(folder, with_package=True, settings={"spark.master": "local[1]"})
    log = folder / "log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            program("ingest", "--input", source, "--output", folder / "output"),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    start = time.monotonic()
    while process.poll() is None and time.monotonic() - start < PATIENCE:
        if moment == JAVA and "java -cp" in commands_of(process.pid):
            break
        if isinstance(moment, str) and moment in log.read_text(encoding="utf-8"):
            break
        if not isinstance(moment, str) and time.monotonic() - start > moment:
            break
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    code = process.wait(PATIENCE)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and "java" in commands_of(process.pid):
        time.sleep(0.1)
    assert "java" not in commands_of(process.pid)
    lines = log.read_text(encoding="utf-8").splitlines()
    return code, [line for line in lines if not line.startswith("[ ") and "incubator" not in line]


@pytest.mark.parametrize(
    "moment", [0.3, 2.0, JAVA, pytest.param("ingest: reading population", marks=pytest.mark.long)], ids=str
)
def test_ctrl_c_is_one_line(tmp_path: Path, moment: float | str) -> None:
    assert interrupted(tmp_path, moment) == (130, [INTERRUPTED])
    assert not (tmp_path / "output" / "gold" / "releases").exists()
