"""Whether a checkpoint may be restored under the settings of now, and what is kept aside of it first."""

from __future__ import annotations

import logging
from typing import Final

from lis_online.checkpoints.manifest import Fingerprint, Manifest
from lis_online.checkpoints.setting_changes import SettingChanges
from lis_online.checkpoints.store import CheckpointStore
from lis_online.errors import CheckpointError

logger = logging.getLogger(__name__)

HOLDS: Final = {
    "join": "users' histories, open impressions and arms' totals",
    "rank": "what the rankers have learnt, the pairs and the vectors",
    "publish": "windows, the whole run and the levels that drift is judged by",
}
"""What would be lost with a role's state."""


class Admission:
    """The judge of one shard's checkpoints: what a change of the settings leaves whole goes on, the rest is refused."""

    def __init__(self, store: CheckpointStore, role: str, fingerprint: Fingerprint) -> None:
        self._store = store
        self._role = role
        self._fingerprint = fingerprint

    def judge(self, manifest: Manifest) -> None:
        """Return where the checkpoint may be restored; archive it first where something has left the settings.

        Raises CheckpointError: where its state means something else under these settings, and where they changed
        although its worker did not stop gracefully.
        """
        changes = SettingChanges.of(manifest.fingerprint, self._fingerprint)
        if not changes.any:
            return
        what = f"checkpoint {manifest.data} in {self._store.place.url}"
        if changes.lost:
            other = ", give what has changed another name, " if changes.of_parts else " "
            raise CheckpointError(
                f"{what} must be of these settings: {'; '.join(changes.lost)}. {HOLDS[self._role].capitalize()} "
                f"would be lost: set them back{other}or start afresh under another kafka.prefix and "
                "checkpoints.directory"
            )
        if not self._store.is_clean(manifest.position):
            raise CheckpointError(
                f"{what} must be that of a worker that stopped gracefully, as the settings have changed: "
                f"{changes.sentence()}. Start once more under the former settings, stop with SIGTERM, then change them"
            )
        if changes.removed:
            why = f"left the settings: {', '.join(changes.removed)}"
            name = self._store.archive(manifest.position, why)
            logger.warning("%s %s; the state with them is kept in %s", self._role, why, name)
        logger.warning("%s goes on under other settings: %s", self._role, changes.sentence())
