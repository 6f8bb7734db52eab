from __future__ import annotations

from dataclasses import replace

import numpy as np

from lis_online.simulate.catalogue import unit
from lis_online.simulate.parameters import WorldParameters
from lis_online.simulate.serving import Server

PARAMETERS = replace(WorldParameters(), users=50, items=300)
VECTORS = unit(np.random.default_rng(0).standard_normal((300, PARAMETERS.dimension)))
POPULARITY = np.exp(np.random.default_rng(1).standard_normal(300))
EVERYONE = np.arange(50)


def server() -> Server:
    """Return a server whose every user k has clicked on item k."""
    found = Server(PARAMETERS, np.random.default_rng(2))
    found.update(EVERYONE, VECTORS[EVERYONE])
    return found


def test_no_item_is_shown_twice_in_a_slate() -> None:
    """A slate is a set of items, as long as asked for."""
    shown = server().get(EVERYONE, EVERYONE % 2 == 0, POPULARITY, VECTORS)
    assert shown.shape == (50, PARAMETERS.slate)
    assert all(len(set(slate)) == PARAMETERS.slate for slate in shown.tolist())


def test_treatment_shows_what_resembles_the_history_first_and_control_does_not() -> None:
    """The treatment really uses the variant: cosines with the profile are high, and highest at the top."""
    cosine = {}
    for treated in (True, False):
        found = server()
        slates = [found.get(EVERYONE, np.full(50, treated), POPULARITY, VECTORS) for _ in range(40)]
        cosine[treated] = np.mean([np.einsum("nkd,nd->nk", VECTORS[s], VECTORS[EVERYONE]) for s in slates], axis=(0, 1))
    assert cosine[True].min() > 0.02
    assert cosine[True][0] > cosine[True][-1] + 0.02
    assert np.abs(cosine[False]).max() < 0.03


def test_popular_items_are_shown_more_often() -> None:
    """Candidates are drawn by popularity in either arm."""
    found = server()
    slates = np.concatenate([found.get(EVERYONE, EVERYONE % 2 == 0, POPULARITY, VECTORS) for _ in range(40)])
    counts = np.bincount(slates.ravel(), minlength=300)
    order = np.argsort(POPULARITY)
    assert counts[order[-100:]].mean() > 2 * counts[order[:100]].mean()
