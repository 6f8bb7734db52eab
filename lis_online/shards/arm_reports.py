"""The join shards' cumulative reports, and the arms they add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from lis_online.events.windows_log import ArmMoments, JoinReport, decode, encode
from lis_online.experiments import missing
from lis_online.experiments.analysis import Analysis, Plan, analyse, empty
from lis_online.experiments.columns import IMPRESSION, Columns
from lis_online.experiments.moments import merge_arms, ratio, total
from lis_online.experiments.srm import SampleRatio
from lis_online.metrics.estimate import Estimate
from lis_online.settings import Settings
from lis_online.settings.model import ExperimentSettings
from lis_online.shards.view import ArmNumbers, ExperimentNumbers


class ArmReports:
    """The newest report of each join shard as of a bucket's end, and those that are for later buckets."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._plans = {experiment.name: Plan.of(experiment) for experiment in settings.experiment}
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

    def experiments(self, reports: list[JoinReport]) -> dict[str, ExperimentNumbers]:
        """Return every experiment of the settings, its arms summed over reports and held against control.

        The sums are whole numbers: whatever the shards, equal users give equal numbers, to the last bit.
        """
        return {experiment.name: self._experiment(experiment, reports) for experiment in self._settings.experiment}

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
        label = self._settings.events.label
        names = [label, IMPRESSION]
        parts = [_narrowed(m, _names(report, experiment), names) for report, m in _of_arm(experiment, arm, reports)]
        if not parts:
            return ArmNumbers(experiment, arm, 0, 0, 0, Estimate.none("no users"), 0)
        merged = merge_arms(parts)
        return ArmNumbers(
            experiment,
            arm,
            merged.users,
            round(total(merged, names, IMPRESSION)),
            round(total(merged, names, label)),
            ratio(merged, names, label, IMPRESSION),
            merged.crossed,
        )

    def _experiment(self, experiment: ExperimentSettings, reports: list[JoinReport]) -> ExperimentNumbers:
        found = self._columns(experiment, reports)
        if isinstance(found, str):
            return ExperimentNumbers(experiment, _nothing(experiment, reports, found), (), {}, found)
        name, moments = experiment.name, {}
        for arm in experiment.arm:
            parts = [_narrowed(m, _names(report, name), found) for report, m in _of_arm(name, arm.name, reports)]
            moments[arm.name] = merge_arms(parts) if parts else empty(name, arm.name, len(found))
        assigned = {arm: one.assigned for arm, one in moments.items()}
        analysis = analyse(self._plans[name], moments, found, assigned)
        reason = None if experiment.metric else missing.NO_METRIC
        return ExperimentNumbers(experiment, analysis, found, moments, reason)

    def _columns(self, experiment: ExperimentSettings, reports: list[JoinReport]) -> tuple[str, ...] | str:
        """Return the names of the columns that all reports on an experiment have, or why they are of no use.

        Shards that have not reported since the settings got the experiment, or a metric more, know less of it.
        """
        name = experiment.name
        mine = [report for report in reports if any(m.experiment == name for m in report.arms)]
        own = Columns.of(experiment, self._settings.events).names
        if not mine:
            return own
        if any(name not in report.columns for report in mine):
            return missing.NO_COLUMNS
        columns = tuple(column for column in own if all(column in report.columns[name] for report in mine))
        needed = [column for metric in self._plans[name].metrics for column in metric.columns]
        lacking = [column for column in needed if column not in columns]
        return missing.NOT_COUNTED.format(lacking[0]) if lacking else columns


def _of_arm(experiment: str, arm: str, reports: list[JoinReport]) -> list[tuple[JoinReport, ArmMoments]]:
    return [(report, m) for report in reports for m in report.arms if (m.experiment, m.arm) == (experiment, arm)]


def _names(report: JoinReport, experiment: str) -> list[str]:
    """Return the names behind the indices of a report's moments; version 2 kept them of the quantities alone."""
    return report.columns.get(experiment, report.quantities)


def _narrowed(moments: ArmMoments, names: Sequence[str], kept: Sequence[str]) -> ArmMoments:
    """Return the moments of some columns alone, in the order given."""
    at = [names.index(name) for name in kept]
    return ArmMoments(
        moments.experiment,
        moments.arm,
        moments.users,
        moments.crossed,
        [moments.sums[q] for q in at],
        [moments.products[q * len(names) + p] for q in at for p in at],
        [moments.positive[q] for q in at],
        moments.assigned,
    )


def _nothing(experiment: ExperimentSettings, reports: list[JoinReport], reason: str) -> Analysis:
    """Return what is known where nothing can be compared: who crossed."""
    crossed = {
        arm.name: sum(m.crossed for _, m in _of_arm(experiment.name, arm.name, reports)) for arm in experiment.arm
    }
    return Analysis(experiment.name, SampleRatio((), (), None, False, reason), crossed, ())


def counts_of(reports: list[JoinReport]) -> dict[str, int]:
    """Return how many input records met each fate, over reports."""
    counts: Counter[str] = Counter()
    for report in reports:
        counts.update(report.counts)
    return dict(sorted(counts.items()))
