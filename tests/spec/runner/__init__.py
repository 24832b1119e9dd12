"""Reads the scenarios and runs them: many at once through the pipeline, each one through the reference."""
