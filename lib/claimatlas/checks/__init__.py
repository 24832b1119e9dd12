"""The quality of silver and gold over time: what is measured, and what is beyond the bounds of the settings."""
