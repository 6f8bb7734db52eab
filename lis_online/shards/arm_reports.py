"""The join shards' cumulative reports, and the arms they add up to."""

from __future__ import annotations

from collections import Counter
from typing import Any

from lis_online.events.windows_log import JoinReport, decode, encode
from lis_online.experiments.moments import merge_arms, ratio, total
from lis_online.metrics.estimate import Estimate
from lis_online.settings import Settings
from lis_online.shards.view import ArmNumbers

IMPRESSION = "impression"


class ArmReports:
    """The newest report of each join shard as of a bucket's end, and those that are for later buckets."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._current: dict[int, JoinReport] = {}
        self._later: dict[int, dict[int, JoinReport]] = {}

    def update(self, report: JoinReport) -> None:
        """Keep a report. One that is not newer than what its shard is already at is passed over."""
        known = self._current.get(report.shard)
        if known is None or report.revision > known.revision:
            self._later.setdefault(report.shard, {})[report.revision] = report

    def advance(self, revision: int) -> None:
        """Go on to the newest reports up to a revision, ms; forget the older ones."""
        for shard, later in self._later.items():
            due = sorted(one for one in later if one <= revision)
            if due:
                self._current[shard] = later[due[-1]]
            for one in due:
                del later[one]

    def latest(self) -> list[JoinReport]:
        """Return the newest report of each shard, whatever bucket it is for."""
        newest = dict(self._current)
        for shard, later in self._later.items():
            if later:
                newest[shard] = later[max(later)]
        return [newest[shard] for shard in sorted(newest)]

    def current(self) -> list[JoinReport]:
        """Return the report of each shard as of the last `advance`."""
        return [self._current[shard] for shard in sorted(self._current)]

    def arms(self, reports: list[JoinReport]) -> tuple[ArmNumbers, ...]:
        """Return every arm of the settings, summed over reports."""
        return tuple(
            self._arm(experiment.name, arm.name, reports)
            for experiment in self._settings.experiment
            for arm in experiment.arm
        )

    def snapshot(self) -> list[list[bytes]]:
        """Return the reports as bytes: current ones, later ones."""
        later = [report for reports in self._later.values() for _, report in sorted(reports.items())]
        return [[encode(report) for report in self.current()], [encode(report) for report in later]]

    def restore(self, state: list[Any]) -> None:
        """Replace the reports by those of `snapshot`."""
        current, later = ([decode(data) for data in part] for part in state)
        self._current = {report.shard: report for report in current if isinstance(report, JoinReport)}
        self._later = {}
        for report in later:
            assert isinstance(report, JoinReport)
            self.update(report)

    def _arm(self, experiment: str, arm: str, reports: list[JoinReport]) -> ArmNumbers:
        moments = [m for report in reports for m in report.arms if (m.experiment, m.arm) == (experiment, arm)]
        if not moments:
            return ArmNumbers(experiment, arm, 0, 0, 0, Estimate.none("no users"), 0)
        merged, quantities, label = merge_arms(moments), reports[0].quantities, self._settings.events.label
        return ArmNumbers(
            experiment,
            arm,
            merged.users,
            round(total(merged, quantities, IMPRESSION)),
            round(total(merged, quantities, label)),
            ratio(merged, quantities, label, IMPRESSION),
            merged.crossed,
        )


def counts_of(reports: list[JoinReport]) -> dict[str, int]:
    """Return how many input records met each fate, over reports."""
    counts: Counter[str] = Counter()
    for report in reports:
        counts.update(report.counts)
    return dict(sorted(counts.items()))
