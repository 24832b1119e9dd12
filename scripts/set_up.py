#!/usr/bin/env python3
"""Make the environment in a checkout: `.venv` with pinned packages, Delta's JARs in `.jars`.

Run it with any Python from 3.11 on; it needs nothing else. It does only what is missing, so it may
be interrupted and run again. Afterwards `.venv/bin/spark-submit` works as it is.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - the oldest Pythons come this far and must hear why
    sys.stderr.write(
        f"Python 3.11 or newer is needed, and this is {sys.version_info[0]}.{sys.version_info[1]}: "
        "install one and run `make PYTHON=python3.11 ...`.\n"
    )
    sys.exit(2)

import hashlib
import os
import platform
import shlex
import shutil
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "lib"))

from claimatlas.errors import ClaimatlasError, InputError
from claimatlas.spark import artifacts, jars
from claimatlas.spark import settings as spark_settings
from claimatlas.spark.artifacts import DELTA_VERSION, JARS
from claimatlas.spark.java import check_java

VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
SITE_PACKAGES = VENV / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
SPARK_CONF = SITE_PACKAGES / "pyspark" / "conf"
LOG = VENV / "set_up.log"

# Each is written when its part is complete, and holds the fingerprint of what the part was made from.
PACKAGES_STAMP = VENV / "packages.stamp"
STAMP = VENV / "set_up.stamp"

BUILD = ROOT / "requirements" / "build.txt"
REQUIREMENTS = ROOT / "requirements" / "dev.txt"

SPARK_COMMANDS = ("pyspark", "spark-shell", "spark-sql", "spark-submit")

# What another Python or Spark on this machine may have set, and would lead astray.
FOREIGN_VARIABLES = ("PYTHONHOME", "PYTHONPATH", "SPARK_CONF_DIR", "SPARK_HOME")


def main() -> int:
    """Do what is missing; return the exit code."""
    try:
        set_up()
    except ClaimatlasError as error:
        print(f"Set-up stopped: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("Set-up interrupted: run the same command again.", file=sys.stderr)
        return 130
    except OSError as error:
        print(f"Set-up stopped: {error.filename}: {error.strerror}.", file=sys.stderr)
        return 2
    return 0


def set_up() -> None:
    """Do the parts that are not done, each said in one line."""
    java = check_java()
    packages = fingerprint(BUILD, REQUIREMENTS)
    everything = fingerprint(
        BUILD,
        REQUIREMENTS,
        ROOT / "pyproject.toml",
        Path(__file__),
        *(Path(module.__file__ or "") for module in (artifacts, spark_settings)),
        spark_settings.LOG_FILE,
    )
    if is_done(STAMP, everything) and not jars_missing() and (SPARK_CONF / "spark-defaults.conf").is_file():
        return
    started = time.monotonic()
    say(f"Setting up with Python {platform.python_version()} and Java {java}")
    if not is_done(PACKAGES_STAMP, packages):
        install_packages()
        PACKAGES_STAMP.write_text(packages, encoding="utf-8")
    STAMP.unlink(missing_ok=True)
    install_product()
    fetch_jars()
    write_spark_files()
    STAMP.write_text(everything, encoding="utf-8")
    say(f"Ready after {time.monotonic() - started:.0f} s")


def say(line: str) -> None:
    """Tell the person at the screen, at once also when the output is a file."""
    print(line, flush=True)


def fingerprint(*files: Path) -> str:
    """Return a hash of the files' content, the place of the checkout, the JARs and this Python."""
    digest = hashlib.sha256()
    for part in (str(ROOT), str(jars.folder_in_use()), sys.version):
        digest.update(part.encode())
    for file in files:
        digest.update(file.read_bytes())
    return digest.hexdigest()


def is_done(stamp: Path, content: str) -> bool:
    """Say whether a part is complete and was made from the same."""
    return PYTHON.exists() and stamp.is_file() and stamp.read_text(encoding="utf-8") == content


def jars_missing() -> bool:
    """Say whether one of the JARs is not where it was put."""
    return not all((jars.folder_in_use() / jar.file_name).is_file() for jar in JARS)


def install_packages() -> None:
    """Make `.venv` anew and install the pinned packages into it."""
    if VENV.exists():
        if any(VENV.iterdir()) and not (VENV / "pyvenv.cfg").exists() and not LOG.exists():
            raise InputError(f"{VENV} is there and is not a Python environment: move it away.")
        shutil.rmtree(VENV)
    VENV.mkdir()
    say("Making .venv")
    run(
        [sys.executable, "-m", "venv", str(VENV)],
        "The Python environment .venv could not be made: install the venv module of this Python "
        "(Debian or Ubuntu: python3-venv), or choose another one with `make PYTHON=python3.11 ...`",
    )
    say("Installing the pinned packages (the first time some 600 MB and a few minutes)")
    # Python compiles what it imports; compiling all of it beforehand takes a third of the time.
    pip = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--no-compile"]
    failed = (
        "The Python packages could not be installed: check the network, or name your package index in "
        "PIP_INDEX_URL, and run this again"
    )
    run([*pip, "-r", str(BUILD)], failed)
    # PySpark is built from its source archive, here with the pinned tools of the step before. Its JARs are
    # compressed already: to compress them once more would take half of the time.
    build = VENV / "build.cfg"
    build.write_text("[bdist_wheel]\ncompression=stored\n", encoding="utf-8")
    run([*pip, "--no-build-isolation", "-r", str(REQUIREMENTS)], failed, DIST_EXTRA_CONFIG=str(build))


def install_product() -> None:
    """Make `lib/` importable and the console command callable, without a copy."""
    pip = [str(PYTHON), "-m", "pip", "install", "--no-deps", "--no-index", "--no-build-isolation"]
    run([*pip, "--editable", str(ROOT)], "The package itself could not be installed")


def fetch_jars() -> None:
    """Get Delta's JARs, or check those that are there."""
    say(f"Fetching Delta {DELTA_VERSION}" if jars_missing() else f"Checking Delta {DELTA_VERSION}")
    done = subprocess.run(
        [str(PYTHON), "-m", "claimatlas.jars"],
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    with LOG.open("a", encoding="utf-8") as log:
        log.write(done.stderr)
    if done.returncode != 0:
        raise InputError(done.stderr.strip().splitlines()[-1])


def write_spark_files() -> None:
    """Write the settings that Spark finds by itself, and the commands that find this Spark.

    The commands that come with PySpark look for it with whatever `python3` the PATH has.
    """
    settings = {
        # As addresses: Spark does not find a path that holds a space.
        "spark.jars": ",".join(path.as_uri() for path in jars.find()),
        **spark_settings.DELTA,
        "spark.driver.memory": spark_settings.DEFAULT_DRIVER_MEMORY,
        "spark.driver.extraJavaOptions": spark_settings.DRIVER_JAVA_OPTIONS,
        "spark.pyspark.python": str(PYTHON),
        "spark.pyspark.driver.python": str(PYTHON),
    }
    SPARK_CONF.mkdir(exist_ok=True)
    lines = ["# Written by scripts/set_up.py", *(f"{name} {value}" for name, value in settings.items())]
    (SPARK_CONF / "spark-defaults.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")
    shutil.copyfile(spark_settings.LOG_FILE, SPARK_CONF / "log4j2.properties")
    for name in SPARK_COMMANDS:
        command = VENV / "bin" / name
        command.unlink(missing_ok=True)
        command.write_text(spark_command(name), encoding="utf-8")
        command.chmod(0o755)


def spark_command(name: str) -> str:
    """Return a shell script that runs one of Spark's commands with this environment's Spark."""
    home = SPARK_CONF.parent
    return f"""\
#!/bin/sh
# Written by scripts/set_up.py: works from any folder, also while another Spark is set.
export SPARK_HOME={shlex.quote(str(home))}
export SPARK_CONF_DIR={shlex.quote(str(SPARK_CONF))}
export PYSPARK_PYTHON="${{PYSPARK_PYTHON:-{PYTHON}}}"
# A name of this machine that does not resolve stops Spark; a cluster has to reach the real address.
case " $* " in
  *" --master"* | *"spark.master"* | *" --remote"* | *" --properties-file"*) ;;
  *) export SPARK_LOCAL_IP="${{SPARK_LOCAL_IP:-127.0.0.1}}" ;;
esac
# In the plain locale Java cannot name a path that is not ASCII, be it an argument.
case "${{LC_ALL:-${{LC_CTYPE:-${{LANG:-C}}}}}}" in
  C | POSIX) export LC_ALL=C.UTF-8 ;;
esac
# Another Java than the supported ones would end with a trace, or late.
{shlex.quote(str(PYTHON))} -m claimatlas.java || exit
exec "$SPARK_HOME/bin/{name}" "$@"
"""


def run(command: list[str], failed: str, **variables: str) -> None:
    """Run a step with its output in the log; raise with one sentence when it fails."""
    with LOG.open("a", encoding="utf-8") as log:
        print("$", shlex.join(command), file=log, flush=True)
        done = subprocess.run(
            command,
            env={**environment(), **variables},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode != 0:
        if "DO NOT MATCH THE HASHES" in LOG.read_text(encoding="utf-8", errors="replace"):
            failed = "A downloaded package is not the pinned one, its hash differs: try another package index"
        raise InputError(f"{failed} (details: {LOG.relative_to(ROOT)}).")


def environment() -> dict[str, str]:
    """Return the variables for the steps, without what leads to another Python or Spark."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN_VARIABLES}
    return {**kept, "PIP_USER": "0", "PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


if __name__ == "__main__":
    sys.exit(main())
