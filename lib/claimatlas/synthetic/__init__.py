"""Synthetic claims: a plausible country of any size, with the true results that a run must find.

Everything is drawn by hashing, in Spark expressions: the same seed gives the same rows whatever the
cluster, and no person of the real world is in it.
"""

from claimatlas.synthetic.generator import generate
from claimatlas.synthetic.output import Output
from claimatlas.synthetic.parameters import RULES_VERSION, Parameters, parse_years

__all__ = ["RULES_VERSION", "Output", "Parameters", "generate", "parse_years"]
