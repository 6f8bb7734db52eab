"""Every error a caller may want to catch.

LisError
├── SettingsError          a settings file or environment variable breaks a rule
├── EventRefused           a record from outside is malformed or breaks a rule: goes to the dead letters
├── BlockError             a record of an internal topic cannot be read: a bug or another version
├── CheckpointError        a checkpoint is damaged, or of another schema or configuration
├── StorageError           the checkpoints' folder or object store does not answer, is full, or refuses
├── DeviceError            the accelerator ran out of memory, was lost, or failed
├── TopicError             a Kafka topic is missing or has the wrong shape
├── BrokerError            no broker answered
├── RegistryError          the schema registry does not answer, or not as one
├── HistoryError           PostgreSQL is unreachable, or its schema is not the code's
├── ReplayError            a log to read is missing or not in its format
└── UsageError             a command's arguments do not fit together

Each composes its own sentence from its attributes: the thing, the rule, the value.
"""

from __future__ import annotations


class LisError(Exception):
    """Something a person can act on; the command line prints it in one line and exits with 2."""


class SettingsError(LisError):
    """One or more settings break a rule.

    problems: (path, sentence) pairs, for example ("leakage.folds", "must be >= 2, got 1").
    """

    def __init__(self, problems: list[tuple[str, str]], origin: str = "settings") -> None:
        self.problems = problems
        self.origin = origin
        lines = [f"{path}: {sentence}" if path else sentence for path, sentence in problems]
        super().__init__(f"{origin}: " + "; ".join(lines))


class EventRefused(LisError):  # noqa: N818 - the word of the design: a record is refused, nothing failed
    """A record from outside that cannot be used.

    reason: a short word from `lis_online.events.reasons`; detail: the thing, the rule, the value.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        self.detail = detail
        super().__init__(f"{reason}: {detail}")


class BlockError(LisError):
    """A record of an internal topic that this version cannot read."""


class CheckpointError(LisError):
    """A checkpoint that must not be restored."""


class StorageError(LisError):
    """A folder or object store of checkpoints that cannot be used now: it may pass, so that trying again can help."""


class DeviceError(LisError):
    """An accelerator that failed: what was computed on it is lost, the last checkpoint is not."""


class TopicError(LisError):
    """A Kafka topic that is missing or has the wrong shape."""


class BrokerError(LisError):
    """A Kafka broker that does not answer."""


class RegistryError(LisError):
    """A schema registry that cannot be asked: no message is refused for it.

    transient: an outage that may pass, so that trying again can help; what a registry cannot do never does.
    """

    def __init__(self, sentence: str, transient: bool = True) -> None:
        self.transient = transient
        super().__init__(sentence)


class HistoryError(LisError):
    """A PostgreSQL history that cannot be used.

    transient: an outage that may pass, so that trying again can help; a wrong schema never does.
    """

    def __init__(self, sentence: str, transient: bool = False) -> None:
        self.transient = transient
        super().__init__(sentence)


class ReplayError(LisError):
    """A log that cannot be read."""


class UsageError(LisError):
    """Arguments of a command that do not fit together."""
