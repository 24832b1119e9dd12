"""The Dockerfile, as far as it can be checked without an engine: what it copies is there, what it pins is ours."""

import fnmatch
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest
import yaml
from claimatlas import __version__
from claimatlas.spark import jars
from claimatlas.spark.artifacts import JARS, SPARK_VERSION
from deployment.dockerfile import FOLDER, ROOT, arguments, copied, instructions, named, run_with
from integration.inputs import write_small

BUILT = {".jars/*.jar": "make jars", "dist/claimatlas-*.whl": "make package"}
"""What the Dockerfile copies that is not in the repository, and what makes it."""


def packages(text: str) -> dict[str, list[str]]:
    """The pinned packages of a file of requirements, each with its hashes."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if match := re.match(r"([a-z0-9._-]+==\S+)", line):
            found[match[1]] = []
        elif match := re.search(r"--hash=(\S+)", line):
            found[list(found)[-1]].append(match[1])
    return found


def test_spark_is_the_version_that_the_jars_of_delta_are_for() -> None:
    image, _, tag = arguments()["SPARK_IMAGE"].rpartition(":")
    scala = JARS[0].artifact.rpartition("_")[2]
    assert image == "docker.io/apache/spark"
    assert tag.startswith(f"{SPARK_VERSION}-scala{scala}-java17-")


def test_python_is_the_one_that_the_packages_are_pinned_for() -> None:
    pinned = re.search(r"pip-compile with Python (\S+)", (ROOT / "requirements/run.txt").read_text(encoding="utf-8"))
    assert pinned is not None
    assert arguments()["PYTHON_IMAGE"].startswith(f"docker.io/library/python:{pinned[1]}-slim-")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["requires-python"] == f">={pinned[1]}"


def test_no_image_is_whatever_is_newest() -> None:
    for found in named("FROM"):
        image = found.words[0]
        image = arguments()[image[2:-1]] if image.startswith("${") else image
        assert re.search(r":\d", image), image
        assert "latest" not in image


def test_what_is_copied_is_there_or_made_by_make() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for source in copied():
        if source in BUILT:
            assert re.search(rf"^{BUILT[source].removeprefix('make ')}:", makefile, re.MULTILINE)
        else:
            assert (ROOT / source).exists(), source
    assert set(BUILT) <= set(copied())
    assert all(fnmatch.fnmatch(f".jars/{jar.file_name}", ".jars/*.jar") for jar in JARS)


def test_the_build_sees_what_is_copied_and_nothing_else() -> None:
    lines = (FOLDER / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    first, *let_through = [line for line in lines if not line.startswith("#")]
    assert first == "*"
    assert {line.removeprefix("!").removesuffix("/*.py") for line in let_through} == set(copied())


def test_it_ends_as_a_user_without_rights_whose_number_is_known() -> None:
    *_, user, entry = instructions()
    assert (user.name, entry.name) == ("USER", "ENTRYPOINT")
    (made,) = [found.text for found in named("RUN") if "useradd" in found.text]
    assert f"--uid {user.text} " in made
    assert int(user.text) > 0


def test_every_package_is_installed_by_its_hashes_but_those_of_spark(tmp_path: Path) -> None:
    command = run_with("--require-hashes").partition(" && pip install")[0]
    requirements = tmp_path / "requirements"
    requirements.mkdir()
    shutil.copy(ROOT / "requirements" / "run.txt", requirements)
    subprocess.run(["bash", "-c", command.replace("/opt/claimatlas", str(tmp_path))], check=True)
    wanted = packages((requirements / "run.txt").read_text(encoding="utf-8"))
    left = packages((requirements / "image.txt").read_text(encoding="utf-8"))
    assert [name.split("==")[0] for name in wanted if name not in left] == ["py4j", "pyspark"]
    assert left == {name: wanted[name] for name in left}
    assert all(left.values())


@pytest.mark.long
@pytest.mark.integration
def test_hadolint_finds_nothing(tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    venv.create(environment, with_pip=True)
    install = [str(environment / "bin" / "pip"), "install", "--quiet", "--require-hashes", "--requirement"]
    subprocess.run([*install, str(ROOT / "requirements" / "hadolint.txt")], check=True)
    done = subprocess.run(
        [str(environment / "bin" / "hadolint"), str(FOLDER / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


class Image:
    """What the Dockerfile makes, in folders in place of `/opt/spark`, `/opt/claimatlas` and the image's Python."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.spark, self.product, self.python = folder / "spark", folder / "claimatlas", folder / "venv"
        home = jars.spark_home()
        assert home is not None
        # Spark's own image has the same files as the package of the same version.
        (self.spark / "jars").mkdir(parents=True)
        for part in ("bin", "python"):
            (self.spark / part).symlink_to(home / part)
        for jar in (home / "jars").iterdir():
            (self.spark / "jars" / jar.name).symlink_to(jar)
        venv.create(self.python, with_pip=True)
        for found in instructions():
            if found.name == "RUN" and ("pip install" in found.text or "claimatlas jars" in found.text):
                self.run(found.text)
            elif found.name == "COPY" and "--from=" not in found.text:
                self._copy(*found.words)

    def moved(self, text: str) -> str:
        """A text with the image's folders in place of those that it names."""
        return text.replace("/opt/spark", str(self.spark)).replace("/opt/claimatlas", str(self.product))

    def run(self, command: str) -> str:
        """Run a command with the image's variables and no others of Spark or Python; gives back what it said."""
        foreign = ("PYSPARK", "SPARK", "PYTHON", "VIRTUAL_ENV", "CLAIMATLAS_")
        plain = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
        own = {
            "PATH": f"{self.python / 'bin'}:{self.spark / 'bin'}:{plain['PATH']}",
            "SPARK_HOME": str(self.spark),
            "PYSPARK_PYTHON": str(self.python / "bin" / "python3"),
            "SPARK_LOCAL_IP": "127.0.0.1",
        }
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", self.moved(command)],
            env={**plain, **own},
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def _copy(self, source: str, target: str) -> None:
        # Delta's JARs are those in use here, the wheel is one of today.
        if source == ".jars/*.jar":
            found = jars.find()
        elif source == "dist/claimatlas-*.whl":
            dist = self.folder / "dist"
            build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(dist), str(ROOT)]
            subprocess.run(build, stdout=subprocess.DEVNULL, check=True)
            found = list(dist.glob("claimatlas-*.whl"))
        else:
            found = [ROOT / source]
        for path in found:
            to = Path(self.moved(target), path.name) if target.endswith("/") else Path(self.moved(target))
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(path, to) if path.is_dir() else shutil.copy(path, to)


@pytest.mark.long
@pytest.mark.integration
def test_its_steps_make_what_runs_the_manifest(tmp_path: Path) -> None:
    """The steps for packages, JARs and jobs, run for real; then the driver's command on what they made."""
    image = Image(tmp_path)
    listed = image.run("pip list --format freeze")
    assert f"claimatlas=={__version__}" in listed
    assert "pyspark" not in listed
    assert {jar.file_name for jar in JARS} <= {path.name for path in (image.spark / "jars").iterdir()}
    (wheel,) = (image.product / "dist").glob("*.whl")
    assert "claimatlas/conf/settings.yaml" in zipfile.ZipFile(wheel).namelist()

    write_small(tmp_path / "data" / "input")
    spec = yaml.safe_load((FOLDER / "volume" / "spark-application.yaml").read_text(encoding="utf-8"))["spec"]
    conf = {**spec["sparkConf"], "spark.sql.shuffle.partitions": "1", "spark.master": "local[2]"}
    conf["spark.driver.memory"] = "2g"
    conf["spark.driver.extraJavaOptions"] = spec["driver"]["javaOptions"]
    flags = " ".join(f"--conf '{name}={value}'" for name, value in conf.items())
    script = spec["mainApplicationFile"].removeprefix("local://")
    options = " ".join(spec["arguments"]).replace("/data/", f"{tmp_path}/data/")
    said = image.run(f"spark-submit --deploy-mode client {flags} {script} {options}")
    assert "National values" in said
    assert " WARN " not in said
    assert (tmp_path / "data" / "output" / "gold" / "releases" / "_delta_log").is_dir()


@pytest.mark.long
@pytest.mark.integration
def test_a_jar_that_is_not_the_published_one_stops_the_build(tmp_path: Path) -> None:
    for jar in jars.find():
        shutil.copy(jar, tmp_path)
    (tmp_path / JARS[1].file_name).write_bytes(b"PK something else")
    command = run_with("claimatlas jars").replace("/opt/spark/jars", str(tmp_path))
    done = subprocess.run(
        [sys.executable, "-m", "claimatlas.jars", *command.split()[2:]], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert f"{JARS[1].file_name} is not the published file" in done.stderr
