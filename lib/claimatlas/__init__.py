"""Official health indicators from national insurance claims."""

__version__ = "0.1.0"
