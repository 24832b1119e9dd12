"""Everything that a methodologist may change: settings, code lists, services, indicators, geography."""

from claimatlas.configuration.load import Configuration, load_configuration

__all__ = ["Configuration", "load_configuration"]
