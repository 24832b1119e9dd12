"""Build the wheel into `dist/`, and the same files as a zip: every Spark's `--py-files` takes that."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST = ROOT / "dist"


def main() -> int:
    """Build both; return the exit code."""
    for old in (*DIST.glob("claimatlas-*.whl"), *DIST.glob("claimatlas-*.zip")):
        old.unlink()
    built = subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(DIST), str(ROOT)],
        check=False,
        stdout=subprocess.DEVNULL,
    )
    if built.returncode != 0:
        return 1
    for wheel in DIST.glob("claimatlas-*.whl"):
        name, version, *_ = wheel.stem.split("-")
        # A wheel is a zip; only its name says otherwise.
        archive = shutil.copyfile(wheel, DIST / f"{name}-{version}.zip")
        print(wheel.relative_to(ROOT), archive.relative_to(ROOT), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
