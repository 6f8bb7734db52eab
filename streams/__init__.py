"""Faust's wiring of the shards: apps, agents, topics. What is computed lies in `lis_online`."""
