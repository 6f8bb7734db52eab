"""The picture of the architecture: every topic and every role of the code, and no other."""

from __future__ import annotations

import re

from lis_online.events.topics import topic_names
from lis_online.settings.model import KafkaSettings
from streams.roles import ROLES
from tests.documents import ROOT

PILL = re.compile(r'<rect class="topic" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="34"')
NAME = re.compile(r'<text (?:class="text name" )?x="([\d.]+)" y="([\d.]+)"[^>]*>([^<]+)</text>')
PICTURE = (ROOT / "docs" / "figures" / "architecture.svg").read_text(encoding="utf-8")


def test_its_topics_are_those_of_the_code() -> None:
    """A topic that is renamed, added or gone is so in the picture."""
    texts = [(float(x), float(y), words) for x, y, words in NAME.findall(PICTURE)]
    drawn = [
        words
        for left, top, wide in (map(float, found) for found in PILL.findall(PICTURE))
        for x, y, words in texts
        if left < x < left + wide and top < y < top + 34
    ]
    assert sorted(drawn) == sorted(topic_names(KafkaSettings()).values())


def test_its_roles_are_those_of_the_code() -> None:
    """In the order in which records pass them."""
    assert re.findall(r'<text class="text head"[^>]*>([^<]+)</text>', PICTURE) == list(ROLES)
