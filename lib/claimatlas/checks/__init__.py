"""Measure the quality of silver and gold over time, and compare it with the bounds of the settings."""
