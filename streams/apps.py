"""The Faust app of a role: its settings, each for a reason."""

from __future__ import annotations

from pathlib import Path

import faust

from lis_online.replay.probe import client_tls
from lis_online.settings import Settings
from lis_online.settings.model import KafkaSettings
from streams.roles import Role
from streams.topics import MAX_MESSAGE_BYTES
from streams.transport import CopartitionedTransport

NEVER = 365 * 86_400.0
"""Seconds; Faust's own commits must not happen."""


def group_of(role: Role, settings: Settings) -> str:
    """Return the consumer group of a role."""
    return f"{settings.kafka.prefix}-{role.name}"


def new_app(role: Role, settings: Settings, folder: Path) -> faust.App:
    """Return the role's app, without agents. folder: where Faust may write; it keeps nothing there.

    Bytes come in and go out: Faust would drop a record that it cannot decode, and stop the stream
    without a word.
    """
    kafka = settings.kafka
    session = kafka.session_timeout / 1000
    app = faust.App(
        group_of(role, settings),
        broker=[f"kafka://{address.strip()}" for address in kafka.bootstrap.split(",")],
        broker_credentials=credentials(kafka),
        datadir=str(folder / role.name),
        autodiscover=False,
        key_serializer="raw",
        value_serializer="raw",
        # an agent that is restarted after an exception reads nothing more, and says nothing: exit instead
        agent_supervisor="mode.supervisors:CrashingSupervisor",
        # batches are never acknowledged to Faust, so waiting for them would never end
        stream_wait_empty=False,
        # offsets are committed by the runner alone, behind a durable checkpoint
        broker_commit_interval=NEVER,
        broker_session_timeout=session,
        broker_heartbeat_interval=session / 3,
        broker_max_poll_records=500,
        stream_buffer_maxsize=role.fetches,
        consumer_auto_offset_reset="earliest",
        producer_acks=-1,
        producer_max_request_size=MAX_MESSAGE_BYTES,
        # topics are made by `lis-online topics create`, with partitions and retention that are right
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        worker_redirect_stdouts=False,
    )
    app.transport = CopartitionedTransport(app.conf.broker_consumer, app)
    return app


def credentials(kafka: KafkaSettings) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """Return what Faust needs for TLS and SASL; None in plain text. Raises SettingsError."""
    context = client_tls(kafka)
    if kafka.password is not None:
        return faust.SASLCredentials(
            username=kafka.username,
            password=kafka.password.get_secret_value(),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context) if context is not None else None
