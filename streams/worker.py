"""A worker process: the apps of one role or of all three, from its start to its last checkpoint."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import faust

from lis_online.settings import Settings
from streams.apps import new_app
from streams.keeping import RowSink
from streams.roles import PUBLISH, roles_of
from streams.runner import Runner, ShardFactory
from streams.topics import check_topics
from streams.watch import Watch

logger = logging.getLogger(__name__)


class Worker(faust.Worker):
    """Faust's worker, which leaves logging and terminal as they are."""

    def __init__(self, *apps: faust.App, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(*apps, loop=loop, override_logging=False, redirect_stdouts=False, quiet=True)
        self.spinner = None


def build_app(
    role: str,
    settings: Settings,
    make_shard: ShardFactory,
    folder: Path,
    sink: RowSink | None = None,
    watch: Watch | None = None,
) -> Runner:
    """Return the runner of a role and, as its `app`, the Faust app; nothing is connected yet.

    make_shard: makes the empty shard of a partition. folder: for Faust's own files. sink: where a publish
    shard's rows go. watch: is told what happens.
    """
    (chosen,) = roles_of(role)
    return Runner(new_app(chosen, settings, folder), chosen, settings, make_shard, sink, watch)


def run(
    role: str,
    settings: Settings,
    factories: Mapping[str, ShardFactory],
    sink: RowSink | None = None,
    watches: Mapping[str, Watch] | None = None,
    serving: Callable[[Mapping[str, Runner]], AbstractContextManager[Any]] = nullcontext,
) -> int:
    """Run a worker until SIGTERM or SIGINT (0) or until something cannot go on (1).

    role: "join", "rank", "publish", or "all": the three apps in this process. serving: a context around
    the run, made of the runners by role: the HTTP server. Raises TopicError and BrokerError before
    anything is started.
    """
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
            )
            for each in roles_of(role)
        }
        with serving(runners):
            return _execute(Worker(*[runner.app for runner in runners.values()], loop=loop), runners)


def _execute(worker: Worker, runners: Mapping[str, Runner]) -> int:
    try:
        worker.execute_from_commandline()
    except SystemExit as exc:
        code = exc.code if isinstance(exc.code, int) else 1
    if code and not any(runner.failure for runner in runners.values()):
        logger.critical("the worker ends: %r", worker.crash_reason)
    return code
