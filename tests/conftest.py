"""Fixtures and settings that every test shares."""

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
