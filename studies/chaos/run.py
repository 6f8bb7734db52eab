"""One run: the feed through real workers, calm or with a fault, and what it left behind."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from studies.chaos.feed import Change, Feed, record, unchanged
from studies.chaos.outcome import Outcome, published, read
from studies.chaos.progress import Progress, drained
from studies.chaos.sender import Sender
from studies.chaos.stage import Place, Stage, place_of
from studies.chaos.workers import Keeper, Member, wait_for

ROLES: Final = ("join", "rank", "publish")
SPEED: Final = 40.0
"""How many times as fast as time the feed's clock runs: 40 slates a second."""
PATIENCE: Final = 600.0
"""Seconds for whatever a run waits for: a busy machine is slow, and only something broken takes this long."""


@dataclass
class Run:
    """A run under way, as a fault sees it.

    scale: of the faults' lengths; left: how often the fault is still wanted; recovered: seconds, one for each fault;
    broken: what should have held and did not.
    """

    stage: Stage
    place: Place
    keeper: Keeper
    sender: Sender
    progress: Progress
    chance: Random
    scale: float = 1.0
    left: int = 0
    recovered: list[float] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def fed(self) -> bool:
        """Return whether the feed has ended: a fault now would meet nothing at work."""
        return self.sender.done

    def steady(self) -> None:
        """Wait until numbers are published and the usual lag is known."""
        self.wait(self.progress.steady)

    def recover(self, ended: float | None = None) -> None:
        """Wait until the run is as far as before the fault that has just ended, and note the time it took.

        Then every worker has its shards, a further bucket is published, and the lag is no longer than usual. ended:
        monotonic seconds of the fault's end, by default now.
        """
        ended, usual = time.monotonic() if ended is None else ended, self.progress.usual
        self.wait(self.keeper.ready)
        before = self.progress.published
        self.wait(lambda: self.progress.has_passed(before) and (self.progress.complete or self.progress.lag <= usual))
        self.recovered.append(time.monotonic() - ended)

    def require(self, holds: bool, sentence: str) -> None:
        """Note what should hold here."""
        if not holds:
            self.broken.append(sentence)

    def sleep(self, seconds: float) -> None:
        """Let a fault last."""
        time.sleep(seconds * self.scale)

    def pick(self, role: str) -> Member:
        """Return a worker of a role, by chance."""
        return self.chance.choice(self.keeper.of(role))

    def wait(self, condition: Callable[[], bool]) -> None:
        """Wait until a condition holds. Raises TimeoutError with what the workers said; soon, if they keep ending."""
        wait_for(lambda: self.keeper.hopeless or condition(), PATIENCE, self._told)
        if self.keeper.hopeless:
            raise TimeoutError(self._told())

    def _told(self) -> str:
        return f"{self.keeper.ended}\n{self.keeper.said()}"


Inject = Callable[[Run], None]
"""Does one or more faults while the run is under way."""


@dataclass(frozen=True)
class Found:
    """What a run came to.

    rss: most memory of a process by role, MiB; ended: workers that ended by themselves; codes: of the others, at the
    end; broken: what should have held on the way; left: how often the fault did not come to its turn.
    """

    outcome: Outcome
    recovered: list[float]
    rss: dict[str, int]
    ended: list[str]
    codes: list[int]
    notes: list[str]
    broken: list[str]
    left: int


class Runs:
    """The runs over one stage. Calm outcomes are kept in a folder, for all faults of the same feed."""

    def __init__(self, stage: Stage, folder: Path, slates: int, scale: float = 1.0) -> None:
        self.stage = stage
        self._folder, self._slates, self._scale = folder, slates, scale
        self._feeds: dict[int, Feed] = {}

    @property
    def folder(self) -> Path:
        """What the run of the moment, or the last, wrote: logs, settings, checkpoints."""
        return self._folder / "run"

    def feed(self, seed: int) -> Feed:
        """Return the calm feed of a seed."""
        if seed not in self._feeds:
            self._feeds = {seed: record(self._slates, seed)}
        return self._feeds[seed]

    def changed(self, seed: int, change: Change) -> Feed:
        """Return the feed of a seed with a change: the same every time."""
        return change(self.feed(seed), Random(seed))

    def calm(self, seed: int, change: Change = unchanged) -> Outcome:
        """Return the outcome of a feed that is sent at once, before any worker is there, and of workers left alone."""
        kept = self._folder / f"calm-{self._slates}-{seed}-{change.__name__}.json"
        if not kept.exists():
            with self._under_way(self.changed(seed, change), None, {}, {}, {}, 0) as run:
                found = _end(run)
            if found.ended or any(found.codes):
                raise RuntimeError(f"a calm run must go well, got {found.ended}, exit codes {found.codes}")
            found.outcome.save(kept)
        return Outcome.load(kept)

    def faulty(
        self,
        seed: int,
        inject: Inject,
        change: Change = unchanged,
        base: Change = unchanged,
        workers: Mapping[str, int] | None = None,
        environment: Mapping[str, str] | None = None,
        times: int = 1,
        **tables: Any,
    ) -> Found:
        """Run a feed with a fault.

        change: of the feed; base: of the feed that it is compared with; workers: how many by role; times: how often
        the fault is wanted; tables: of the settings.
        """
        final = round(datetime.fromisoformat(published(self.calm(seed, base).rows)).timestamp() * 1000)
        feed = self.changed(seed, change)
        with self._under_way(feed, SPEED, workers or {}, environment or {}, tables, final) as run:
            run.left = times
            inject(run)
            return _end(run)

    @contextmanager
    def _under_way(
        self,
        feed: Feed,
        speed: float | None,
        workers: Mapping[str, int],
        environment: Mapping[str, str],
        tables: Mapping[str, Any],
        final: int,
    ) -> Iterator[Run]:
        shutil.rmtree(self.folder, ignore_errors=True)
        database = self.stage.postgres.new_database()
        place = place_of(self.stage.broker, database, self.folder, **tables)
        with ExitStack() as stack:
            sender = Sender(place.settings.kafka, feed, speed)
            keeper = Keeper(place.config, self.folder, environment)
            if speed is None:
                stack.enter_context(sender)
                wait_for(lambda: sender.done, PATIENCE, lambda: "the feed is not in Kafka")
            stack.enter_context(keeper)
            for role in ROLES:
                for _ in range(workers.get(role, 1)):
                    keeper.add(role)
            wait_for(lambda: keeper.hopeless or keeper.ready(), PATIENCE, keeper.said)
            if speed is not None:
                stack.enter_context(sender)
            progress = stack.enter_context(Progress(database, sender, final))
            yield Run(self.stage, place, keeper, sender, progress, Random(feed[-1].due), self._scale)


def _end(run: Run) -> Found:
    """Let a run come to its end: all sent, all applied, all durable; then end its workers, and read what there is."""
    if not run.sender.done:
        run.sender.hurry()
    run.wait(run.fed)
    run.wait(lambda: drained(run.place.settings))
    codes = run.keeper.close()
    outcome = read(run.place.settings.kafka, run.place.database)
    return Found(outcome, run.recovered, run.keeper.peaks(), run.keeper.ended, codes, run.notes, run.broken, run.left)
