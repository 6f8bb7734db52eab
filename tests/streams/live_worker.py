"""The real worker with batches of a random size: `python -m tests.streams.live_worker ROLE SETTINGS.json SEED`."""

from __future__ import annotations

import json
import random
import sys
from dataclasses import replace
from pathlib import Path

from lis_online.settings import Settings
from lis_online.shards import join
from streams import roles
from streams.live import run_worker


def main() -> int:
    """Run until told to end."""
    name, table, chance = sys.argv[1], json.loads(Path(sys.argv[2]).read_text()), random.Random(int(sys.argv[3]))
    for role in list(roles.ROLES.values()):
        roles.ROLES[role.name] = replace(role, batch=chance.randint(1, 200))
    join.PILED_UP = chance.randint(50, 500)  # topics that are too far ahead are held back every now and then
    return run_worker(name, Settings.of(table))


if __name__ == "__main__":
    sys.exit(main())
