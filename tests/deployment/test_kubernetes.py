"""The manifests: what the operator's schema takes, what the product needs, and what must not be in them."""

import copy
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from claimatlas import __version__, cli
from claimatlas.commands import run_year
from claimatlas.commands.pseudonym_key import KEY_VARIABLE
from claimatlas.spark.artifacts import SPARK_VERSION
from claimatlas.spark.settings import COMPILE_ALL, DELTA, SESSION
from deployment.dockerfile import FOLDER, ROOT, copied, named
from jsonschema import Draft202012Validator

SCHEMA = Path(__file__).with_name("sparkapplication.schema.yaml")

Manifest = dict[str, Any]


def load(path: Path) -> Manifest:
    found: Manifest = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def merged(base: Any, patch: Any) -> Any:
    """A JSON merge patch (RFC 7396): what kustomize does with a kind that it does not know."""
    if not isinstance(patch, dict):
        return patch
    fields = dict(base) if isinstance(base, dict) else {}
    for name, value in patch.items():
        if value is None:
            fields.pop(name, None)
        else:
            fields[name] = merged(fields.get(name), value)
    return fields


VOLUME = load(FOLDER / "volume" / "spark-application.yaml")
MANIFESTS = {"volume": VOLUME, "object-store": merged(VOLUME, load(FOLDER / "object-store" / "patch.yaml"))}


@pytest.fixture(params=MANIFESTS)
def manifest(request: pytest.FixtureRequest) -> Manifest:
    return copy.deepcopy(MANIFESTS[request.param])


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    """The operator's schema, in which no other fields are allowed than those it has, so that typing errors are found.

    Kubernetes itself drops unknown fields without a word, unless it is asked to be strict.
    """
    schema = load(SCHEMA)
    close(schema)
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def close(schema: Any) -> None:
    """Allow no other fields in every object that lists its own."""
    if isinstance(schema, dict):
        lists_its_own = schema.get("type") == "object" and "properties" in schema
        if lists_its_own and not schema.get("x-kubernetes-preserve-unknown-fields"):
            schema.setdefault("additionalProperties", False)
    if isinstance(schema, dict | list):
        for part in list(schema.values()) if isinstance(schema, dict) else schema:
            close(part)


def test_the_operator_takes_it(manifest: Manifest, validator: Draft202012Validator) -> None:
    assert [error.message for error in validator.iter_errors(manifest)] == []
    assert (manifest["apiVersion"], manifest["kind"]) == ("sparkoperator.k8s.io/v1beta2", "SparkApplication")
    # What the operator's webhook asks of a name.
    assert re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", manifest["metadata"]["name"])


def renamed(*path: str, to: str) -> Callable[[Manifest], None]:
    def change(manifest: Manifest) -> None:
        *way, last = path
        part = manifest
        for name in way:
            part = part[name]
        part[to] = part.pop(last)

    return change


def put(*path: str, value: Any) -> Callable[[Manifest], None]:
    def change(manifest: Manifest) -> None:
        *way, last = path
        part = manifest
        for name in way:
            part = part[name]
        part[last] = value

    return change


WRONG = {
    "executer": (renamed("spec", "executor", to="executer"), "'executer' was unexpected"),
    "executor is missing": (renamed("spec", "executor", to="executer"), "'executor' is a required property"),
    "cores in words": (put("spec", "executor", "cores", value="one"), "'one' is not of type 'integer'"),
    "no cores": (put("spec", "driver", "cores", value=0), "0 is less than the minimum of 1"),
    "memory as a number": (put("spec", "driver", "memory", value=4), "4 is not of type 'string'"),
    "misspelt memory": (renamed("spec", "driver", "memory", to="memroy"), "'memroy' was unexpected"),
    "another type": (put("spec", "type", value="Pyhton"), "'Pyhton' is not one of"),
    "another mode": (put("spec", "mode", value="clutser"), "'clutser' is not one of"),
    "another restart": (put("spec", "restartPolicy", "type", value="Sometimes"), "'Sometimes' is not one of"),
    "no main file": (renamed("spec", "mainApplicationFile", to="mainFile"), "'mainApplicationFile' is a required"),
    "a setting as a number": (
        put("spec", "sparkConf", "spark.sql.shuffle.partitions", value=200),
        "200 is not of type 'string'",
    ),
    "deep inside": (
        renamed("spec", "executor", "podSecurityContext", "runAsNonRoot", to="runAsNonroot"),
        "'runAsNonroot' was unexpected",
    ),
    "a secret without its key": (
        put("spec", "driver", "envSecretKeyRefs", KEY_VARIABLE, value={"name": "claimatlas-pseudonyms"}),
        "'key' is a required property",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_refused(name: str, manifest: Manifest, validator: Draft202012Validator) -> None:
    change, expected = WRONG[name]
    change(manifest)
    messages = [error.message for error in validator.iter_errors(manifest)]
    assert any(expected in message for message in messages), messages


def test_versions_are_those_of_the_project(manifest: Manifest) -> None:
    assert manifest["spec"]["sparkVersion"] == SPARK_VERSION
    assert manifest["spec"]["image"].rpartition(":")[2] == __version__
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert manifest["spec"]["image"] in readme


def test_spark_has_the_settings_of_the_project(manifest: Manifest) -> None:
    given = manifest["spec"]["sparkConf"]
    own = {"spark.sql.adaptive.enabled", "spark.sql.shuffle.partitions"}
    assert {name: value for name, value in given.items() if name not in own} == {**DELTA, **SESSION}


def test_the_job_is_in_the_image_and_takes_its_options(manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    script = Path(manifest["spec"]["mainApplicationFile"].removeprefix("local://"))
    assert str(script.parent) == copied()["jobs"]
    assert (ROOT / "jobs" / script.name).is_file()
    taken: list[Any] = []
    monkeypatch.setattr(run_year, "run_job", lambda *given, **_: taken.append(given) or 0)
    assert cli.main(["run-year", *manifest["spec"]["arguments"]]) == 0
    _, arguments = taken[0]
    assert (arguments.year_groups, bool(arguments.input), bool(arguments.output)) == ([[2023]], True, True)


def test_logs_are_kept_to_errors_by_the_file_in_the_image(manifest: Manifest) -> None:
    path = copied()["lib/claimatlas/spark/log4j2.properties"]
    for pod, more in (("driver", ""), ("executor", f" {COMPILE_ALL}")):
        assert manifest["spec"][pod]["javaOptions"] == f"-Dlog4j2.configurationFile=file://{path}{more}"


def test_nobody_is_root(manifest: Manifest) -> None:
    (user,) = named("USER")
    for pod in ("driver", "executor"):
        both = manifest["spec"][pod]
        context = both["podSecurityContext"]
        # Only its owner gets into `silver/`, so driver and executors must be one user: that of the image.
        assert (context["runAsNonRoot"], context["runAsUser"]) == (True, int(user.text))
        assert both["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


def test_secrets_are_references_and_only_the_driver_has_the_key(manifest: Manifest) -> None:
    driver, executor = manifest["spec"]["driver"], manifest["spec"]["executor"]
    assert driver["envSecretKeyRefs"][KEY_VARIABLE] == {"name": "claimatlas-pseudonyms", "key": "key"}
    assert KEY_VARIABLE not in str(executor)
    # Values that stand in the manifest, or become settings that Spark shows.
    for pod in (driver, executor):
        assert not {"env", "envVars", "envFrom"} & set(pod)
    settings = {**manifest["spec"]["sparkConf"], **manifest["spec"].get("hadoopConf", {})}
    assert not [name for name in settings if re.search(r"key|secret|token|password|Env", name)]


def test_the_secrets_are_those_that_the_readme_makes(manifest: Manifest) -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8").replace("\\\n", " ")
    for pod in ("driver", "executor"):
        for reference in manifest["spec"][pod].get("envSecretKeyRefs", {}).values():
            made = rf"create secret generic {reference['name']} .*--from-\w+=?\s?{reference['key']}="
            assert re.search(made, readme), reference


def test_the_data_is_where_every_pod_sees_it() -> None:
    spec = VOLUME["spec"]
    (volume,) = spec["volumes"]
    mounts = spec["driver"]["volumeMounts"]
    assert mounts == spec["executor"]["volumeMounts"] == [{"name": volume["name"], "mountPath": "/data"}]
    assert all(option.split("=")[1].startswith("/data/") for option in spec["arguments"][:2])
    assert volume["persistentVolumeClaim"]["claimName"] in (FOLDER / "README.md").read_text(encoding="utf-8")


def test_on_an_object_store_there_is_no_volume() -> None:
    spec = MANIFESTS["object-store"]["spec"]
    assert "volumes" not in spec
    assert not [pod for pod in ("driver", "executor") if "volumeMounts" in spec[pod]]
    assert all(option.split("=")[1].startswith("s3a://") for option in spec["arguments"][:2])
    assert set(spec["executor"]["envSecretKeyRefs"]) == {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


@pytest.mark.parametrize("name", MANIFESTS)
def test_kustomize_makes_the_same(name: str) -> None:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("kubectl is not there")
    done = subprocess.run([kubectl, "kustomize", str(FOLDER / name)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout) == MANIFESTS[name]
