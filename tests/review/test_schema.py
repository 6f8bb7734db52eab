"""The published schema is that of the document."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from lis_online.review.schema import schema
from tests.review.documents import make_arm, make_metric, make_rail, make_representation, make_review

PAGE = Path(__file__).parents[2] / "docs" / "schemas" / "review.json"


def test_the_file_is_current() -> None:
    """Run `python -m lis_online.review.schema > docs/schemas/review.json` when this fails."""
    assert PAGE.read_text(encoding="utf-8") == schema()


def test_a_review_keeps_to_it_and_what_is_no_review_does_not() -> None:
    """Readers of other languages check by it."""
    published = json.loads(schema())
    jsonschema.Draft202012Validator.check_schema(published)
    arm = make_arm("treatment", make_metric(), make_metric(None, None), representation=make_representation(None))
    found = json.loads(make_review(arm, guardrails=(make_rail("treatment", "holds"),)).model_dump_json(by_alias=True))
    jsonschema.validate(found, published)
    for wrong in ({"schema_version": 2}, {"covered": {"start": "2026-11-17T09:00:00Z", "end": None}}, {"alpha": "5%"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**found, **wrong}, published)
