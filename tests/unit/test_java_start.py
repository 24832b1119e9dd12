"""Why Java ended before Spark was up: the cause, with the variable that it comes from."""

import os

import pytest
from claimatlas.errors import InputError
from claimatlas.spark.java import require_supported
from claimatlas.spark.java_start import SUBMIT_ARGUMENTS, complete_submit_arguments, unknown_cause, why_java_ended

UNKNOWN_OPTION = "Error: Unrecognized option: --garbage\n\nUsage: spark-submit [options] <app jar>\n"
NO_YARN = (
    "WARNING: Using incubator modules: jdk.incubator.vector\n"
    "Exception in thread \"main\" org.apache.spark.SparkException: When running with master 'yarn' either "
    "HADOOP_CONF_DIR or YARN_CONF_DIR must be set in the environment.\n\tat org.apache.spark.deploy.x(y.scala:670)\n"
)


@pytest.mark.parametrize(
    ("given", "completed"),
    [
        ("--master local[2]", "--master local[2] pyspark-shell"),
        ("--name 'a b' pyspark-shell", "--name 'a b' pyspark-shell"),
        ("", "pyspark-shell"),
    ],
)
def test_the_last_word_is_put(given: str, completed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SUBMIT_ARGUMENTS, given)
    complete_submit_arguments()
    assert os.environ[SUBMIT_ARGUMENTS] == completed


def test_half_a_quotation_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SUBMIT_ARGUMENTS, "--name 'x")
    with pytest.raises(InputError, match=r"The options in PYSPARK_SUBMIT_ARGS cannot be read \(No closing quotation\)"):
        complete_submit_arguments()


@pytest.mark.parametrize(
    ("arguments", "said", "expected"),
    [
        (None, "Could not reserve enough space for 94371840000KB object heap", "in CLAIMATLAS_DRIVER_MEMORY."),
        (None, "Invalid maximum heap size: -Xmxmuch\nError: Could not create the Java", "CLAIMATLAS_DRIVER_MEMORY."),
        ("--driver-memory 900g pyspark-shell", "# There is insufficient memory for", "in PYSPARK_SUBMIT_ARGS."),
        (
            "--packages a:b:1 pyspark-shell",
            "[unresolved dependency: a#b;1: not found]",
            "that PYSPARK_SUBMIT_ARGS asks",
        ),
        (None, "[unresolved dependency: a#b;1: not found]", "a package that spark.jars.packages asks for"),
        ("--garbage x", UNKNOWN_OPTION, "up: Unrecognized option: --garbage. The variable PYSPARK_SUBMIT_ARGS is set"),
        (None, NO_YARN, "YARN_CONF_DIR must be set in the environment."),
    ],
)
def test_the_cause_is_named(arguments: str | None, said: str, expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SUBMIT_ARGUMENTS, raising=False)
    if arguments:
        monkeypatch.setenv(SUBMIT_ARGUMENTS, arguments)
    sentence = why_java_ended(said) or ""
    assert expected in sentence
    assert "\tat" not in sentence
    assert ("memory" in sentence) is ("_MEMORY" in expected or "driver-memory" in (arguments or ""))


def test_an_unknown_cause_does_not_hint_at_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SUBMIT_ARGUMENTS, raising=False)
    assert why_java_ended("WARNING: Using incubator modules\n") is None
    assert unknown_cause() == "Java ended before Spark was up, for the reason it gives above."


@pytest.mark.parametrize(("version", "supported"), [("17", True), ("21", True), ("25", False), ("11", False)])
def test_the_java_that_runs_is_looked_at(version: str, supported: bool) -> None:
    if supported:
        require_supported(version)
    else:
        with pytest.raises(InputError, match=f"started by Java {version}, but Java 17 or 21 is needed"):
            require_supported(version)
