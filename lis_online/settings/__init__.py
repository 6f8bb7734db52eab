"""Typed settings, read once at the edge."""

from lis_online.settings.load import Settings, load, load_table

__all__ = ["Settings", "load", "load_table"]
