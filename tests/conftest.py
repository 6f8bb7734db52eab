"""Fixtures and settings that every test shares."""

import logging
from collections.abc import Iterator

import pytest
from hypothesis import settings

pytest_plugins = [
    "tests.browser",
    "tests.fixtures.certificates",
    "tests.fixtures.kafka",
    "tests.fixtures.postgres",
    "tests.fixtures.secure_kafka",
    "tests.fixtures.secure_postgres",
]

# No deadline: a time is never asserted in a test. Derandomised: a failure is the change's, not the day's.
settings.register_profile("lis-online", deadline=None, derandomize=True)
settings.load_profile("lis-online")


@pytest.fixture(autouse=True, scope="session")
def one_torch_thread() -> None:
    """Sums differ in their last bits between one and two threads: tests pin what the settings pin."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def logging_is_put_back() -> Iterator[None]:
    """A command that sets up logging writes to a stream of its own test: a later test's logs must not go there."""
    root = logging.getLogger()
    level, handlers = root.level, set(root.handlers)
    yield
    root.setLevel(level)
    for handler in set(root.handlers) - handlers:
        root.removeHandler(handler)
