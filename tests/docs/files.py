"""The files that the documents' commands read, small, and made up: logs, vectors, data sets, secrets."""

from __future__ import annotations

import json
import random
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import trustme
from safetensors.numpy import save_file

from tests.documents import ROOT, blocks
from tests.mapping.bookshop import messages
from tests.replay.test_mind import LINES
from tests.replay.test_open_bandit import HEADER, ROWS

BEGIN = int(datetime(2026, 11, 19, 8, tzinfo=UTC).timestamp() * 1000)
"""Within the stretches that the documents ask about, ms."""
SHOWN = 400
STEP = 30_000
ITEMS = [f"i{n}" for n in range(40)]
USERS = 60
SLATE = 6


def events() -> list[dict[str, Any]]:
    """Return a log in order of time: vectors, then slates of two surfaces and two arms, clicks by taste."""
    chance = random.Random(3)
    log = [(BEGIN - 1, "representations", _vector(item, [chance.gauss(0, 1) for _ in range(128)])) for item in ITEMS]
    for number in range(SHOWN):
        at, user = BEGIN + number * STEP, chance.randrange(USERS)
        shown = chance.sample(ITEMS, SLATE)
        about = {"schema_version": 1, "request_id": f"r{number}", "user_id": f"u{user}"}
        slate = {"surface": chance.choice(["feed", "ads"]), "items": shown, "experiments": {"mllm-q4": _arm(user)}}
        log.append((at, "impressions", {**about, "ts": at, **slate}))
        for item in shown:
            if chance.random() < (0.5 if int(item[1:]) % 4 == user % 4 else 0.1):
                ts = at + 1000 + chance.randrange(60_000)
                log.append((ts, "feedback", {**about, "ts": ts, "item_id": item, "action": "click"}))
    return [{"topic": topic, "value": value} for _, topic, value in sorted(log, key=lambda entry: entry[0])]


def write(folder: Path) -> None:
    """Write every file into a folder, under the names that the documents use."""
    shutil.copy(ROOT / "lis-online.example.toml", folder)
    (folder / "events.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events()))
    shelves = [message for topic, _, message in messages(BEGIN, 20, 2400) if topic == "impressions"]
    (folder / "shelves.jsonl").write_text("".join(json.dumps(message) + "\n" for message in shelves))
    (folder / "MINDsmall_train").mkdir()
    (folder / "MINDsmall_train" / "behaviors.tsv").write_text(LINES)
    [ranker] = [block.text for block in blocks("python") if block.where == "docs/rankers.md"]
    (folder / "my_pkg").mkdir()
    (folder / "my_pkg" / "rank.py").write_text(f"{ranker}\n\ndeepfm = Small\n")
    _vectors(folder / "title.npz", [f"X{n}" for n in range(1, 7)], 8)
    for name, rows in ROWS.items():
        campaign = folder / "open_bandit_dataset" / name
        campaign.mkdir(parents=True)
        (campaign / f"{name.split('/')[1]}.csv").write_text(HEADER + rows)
    _vectors(folder / "minilm.npz", ITEMS, 384)
    _vectors(folder / "minilm.safetensors", ITEMS, 384)
    (folder / "secrets").mkdir()
    (folder / "secrets" / "user-key").write_text("sixteen bytes or more\n")
    (folder / "secrets" / "registry-password").write_text("the registry's\n")
    trustme.CA().cert_pem.write_to_path(str(folder / "ca.pem"))


def _arm(user: int) -> str:
    return "treatment" if user % 2 else "control"


def _vector(item: str, numbers: list[float]) -> dict[str, Any]:
    about = {"schema_version": 1, "variant": "qwen-vl-coclick", "version": "1", "item_id": item, "ts": BEGIN - 1}
    return {**about, "vector": [round(number, 3) for number in numbers]}


def _vectors(path: Path, items: list[str], dimension: int) -> None:
    vectors = np.random.default_rng(5).standard_normal((len(items), dimension)).astype(np.float32)
    if path.suffix == ".npz":
        np.savez(path, item_id=np.array(items), vector=vectors)
    else:
        save_file({"vector": vectors}, path, metadata={"item_id": json.dumps(items)})
