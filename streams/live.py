"""The real shards behind Kafka: what `lis-online worker` runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from lis_online.errors import HistoryError
from lis_online.events.person_hashes import UNKEYED
from lis_online.exporter.health import WorkerHealth
from lis_online.history.writer import HistoryWriter
from lis_online.settings import Settings
from lis_online.shards.contract import Shard
from streams import logs, worker
from streams.health_watch import HealthWatch
from streams.lag import LagWatch, ends
from streams.restoring import ShardFactory
from streams.roles import JOIN, PUBLISH, RANK, roles_of
from streams.runner import Runner
from streams.sensors import applied_parts, exporter_of
from streams.watched_sink import WatchedSink

logger = logging.getLogger(__name__)


def run_worker(role: str, settings: Settings) -> int:
    """Run a role, or all three, with the real shards, the history and the HTTP server; return the exit code.

    Raises TopicError, BrokerError, HistoryError and SettingsError before anything is started.
    """
    logs.configure()
    names = [each.name for each in roles_of(role)]
    if JOIN.name in names and settings.privacy.user_key is None:
        logger.warning(UNKEYED)
    writer = _history(settings) if PUBLISH.name in names else None
    health = WorkerHealth()
    sink = None if writer is None else WatchedSink(writer, health)
    watches = {name: HealthWatch(health, name) for name in names}

    @contextmanager
    def serving(runners: Mapping[str, Runner]) -> Iterator[None]:
        lag = LagWatch(health, lambda: applied_parts(settings, runners), partial(ends, settings.kafka))
        with exporter_of(settings, runners, health) as server, lag:
            logger.info("%s: %s", ", ".join(names), server.address)
            yield

    try:
        factories = {name: FACTORIES[name](settings) for name in names}
        return worker.run(role, settings, factories, sink, watches, serving, _without_accelerator(settings, names))
    finally:
        if writer is not None:
            writer.close()


def _join(settings: Settings) -> ShardFactory:
    from lis_online.mapping.codec import Codec
    from lis_online.shards.join import JoinShard

    Codec(settings.mapping)  # what it lacks, an extra or a file of TLS, is said before a group waits for this worker

    def make(partition: int) -> Shard:
        return JoinShard(settings, partition, judge_clock="record")

    return make


def _rank(settings: Settings) -> ShardFactory:
    from lis_online.compiled import prepare
    from lis_online.shards.rank import RankShard  # torch: the other roles run without it

    prepare()  # before a group waits for this worker

    def make(group: int) -> Shard:
        return RankShard(settings, group=group, shards=settings.kafka.partitions)

    return make


def _publish(settings: Settings) -> ShardFactory:
    from lis_online.metrics.layout import Layout
    from lis_online.shards.publish import PublishShard

    def make(partition: int) -> Shard:
        del partition  # the windows topic has one
        return PublishShard(settings, Layout.of(settings))

    return make


FACTORIES: Mapping[str, Callable[[Settings], ShardFactory]] = {"join": _join, "rank": _rank, "publish": _publish}
"""By role, what makes the shard of a partition. Each imports only what its role needs."""


def _without_accelerator(settings: Settings, names: list[str]) -> dict[str, ShardFactory]:
    """Return what makes shards where the accelerator failed: none where the worker is to stop then."""
    if settings.training.on_device_failure == "stop" or RANK.name not in names:
        return {}
    training = settings.training.model_copy(update={"device": "cpu"})
    return {RANK.name: _rank(settings.model_copy(update={"training": training}))}


def _history(settings: Settings) -> HistoryWriter | None:
    """Return the writer. A schema that is not the code's is an error now; an outage is waited out later."""
    from lis_online.history import schema
    from lis_online.history.engine import build_engine

    url = settings.history.url
    if url is None:
        logger.warning("history.url is not set: numbers are served at /metrics and kept nowhere")
        return None
    engine = build_engine(url.get_secret_value())
    try:
        schema.check(engine)
    except HistoryError as exc:
        if not exc.transient:
            raise
        logger.warning("%s; going on, rows wait until it is back", exc)
    finally:
        engine.dispose()
    return HistoryWriter.connect(settings)
