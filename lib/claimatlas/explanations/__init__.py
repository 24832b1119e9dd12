"""Explain where a published number comes from, and why it changed."""
