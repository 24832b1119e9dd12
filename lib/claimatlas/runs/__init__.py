"""The record of a run: what went in, what came out, and everything needed to explain it later."""
