"""An example configuration as tests use it: as it is, and copies of it with other keys."""

import shutil
from collections.abc import Callable
from pathlib import Path

import yaml
from comparison import CONF

TEXT_CODES = CONF / "examples" / "text_codes"
Edit = Callable[..., Path]


def editor_of(example: Path, folder: Path) -> Edit:
    """Copies an example into a folder, and changes keys of a YAML file of it; ``None`` takes one out."""
    conf = Path(shutil.copytree(example, folder / "conf"))

    def change(file: str, **keys: object) -> Path:
        path = conf / file
        document = {**yaml.safe_load(path.read_text(encoding="utf-8")), **keys}
        document = {name: value for name, value in document.items() if value is not None}
        path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
        return conf

    return change
