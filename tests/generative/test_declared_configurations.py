"""Drawn configurations, each with the claims of many random worlds, from raw files to gold, against plain Python."""

import os
import random

import pytest
from comparison import figures_of, intervals_of
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from integration.console import Console
from reference.declared_codes import figures
from reference.declared_files import load

from generative.declared import write_configuration, write_input

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.long]

YEARS = (2022, 2023)
CONFIGURATIONS = int(os.environ.get("CLAIMATLAS_EXAMPLES", "3"))
WORLDS = 50
"""Of each configuration."""


@settings(
    max_examples=CONFIGURATIONS,
    deadline=None,
    derandomize="CLAIMATLAS_EXAMPLES" not in os.environ,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(seed=st.integers(0, 2**32 - 1))
# No indicator of beneficiaries whose denominator is everybody.
@example(seed=106401)
def test_every_figure_is_that_of_the_reference(
    console: Console, tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    rng = random.Random(seed)
    folder = tmp_path_factory.mktemp("drawn")
    conf, source, output = folder / "conf", folder / "input", folder / "output"
    days = write_configuration(rng, conf)
    write_input(rng, source, WORLDS, days)
    said = console.run(
        "run-year", "--conf", conf, "--input", source, "--output", output, "--year", "2022-2023", "--allow-drift"
    )
    assert said.code == 0, (seed, said.err)
    expected = figures(conf, source, YEARS)
    found = figures_of(output, load(conf, source).key)
    assert found.keys() == expected.keys(), seed
    bounds = intervals_of(output, load(conf, source).key)
    for key, (numerator, denominator, value, *interval) in expected.items():
        assert found[key][:2] == (numerator, denominator), (seed, key)
        assert found[key][2] == (None if value is None else pytest.approx(value)), (seed, key)
        assert bounds[key] == tuple(None if one is None else pytest.approx(one) for one in interval), (seed, key)
