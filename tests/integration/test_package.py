"""The wheel: everything that an installation needs travels inside."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

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
    assert {"claimatlas/session.py", "claimatlas/py.typed", "claimatlas/log4j2.properties"} <= names
    information = {name.split("/", 1)[1] for name in names if ".dist-info/" in name}
    assert {"entry_points.txt", "licenses/LICENSE", "licenses/NOTICE"} <= information
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"claimatlas"}
