"""The topics: logical names, as shards and recorded logs say them, and what Kafka calls them."""

from __future__ import annotations

from typing import Final

from lis_online.settings.model import KafkaSettings

MAIN: Final = ("impressions", "feedback")
"""Topics whose partitions have a watermark."""

SIDE: Final = ("representations", "preferences")
"""Topics that never hold a watermark: what they bring has the horizon as its slack."""

INPUTS: Final = MAIN + SIDE
"""What comes from outside. All four have the same number of partitions: a join shard reads one of each."""

INTERNAL: Final = ("samples", "windows", "dead_letters")
"""What is ours alone."""


def topic_names(kafka: KafkaSettings) -> dict[str, str]:
    """Return logical name -> Kafka's name.

    >>> topic_names(KafkaSettings(prefix="eu"))["dead_letters"]
    'eu.dead-letters'
    """
    names = {logical: str(getattr(kafka, logical)) for logical in INPUTS}
    return names | {logical: f"{kafka.prefix}.{logical.replace('_', '-')}" for logical in INTERNAL}
