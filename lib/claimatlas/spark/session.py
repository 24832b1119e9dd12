"""The one place that makes a SparkSession.

An active session is used unchanged. A session that the environment provides (Databricks) gets no settings, one of a
Spark Connect server only the time zone. Under `spark-submit` the settings of the submit win. A plain Python process
gets a local Spark with Delta. Apart from this module nothing needs a classic session.
"""

from __future__ import annotations

import locale
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies

from pyspark.errors import PySparkImportError, PySparkRuntimeError
from pyspark.sql import SparkSession

from claimatlas.console.relay import relayed, silence
from claimatlas.errors import InputError
from claimatlas.spark import class_archive, jars
from claimatlas.spark.artifacts import DELTA_VERSION, JARS, SPARK_VERSION
from claimatlas.spark.errors import SPARK_ERRORS
from claimatlas.spark.java import check_java, require_supported
from claimatlas.spark.java_start import DRIVER_MEMORY_VARIABLE, complete_submit_arguments, unknown_cause, why_java_ended
from claimatlas.spark.settings import (
    DATABRICKS_VARIABLE,
    DEFAULT_DRIVER_MEMORY,
    DELTA,
    DELTA_EXTENSION,
    DRIVER_JAVA_OPTIONS,
    EXTENSIONS,
    JAVA_OPTIONS,
    LITTLE,
    LOG_FILE,
    REMOTE_VARIABLE,
    SESSION,
    TIME_ZONE,
    Work,
    conf_folder,
    is_provided_by_variables,
    local_settings,
    spark_defaults,
    without_huge_methods,
)

ANY_VERSION_VARIABLE = "CLAIMATLAS_ANY_VERSION"
DRIVER_OPTIONS, EXECUTOR_OPTIONS = "spark.driver.extraJavaOptions", "spark.executor.extraJavaOptions"
LOCAL_FOLDER = "spark.local.dir"
MASTER_VARIABLE = "SPARK_MASTER"
REMOTE_SCHEME = "sc://"
CONNECT_PORT = 15002
"""Where a Spark Connect server listens when its address names no port."""
_SECONDS_TO_ANSWER = 10


@dataclass(frozen=True)
class LocalSpark:
    """How a Spark that a plain Python process starts is set up.

    Attributes:
        master: Where it runs; else the variable `SPARK_MASTER`, else this machine.
        driver_memory: Its memory, as in `8g`; else the variable `CLAIMATLAS_DRIVER_MEMORY`.
        settings: Further settings.
        java_options: Java's options, in place of the product's.
        work: How much is worked on: a Spark on this machine gets what suits that.
        new_archive: Where Java is to write its archive of classes when it ends.
    """

    master: str | None = None
    driver_memory: str | None = None
    settings: Mapping[str, str] = field(default_factory=dict)
    java_options: str | None = None
    work: Work = Work.MUCH
    new_archive: Path | None = None


DEFAULT_SPARK = LocalSpark()


def get_session(app_name: str, local: LocalSpark = DEFAULT_SPARK) -> SparkSession:
    """Return the session to work with, and make one where there is none.

    Args:
        app_name: The name under which Spark shows a session that is made here.
        local: How Spark is set up where this process starts it.

    Raises:
        InputError: Java or Delta's JARs are missing, or Spark and Delta are not the tested pair; or no Spark Connect
            server answers at the address that is given.
    """
    session = SparkSession.getActiveSession()
    if session is not None:
        return session
    if _is_provided():
        return _provided_session(os.environ.get(REMOTE_VARIABLE, ""))
    _require_user()
    with _keeping_interruption_handler(), _ending_java_that_starts():
        if "PYSPARK_GATEWAY_PORT" in os.environ:
            session = _submitted_session(app_name, local.work)
        else:
            session = _local_session(app_name, local)
    try:
        _check_versions(session)
        _require_loading(session.sparkContext._jvm)
    except InputError:
        session.stop()
        raise
    return session


def stop_working() -> None:
    """Cancel the jobs of a classic session of this process, without messages from Java."""
    silence()
    try:
        from pyspark import SparkContext  # noqa: PLC0415 - a pure Connect client has none
    except ImportError:
        return
    if SparkContext._active_spark_context is not None:
        SparkContext._active_spark_context.cancelAllJobs()


@contextmanager
def _keeping_interruption_handler() -> Iterator[None]:
    """Keep the Ctrl-C handler of a command: Spark would install its own, which is meant for a shell."""
    found = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        is_ours = found not in (None, signal.default_int_handler)
        if is_ours and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, found)


@contextmanager
def _ending_java_that_starts() -> Iterator[None]:
    """Let Java end with this program where Ctrl-C comes while it starts.

    Spark deletes the folder by which Java would say where it listens. Java then fails, but does not end: it would stay
    for ever, with nobody to talk to.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            for name in ("proc", "self"):
                if isinstance(process := frame.f_locals.get(name), subprocess.Popen) and hasattr(process, "pid"):
                    process.kill()
        raise


def _require_user() -> None:
    """Stop if the user has no name, as in a container with an arbitrary user id: Hadoop needs a name."""
    try:
        pwd.getpwuid(os.geteuid())
    except KeyError:
        raise InputError(
            f"The user with the id {os.geteuid()} has no name on this machine, and Spark needs one: add the user to "
            "/etc/passwd, or run this as a user that is listed there."
        ) from None


def _is_provided() -> bool:
    """Whether the environment, not this module, provides the session."""
    if is_provided_by_variables():
        return True
    try:
        from pyspark import SparkContext  # noqa: PLC0415 - a pure Connect client has none
    except ImportError:
        return True
    # In a thread of a notebook there is no active session, although the process has one.
    return SparkContext._active_spark_context is not None


def _provided_session(address: str) -> SparkSession:
    """Take the session that the environment provides, or make one on the Spark Connect server at `address`.

    Delta and everything else is the server's; but a date must not depend on the server's time zone.
    """
    builder = SparkSession.builder
    if address.startswith(REMOTE_SCHEME) and DATABRICKS_VARIABLE not in os.environ:
        _require_answer(address)
        builder = builder.config(TIME_ZONE, SESSION[TIME_ZONE])
    try:
        return builder.getOrCreate()
    except PySparkImportError as error:
        raise InputError(
            f"{REMOTE_VARIABLE} is set, and a session of a Spark Connect server needs packages that are not "
            "installed: install claimatlas[connect]."
        ) from error


def _require_answer(address: str) -> None:
    """Stop if nothing listens at the address: Spark itself would retry for ten minutes."""
    if getproxies():
        return  # Behind a proxy we cannot know the route.
    try:
        parts = urlsplit(address)
        peer = (parts.hostname or "", parts.port or CONNECT_PORT)
        socket.create_connection(peer, timeout=_SECONDS_TO_ANSWER).close()
    except (OSError, ValueError) as error:
        # What follows the first semicolon may be a token.
        raise InputError(
            f"No Spark Connect server answers at {address.partition(';')[0]}, which {REMOTE_VARIABLE} names."
        ) from error


def _submitted_session(app_name: str, work: Work) -> SparkSession:
    """Make the session of a program that `spark-submit` started."""
    from pyspark import SparkConf, SparkContext  # noqa: PLC0415 - classic mode only

    SparkContext._ensure_initialized()  # connects to the Java that the submit started
    submitted = dict(SparkConf().getAll())
    jvm: Any = SparkContext._jvm
    require_supported(jvm.java.lang.System.getProperty("java.specification.version"))
    _require_delta(jvm)
    builder = SparkSession.builder
    # Without `--name`, the name is that of the script.
    if submitted.get("spark.app.name") in (None, Path(sys.argv[0]).name):
        builder = builder.appName(app_name)
    wanted = {**DELTA, **SESSION}
    # Java runs already, so its options are those of the submit.
    master = submitted.get("spark.master", "local")
    if master.startswith("local"):
        wanted |= _on_this_machine(submitted)
        # Another Python, or a missing one, would fail at the first Python task.
        os.environ["PYSPARK_PYTHON"] = sys.executable
    wanted |= _for_the_java_of_tasks(master, submitted, work)
    for name, value in _absent(wanted, submitted).items():
        builder = builder.config(name, value)
    return builder.getOrCreate()


def _require_delta(jvm: Any) -> None:  # noqa: ANN401 - Py4J's view of Java has no type
    """Stop before Spark does when Java cannot load Delta, as Spark would print a stack trace."""
    try:
        jvm.java.lang.Thread.currentThread().getContextClassLoader().loadClass(DELTA_EXTENSION)
    except SPARK_ERRORS as error:
        package = JARS[0].coordinate
        raise InputError(
            "Spark was started without Delta's JARs: add `--packages "
            f"{package}` to spark-submit, or name the files in a folder that `claimatlas jars` fills "
            "with `--jars`."
        ) from error


def _local_session(app_name: str, local: LocalSpark) -> SparkSession:
    """Make the session of a plain Python process: a console command or a test."""
    java_version = check_java()
    home = jars.spark_home()
    if home is not None:
        # A SPARK_HOME that points to another Spark would start that one under this PySpark.
        os.environ["SPARK_HOME"] = str(home)
    complete_submit_arguments()
    _let_java_name_paths()
    defaults = spark_defaults()
    if defaults.get(DRIVER_OPTIONS) == DRIVER_JAVA_OPTIONS:
        # The set-up wrote them for spark-submit. Here the size of the work decides.
        del defaults[DRIVER_OPTIONS]
    settings = local.settings
    master = local.master or os.environ.get(MASTER_VARIABLE) or defaults.get("spark.master", "local[*]")
    wanted = {**DELTA, **SESSION, "spark.driver.memory": DEFAULT_DRIVER_MEMORY}
    if not master.startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    else:
        # A value that a notebook left there may name another version, or nothing.
        os.environ["PYSPARK_PYTHON"] = sys.executable
        # Spark stops if the host name does not resolve, and no other machine needs to reach it.
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
        options = JAVA_OPTIONS[local.work] + _log_option()
        wanted |= {**_on_this_machine({**defaults, **settings}), DRIVER_OPTIONS: options}
    wanted = _absent(wanted, defaults)
    if not any("delta-spark" in defaults.get(name, "") for name in ("spark.jars", "spark.jars.packages")):
        own = [defaults["spark.jars"]] if defaults.get("spark.jars") else []
        wanted["spark.jars"] = ",".join([*own, *(path.as_uri() for path in jars.find())])
    if local.java_options is not None:
        wanted[DRIVER_OPTIONS] = local.java_options + _log_option()
    driver_memory = local.driver_memory or os.environ.get(DRIVER_MEMORY_VARIABLE)
    if driver_memory:
        wanted["spark.driver.memory"] = driver_memory
    given = {**defaults, **wanted, **settings}
    wanted |= _absent(_for_the_java_of_tasks(master, given, local.work), defaults)
    asked = {**wanted, **settings}
    with_archive = _with_class_archive(master, {**defaults, **asked}, java_version, local)
    builder = SparkSession.builder.appName(app_name).master(master)
    for name, value in (with_archive or asked).items():
        builder = builder.config(name, value)
    with relayed("java") as java, class_archive.without_conf_folder() if with_archive else nullcontext():
        try:
            return builder.getOrCreate()
        except PySparkRuntimeError as error:
            if error.getCondition() != "JAVA_GATEWAY_EXITED":
                raise
            cause = why_java_ended(java.heard())
            if cause is None:
                java.hand_on()
            raise InputError(cause or unknown_cause()) from error


def _with_class_archive(
    master: str, given: Mapping[str, str], java_version: str, local: LocalSpark
) -> dict[str, str] | None:
    """Return all settings of a Spark in this process whose Java takes or makes an archive of classes; else None."""
    home = jars.spark_home()
    if not master.startswith("local") or not class_archive.is_possible(home, given):
        return None
    if local.new_archive is None:
        option = class_archive.option_to_take(class_archive.archive_for(java_version))
    else:
        option = class_archive.option_to_make(local.new_archive)
    if not option:
        return None
    log_files = [*conf_folder(home).glob("log4j2.*"), LOG_FILE]
    options = f"{given.get(DRIVER_OPTIONS, '')} {option}"
    if "log4j2.configurationFile" not in options:
        options += f" -Dlog4j2.configurationFile={log_files[0].as_uri()}"
    return class_archive.on_class_path({**given, DRIVER_OPTIONS: options.strip()})


def _let_java_name_paths() -> None:
    """Make Java use UTF-8 for file names where Python does so in spite of the locale, as with `LC_ALL=C`."""
    if sys.getfilesystemencoding() == "utf-8" and locale.getencoding().lower().replace("-", "") != "utf8":
        os.environ["LC_ALL"] = "C.UTF-8"


def _require_loading(jvm: Any) -> None:  # noqa: ANN401 - Py4J's view of Java has no type
    """Stop if Java cannot load the libraries that compress tables: Spark unpacks them into a temporary folder."""
    try:
        jvm.com.github.luben.zstd.util.Native.load()
        jvm.org.xerial.snappy.Snappy.getNativeLibraryVersion()
    except SPARK_ERRORS as error:
        folder = jvm.java.lang.System.getProperty("java.io.tmpdir")
        raise InputError(
            f"Spark cannot load its libraries for compression from Java's temporary folder {folder}, as from one that "
            "is mounted with noexec or cannot be written: name another one, with "
            "JAVA_TOOL_OPTIONS=-Djava.io.tmpdir=FOLDER."
        ) from error


def _for_the_java_of_tasks(master: str, given: Mapping[str, str], work: Work) -> dict[str, str]:
    """Return what suits the Java that does the tasks: the driver's on this machine, else the executors'."""
    is_local = master.startswith("local")
    if is_local and work is Work.LITTLE:
        return LITTLE
    return without_huge_methods(given.get(DRIVER_OPTIONS if is_local else EXECUTOR_OPTIONS, ""))


def _on_this_machine(given: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a Spark in one process, with a place for its temporary files unless one is given."""
    temporary = {} if LOCAL_FOLDER in given else {LOCAL_FOLDER: temporary_folder()}
    return {**local_settings(), **temporary}


def temporary_folder() -> str:
    """Return a folder for Spark's temporary files that only this user can open.

    These hold rows on their way between tasks, and Spark makes them readable for everybody on the machine. The folder
    stays for the next session; Spark removes what it put there.
    """
    folder = Path(tempfile.gettempdir(), f"claimatlas-{os.geteuid()}")
    with suppress(FileExistsError):
        folder.mkdir(mode=stat.S_IRWXU)
    found = folder.lstat()
    # Another user may have created it, or a link to a folder of theirs, in order to read the files.
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if is_own and stat.S_IMODE(found.st_mode) == stat.S_IRWXU:
        return str(folder)
    return tempfile.mkdtemp(prefix="claimatlas-")


def _absent(wanted: Mapping[str, str], given: Mapping[str, str]) -> dict[str, str]:
    """Return the wanted settings that nobody gave; Delta's extension joins others that are given."""
    absent = {name: value for name, value in wanted.items() if name not in given}
    extensions = given.get(EXTENSIONS, DELTA_EXTENSION)
    if DELTA_EXTENSION not in extensions:
        absent[EXTENSIONS] = f"{extensions},{DELTA_EXTENSION}"
    return absent


def _log_option() -> str:
    """Return the Java option that limits Spark's log to errors, unless Spark's folder of settings has a log file."""
    if any(conf_folder().glob("log4j2.*")):
        return ""
    return f" -Dlog4j2.configurationFile={LOG_FILE.as_uri()}"


def _check_versions(session: SparkSession) -> None:
    """Refuse Spark and Delta that were not tested together: such pairs fail late and in odd places."""
    if os.environ.get(ANY_VERSION_VARIABLE) == "1":
        return
    jvm: Any = session.sparkContext._jvm
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    delta = loader.loadClass(DELTA_EXTENSION).getPackage().getImplementationVersion()
    if (session.version, delta) != (SPARK_VERSION, DELTA_VERSION):
        raise InputError(
            f"Spark {session.version} with Delta {delta} is not the tested pair, which is Spark "
            f"{SPARK_VERSION} with Delta {DELTA_VERSION}: use that, or set "
            f"{ANY_VERSION_VARIABLE}=1 to run all the same."
        )
