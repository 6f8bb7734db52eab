"""Typed settings, read once at the edge."""

from lis_online.settings.load import Settings, load

__all__ = ["Settings", "load"]
