"""The store's former place: see `lis_online.checkpoints.store`."""

from lis_online.checkpoints.store import CheckpointStore as CheckpointStore
