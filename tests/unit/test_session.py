"""The session: what is left alone, what a local one gets, what is refused."""

import os
import socket
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from claimatlas.errors import InputError
from claimatlas.spark import class_archive, jars
from claimatlas.spark import session as session_module
from claimatlas.spark.artifacts import DELTA_VERSION, JARS, SPARK_VERSION
from claimatlas.spark.session import LocalSpark, get_session, temporary_folder
from claimatlas.spark.settings import (
    COMPILE_ALL,
    DELTA_CATALOG,
    DELTA_EXTENSION,
    DRIVER_JAVA_OPTIONS,
    JAVA_OPTIONS,
    LITTLE,
    SESSION,
    Work,
    local_settings,
    without_huge_methods,
)
from pyspark.errors import PySparkImportError
from pyspark.sql import SparkSession


def test_an_active_session_is_returned_untouched(spark: SparkSession) -> None:
    spark.conf.set("spark.sql.session.timeZone", "Europe/Brussels")
    before = dict(spark.conf.getAll)
    found = get_session("another name", LocalSpark(settings={"spark.sql.shuffle.partitions": "77"}))
    assert found is spark
    assert dict(found.conf.getAll) == before


def test_a_test_may_change_settings(spark: SparkSession) -> None:
    spark.conf.set("spark.sql.session.timeZone", "Europe/Brussels")
    spark.conf.set("claimatlas.test", "left behind")
    spark.range(1).createOrReplaceTempView("left_behind")


def test_and_the_next_one_finds_them_as_they_were(spark: SparkSession) -> None:
    assert spark.conf.get("spark.sql.session.timeZone") == "UTC"
    assert spark.conf.get("claimatlas.test", None) is None
    assert not spark.catalog.tableExists("left_behind")


@pytest.mark.shuffle_partitions(4)
def test_a_test_may_ask_for_more_partitions(spark: SparkSession) -> None:
    assert spark.conf.get("spark.sql.shuffle.partitions") == "4"


def test_a_local_session_has_what_the_product_wants(spark: SparkSession) -> None:
    assert spark.conf.get("spark.sql.extensions") == DELTA_EXTENSION
    assert spark.conf.get("spark.sql.catalog.spark_catalog") == DELTA_CATALOG
    assert spark.conf.get("spark.ui.enabled") == "false"
    assert spark.conf.get("spark.sql.ansi.enabled") == "true"
    for name, value in SESSION.items():
        assert spark.conf.get(name) == value
    assert spark.version == SPARK_VERSION


def test_workers_use_the_python_of_the_driver(spark: SparkSession) -> None:
    assert spark.sparkContext.pythonExec == sys.executable


def test_delta_tables_can_be_written_and_read(spark: SparkSession, tmp_path: Path) -> None:
    table = str(tmp_path / "table")
    spark.range(3).write.format("delta").save(table)
    assert spark.read.format("delta").load(table).count() == 3


def test_what_is_given_wins_and_delta_joins_other_extensions() -> None:
    wanted = {"a": "wanted", "b": "wanted", "spark.sql.extensions": DELTA_EXTENSION}
    assert session_module._absent(wanted, {"a": "given"}) == {
        "b": "wanted",
        "spark.sql.extensions": DELTA_EXTENSION,
    }
    assert session_module._absent(wanted, {"spark.sql.extensions": "org.example.Other"}) == {
        "a": "wanted",
        "b": "wanted",
        "spark.sql.extensions": f"org.example.Other,{DELTA_EXTENSION}",
    }


def test_no_method_is_left_to_javas_interpreter(spark: SparkSession) -> None:
    """Java compiles no method of more than 8,000 bytes unless it is told to, so that Spark may make none."""
    limit = {"spark.sql.codegen.hugeMethodLimit": "8000"}
    assert without_huge_methods("-XX:+UseSerialGC") == limit
    assert without_huge_methods(f"-XX:+UseSerialGC {COMPILE_ALL}") == without_huge_methods(DRIVER_JAVA_OPTIONS) == {}
    # The session of these tests has Java's options of its own.
    assert COMPILE_ALL not in spark.conf.get("spark.driver.extraJavaOptions")
    assert spark.conf.get("spark.sql.codegen.hugeMethodLimit") == "8000"


def submitted(monkeypatch: pytest.MonkeyPatch, given: dict[str, str], builder: "RemoteBuilder", work: Work) -> None:
    """Make the session of a program that was submitted with these settings."""
    java = SimpleNamespace(System=SimpleNamespace(getProperty=lambda name: "17"))
    context = SimpleNamespace(_ensure_initialized=lambda: None, _jvm=SimpleNamespace(java=SimpleNamespace(lang=java)))
    monkeypatch.setattr("pyspark.SparkContext", context)
    monkeypatch.setattr("pyspark.SparkConf", lambda: SimpleNamespace(getAll=lambda: list(given.items())))
    monkeypatch.setattr(session_module, "_require_delta", lambda jvm: None)
    monkeypatch.setattr(session_module, "SparkSession", SimpleNamespace(builder=builder))
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    session_module._submitted_session("job", work)


@pytest.mark.parametrize(
    ("given", "limit"),
    [
        ({"spark.master": "local[2]"}, "8000"),
        ({"spark.master": "local[2]", "spark.driver.extraJavaOptions": COMPILE_ALL}, None),
        ({"spark.master": "spark://here:7077", "spark.driver.extraJavaOptions": COMPILE_ALL}, "8000"),
        ({"spark.master": "spark://here:7077", "spark.executor.extraJavaOptions": f"-Da=b {COMPILE_ALL}"}, None),
        ({"spark.master": "spark://here:7077", "spark.sql.codegen.hugeMethodLimit": "1"}, None),
    ],
)
def test_the_java_of_the_tasks_decides_how_long_methods_may_be(
    given: dict[str, str], limit: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    submitted(monkeypatch, given, builder := RemoteBuilder(), Work.MUCH)
    assert builder.asked.get("spark.sql.codegen.hugeMethodLimit") == limit


def test_a_submit_on_little_data_has_one_task(monkeypatch: pytest.MonkeyPatch) -> None:
    submitted(monkeypatch, {"spark.master": "local[2]"}, builder := RemoteBuilder(), Work.LITTLE)
    assert {name: builder.asked[name] for name in LITTLE} == LITTLE
    assert "spark.sql.codegen.hugeMethodLimit" not in builder.asked


@pytest.mark.parametrize(
    ("java_options", "is_limited"), [(None, False), ("", True), ("-XX:+UseSerialGC", True), (COMPILE_ALL, False)]
)
def test_options_of_java_that_are_given_decide_it_too(
    java_options: str | None, is_limited: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    builder = RemoteBuilder()
    monkeypatch.setattr(session_module, "SparkSession", SimpleNamespace(builder=builder))
    monkeypatch.setattr(session_module, "spark_defaults", dict)
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setattr(class_archive, "option_to_take", lambda archive: "")
    session_module._local_session("job", LocalSpark("local[2]", java_options=java_options))
    assert ("spark.sql.codegen.hugeMethodLimit" in builder.asked) == is_limited


@pytest.mark.parametrize(
    ("written", "work", "expected"),
    [
        (DRIVER_JAVA_OPTIONS, Work.LITTLE, JAVA_OPTIONS[Work.LITTLE]),
        (DRIVER_JAVA_OPTIONS, Work.LIGHT, JAVA_OPTIONS[Work.LIGHT]),
        (DRIVER_JAVA_OPTIONS, Work.MUCH, DRIVER_JAVA_OPTIONS),
        ("-Dof.the=user", Work.LITTLE, "-Dof.the=user"),
        (None, Work.LITTLE, JAVA_OPTIONS[Work.LITTLE]),
    ],
)
def test_the_set_ups_own_options_of_java_give_way_to_the_size_of_the_work(
    written: str | None, work: Work, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What somebody else wrote into spark-defaults.conf stays."""
    builder = RemoteBuilder()
    defaults = {} if written is None else {"spark.driver.extraJavaOptions": written}
    monkeypatch.setattr(session_module, "SparkSession", SimpleNamespace(builder=builder))
    monkeypatch.setattr(session_module, "spark_defaults", lambda: dict(defaults))
    monkeypatch.setattr(session_module, "_log_option", lambda: "")
    monkeypatch.setenv("PYSPARK_PYTHON", sys.executable)
    monkeypatch.setattr(class_archive, "option_to_take", lambda archive: "")
    session_module._local_session("job", LocalSpark(work=work))
    assert builder.asked.get("spark.driver.extraJavaOptions", written) == expected
    is_limited = "spark.sql.codegen.hugeMethodLimit" in builder.asked
    assert is_limited == (work is not Work.LITTLE and COMPILE_ALL not in expected)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An archive of classes beside Delta's JARs, and a folder of settings as the set-up leaves one."""
    monkeypatch.setattr(jars, "folder_in_use", lambda: tmp_path)
    monkeypatch.setattr(jars, "spark_home", lambda: tmp_path / "spark")
    for jar in JARS:
        (tmp_path / jar.file_name).touch()
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "log4j2.properties").touch()
    (conf / "spark-defaults.conf").touch()
    monkeypatch.setenv("SPARK_CONF_DIR", str(conf))
    monkeypatch.delenv("PYSPARK_SUBMIT_ARGS", raising=False)
    path = class_archive.archive_for("17.0.1")
    path.touch()
    return path


def with_archive(settings: dict[str, str], master: str = "local[2]", java: str = "17.0.1") -> dict[str, str] | None:
    """The settings of a session that takes the archive of this Java; None when it takes none."""
    return session_module._with_class_archive(master, settings, java, LocalSpark())


def test_a_local_session_takes_the_archive_of_classes(archive: Path) -> None:
    """Delta is on Java's class path then, and what the folder of settings held is given one by one."""
    own = [path.as_uri() for path in jars.find()]
    given = {
        "spark.jars": ",".join([*own, "file:///other.jar"]),
        "spark.driver.extraJavaOptions": "-Da=b",
        "spark.x": "1",
    }
    found = with_archive(given)
    assert found is not None
    options = found.pop("spark.driver.extraJavaOptions").split()
    assert found == {
        "spark.x": "1",
        "spark.jars": "file:///other.jar",
        "spark.driver.extraClassPath": ":".join(map(str, jars.find())),
    }
    assert options[:2] == ["-Da=b", f"-XX:SharedArchiveFile={archive}"]
    assert options[-1] == f"-Dlog4j2.configurationFile={(archive.parent / 'conf' / 'log4j2.properties').as_uri()}"
    only_ours = with_archive({"spark.jars": ",".join(own)})
    assert only_ours is not None
    assert "spark.jars" not in only_ours


def test_java_starts_as_ever_where_an_archive_cannot_be_taken(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert with_archive({}, java="17.0.2") is None
    assert with_archive({}, master="spark://here:7077") is None
    assert with_archive({"spark.driver.extraClassPath": "/own"}) is None
    (archive.parent / "conf" / "hive-site.xml").touch()
    assert with_archive({}) is None
    (archive.parent / "conf" / "hive-site.xml").unlink()
    assert with_archive({}) is not None
    monkeypatch.setenv("PYSPARK_SUBMIT_ARGS", "--driver-class-path /own pyspark-shell")
    assert with_archive({}) is None


def test_an_archive_is_old_when_a_jar_is_newer(archive: Path) -> None:
    home = archive.parent / "spark"
    (home / "jars").mkdir(parents=True)
    jar = home / "jars" / "spark-core.jar"
    jar.touch()
    made = archive.stat().st_mtime
    os.utime(jar, (made - 1, made - 1))
    for path in jars.find():
        os.utime(path, (made, made))
    assert class_archive.is_current(archive, home)
    os.utime(jar, (made + 1, made + 1))
    assert not class_archive.is_current(archive, home)
    archive.unlink()
    assert not class_archive.is_current(archive, home)
    jars.find()[0].unlink()
    with pytest.raises(InputError, match="Delta's JARs are not in"):
        class_archive.is_current(archive, home)


def test_the_folder_of_settings_is_left_out_only_while_java_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    for before in (None, "/somewhere"):
        monkeypatch.delenv("SPARK_CONF_DIR", raising=False)
        if before:
            monkeypatch.setenv("SPARK_CONF_DIR", before)
        with class_archive.without_conf_folder():
            assert not Path(os.environ["SPARK_CONF_DIR"]).exists()
        assert os.environ.get("SPARK_CONF_DIR") == before


def test_spark_defaults_are_read_as_spark_reads_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# a comment\n\nspark.a 1\nspark.b=2\nspark.c : 3 4\n  spark.d\t-Dx=y -Dz=1\nspark.alone\n"
    (tmp_path / "spark-defaults.conf").write_text(text, encoding="utf-8")
    monkeypatch.setenv("SPARK_CONF_DIR", str(tmp_path))
    assert session_module.spark_defaults() == {
        "spark.a": "1",
        "spark.b": "2",
        "spark.c": "3 4",
        "spark.d": "-Dx=y -Dz=1",
    }


@pytest.mark.parametrize("name", ["SPARK_REMOTE", "DATABRICKS_RUNTIME_VERSION", "SPARK_CONNECT_MODE_ENABLED"])
def test_where_a_session_is_provided_nothing_is_added(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    provided = object()
    builder = SimpleNamespace(getOrCreate=lambda: provided)
    fake = SimpleNamespace(getActiveSession=lambda: None, builder=builder)
    monkeypatch.setattr(session_module, "SparkSession", fake)
    monkeypatch.setenv(name, "something")
    assert get_session("job") is provided


class RemoteBuilder:
    """What is asked of a session while it is made."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: dict[str, str] = {}
        self.error = error

    def appName(self, name: str) -> "RemoteBuilder":  # noqa: N802 - as Spark names it
        return self.config("spark.app.name", name)

    def master(self, master: str) -> "RemoteBuilder":
        return self.config("spark.master", master)

    def config(self, name: str, value: str) -> "RemoteBuilder":
        self.asked[name] = value
        return self

    def getOrCreate(self) -> dict[str, str]:  # noqa: N802 - as Spark names it
        if self.error:
            raise self.error
        return self.asked


@pytest.fixture
def builder(monkeypatch: pytest.MonkeyPatch) -> RemoteBuilder:
    for name in ("http_proxy", "https_proxy", "all_proxy", "grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    made = RemoteBuilder()
    fake = SimpleNamespace(getActiveSession=lambda: None, builder=made)
    monkeypatch.setattr(session_module, "SparkSession", fake)
    return made


def test_a_session_of_a_connect_server_has_the_time_zone(
    builder: RemoteBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("SPARK_REMOTE", f"sc://127.0.0.1:{server.getsockname()[1]}/;token=secret")
        assert get_session("job") == {"spark.sql.session.timeZone": "UTC"}


def test_a_connect_server_that_does_not_answer_is_said_at_once(
    builder: RemoteBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    for address in (f"sc://127.0.0.1:{port}/", "sc://127.0.0.1:port/"):
        monkeypatch.setenv("SPARK_REMOTE", f"{address};token=secret")
        with pytest.raises(InputError) as caught:
            get_session("job")
        assert str(caught.value) == f"No Spark Connect server answers at {address}, which SPARK_REMOTE names."


def test_behind_a_proxy_spark_finds_the_way_itself(builder: RemoteBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_REMOTE", "sc://nowhere.invalid:443/;token=secret")
    monkeypatch.setenv("https_proxy", "http://proxy.invalid:3128")
    assert get_session("job") == {"spark.sql.session.timeZone": "UTC"}


def test_missing_packages_of_the_client_are_said(builder: RemoteBuilder, monkeypatch: pytest.MonkeyPatch) -> None:
    builder.error = PySparkImportError(
        errorClass="PACKAGE_NOT_INSTALLED", messageParameters={"package_name": "grpcio", "minimum_version": "1"}
    )
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("SPARK_REMOTE", f"sc://127.0.0.1:{server.getsockname()[1]}")
        with pytest.raises(InputError, match=r"install claimatlas\[connect\]"):
            get_session("job")


def fake_session(version: str, delta: str) -> SimpleNamespace:
    package = SimpleNamespace(getImplementationVersion=lambda: delta)
    loader = SimpleNamespace(loadClass=lambda _: SimpleNamespace(getPackage=lambda: package))
    thread = SimpleNamespace(getContextClassLoader=lambda: loader)
    lang = SimpleNamespace(Thread=SimpleNamespace(currentThread=lambda: thread))
    jvm = SimpleNamespace(java=SimpleNamespace(lang=lang))
    return SimpleNamespace(version=version, sparkContext=SimpleNamespace(_jvm=jvm))


@pytest.mark.parametrize("pair", [("4.2.1", DELTA_VERSION), (SPARK_VERSION, "4.3.0")])
def test_an_untested_pair_is_refused_with_both_versions(pair: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(session_module.ANY_VERSION_VARIABLE, raising=False)
    session_module._check_versions(fake_session(SPARK_VERSION, DELTA_VERSION))
    with pytest.raises(InputError) as caught:
        session_module._check_versions(fake_session(*pair))
    assert f"Spark {pair[0]} with Delta {pair[1]} is not the tested pair" in str(caught.value)
    monkeypatch.setenv(session_module.ANY_VERSION_VARIABLE, "1")
    session_module._check_versions(fake_session(*pair))


def test_the_local_settings_grow_with_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    assert local_settings()["spark.sql.shuffle.partitions"] == "16"
    monkeypatch.setattr("os.cpu_count", lambda: 32)
    assert local_settings()["spark.sql.shuffle.partitions"] == "256"


# --- Temporary files -----------------------------------------------------------------------------


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def mode(folder: Path | str) -> int:
    return stat.S_IMODE(Path(folder).stat().st_mode)


def test_temporary_files_lie_where_nobody_else_gets(temporary: Path) -> None:
    folder = temporary_folder()
    assert Path(folder).parent == temporary
    assert mode(folder) == 0o700
    assert temporary_folder() == folder


def test_a_folder_that_others_could_have_made_is_not_used(temporary: Path) -> None:
    usual = Path(temporary_folder())
    usual.chmod(0o755)
    assert temporary_folder() != str(usual)
    usual.rmdir()
    (temporary / "theirs").mkdir(mode=0o700)
    usual.symlink_to(temporary / "theirs")
    folder = temporary_folder()
    assert folder != str(usual)
    assert mode(folder) == 0o700


def test_spark_puts_its_temporary_files_there(spark: SparkSession) -> None:
    assert mode(spark.conf.get("spark.local.dir")) == 0o700
