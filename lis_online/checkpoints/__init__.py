"""Checkpoints: a shard's whole state and the positions it is the state *after*, complete or absent."""
