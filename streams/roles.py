"""The three roles: what each reads, and how many records a turn takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lis_online.errors import UsageError
from lis_online.events.topics import INPUTS, MAIN, SIDE


@dataclass(frozen=True)
class Role:
    """A kind of worker. A shard of it owns one partition number of each of `topics`.

    topics: logical names. main: those that wait until the partition's `side` topics were read to where
    they ended when the partition was assigned. batch: most records of a turn. fetches: most that are taken from Kafka
    at once, and most that wait in memory for that: a worker that is behind fills both, each with a mebibyte at most.
    """

    name: str
    topics: tuple[str, ...]
    main: tuple[str, ...] = ()
    side: tuple[str, ...] = ()
    batch: int = 1000
    fetches: int = 16


JOIN: Final = Role("join", INPUTS, main=MAIN, side=SIDE, batch=2000)
RANK: Final = Role("rank", ("samples",), batch=64)
PUBLISH: Final = Role("publish", ("windows",), batch=500)

ROLES: Final = {role.name: role for role in (JOIN, RANK, PUBLISH)}
ALL: Final = "all"


def roles_of(name: str) -> list[Role]:
    """Return the role of that name, or the three for "all".

    >>> [role.name for role in roles_of("all")]
    ['join', 'rank', 'publish']
    """
    if name == ALL:
        return list(ROLES.values())
    if name not in ROLES:
        raise UsageError(f"role must be one of {', '.join([*ROLES, ALL])}, got {name!r}")
    return [ROLES[name]]
