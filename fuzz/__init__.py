"""Hostile input by the million: what is generated, what must hold of it, and atheris, which drives it."""
