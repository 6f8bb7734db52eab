"""The join by brute force: everything sorted once, every question answered by looking through all that came before."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from itertools import pairwise
from typing import Any

from lis_online.events.hashing import id_hash
from lis_online.settings import Settings


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
        self.totals: list[tuple[int, str, str, str, Fraction]] = []  # place, user, arm, quantity, amount
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
        arm = event["experiments"].get("e")
        if arm == "z":
            self.counts["unknown_arm"] += 1
        event["arm"] = arm if arm in ("a", "b") else None
        clicks = [e for e in self._known(event["user_id"], now) if e["action"] == "click"]
        clicks = clicks[-self.events.history_length :]
        known = [(id_hash(e["item_id"]), now - e["at"]) for e in clicks]
        own = [(id_hash(i), -1) for i in event["history"][-self.events.history_length :]]
        event["as_of"] = known or own
        self.activity.append((event["user_id"], now))
        event["clicks"] = {}
        self.shown.append(event)
        if event["arm"]:
            place = len(self.activity) - 1
            self.totals.append((place, event["user_id"], event["arm"], "impression", Fraction(1)))

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
        if shown["arm"]:
            amount = Fraction(event["value"])
            self.totals.append((len(self.activity), event["user_id"], shown["arm"], event["action"], amount))
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

    def arms(self) -> dict[str, tuple[int, int, Counter[Any]]]:
        """Return arm -> (users, crossed, sums by quantity and by pair); a forgotten user is a new one."""
        lives: dict[tuple[str, int], list[tuple[str, str, Fraction]]] = {}
        for place, user, arm, quantity, amount in self.totals:
            times = [t for u, t in self.activity[: place + 1] if u == user]
            gaps = sum(b - a > self.events.user_idle_limit for a, b in pairwise(times))
            lives.setdefault((user, gaps), []).append((arm, quantity, amount))
        out = {}
        for arm in ("a", "b"):
            mine = [life for life in lives.values() if {a for a, *_ in life} == {arm}]
            crossed = sum(arm in {a for a, *_ in life} for life in lives.values()) - len(mine)
            sums: Counter[Any] = Counter()
            for life in mine:
                total: Counter[str] = Counter()
                for _, quantity, amount in life:
                    total[quantity] += amount  # type: ignore[assignment]
                for q, x in total.items():
                    sums[q] += x
                    for r, y in total.items():
                        sums[q, r] += x * y
            out[arm] = (len(mine), crossed, sums)
        return out

    def slates(self) -> list[tuple[Any, ...]]:
        """Return all slates in order."""
        arms = {None: -1, "a": 0, "b": 1}
        return [
            (
                e["ts"],
                id_hash(e["request_id"]),
                id_hash(e["user_id"]),
                0,
                [arms[e["arm"]]],
                [id_hash(i) for i in e["items"]],
                [int(i in e["clicks"]) for i in e["items"]],
                [e["clicks"].get(i, -1) for i in e["items"]],
                [item for item, _ in e["as_of"]],
                [age for _, age in e["as_of"]],
            )
            for e in self.shown
        ]
