from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studies.chaos.outcome import compare
from studies.chaos.run import ROLES, Run, Runs
from studies.chaos.stage import Postgres, Stage
from tests.fixtures.kafka import KafkaBroker

pytestmark = [pytest.mark.kafka, pytest.mark.postgres, pytest.mark.timeout(900)]


@pytest.fixture
def runs(kafka_broker: KafkaBroker, postgres_server: object, tmp_path: Path) -> Iterator[Runs]:
    """Runs of a short feed: 25 minutes of its time."""
    yield Runs(Stage(kafka_broker, Postgres(postgres_server)), tmp_path, slates=1_500)


def kills(run: Run) -> None:
    """Kill every role three times, each at its own moment, while the others still recover."""
    for _ in range(3):
        before = run.progress.published
        for role in ROLES:
            run.sleep(run.chance.uniform(0, 1.5))
            run.keeper.kill(run.pick(role))
        run.wait(run.keeper.ready)
        run.wait(lambda before=before: run.progress.has_passed(before))


def test_history_after_kills_is_that_of_a_calm_run(runs: Runs) -> None:
    """Row by row, every column: nothing lost, nothing twice; and no dead letter that should not be one."""
    calm = runs.calm(seed=3)
    found = runs.faulty(3, kills)
    assert calm.count > 5_000
    assert len(calm.letters) > 5
    difference = compare(calm, found.outcome)
    assert difference.none, difference.examples
    assert found.codes == [0, 0, 0]
    assert found.ended == []
