"""Blocks of the reference of the configuration: every key of the models, with what the data file says of it."""

import csv
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from claimatlas.configuration.atlas import AtlasSettings, SourceVariable, Theme
from claimatlas.configuration.dimensions import Dimension
from claimatlas.configuration.indicators import Indicator
from claimatlas.configuration.mappings import ColumnSource, Mapping, Reading, TableMapping
from claimatlas.configuration.model import Declaration, InLanguages
from claimatlas.configuration.publication import Difference, Publication
from claimatlas.configuration.services import BeneficiaryService, ContactGroup, DeliveryFlag, DeliveryType, Services
from claimatlas.configuration.settings import AgeClass, AgeRange, Settings, ShareBounds
from claimatlas.configuration.standards import Standard
from claimatlas.configuration.weights import SyntheticWeights, WeightedService
from claimatlas.synthetic.country import Chapter, Country
from pydantic.fields import FieldInfo

from scripts.documents.markdown import anchor, code, table

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(__file__).with_name("descriptions.yaml")

MODELS: dict[str, type[Declaration]] = {
    model.__name__: model
    for model in (
        *(Settings, AgeClass, AgeRange, ShareBounds),
        *(Services, ContactGroup, DeliveryFlag, BeneficiaryService, DeliveryType),
        *(Dimension, Standard, Indicator, Mapping, TableMapping, Reading, ColumnSource),
        *(Publication, Difference),
        *(AtlasSettings, Theme, SourceVariable),
        *(SyntheticWeights, WeightedService, Country),
    )
}
"""The models that have a table of their own; a key that holds one of them does not list its keys again."""

FILES = {
    "codelists": "conf/codelists/midwife.csv",
    "municipalities": "conf/geography/municipalities.csv",
    "changes": "conf/geography/changes.csv",
    "names": "conf/geography/names.csv",
    "tiles": "conf/geography/tiles.csv",
}
"""A shipped file of each kind whose columns are described."""
SECTOR_COLUMNS = ("sector", "municipality", "first_year", "last_year")

_TYPES: dict[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "`true` or `false`",
    date: "date",
    NoneType: "`null`",
    InLanguages: "language → text",
    Chapter: "list of six values",
}
_PLURALS = {
    "list of six values": "lists of six values",
    "text": "texts",
    "whole number": "whole numbers",
    "number": "numbers",
}


@cache
def descriptions() -> dict[str, dict[str, Any]]:
    """What the data file says: by model or kind of file, then by key."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(DATA.read_text(encoding="utf-8"))
    return found


def fields_of(model: type[Declaration]) -> Iterator[tuple[str, str, str, FieldInfo]]:
    """Every key of a model and of the models within it: dotted name, the model's name, the key, the field."""
    for name, field in model.model_fields.items():
        key = field.alias or name
        inner, mark = _inner(field.annotation)
        yield key, model.__name__, key, field
        if inner is not None and inner.__name__ not in MODELS:
            for dotted, owner, below, found in fields_of(inner):
                yield f"{key}{mark}.{dotted}", owner, below, found


def _inner(annotation: Any) -> tuple[type[Declaration] | None, str]:  # noqa: ANN401 - any type there is
    """The model that a key holds, and how its keys are written below it."""
    if isinstance(annotation, type) and issubclass(annotation, Declaration):
        return annotation, ""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is tuple:
        return _inner(arguments[0])[0], "[]"
    if origin is dict:
        return _inner(arguments[1])[0], ".NAME"
    if origin in (Union, UnionType):
        (first, *_) = (argument for argument in arguments if argument is not NoneType)
        return _inner(first)
    return None, ""


def described(owner: str, key: str) -> dict[str, Any]:
    """What the data file says of a key.

    Raises:
        ValueError: it says nothing.
    """
    found = descriptions().get(owner, {}).get(key)
    if not found or not found.get("meaning"):
        raise ValueError(f"{DATA.name} says nothing of {owner}.{key}: give it a meaning and an example")
    entry: dict[str, Any] = found
    return entry


def keys(name: str, with_anchors: str = "") -> str:
    """The keys of a model: what each holds, means, and is when it is not given; an example."""
    rows = []
    for dotted, owner, key, field in fields_of(MODELS[name]):
        said = described(owner, key)
        mark = anchor(dotted) if with_anchors else ""
        rows.append(
            (f"{mark}{code(dotted)}", said["meaning"], type_of(field.annotation), _default(field), _example(said))
        )
    return table(("key", "meaning", "holds", "default", "example"), rows)


def _example(said: dict[str, Any]) -> str:
    return code(said["example"]) if "example" in said else ""


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(value, Declaration):
        given = value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        whole = value.model_dump(mode="json", by_alias=True)
        shown = given or (whole if not any(isinstance(each, dict) for each in whole.values()) else {})
        return code(_flow(shown)) if shown else "those of its keys"
    if isinstance(value, dict) and any(isinstance(each, Declaration) for each in value.values()):
        value = {name: each.model_dump(mode="json", exclude_defaults=True) for name, each in value.items()}
    if value is None or value in ((), {}, ""):
        return "none"
    return code(_flow(value))


def _flow(value: Any) -> str:  # noqa: ANN401 - any value of a configuration
    plain = value.isoformat() if isinstance(value, date) else value
    if isinstance(plain, str) and plain == str(value) and not isinstance(value, str):
        return plain
    text: str = yaml.safe_dump(plain, default_flow_style=True, sort_keys=False, width=10_000)
    return text.removesuffix("\n").removesuffix("\n...").strip()


def type_of(annotation: Any) -> str:  # noqa: ANN401 - any type there is
    """A type in words."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(code(str(value).lower() if value is True else value) for value in arguments)
    if origin in (Union, UnionType):
        return " or ".join(type_of(argument) for argument in arguments if argument is not NoneType)
    if origin is tuple:
        said = type_of(arguments[0])
        return f"list of {_PLURALS.get(said, said)}"
    if origin is dict:
        return f"{type_of(arguments[0])} → {type_of(arguments[1])}"
    return type_of(arguments[0]) if hasattr(annotation, "__metadata__") else _plain_type(annotation)


def _plain_type(annotation: Any) -> str:  # noqa: ANN401 - any type there is
    if isinstance(annotation, type) and issubclass(annotation, Declaration):
        name = annotation.__name__
        return f"[{name}](#{name.lower()})" if name in MODELS else "keys below"
    return _TYPES[annotation]


def shipped_settings() -> str:
    """The keys of ``settings.yaml``, with the shipped value of each."""
    shipped = yaml.safe_load((ROOT / "conf" / "settings.yaml").read_text(encoding="utf-8"))
    rows = []
    for dotted, owner, key, field in fields_of(Settings):
        said = described(owner, key)
        value = shipped_value(shipped, dotted)
        rows.append(
            (
                f"{anchor(dotted)}{code(dotted)}",
                said["meaning"],
                type_of(field.annotation),
                value,
                "the file must have it" if field.is_required() else _default(field),
                code(said.get("example", "")),
            )
        )
    return table(("key", "meaning", "holds", "shipped", "when the file has no such key", "example of `--set`"), rows)


def shipped_value(shipped: dict[str, Any], dotted: str) -> str:
    """The value of a setting in the shipped file; of a list of tables, or a table of many keys, nothing."""
    value: Any = shipped
    for key in dotted.split("."):
        if isinstance(value, dict) and key in value:
            value = value[key]
        else:
            return "see the key above"
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return ", ".join(code(entry["label"]) for entry in value)
    if isinstance(value, dict) and any(isinstance(each, dict | list) for each in value.values()):
        return "see below"
    return code("null" if value is None else _flow(value))


def csv_columns(kind: str) -> str:
    """The columns of a CSV file of the configuration, with an example from the shipped one."""
    names, example = _columns(kind)
    rows = [
        (
            code(name),
            described(kind, name)["meaning"],
            code(example.get(name) or described(kind, name).get("example", "")),
        )
        for name in names
    ]
    return table(("column", "meaning", "example"), rows)


def _columns(kind: str) -> tuple[tuple[str, ...], dict[str, str]]:
    if kind == "sectors":
        return SECTOR_COLUMNS, {}
    with (ROOT / FILES[kind]).open(encoding="utf-8", newline="") as lines:
        first = next(csv.DictReader(lines))
    return tuple(first), first


def unused_descriptions() -> set[str]:
    """What the data file describes and nothing has."""
    known = {(owner, key) for model in MODELS.values() for _, owner, key, _ in fields_of(model)}
    known |= {(kind, name) for kind in (*FILES, "sectors") for name in _columns(kind)[0]}
    said = {(owner, key) for owner, entries in descriptions().items() if owner != "variables" for key in entries}
    return {f"{owner}.{key}" for owner, key in said - known}
