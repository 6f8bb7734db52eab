"""What is said of a refused record names no user: it goes into headers and logs."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import settings as tries
from hypothesis import strategies as st

from lis_online.records import Record
from lis_online.shards.join import JoinShard
from tests.join.logs import SETTINGS, feedback, impression

USER = "person-7"
GOOD: dict[str, dict[str, Any]] = {
    "impressions": impression(user=USER, positions=[0, 1], history=["i3"], item_attributes={"i1": {"author": "a"}}),
    "feedback": feedback(user=USER, value=1.0),
    "preferences": {"schema_version": 1, "source": "search", "item_a": "a", "item_b": "b", "user_id": USER, "ts": 5},
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
OF_THE_USER = st.just({"user_id": USER}) | st.just([USER]) | st.just({USER: 1}) | st.just({USER: {"author": 5}})


@st.composite
def records(draw: st.DrawFn) -> Record:
    """Draw a record with ill values, the user's own among them, cut off or not UTF-8 here and there."""
    topic = draw(st.sampled_from(sorted(GOOD)))
    ill = draw(st.dictionaries(st.sampled_from(sorted(GOOD[topic])), ANYTHING | OF_THE_USER, max_size=2))
    value = msgspec.json.encode({**GOOD[topic], **ill})
    cut = draw(st.integers(0, len(value)) | st.just(len(value)))
    return Record(topic, 0, 0, 1000, value[:cut] + draw(st.sampled_from([b"", b"", b"\xff", b"}"])))


@tries(max_examples=200, deadline=None)
@given(records())
def test_no_sentence_quotes_a_user(record: Record) -> None:
    """Whatever is wrong with a record: the reason and the sentence say it without the id."""
    for sent in JoinShard(SETTINGS, 0).feed([record]):
        if sent.topic == "dead_letters":
            assert sent.value == record.value
            assert not [text for _, text in sent.headers if USER.encode() in text]
