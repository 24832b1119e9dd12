"""Get Delta's JARs, check them and find them again.

Spark's own Ivy gets them, with a settings file that knows Maven Central only. The usual chain asks
`~/.m2` first, and a description without its JAR there, which other tools leave behind, ends it.
Only the standard library is used, so that the set-up can load this before anything is installed.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from claimatlas.errors import ClaimatlasError, InputError
from claimatlas.spark.artifacts import DELTA_VERSION, EXCLUDED_GROUPS, JARS

JARS_VARIABLE = "CLAIMATLAS_JARS"
IVY_SETTINGS_VARIABLE = "CLAIMATLAS_IVY_SETTINGS"


IVY_SETTINGS = """\
<ivysettings>
  <settings defaultResolver="central"/>
  <resolvers>
    <ibiblio name="central" m2compatible="true"/>
  </resolvers>
</ivysettings>
"""

DOWNLOAD_SECONDS = 600


def default_folder() -> Path:
    """Return the folder where the JARs are kept: the checkout's `.jars`, else the user's cache."""
    checkout = Path(__file__).resolve().parents[3]
    if (checkout / "pyproject.toml").is_file() and (checkout / "lib" / "claimatlas").is_dir():
        return checkout / ".jars"
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "claimatlas" / f"jars-{DELTA_VERSION}"


def folder_in_use() -> Path:
    """Return the folder that `CLAIMATLAS_JARS` names, else the default one."""
    named = os.environ.get(JARS_VARIABLE)
    return _path(named).resolve() if named else default_folder()


def _path(text: str) -> Path:
    # Not by Path.expanduser, which fails for a user that is not known.
    return Path(os.path.expanduser(text))  # noqa: PTH111


def find() -> list[Path]:
    """Return the paths of the five JARs, in the folder in use, for a local session.

    Raises:
        InputError: One of them is not there.
    """
    folder = folder_in_use()
    paths = [folder / jar.file_name for jar in JARS]
    if all(path.is_file() for path in paths):
        return paths
    raise InputError(
        f"Delta's JARs are not in {folder}: run `make jars` in a checkout or `claimatlas jars` elsewhere, "
        f"or name a folder that has them in {JARS_VARIABLE}."
    )


def verify(folder: Path) -> list[Path]:
    """Return the JARs that are missing in a folder, after a check of those that are there.

    Raises:
        InputError: A file has another content than the published one.
    """
    missing = []
    for jar in JARS:
        path = folder / jar.file_name
        if not path.is_file():
            missing.append(path)
        elif hashlib.sha256(path.read_bytes()).hexdigest() != jar.sha256:
            raise InputError(f"{path} is not the published file, its SHA-256 differs: delete it and run this again.")
    return missing


def fetch(folder: Path, *, log: Path | None = None) -> list[Path]:
    """Make a folder hold the five JARs with the right content, and return their paths.

    Nothing is downloaded when they are there already, so a closed network may bring its own copies.

    Args:
        folder: Where the JARs go; made when missing.
        log: Where to keep what Spark and Ivy said; when not given, a file in `folder` that stays after
            a failure only.

    Raises:
        InputError: The download failed, or a file is not the published one.
    """
    folder = folder.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"The folder {folder} for Delta's JARs cannot be made: {error.strerror}.") from error
    if verify(folder):
        own_log = folder / "fetch.log"
        with tempfile.TemporaryDirectory(prefix=".ivy-", dir=folder) as scratch:
            downloads = _resolve(Path(scratch), log or own_log)
            _check_downloads(downloads, log or own_log)
            for jar in JARS:
                # In the same file system, so no half file can stay under the final name.
                (downloads / f"io.delta_{jar.file_name}").replace(folder / jar.file_name)
        own_log.unlink(missing_ok=True)
    return [folder / jar.file_name for jar in JARS]


def spark_home() -> Path | None:
    """Return the Spark that came with the installed `pyspark`, or None when that has no JARs."""
    spec = importlib.util.find_spec("pyspark")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    return home if (home / "jars").is_dir() else None


def _resolve(scratch: Path, log: Path) -> Path:
    """Let `spark-submit` run an empty program with the five as packages; return Ivy's folder of JARs."""
    home = spark_home() or os.environ.get("SPARK_HOME")
    if home is None:
        raise InputError("PySpark is not installed here: install claimatlas with its dependencies first.")
    settings = os.environ.get(IVY_SETTINGS_VARIABLE)
    if settings is None:
        settings = str(scratch / "ivysettings.xml")
        Path(settings).write_text(IVY_SETTINGS, encoding="utf-8")
    elif not Path(settings).is_file():
        raise InputError(f"{IVY_SETTINGS_VARIABLE} names {settings}, but there is no such file.")
    program = scratch / "nothing.py"
    program.write_text("", encoding="utf-8")
    (scratch / "conf").mkdir()
    command = [
        str(Path(home, "bin", "spark-submit")),
        *("--master", "local[1]"),
        *("--conf", f"spark.jars.packages={','.join(jar.coordinate for jar in JARS)}"),
        *("--conf", f"spark.jars.excludes={','.join(f'{group}:*' for group in EXCLUDED_GROUPS)}"),
        *("--conf", f"spark.jars.ivy={scratch / 'ivy'}"),
        *("--conf", f"spark.jars.ivySettings={Path(settings).resolve().as_uri()}"),
        str(program),
    ]
    options = f"{os.environ.get('SPARK_SUBMIT_OPTS', '')} {' '.join(_proxy_options())}".strip()
    environment = {
        **os.environ,
        "SPARK_HOME": str(home),
        # The settings of an earlier set-up name JARs that may not be there yet.
        "SPARK_CONF_DIR": str(scratch / "conf"),
        "SPARK_SUBMIT_OPTS": options,
        "PYSPARK_PYTHON": sys.executable,
        "PYSPARK_DRIVER_PYTHON": sys.executable,
    }
    with log.open("a", encoding="utf-8") as output:
        try:
            done = subprocess.run(
                command,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=DOWNLOAD_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise _download_failed(log) from error
    if done.returncode != 0:
        raise _download_failed(log)
    return scratch / "ivy" / "jars"


def _check_downloads(downloads: Path, log: Path) -> None:
    """Refuse what is missing or is not the published file."""
    for jar in JARS:
        path = downloads / f"io.delta_{jar.file_name}"
        if not path.is_file():
            raise _download_failed(log)
        if hashlib.sha256(path.read_bytes()).hexdigest() != jar.sha256:
            raise InputError(
                f"The repository gave a {jar.file_name} that is not the published file, its SHA-256 differs: "
                f"nothing was kept; use another repository with {IVY_SETTINGS_VARIABLE}."
            )


def _download_failed(log: Path) -> InputError:
    """Say what can be done when Ivy did not get the JARs."""
    return InputError(
        "Delta's JARs could not be downloaded from Maven Central: check the network and run this again, "
        f"or name your own Ivy settings file in {IVY_SETTINGS_VARIABLE}, or a folder that has the five files "
        f"in {JARS_VARIABLE} (details: {log})."
    )


def _proxy_options() -> list[str]:
    """Tell Java of the proxy that `HTTPS_PROXY` and its like name, as it does not look at them."""
    options = []
    for scheme, address in getproxies().items():
        parts = urlsplit(address if "//" in address else f"//{address}")
        if scheme in {"http", "https"} and parts.hostname:
            options.append(f"-D{scheme}.proxyHost={parts.hostname}")
            options.append(f"-D{scheme}.proxyPort={parts.port or 80}")
    return options


DESCRIPTION = "Get Delta's JARs and check them."
EXAMPLE = "--target /opt/claimatlas/jars"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.add_argument("--target", type=_path, metavar="DIR", help="folder of the JARs (default: %(default)s)")
    parser.set_defaults(target=folder_in_use())


def run(arguments: argparse.Namespace) -> int:
    """Get the JARs; give back the exit code."""
    try:
        paths = fetch(arguments.target)
    except ClaimatlasError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    print(f"{len(paths)} JARs of Delta {DELTA_VERSION} in {paths[0].parent}", file=sys.stderr)
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command where only this package's own modules may be there; give back the exit code."""
    parser = argparse.ArgumentParser(prog="claimatlas jars", description=DESCRIPTION)
    add_arguments(parser)
    return run(parser.parse_args(argv))
