"""The OpenAPI document as a file: `python -m lis_online.api.schema > docs/schemas/openapi.json`."""

from __future__ import annotations

import json
import sys

from lis_online.api.app import build_app
from lis_online.history.engine import build_engine
from lis_online.settings import Settings


def document() -> str:
    """Return the document. It depends on the code alone; nothing is connected."""
    app = build_app(Settings.of({}), build_engine("postgresql+psycopg://lis@127.0.0.1/lis"), lambda: 0)
    return json.dumps(app.openapi(), indent=2, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(document())
