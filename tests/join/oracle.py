"""The join by brute force: everything sorted once, every question answered by looking through all that came before.

What it counted is in `counted`; what that makes of arms is said in tests/join/arms_oracle.py.
"""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from lis_online.events.hashing import id_hash
from lis_online.settings import Settings


class Counted(NamedTuple):
    """What counts for arms: what a user did on an impression. life: the user, and which one by idling."""

    life: tuple[str, int]
    shown: dict[str, Any]
    quantity: str
    amount: Fraction


class Oracle:
    """What must come out of two whole partitions: slates, pairs, counts, arms."""

    def __init__(self, settings: Settings, impressions: list[dict[str, Any]], feedback: list[dict[str, Any]]) -> None:
        self.settings = settings
        self.events = settings.events
        self.counts: Counter[str] = Counter()
        self.shown: list[dict[str, Any]] = []  # accepted impressions in order
        self.done: list[dict[str, Any]] = []  # feedback that fed the history, in order
        self.activity: list[tuple[str, int]] = []  # (user, time)
        self.pairs: list[tuple[int, ...]] = []  # without the click's hash
        self.counted: list[Counted] = []
        for *_, kind, event in sorted(self._entries(impressions, feedback), key=lambda entry: entry[:5]):
            (self._show if kind == 0 else self._act)(event)

    def _entries(self, impressions: list[dict[str, Any]], feedback: list[dict[str, Any]]) -> list[Any]:
        entries = []
        for kind, events in enumerate((impressions, feedback)):
            highest = None
            for place, original in enumerate(events):
                event = dict(original)
                bound = -1 if highest is None else highest - self.events.allowed_lateness
                event["late"] = highest is not None and event["ts"] < bound
                event["at"] = bound if event["late"] else event["ts"]
                highest = max(event["ts"], highest or 0)
                item = id_hash(event["item_id"]) if kind else 0
                if kind and event["action"] not in self.events.actions:
                    self.counts["unknown_action"] += 1
                elif event["late"] and not kind:
                    self.counts["late_impression"] += 1
                else:
                    entries.append((event["at"], kind, id_hash(event["request_id"]), item, place, kind, event))
        return entries

    def _memory(self) -> int:
        return self.events.attribution_window + self.events.allowed_lateness

    def _show(self, event: dict[str, Any]) -> None:
        now = event["ts"]
        if any(e["request_id"] == event["request_id"] and e["ts"] >= now - self._memory() for e in self.shown):
            self.counts["duplicate"] += 1
            return
        self.counts["accepted"] += 1
        arms = {e.name: [arm.name for arm in e.arm] for e in self.settings.experiment}
        if any(arm not in arms.get(name, []) for name, arm in event["experiments"].items()):
            self.counts["unknown_arm"] += 1
        event["arms"] = [
            known.index(event["experiments"].get(name)) if event["experiments"].get(name) in known else -1
            for name, known in arms.items()
        ]
        clicks = [e for e in self._known(event["user_id"], now) if e["action"] == "click"]
        clicks = clicks[-self.events.history_length :]
        known = [(id_hash(e["item_id"]), now - e["at"]) for e in clicks]
        own = [(id_hash(i), -1) for i in event["history"][-self.events.history_length :]]
        event["as_of"] = known or own
        self.activity.append((event["user_id"], now))
        event["clicks"] = {}
        self.shown.append(event)
        self.counted.append(Counted(self._life(event["user_id"]), event, "impression", Fraction(1)))

    def _act(self, event: dict[str, Any]) -> None:
        now, user = event["at"], event["user_id"]
        key = ("request_id", "item_id", "action", "ts")
        same = [e for e in self.done if all(e[k] == event[k] for k in key)]
        if any(e["at"] >= now - self._memory() for e in same):
            self.counts["duplicate"] += 1
            return
        requests = [e for e in self.shown if e["request_id"] == event["request_id"] and e["ts"] >= now - self._memory()]
        open_ = [e for e in requests if e["ts"] + self.events.attribution_window >= now]
        if event["late"] or (requests and not open_):
            self.counts["late_feedback"] += 1
        else:
            self.counts["accepted"] += 1
            if open_ and open_[-1]["user_id"] == user and event["item_id"] in open_[-1]["items"]:
                self._attribute(open_[-1], event)
            else:
                self.counts["unattributed"] += 1
        self.activity.append((user, now))
        self.done.append(event)

    def _attribute(self, shown: dict[str, Any], event: dict[str, Any]) -> None:
        if event["action"] == self.events.label:
            shown["clicks"].setdefault(event["item_id"], event["ts"] - shown["ts"])
        life = self._life(event["user_id"], event["at"])
        self.counted.append(Counted(life, shown, event["action"], Fraction(event["value"])))
        for index, source in enumerate(self.settings.preference):
            if source.kind != "co_engagement" or event["action"] not in source.actions:
                continue
            engaged = [e for e in self._known(event["user_id"], event["ts"]) if e["action"] in source.actions]
            latest = list(dict.fromkeys(e["item_id"] for e in reversed(engaged)))
            time = {e["item_id"]: e["at"] for e in engaged}
            near = [i for i in latest if i != event["item_id"] and event["ts"] - time[i] <= source.gap]
            for other in near[: source.partners]:
                pair = (event["ts"], index, id_hash(other), id_hash(event["item_id"]), id_hash(event["user_id"]), 1)
                self.pairs.append(pair)

    def _known(self, user: str, now: int) -> list[dict[str, Any]]:
        """Return a user's feedback since the user was last idle for too long, at a time."""
        oldest = now
        for t in reversed([t for u, t in self.activity if u == user]):
            if oldest - t > self.events.user_idle_limit:
                break
            oldest = t
        return [e for e in self.done if e["user_id"] == user and e["at"] >= oldest]

    def _life(self, user: str, *now: int) -> tuple[str, int]:
        """Return which user this is: one who was idle for too long is a new one."""
        times = [*(t for u, t in self.activity if u == user), *now]
        return user, sum(b - a > self.events.user_idle_limit for a, b in pairwise(times))

    def slates(self) -> list[tuple[Any, ...]]:
        """Return all slates in order."""
        return [
            (
                e["ts"],
                id_hash(e["request_id"]),
                id_hash(e["user_id"]),
                self.events.surfaces.index(e["surface"]),
                e["arms"],
                [id_hash(i) for i in e["items"]],
                [int(i in e["clicks"]) for i in e["items"]],
                [e["clicks"].get(i, -1) for i in e["items"]],
                [item for item, _ in e["as_of"]],
                [age for _, age in e["as_of"]],
            )
            for e in self.shown
        ]
