"""Titles for the items of a simulated feed: two words say what the item is about, the others say nothing.

A text model hears all words alike, so two titles from one city are as near to it as two about one thing. What a user
likes stands in the two words alone: that is what there is to align on.
"""

from __future__ import annotations

from typing import Final

import numpy as np

SUBJECTS: Final = (
    "sailing", "sourdough", "chess", "beekeeping", "motorbikes", "opera", "astronomy", "knitting", "marathons", "taxes",
    "gardening", "robots", "football", "pottery", "jazz", "crosswords", "skiing", "antiques", "vaccines", "cheese",
    "elections", "origami", "fishing", "poker", "ballet", "glaciers", "comics", "mushrooms", "trains", "perfume",
    "boxing", "volcanoes", "wine", "typography", "surfing", "genealogy", "drones", "tango", "bonds", "whales",
    "cathedrals", "karaoke", "fossils", "yoga", "batteries", "horses", "cricket", "satellites",
)  # fmt: skip
"""What an item can be about."""

MOODS: Final = (
    "A quiet",
    "An unlikely",
    "The longest",
    "A hurried",
    "The last",
    "A cheerful",
    "The strangest",
    "A rainy",
)
PIECES: Final = (
    "Monday",
    "winter",
    "letter",
    "interview",
    "weekend",
    "afternoon",
    "argument",
    "guide",
    "diary",
    "summer",
)
PLACES: Final = (
    "Lisbon", "Nairobi", "Osaka", "Denver", "Riga", "Lima", "Cardiff", "Hanoi", "Tunis", "Perth", "Quito", "Bergen",
)  # fmt: skip

_DIRECTIONS: Final = 48
"""The seed of the subjects' directions."""


def titles(content: np.ndarray, seed: int) -> list[str]:
    """Return a title for each item. content: what it is about, float [items, dimension].

    Each subject stands for a direction that was drawn at random; an item's are the two that its content is nearest to.

    >>> titles(np.eye(8)[:1], seed=0) == titles(np.eye(8)[:1], seed=0)
    True
    """
    directions = np.random.default_rng(_DIRECTIONS).standard_normal((len(SUBJECTS), content.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    about = np.argsort(-content @ directions.T, axis=1)[:, :2]
    rng = np.random.default_rng(seed)
    draws = [rng.integers(0, len(words), len(content)) for words in (MOODS, PIECES, PLACES)]
    return [
        f"{MOODS[m]} {PIECES[p]} in {PLACES[c]}: {SUBJECTS[first]} and {SUBJECTS[second]}"
        for m, p, c, (first, second) in zip(*draws, about, strict=True)
    ]
