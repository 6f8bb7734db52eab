"""Records of `lis.windows`: finished buckets of the rank shards, cumulative reports of the join shards.

The topic has one partition, so its order is total. A join shard's report on a bucket is there
before any rank bucket that ends at or after it: the report is acknowledged before the block
that carries the watermark is sent.

A deploy upgrades `publish` first: it reads what the version before wrote, which does not read this one's.
"""

from __future__ import annotations

from typing import Final

import msgspec

from lis_online.errors import BlockError

VERSION: Final = 4
READ: Final = (2, 3, VERSION)
"""The versions that this code reads. Reports of 2 have no `columns`, no `assigned`; buckets of 3 no `sources`."""


class ArmMoments(msgspec.Struct, array_like=True):
    """Moments over the users of one arm, of their columns in fixed point (millionths).

    sums[q], positive[q]: sum of the users' values of column q, number of users with a value above 0.
    products[q * columns + p]: sum of value_q * value_p. Whole numbers as decimal text:
    they exceed 64 bits, and stay exact, so shards merge by addition in any order.
    crossed: users seen in more than one arm, who are in none. assigned: users by the first arm that they were seen in,
    those who crossed later included: what the declared shares are of.
    """

    experiment: str
    arm: str
    users: int
    crossed: int
    sums: list[str]
    products: list[str]
    positive: list[int]
    assigned: int = 0


class JoinReport(msgspec.Struct, array_like=True, tag="join"):
    """What a join shard knew when its watermark passed `revision`, a bucket's end (ms since 1970).

    Cumulative; sent for each bucket in which a record was applied, and at the end (revision
    MAX_TIME). counts: records by fate (`reasons.COUNTED`) and dead letters by reason, cumulative.
    first, last: earliest and latest impression time so far, -1 while there is none.
    quantities: what is counted of a user: "impression" and the settings' actions. columns: by experiment, the names
    behind ArmMoments' indices (`experiments.columns.Columns.names`): the quantities first.
    """

    version: int
    shard: int
    revision: int
    first: int
    last: int
    counts: dict[str, int]
    quantities: list[str]
    arms: list[ArmMoments]
    columns: dict[str, list[str]] = {}


class UserTotalsBucket(msgspec.Struct, array_like=True, tag="users"):
    """What each user did on the impressions of [start, end) that carried an experiment, ms: one part of it.

    For lifts over any range: users' totals over buckets add up, the arms' moments do not. Sent once, when the
    watermark has passed the attribution window of its last impression; a bucket without such an impression is not
    sent. data: the bytes of `experiments.user_totals.encode`, which hold whole users. users: in this part.
    """

    version: int
    shard: int
    experiment: str
    start: int
    end: int
    part: int
    parts: int
    users: int
    data: bytes


class SlotVersion(msgspec.Struct, array_like=True):
    """Which version of a variant a slot of the layout holds.

    slot: its name there ("v", "v#2"). version: the version's own name, "" while no vector came. since: time of its
    first vector, ms, -1 while none came. began: start of the first bucket that its rankers are in from the
    beginning, ms; 0 where they began with the group. newest: no other version of the variant came after it.
    """

    slot: str
    version: str
    since: int
    began: int
    newest: bool


class RankBucket(msgspec.Struct, array_like=True, tag="rank"):
    """One part of a finished bucket of a rank group: [start, end) in impression time, ms.

    sequence counts the group's buckets from 0, without gaps; a bucket without samples is not sent. Part k of `parts`;
    the parts' data, joined, are the bytes of `metrics.statistics.Statistics.encode`.
    final: nothing follows (sent by every rank group at its end, where data may be empty).
    first: time of the first sample ever, ms: the warm-up counts from there. set_aside: name of each ranker that is set
    aside, and the reason. late_side: side records so far that came after their time had been applied.
    versions: what each slot that is in use held in this bucket. restarted: name of each ranker that was started
    anew by hand, and the start, ms, of the first bucket that is wholly after it. alignment: (start of a bucket in
    *pair* time, ms, bytes of `metrics.alignment.encode`), those that ended by this bucket's end plus the horizon and
    were not sent before; every part has them. sources: name of each source that came after the group had begun, and the
    start, ms, of the first bucket that its rankers are in.
    """

    version: int
    group: int
    sequence: int
    start: int
    end: int
    part: int
    parts: int
    data: bytes
    final: bool
    first: int
    set_aside: dict[str, str]
    late_side: int
    versions: list[SlotVersion] = []
    restarted: dict[str, int] = {}
    alignment: list[tuple[int, bytes]] = []
    sources: dict[str, int] = {}


WindowsRecord = JoinReport | RankBucket | UserTotalsBucket
_decoder = msgspec.msgpack.Decoder(WindowsRecord)


def encode(record: WindowsRecord) -> bytes:
    """Return the record as msgpack."""
    return msgspec.msgpack.encode(record)


def decode(data: bytes) -> WindowsRecord:
    """Return the record of `encode`. Raises BlockError on other bytes or another version."""
    try:
        record: WindowsRecord = _decoder.decode(data)
    except (ValueError, RecursionError) as exc:
        raise BlockError(f"record of the windows topic cannot be read: {exc}") from exc
    if record.version not in READ:
        raise BlockError(f"record of the windows topic has version {record.version}, this code reads {list(READ)}")
    return record
