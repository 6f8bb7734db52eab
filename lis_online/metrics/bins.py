"""How finely statistics are kept: bins of logits, groups and cells of users, fixed point."""

from __future__ import annotations

from typing import Final

GROUPS: Final = 32
"""Jackknife groups of users."""
EDGE: Final = 8.0
"""Logits are binned over [-8, 8]; what lies beyond goes to the last bin on its side."""
FINE: Final = 1024
"""Bins behind the value of an AUC."""
COARSE: Final = 128
"""Bins behind its standard error; one holds FINE / COARSE fine ones."""
FINE_PLACES: Final = 32
"""Places within a fine bin: a bin knows its samples' mean place, or differences of close rankers drown in the bins
(their standard error came out up to 2.6 times too large, measured: docs/bins.md)."""
COARSE_PLACES: Final = FINE_PLACES * FINE // COARSE
"""Places within a coarse bin, of the same width."""
USER_CELLS: Final = 4096
"""Cells that users are hashed into to estimate how many there effectively are."""
FIXED: Final = 1 << 20
"""Fixed point of GAUC, log loss, predictions and expected false cover: one part in 2**20."""
LOSS_EDGE: Final = 32.0
"""Logits are clipped to +-32 in the log loss, so that one sample adds at most 32."""
