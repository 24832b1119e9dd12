"""Conventions of the published figures that several parts must share, without any engine."""

from __future__ import annotations

Z = 1.959963984540054
"""The 97.5 % quantile of the normal distribution: of intervals and tests at 95 %, two-sided."""
TREND_YEARS = 5
"""A trend is over the year and the four before it."""
