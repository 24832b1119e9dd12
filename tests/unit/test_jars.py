"""Delta's JARs: the list, where they are looked for, what is refused. Nothing here downloads."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from claimatlas.errors import InputError
from claimatlas.spark import artifacts, jars

ROOT = Path(__file__).resolve().parents[2]


def fill(folder: Path, content: bytes = b"not a JAR") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for jar in artifacts.JARS:
        (folder / jar.file_name).write_bytes(content)
    return folder


def pinned(lock: str, package: str) -> str:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    match = re.search(rf"^{package}==(\S+)", text, flags=re.MULTILINE)
    assert match, f"{package} is not in requirements/{lock}"
    return match.group(1)


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt"])
def test_the_lock_files_and_the_jars_are_one_set(lock: str) -> None:
    assert pinned(lock, "pyspark") == artifacts.SPARK_VERSION
    assert pinned(lock, "delta-spark") == artifacts.DELTA_VERSION


def test_the_main_jar_is_the_one_for_this_spark() -> None:
    minor = artifacts.SPARK_VERSION.rpartition(".")[0]
    assert artifacts.JARS[0].file_name == f"delta-spark_{minor}_2.13-{artifacts.DELTA_VERSION}.jar"


def test_every_jar_has_its_own_checksum() -> None:
    sums = [jar.sha256 for jar in artifacts.JARS]
    assert len(set(sums)) == len(artifacts.JARS) == 5
    assert all(re.fullmatch("[0-9a-f]{64}", value) for value in sums)


@pytest.mark.parametrize("lock", ["build.txt", "run.txt", "dev.txt"])
def test_the_lock_files_name_no_place_of_one_machine(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    assert not re.search(r"https?:|file:/|--find-links|--index-url|--extra-index-url|--trusted-host", text)
    assert "--hash=sha256:" in text


def test_find_takes_the_folder_of_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(jars.JARS_VARIABLE, str(fill(tmp_path / "own")))
    assert jars.find() == [tmp_path / "own" / jar.file_name for jar in artifacts.JARS]


def test_find_says_what_to_do_when_one_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = fill(tmp_path / "own")
    (folder / artifacts.JARS[1].file_name).unlink()
    monkeypatch.setenv(jars.JARS_VARIABLE, str(folder))
    with pytest.raises(InputError, match=r"run `make jars` in a checkout or `claimatlas jars`"):
        jars.find()


def test_a_checkout_keeps_them_in_its_own_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(jars.JARS_VARIABLE, raising=False)
    assert jars.folder_in_use() == ROOT / ".jars"


def test_an_installed_package_keeps_them_in_the_cache_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jars, "__file__", str(tmp_path / "lib" / "site-packages" / "claimatlas" / "spark" / "jars.py"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert jars.default_folder() == tmp_path / "cache" / "claimatlas" / f"jars-{artifacts.DELTA_VERSION}"


def test_fetch_refuses_a_file_with_other_content(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is not the published file, its SHA-256 differs: delete it"):
        jars.fetch(fill(tmp_path))


def test_fetch_downloads_nothing_when_all_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "_resolve", lambda *_: pytest.fail("asked for a download"))
    for path in jars.find():
        (tmp_path / path.name).symlink_to(path)
    assert [path.name for path in jars.fetch(tmp_path)] == [jar.file_name for jar in artifacts.JARS]


def test_ivy_is_told_of_central_only() -> None:
    assert jars.IVY_SETTINGS.count("<ibiblio") == 1
    assert "m2compatible" in jars.IVY_SETTINGS
    assert "local" not in jars.IVY_SETTINGS
    assert "http" not in jars.IVY_SETTINGS


def test_java_hears_of_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jars, "getproxies", lambda: {"https": "http://proxy.example:3128", "no": "localhost"})
    assert jars._proxy_options() == ["-Dhttps.proxyHost=proxy.example", "-Dhttps.proxyPort=3128"]


def test_the_set_up_can_load_it_before_anything_is_installed() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'lib')!r}); "
        "from claimatlas import errors, jars; from claimatlas.spark import artifacts, jars, java, settings"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
