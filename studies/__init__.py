"""Studies: what the numbers are worth, measured. Not part of the package; `make study` runs them."""
