#!/usr/bin/env python3
"""Derive the schema that the tests check manifests against from the operator's definition of SparkApplication.

    scripts/operator_schema.py VERSION COMMIT FILE > tests/deployment/sparkapplication.schema.yaml

FILE is ``config/crd/bases/sparkoperator.k8s.io_sparkapplications.yaml`` of https://github.com/kubeflow/spark-operator;
its Go module holds it too (``go mod download github.com/kubeflow/spark-operator/v2@VERSION``).
"""

import hashlib
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

MIN_SHARED = 400
"""Characters from which on a part that stands several times is written once."""

HEADER = """\
# What a SparkApplication (sparkoperator.k8s.io/v1beta2) may hold, as the Spark operator has it.
#
# Derived by scripts/operator_schema.py from
# https://github.com/kubeflow/spark-operator, {version} (commit {commit}),
# config/crd/bases/sparkoperator.k8s.io_sparkapplications.yaml, SHA-256
# {sha256}.
# Left out: the descriptions, and the status, which the operator writes. Parts that stand there several times are
# written once, below `$defs`. Nothing else was changed.
#
# Copyright 2024 The Kubeflow authors, Apache License, Version 2.0; see NOTICE.
"""


def main(version: str, commit: str, file: str) -> int:
    """Write the schema to standard output."""
    content = Path(file).read_bytes()
    versions = yaml.safe_load(content)["spec"]["versions"]
    (schema,) = (found["schema"]["openAPIV3Schema"] for found in versions if found["name"] == "v1beta2")
    schema = without_descriptions(schema)
    del schema["properties"]["status"]
    shared = with_shared_parts(schema)
    sys.stdout.write(HEADER.format(version=version, commit=commit, sha256=hashlib.sha256(content).hexdigest()))
    sys.stdout.write(yaml.safe_dump(shared, sort_keys=True, width=120))
    return 0


def without_descriptions(schema: Any, *, names: bool = False) -> Any:  # noqa: ANN401 - any part of a YAML file
    """Leave the descriptions out; ``names``: the keys are names of fields, of which one may be called description."""
    if isinstance(schema, dict):
        return {
            key: without_descriptions(value, names=key == "properties" and not names)
            for key, value in schema.items()
            if names or key != "description"
        }
    return [without_descriptions(part) for part in schema] if isinstance(schema, list) else schema


def with_shared_parts(schema: dict[str, Any]) -> dict[str, Any]:
    """Write each large object that stands several times once, named after the first field that has it."""
    seen: Counter[str] = Counter()
    names: dict[str, str] = {}

    def count(part: Any, name: str) -> None:  # noqa: ANN401
        if isinstance(part, dict):
            text = json.dumps(part, sort_keys=True)
            if part.get("type") in ("object", "array") and len(text) >= MIN_SHARED:
                seen[text] += 1
                names.setdefault(text, name)
                if seen[text] > 1:
                    return  # What is inside is written once already.
            for key, value in part.items():
                for inner, field in value.items() if key == "properties" else ((name, value),):
                    count(field, inner)

    count(schema, "root")
    definitions: dict[str, Any] = {}
    chosen: dict[str, str] = {}
    for text, times in seen.items():
        if times > 1:
            taken = sum(name.rstrip("0123456789") == names[text] for name in chosen.values())
            chosen[text] = f"{names[text]}{taken + 1}" if taken else names[text]

    def share(part: Any, *, top: bool = False) -> Any:  # noqa: ANN401
        if isinstance(part, list):
            return [share(one) for one in part]
        if not isinstance(part, dict):
            return part
        name = None if top else chosen.get(json.dumps(part, sort_keys=True))
        if name is None:
            return {key: share(value) for key, value in part.items()}
        if name not in definitions:
            definitions[name] = {}
            definitions[name] = share(part, top=True)
        return {"$ref": f"#/$defs/{name}"}

    return {**share(schema), "$defs": definitions}


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit((__doc__ or "").strip())
    sys.exit(main(*sys.argv[1:]))
