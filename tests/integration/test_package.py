"""The wheel: everything that an installation needs travels inside."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from comparison import CONF, last_record
from integration.console import plain_environment
from integration.inputs import write_small

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.integration


def test_the_wheel_holds_code_settings_and_licence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = tmp_path.glob("claimatlas-*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())

    conf = {f"claimatlas/{path.relative_to(ROOT)}" for path in (ROOT / "conf").rglob("*") if path.is_file()}
    assert conf <= names
    templates = {"claimatlas/sheets/templates/sheet.md.j2", "claimatlas/sheets/templates/index.md.j2"}
    assert {"claimatlas/spark/session.py", "claimatlas/py.typed", "claimatlas/spark/log4j2.properties"} <= names
    assert templates <= names
    atlas = ROOT / "lib" / "claimatlas" / "atlas"
    shown = {path for folder in ("templates", "static", "languages", "data") for path in (atlas / folder).iterdir()}
    assert len(shown) > 20
    assert {f"claimatlas/atlas/{path.relative_to(atlas).as_posix()}" for path in shown} <= names
    information = {name.split("/", 1)[1] for name in names if ".dist-info/" in name}
    assert {"entry_points.txt", "licenses/LICENSE", "licenses/NOTICE"} <= information
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"claimatlas"}


@pytest.mark.slow
@pytest.mark.long
def test_jobs_run_from_the_wheel(archive: Path, tmp_path: Path) -> None:
    """Installed without the checkout, with the settings inside it and with others."""
    (wheel,) = archive.parent.glob("claimatlas-*.whl")
    target = tmp_path / "installed"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", target, wheel]
    subprocess.run(install, check=True)
    environment = {**plain_environment(tmp_path / "plain", with_package=False), "PYTHONPATH": str(target)}

    def claimatlas(*arguments: object) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, target / "bin" / "claimatlas", *map(str, arguments)]
        return subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    source = write_small(tmp_path / "input")
    own = Path(shutil.copytree(CONF, tmp_path / "conf"))
    settings = own / "settings.yaml"
    text = settings.read_text(encoding="utf-8").replace("episode_rule: chained", "episode_rule: anchored")
    settings.write_text(text, encoding="utf-8")
    for name, more, rule in (("own", ("--conf", own), "anchored"), ("inside", (), "chained")):
        done = claimatlas("run-year", "--input", source, "--output", tmp_path / name, "--year", "2022", *more)
        assert done.returncode == 0, done.stdout + done.stderr
        assert last_record(tmp_path / name)["settings"]["episode_rule"] == rule
    told = [sys.executable, "-c", "import claimatlas; print(claimatlas.__file__)"]
    done = subprocess.run(told, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()).is_relative_to(target)
