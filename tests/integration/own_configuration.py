"""Own configurations: a copy of the shipped one, or one without it, with lists, flags and indicators of a test."""

from pathlib import Path
from typing import Any

import yaml

LIST_HEADER = "list,code,label_fr,label_nl,label_en,valid_from,valid_to,source,status\n"
NAMES = {"fr": "Essai", "nl": "Proef", "en": "Trial"}


def write_list(conf: Path, name: str, *codes: int) -> None:
    lines = [f"{name},{code},,,a code of the test,,,this test,official\n" for code in codes]
    (conf / "codelists" / f"{name}.csv").write_text(LIST_HEADER + "".join(lines), encoding="utf-8")


def write_indicator(conf: Path, name: str, **declared: Any) -> None:
    declaration = {
        "id": name,
        "names": NAMES,
        "description": NAMES,
        "dimensions": [],
        "first_year": 2006,
        "source_page": "",
        **declared,
    }
    (conf / "indicators" / f"{name}.yaml").write_text(yaml.safe_dump(declaration), encoding="utf-8")


def change(file: Path, **changes: Any) -> None:
    """Change top-level keys of a YAML file; a mapping is added to the one that is there."""
    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    for name, value in changes.items():
        data[name] = {**data[name], **value} if isinstance(value, dict) else value
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
