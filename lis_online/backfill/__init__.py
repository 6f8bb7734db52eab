"""Backfill: the shards over a stretch of a log that is over, their rows beside the live ones."""
