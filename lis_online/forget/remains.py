"""What is left of a user who was forgotten, where, and for how long."""

from __future__ import annotations

from typing import NamedTuple

from lis_online.events.topics import topic_names
from lis_online.settings import Settings
from lis_online.settings.durations import format_duration


class Remains(NamedTuple):
    """Something that is left. longest: ms from the request on; None where it goes by other rules, or stays."""

    place: str
    what: str
    longest: int | None

    def to_json(self) -> dict[str, str | int | None]:
        """Return it as JSON values."""
        return self._asdict()

    def __str__(self) -> str:
        """Return a line for a person."""
        kept = "" if self.longest is None else f", for {format_duration(self.longest)}"
        return f"{self.place}: {self.what}{kept}"


def remains(settings: Settings, letters: int) -> list[Remains]:
    """Return what is left where these settings run. letters: how long dead letters stay, ms.

    Kafka deletes a topic's oldest segment as a whole, so that topics may hold a record for up to `segment.ms` longer.
    """
    kafka, history, names = settings.kafka, settings.history, topic_names(settings.kafka)
    inputs = ", ".join(names[topic] for topic in ("impressions", "feedback", "preferences"))
    waiting = settings.leakage.horizon + settings.events.attribution_window + settings.events.allowed_lateness
    saved = settings.events.allowed_lateness + settings.checkpoints.every * (settings.checkpoints.keep + 1)
    found = [
        Remains(inputs, "what was sent, the id in clear, as long as whoever runs these topics keeps it", None),
        Remains(names["samples"], "slates and pairs under the user's hash", kafka.retention),
        Remains(names["windows"], "users' totals, by hash", kafka.retention),
        Remains(names["dead_letters"], "refused records as they came, the id in clear", letters),
        Remains("rank shards", "slates under the user's hash, until they are learnt", waiting),
        Remains("checkpoints", "older ones of the join and rank shards", saved + waiting),
        Remains("pair sketches, counts of items", "sums that name nobody", settings.leakage.memory + waiting),
        Remains(
            "rankers", "weights that were learnt from the user among all others; they fade as learning goes on", None
        ),
        Remains("arms' moments, numbers", "sums over all users that name nobody", history.keep_rollups),
    ]
    if history.url is not None:
        found.append(Remains("history", "that the user was forgotten, by hash", kafka.retention))
    return found
