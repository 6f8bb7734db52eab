"""A worker process: the apps of one role or of all three, from its start to its last checkpoint."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import faust

from lis_online.checkpoints.place import open_place
from lis_online.collector import collecting_seldom
from lis_online.settings import Settings
from streams.apps import new_app
from streams.keeping import RowSink
from streams.restoring import ShardFactory
from streams.roles import PUBLISH, roles_of
from streams.runner import Runner
from streams.topics import check_topics
from streams.watch import Watch

logger = logging.getLogger(__name__)


NOTHING: Mapping[str, ShardFactory] = MappingProxyType({})

SAVE_WITHIN, GOODBYE_WITHIN = 20.0, 8.0
"""Seconds a worker that was told to end may take for its last checkpoints, and then for its goodbye to
Kafka: together below the 30 that Kubernetes gives."""


class Worker(faust.Worker):
    """Faust's worker, which leaves logging and terminal as they are, and which does end.

    Told to end, it first makes the last checkpoints; then Faust says goodbye to Kafka. Where Kafka does
    not answer, that goodbye takes minutes (aiokafka 0.14 waits for its coordinator), so both have a deadline.
    Nothing is lost by leaving without them: the checkpoints before hold.
    """

    def __init__(self, runners: Collection[Runner], loop: asyncio.AbstractEventLoop) -> None:
        apps = [runner.app for runner in runners]
        super().__init__(*apps, loop=loop, override_logging=False, redirect_stdouts=False, quiet=True)
        self.spinner = None
        self._runners = runners
        self._deadline: threading.Timer | None = None
        self._saving: asyncio.Future[None] | None = None
        for runner in runners:
            runner.on_failure = partial(self._leave_within, GOODBYE_WITHIN, code=1)

    def _schedule_shutdown(self, signal: Any) -> None:
        if self._saving is None:
            self._leave_within(SAVE_WITHIN, code=0)
            self._saving = asyncio.ensure_future(self._save_and_stop(signal), loop=self.loop)

    async def _save_and_stop(self, signal: Any) -> None:
        for runner in self._runners:
            runner.stopping = True
        await asyncio.gather(*[runner.hand_over() for runner in self._runners])
        self._leave_within(GOODBYE_WITHIN, code=1 if any(runner.failure for runner in self._runners) else 0)
        super()._schedule_shutdown(signal)

    def _leave_within(self, seconds: float, code: int) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = threading.Timer(seconds, _leave, [seconds, code])
        self._deadline.daemon = True
        self._deadline.start()


def _leave(seconds: float, code: int) -> None:
    logger.warning("the worker ends without a goodbye to Kafka: it took longer than %.0f s", seconds)
    logging.shutdown()
    os._exit(code)


def build_app(
    role: str,
    settings: Settings,
    make_shard: ShardFactory,
    folder: Path,
    sink: RowSink | None = None,
    watch: Watch | None = None,
    fallback: ShardFactory | None = None,
) -> Runner:
    """Return the runner of a role and, as its `app`, the Faust app; nothing is connected yet.

    make_shard: makes the empty shard of a partition. folder: for Faust's own files. sink: where a publish
    shard's rows go. watch: is told what happens. fallback: makes the shard where its device has failed.
    """
    (chosen,) = roles_of(role)
    return Runner(new_app(chosen, settings, folder), chosen, settings, make_shard, sink, watch, fallback=fallback)


def run(
    role: str,
    settings: Settings,
    factories: Mapping[str, ShardFactory],
    sink: RowSink | None = None,
    watches: Mapping[str, Watch] | None = None,
    serving: Callable[[Mapping[str, Runner]], AbstractContextManager[Any]] = nullcontext,
    fallbacks: Mapping[str, ShardFactory] = NOTHING,
) -> int:
    """Run a worker until SIGTERM or SIGINT (0) or until something cannot go on (1).

    role: "join", "rank", "publish", or "all": the three apps in this process. serving: a context around
    the run, made of the runners by role: the HTTP server. fallbacks: by role, what makes a shard whose device has
    failed. Raises CheckpointError and StorageError (the checkpoints' place), TopicError and BrokerError before
    anything is started.
    """
    open_place(settings.checkpoints.directory).sizes()
    check_topics(settings)
    with tempfile.TemporaryDirectory(prefix="lis-faust-") as folder:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        runners = {
            each.name: build_app(
                each.name,
                settings,
                factories[each.name],
                Path(folder),
                sink if each.name == PUBLISH.name else None,
                (watches or {}).get(each.name),
                fallbacks.get(each.name),
            )
            for each in roles_of(role)
        }
        with serving(runners), collecting_seldom():
            return _execute(Worker(runners.values(), loop), runners)


def _execute(worker: Worker, runners: Mapping[str, Runner]) -> int:
    try:
        worker.execute_from_commandline()
    except SystemExit as exc:
        code = exc.code if isinstance(exc.code, int) else 1
    if code and not any(runner.failure for runner in runners.values()):
        logger.critical("the worker ends: %r", worker.crash_reason)
    elif not code:
        logger.info("the worker has ended, as it was told to")
    return code
