"""What people meet at set-up: no Java, no network, other files. One clear sentence each, never a trace."""

import ast
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import pytest
from claimatlas.spark.artifacts import DELTA_VERSION, JARS

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "set_up.py"
# A port that nobody listens on: refused at once.
NOWHERE = "http://127.0.0.1:9/"

pytestmark = pytest.mark.integration


def run(command: list[str | Path], changed: Mapping[str, str | None], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command with some variables changed, or removed by None."""
    environment = {**os.environ, **changed}
    kept = {name: value for name, value in environment.items() if value is not None}
    return subprocess.run(
        command, env=kept, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def the_one_sentence(done: subprocess.CompletedProcess[str], code: int = 2) -> str:
    """Return what was said on standard error, after a check that it is one line and no trace."""
    assert done.returncode == code, done.stderr
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "\tat " not in done.stdout + done.stderr
    assert lines[0].endswith(".")
    return lines[0]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout of what the set-up reads, in a folder whose name has a space."""
    copy = tmp_path / "check out"
    for name in ("lib", "requirements", "scripts"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


@pytest.fixture
def set_up() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("set_up_script", SCRIPT)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fake_java(folder: Path, answer: str, code: int = 0) -> Path:
    java = folder / "java"
    java.write_text(f"#!/bin/sh\necho '{answer}' >&2\nexit {code}\n", encoding="utf-8")
    java.chmod(0o755)
    return folder


class TestJava:
    def test_none_at_all(self, checkout: Path, tmp_path: Path) -> None:
        done = run([sys.executable, checkout / "scripts/set_up.py"], {"PATH": "", "JAVA_HOME": None}, tmp_path)
        assert "neither JAVA_HOME nor PATH leads to one. Install a Java 17" in the_one_sentence(done)
        assert not (checkout / ".venv").exists()

    def test_home_without_java(self, checkout: Path, tmp_path: Path) -> None:
        done = run([sys.executable, checkout / "scripts/set_up.py"], {"JAVA_HOME": str(tmp_path)}, tmp_path)
        assert f"JAVA_HOME is {tmp_path}, but there is no bin/java in it" in the_one_sentence(done)

    @pytest.mark.parametrize(
        ("answer", "version"),
        [
            ('java version "1.8.0_392"', "1.8.0_392"),
            ('openjdk version "11.0.2" 2019-01-15', "11.0.2"),
            ('openjdk version "25" 2025-09-16', "25"),
        ],
    )
    def test_another_version(self, checkout: Path, tmp_path: Path, answer: str, version: str) -> None:
        path = f"{fake_java(tmp_path, answer)}:/usr/bin:/bin"
        done = run([sys.executable, checkout / "scripts/set_up.py"], {"PATH": path, "JAVA_HOME": None}, tmp_path)
        assert f"is Java {version}, but Java 17 or 21 is needed" in the_one_sentence(done)

    def test_one_that_does_not_start(self, checkout: Path, tmp_path: Path) -> None:
        path = f"{fake_java(tmp_path, 'Unable to locate a Java Runtime.', 1)}:/usr/bin:/bin"
        done = run([sys.executable, checkout / "scripts/set_up.py"], {"PATH": path, "JAVA_HOME": None}, tmp_path)
        assert "does not tell its version" in the_one_sentence(done)

    def test_a_session_says_it_too(self, tmp_path: Path) -> None:
        program = tmp_path / "program.py"
        program.write_text(
            "import sys\n"
            "from claimatlas.errors import ClaimatlasError\n"
            "from claimatlas.spark.session import get_session\n"
            "try:\n"
            "    get_session('job')\n"
            "except ClaimatlasError as error:\n"
            "    print(error, file=sys.stderr)\n"
            "    sys.exit(error.exit_code)\n",
            encoding="utf-8",
        )
        done = run([sys.executable, program], {"PATH": "", "JAVA_HOME": None}, tmp_path)
        assert "neither JAVA_HOME nor PATH leads to one" in the_one_sentence(done)


class TestPython:
    def test_an_old_one_is_told(self, tmp_path: Path) -> None:
        code = f"import sys; sys.version_info = (3, 9, 2); exec(open({str(SCRIPT)!r}).read())"
        done = run([sys.executable, "-c", code], {}, tmp_path)
        assert "Python 3.11 or newer is needed, and this is 3.9" in the_one_sentence(done)

    def test_an_old_one_can_read_the_script_so_far(self) -> None:
        ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 7))


class TestPackages:
    def test_no_network(self, checkout: Path, tmp_path: Path) -> None:
        left_behind = checkout / ".venv" / "half"
        left_behind.parent.mkdir()
        left_behind.touch()
        (checkout / ".venv" / "pyvenv.cfg").touch()
        done = run(
            [sys.executable, checkout / "scripts/set_up.py"],
            {"PIP_INDEX_URL": NOWHERE, "PIP_RETRIES": "0", "PIP_NO_CACHE_DIR": "1", "PIP_FIND_LINKS": None},
            tmp_path,
        )
        sentence = the_one_sentence(done)
        assert "The Python packages could not be installed: check the network" in sentence
        assert "(details: .venv/set_up.log)" in sentence
        assert (checkout / ".venv" / "set_up.log").stat().st_size > 0
        assert not left_behind.exists(), "what an interrupted set-up left is made anew"
        assert not (checkout / ".venv" / "packages.stamp").exists()

    def test_other_content_than_pinned(self, checkout: Path, tmp_path: Path) -> None:
        with zipfile.ZipFile(tmp_path / "thing-1.0-py3-none-any.whl", "w") as wheel:
            wheel.writestr("thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
            wheel.writestr("thing-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
            wheel.writestr("thing-1.0.dist-info/RECORD", "")
        pinned = f"thing==1.0 --hash=sha256:{'0' * 64}\n"
        (checkout / "requirements" / "build.txt").write_text(pinned, encoding="utf-8")
        done = run(
            [sys.executable, checkout / "scripts/set_up.py"],
            {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path)},
            tmp_path,
        )
        assert "A downloaded package is not the pinned one, its hash differs" in the_one_sentence(done)

    def test_a_folder_that_is_no_environment_is_kept(self, checkout: Path, tmp_path: Path) -> None:
        (checkout / ".venv").mkdir()
        (checkout / ".venv" / "letters.txt").touch()
        done = run([sys.executable, checkout / "scripts/set_up.py"], {}, tmp_path)
        assert "is there and is not a Python environment: move it away" in the_one_sentence(done)
        assert (checkout / ".venv" / "letters.txt").exists()


def local_repository(folder: Path) -> Path:
    """Make a Maven repository with the five names and other content; return Ivy settings for it."""
    for jar in JARS:
        target = folder / "io" / "delta" / jar.artifact / DELTA_VERSION
        target.mkdir(parents=True)
        (target / jar.file_name).write_bytes(b"not the published JAR")
        (target / jar.file_name).with_suffix(".pom").write_text(
            "<project><modelVersion>4.0.0</modelVersion><groupId>io.delta</groupId>"
            f"<artifactId>{jar.artifact}</artifactId><version>{DELTA_VERSION}</version></project>",
            encoding="utf-8",
        )
    return ivy_settings(folder / "ivysettings.xml", folder.as_uri())


def ivy_settings(file: Path, root: str) -> Path:
    file.write_text(
        '<ivysettings><settings defaultResolver="only"/><resolvers>'
        f'<ibiblio name="only" m2compatible="true" root="{root}"/></resolvers></ivysettings>',
        encoding="utf-8",
    )
    return file


class TestJars:
    FETCH = (sys.executable, "-m", "claimatlas.jars", "--target")

    def test_no_network(self, tmp_path: Path) -> None:
        settings = ivy_settings(tmp_path / "ivysettings.xml", NOWHERE)
        target = tmp_path / "jars"
        done = run([*self.FETCH, target], {"CLAIMATLAS_IVY_SETTINGS": str(settings)}, tmp_path)
        sentence = the_one_sentence(done)
        assert "Delta's JARs could not be downloaded" in sentence
        assert f"(details: {target / 'fetch.log'})" in sentence
        assert [path.name for path in target.iterdir()] == ["fetch.log"]

    def test_a_repository_with_other_content(self, tmp_path: Path) -> None:
        settings = local_repository(tmp_path / "repository")
        target = tmp_path / "jars"
        done = run([*self.FETCH, target], {"CLAIMATLAS_IVY_SETTINGS": str(settings)}, tmp_path)
        sentence = the_one_sentence(done)
        assert f"gave a {JARS[0].file_name} that is not the published file, its SHA-256 differs" in sentence
        assert not list(target.glob("*.jar"))

    def test_settings_that_are_not_there(self, tmp_path: Path) -> None:
        done = run([*self.FETCH, tmp_path / "jars"], {"CLAIMATLAS_IVY_SETTINGS": "nowhere.xml"}, tmp_path)
        assert "CLAIMATLAS_IVY_SETTINGS names nowhere.xml, but there is no such file" in the_one_sentence(done)

    def test_the_set_up_passes_the_sentence_on(
        self, set_up: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for jar in JARS:
            (tmp_path / jar.file_name).write_bytes(b"not the published JAR")
        monkeypatch.setenv("CLAIMATLAS_JARS", str(tmp_path))
        monkeypatch.setattr(set_up, "PYTHON", Path(sys.executable))
        monkeypatch.setattr(set_up, "LOG", tmp_path / "log")
        with pytest.raises(Exception, match=r"is not the published file, its SHA-256 differs: delete it"):
            set_up.fetch_jars()

    @pytest.mark.slow
    def test_a_maven_cache_with_descriptions_only(self, tmp_path: Path) -> None:
        """Spark's usual chain finds the description in `~/.m2`, misses the JAR beside it and stops."""
        repository = tmp_path / "home" / ".m2" / "repository"
        local_repository(repository)
        for jar in repository.rglob("*.jar"):
            jar.unlink()
        home = {"JAVA_TOOL_OPTIONS": f"-Duser.home={tmp_path / 'home'}", "CLAIMATLAS_IVY_SETTINGS": None}
        done = run([*self.FETCH, tmp_path / "jars"], home, tmp_path)
        if done.returncode != 0:
            plain = run([*self.FETCH, tmp_path / "other"], {"CLAIMATLAS_IVY_SETTINGS": None}, tmp_path)
            if plain.returncode != 0:
                pytest.skip("Maven Central cannot be reached from here")
        assert done.returncode == 0, (tmp_path / "jars" / "fetch.log").read_text(encoding="utf-8")
        for jar in JARS:
            content = (tmp_path / "jars" / jar.file_name).read_bytes()
            assert hashlib.sha256(content).hexdigest() == jar.sha256
        assert len(list((tmp_path / "jars").iterdir())) == len(JARS)
