"""Dead letters in the terminal and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from rich.table import Table
from rich.text import Text

from lis_online.cli.report_parts import titled_table

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from lis_online.events.dead_letters import Letter
    from lis_online.replay.resending import Resent

SHOWN: Final = 4000
"""Bytes of a value or a key that are printed."""


def printable(data: bytes) -> str:
    r"""Return bytes as text that is safe on a terminal: what is no printable character is escaped.

    >>> printable(b'{"a":"\xc3\xa9\x1b[31m\xff"}')
    '{"a":"é\\x1b[31m\\xff"}'
    """
    text = data.decode(errors="backslashreplace")
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def counted(counts: Counter[tuple[str, str]]) -> Table:
    """Return one row for each topic and reason."""
    table = titled_table("Dead letters", ("topic", "reason", "letters"))
    for (topic, reason), count in sorted(counts.items()):
        table.add_row(topic, printable(reason.encode()), f"{count:,}")
    return table


def listed(letters: list[tuple[Letter, bool]], zone: ZoneInfo | None) -> Table:
    """Return one row for each letter; with it, whether it was sent back."""
    table = titled_table("The newest", ("letter", "time", "came from", "reason", "bytes", "replayed", "detail"))
    for letter, sent in letters:
        cells = (f"0:{letter.offset}", _iso(letter, zone), str(letter.place), letter.reason, f"{letter.length:,}")
        table.add_row(*cells, "yes" if sent else "", Text(printable(letter.detail.encode())))
    return table


def facts(letter: Letter, zone: ZoneInfo | None) -> Iterator[tuple[str, str]]:
    """Yield the names and values of what is known of a letter, in text that is safe on a terminal."""
    yield "letter", f"0:{letter.offset}"
    yield "time", _iso(letter, zone)
    yield "came from", str(letter.place)
    yield "reason", printable(letter.reason.encode())
    yield "detail", printable(letter.detail.encode())
    yield "key", "none" if letter.key is None else printable(letter.key[:SHOWN])
    yield "bytes", f"{letter.length:,}" if letter.whole else f"{letter.length:,}, cut to {len(letter.value):,}"


def letter_json(letter: Letter, sent: bool | None, zone: ZoneInfo | None) -> dict[str, Any]:
    """Return a letter without its bytes. sent: whether it was sent back, None where nobody looked."""
    found: dict[str, Any] = {
        "letter": f"0:{letter.offset}",
        "time": _iso(letter, zone),
        "topic": letter.place.topic,
        "partition": letter.place.partition,
        "offset": letter.place.offset,
        "reason": letter.reason,
        "detail": letter.detail,
        "bytes": letter.length,
        "whole": letter.whole,
    }
    return found if sent is None else found | {"replayed": sent}


def _iso(letter: Letter, zone: ZoneInfo | None) -> str:
    from lis_online.history.times import LATEST, iso

    return iso(min(max(0, letter.time), LATEST), zone)


def done_json(done: Resent) -> dict[str, Any]:
    """Return what a replay did, as JSON has it."""
    names = ("sent", "late", "already", "superseded", "refused")
    return {name: getattr(done, name) for name in names}


def sentences(done: Resent, dry_run: bool) -> Iterator[str]:
    """Yield what a replay did, a line for each."""
    noun = "letter" if done.sent == 1 else "letters"
    yield f"{'would send' if dry_run else 'sent'} {done.sent:,} {noun} back"
    if done.late:
        yield f"{done.late:,} of them are older than the watermark and will be counted late"
    if done.already:
        yield f"{done.already:,} were sent back before"
    if done.superseded:
        yield f"{done.superseded:,} were left: their items have newer vectors"
    for reason, count in sorted(done.refused.items()):
        yield f"{count:,} were left: they would be refused again ({reason})"
