"""`spark-submit` as the set-up leaves it: no flags, no activation, from any folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from claimatlas.spark import jars
from claimatlas.spark.artifacts import JARS

pytestmark = pytest.mark.integration

SUBMIT = Path(sys.executable).parent / "spark-submit"

PROGRAM = """\
import sys
from claimatlas.errors import ClaimatlasError
from claimatlas.spark.session import get_session
try:
    spark = get_session("the job")
except ClaimatlasError as error:
    print(error, file=sys.stderr)
    sys.exit(error.exit_code)
if len(sys.argv) > 1:
    spark.range(3).write.format("delta").save(sys.argv[1])
    print("rows", spark.read.format("delta").load(sys.argv[1]).count())
print("driver", sys.executable)
print("worker", spark.sparkContext.pythonExec)
print("name", spark.sparkContext.appName)
print("zone", spark.conf.get("spark.sql.session.timeZone"))
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    file = tmp_path / "program.py"
    file.write_text(PROGRAM, encoding="utf-8")
    return file


def submit(command: list[str | Path], folder: Path, **changed: str) -> subprocess.CompletedProcess[str]:
    """Run with the variables of a plain shell: nothing of Spark or Python is set.

    The option of Java halves the time of programs as short as these.
    """
    foreign = ("PYSPARK", "SPARK", "PYTHON", "VIRTUAL_ENV")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    return subprocess.run(
        command,
        env={**plain, "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1", **changed},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_it_finds_spark_delta_and_python_by_itself(program: Path, tmp_path: Path) -> None:
    if "scripts/set_up.py" not in SUBMIT.read_text(encoding="utf-8"):
        pytest.skip("this environment was not made by scripts/set_up.py")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    # Another Spark that is set on the machine must not be taken.
    done = submit([SUBMIT, program, tmp_path / "table"], elsewhere, SPARK_HOME="/nowhere", PATH=os.environ["PATH"])
    assert done.returncode == 0, done.stderr
    assert dict(line.split(" ", 1) for line in done.stdout.splitlines()) == {
        "rows": "3",
        "driver": sys.executable,
        "worker": sys.executable,
        "name": "the job",
        "zone": "UTC",
    }
    assert "WARN " not in done.stderr


def test_what_the_submit_says_wins(program: Path, tmp_path: Path) -> None:
    flags = [
        *("--name", "chosen", "--conf", "spark.sql.session.timeZone=Europe/Brussels"),
        *("--conf", f"spark.pyspark.python={sys.executable}"),
        *("--conf", f"spark.jars={','.join(path.as_uri() for path in jars.find())}"),
    ]
    done = submit([SUBMIT, *flags, program], tmp_path)
    assert done.returncode == 0, done.stderr
    assert "name chosen" in done.stdout
    assert "zone Europe/Brussels" in done.stdout


def test_without_delta_it_says_how_to_add_it(program: Path, tmp_path: Path) -> None:
    home = jars.spark_home()
    assert home is not None
    (tmp_path / "conf").mkdir()
    done = submit(
        [home / "bin" / "spark-submit", program, tmp_path / "table"],
        tmp_path,
        SPARK_HOME=str(home),
        SPARK_CONF_DIR=str(tmp_path / "conf"),
        PYSPARK_PYTHON=sys.executable,
    )
    assert done.returncode == 2, done.stderr
    # Spark passes the standard error of a Python program on as its own standard output.
    said = done.stdout + done.stderr
    assert f"Spark was started without Delta's JARs: add `--packages {JARS[0].coordinate}`" in said
    assert "\tat " not in said
    assert "Traceback" not in said
