"""The factors that spread mixed item hashes over a table's cells (Fibonacci hashing, Knuth 6.4)."""

from __future__ import annotations

from typing import Final

# odd; the first is 2**64 / golden ratio as a signed 64-bit number
PAIR_FACTORS: Final = (-7046029254386353131, -3335678366873096957)
"""For the sum of two items' hashes, one for each row."""

ITEM_FACTOR: Final = -4417276706812531889
"""For one item's: odd, and another, so that an item's slot tells nothing of its pairs'."""
