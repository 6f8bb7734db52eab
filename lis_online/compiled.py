"""Loops that numba compiles: what a CPU does one number after the other, where arrays would be read many times over."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba
from numba.core.registry import cpu_target

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Return a function compiled at its first call, without Python's lock, the same bits every time.

    Kept on disk from process to process, beside the source or where `NUMBA_CACHE_DIR` says. Where neither may be
    written, as in a container whose root is read-only, each process compiles anew.
    """
    try:
        return cast("Function", numba.njit(cache=True, nogil=True, error_model="numpy")(function))
    except RuntimeError:  # "no locator available": nowhere to keep it
        return cast("Function", numba.njit(nogil=True, error_model="numpy")(function))


def prepare() -> None:
    """Import what numba else imports at the first call of any compiled function: 0.4 s, once a process."""
    cpu_target.typing_context.refresh()
    cpu_target.target_context.refresh()
