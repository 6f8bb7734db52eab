"""One record of the rank log (`lis.samples`): a block of slates, pairs, vectors and a watermark, or a control.

Slates and co-engagement pairs of one join shard form two sequences whose order is a function
of the events, so a block says where in each it starts and the receiver skips what it has.
Side records (preferences, vectors) come in the order of their own topic: their sequence
is that topic's offset. A control record takes effect at its own offset, so whoever reads the
log again does the same thing at the same place.
"""

from __future__ import annotations

import msgspec

from lis_online.errors import BlockError

VERSION = 3


class Side(msgspec.Struct, array_like=True):
    """Records of a side topic: `first` and `next` are offsets of that topic's partition.

    data is a PairBatch (variant is -1) or a VectorBatch of the variant with that index.
    offsets: little-endian int64, the topic offset of each row, ascending. versions: names of the vectors' versions,
    each once: a VectorBatch has their hashes.
    """

    variant: int
    offsets: bytes
    data: bytes
    versions: list[str] = []


class Block(msgspec.Struct, array_like=True, tag="block"):
    """What one join shard sends at a time.

    shard: the join shard (its input partition). first_slate, first_pair: sequence numbers of the
    first slate and pair in here, counted from 0 since the shard began. slates, pairs: bytes of a
    SlateBatch and a PairBatch, b"" where there are none. watermark: every slate that closes
    (time + attribution window) and every pair with a time at or before it is in this
    block or an earlier one; MAX_TIME after the end. names: bytes of the `Names` that sources, variants and arms in
    here are indices of; b"" where there are none of them.
    """

    version: int
    shard: int
    first_slate: int
    slates: bytes
    first_pair: int
    pairs: bytes
    side: list[Side]
    watermark: int
    names: bytes = b""

    def encode(self) -> bytes:
        """Return the block as msgpack."""
        return msgspec.msgpack.encode(self)


class Control(msgspec.Struct, array_like=True, tag="control"):
    """What a person asks of every rank shard that reads the log.

    reset: names of rankers to start again, as in `Layout.rankers`; a shard passes over those it does not have.
    """

    version: int
    reset: list[str]

    def encode(self) -> bytes:
        """Return the record as msgpack."""
        return msgspec.msgpack.encode(self)


_decoder: msgspec.msgpack.Decoder[Block | Control] = msgspec.msgpack.Decoder(Block | Control)


def decode(data: bytes) -> Block | Control:
    """Return the record of `encode`. Raises BlockError on other bytes or another version."""
    try:
        record = _decoder.decode(data)
    except (ValueError, RecursionError) as exc:
        raise BlockError(f"record of the rank log cannot be read: {exc}") from exc
    if record.version != VERSION:
        raise BlockError(
            f"record of the rank log has version {record.version}, this code reads {VERSION}: stop the join workers, "
            "let the rank workers of the version before read the log to its end, then start this version"
        )
    return record
