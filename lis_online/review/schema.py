"""The JSON schema of a review: `python -m lis_online.review.schema > docs/schemas/review.json`."""

from __future__ import annotations

import json
import sys

from lis_online.review.document import Review


def schema() -> str:
    """Return the schema of what `lis-online review --json` prints."""
    found = Review.model_json_schema(by_alias=True, mode="serialization")
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **found}, indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema())
