import json

import pytest

from lis_online.simulate.kinds import build, events_of
from lis_online.simulate.scenarios import scenario


def published(name: str, seed: int, catalogue: int | None) -> tuple[list[str], list[str]]:
    """Return the vectors and the slates of a short world, as they travel."""
    world = build(scenario(name).world, seed, 1_573_516_800_000, catalogue)
    events = [(topic, value.decode()) for _, topic, value in events_of(world, 150)]
    vectors = {json.loads(value)["item_id"]: value for topic, value in events if topic == "representations"}
    slates = [json.dumps(json.loads(value)["items"]) for topic, value in events if topic == "impressions"]
    return [vectors[item] for item in sorted(vectors)[:100]], slates


@pytest.mark.parametrize("name", ["quiet", "shop"])
def test_worlds_of_one_catalogue_differ_in_their_users_alone(name: str) -> None:
    """Same items and vectors under any seed; other slates; another catalogue has other vectors."""
    vectors, slates = published(name, 1, 7)
    others, other_slates = published(name, 2, 7)
    assert vectors == others
    assert slates != other_slates
    assert published(name, 1, 8)[0] != vectors
