"""Worked examples, which run; not part of the package."""
