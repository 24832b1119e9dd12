"""An environment of its own with the pinned Airflow, made once and kept in `.airflow/` of the checkout."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT / "requirements" / "airflow.txt"
PLACE = ROOT / ".airflow"


def airflow_python() -> Path:
    """The environment's Python; the environment is made when it is not there or holds other versions."""
    stamp, content = PLACE / "stamp", hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()
    python = PLACE / "bin" / "python"
    if not (stamp.is_file() and stamp.read_text(encoding="utf-8") == content):
        shutil.rmtree(PLACE, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(PLACE)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--require-hashes", "--no-compile"]
        subprocess.run([*install, "--requirement", str(REQUIREMENTS)], check=True)
        stamp.write_text(content, encoding="utf-8")
    return python


class Airflow:
    """An Airflow with its own home, database and folder of DAGs."""

    def __init__(self, home: Path, dags: Path) -> None:
        """Make the database."""
        self.home, self.python = home, airflow_python()
        home.mkdir()
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "PYTHON"))}
        self.environment = {
            **plain,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
        }
        self.execute("-m", "airflow", "db", "migrate")

    def execute(self, *command: str, text: str = "", variables: Mapping[str, str] | None = None) -> str:
        """Run the environment's Python; gives back what it said."""
        done = subprocess.run(
            [str(self.python), *command],
            env={**self.environment, **(variables or {})},
            cwd=self.home,
            input=text,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-5000:]
        return done.stdout

    def probe(
        self,
        runs: Sequence[Mapping[str, Any]] = (),
        variables: Mapping[str, str] | None = None,
        *,
        retry_at_once: bool = False,
    ) -> dict[str, Any]:
        """What Airflow knows of the DAG, and what becomes of runs with these params (see `airflow_probe.py`)."""
        answer = self.home / "answer.json"
        asked = json.dumps({"runs": runs, "retry_at_once": retry_at_once})
        program = str(Path(__file__).with_name("airflow_probe.py"))
        self.said = self.execute(program, str(answer), text=asked, variables=variables)
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return found
