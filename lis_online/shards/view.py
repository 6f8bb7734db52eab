"""What a publish shard shows after each bucket: plain data that never changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lis_online.events.windows_log import ArmMoments
from lis_online.experiments.analysis import Analysis
from lis_online.experiments.guardrail import Holding
from lis_online.metrics.alignment import PairAlignment
from lis_online.metrics.diagnosis import Diagnosis
from lis_online.metrics.estimate import Estimate
from lis_online.metrics.levels import Metric
from lis_online.metrics.results import SliceNumbers
from lis_online.settings.model import ExperimentSettings
from lis_online.shards.drift_view import DriftView
from lis_online.shards.trails import Trails

WHOLE_RUN = 0
"""The window length that stands for everything after the warm-up."""

OVERLAP = -1
"""The window length that stands for everything since a variant's newest version began, where it is not the first."""


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """A version of a variant that is measured now.

    since: time of its first vector, ms since 1970, None while none came; began: when its rankers began to be
    measured, None: with the group. newest: no other version of the variant came after it.
    """

    variant: str
    version: str
    since: int | None
    newest: bool
    began: int | None = None


@dataclass(frozen=True, slots=True)
class ArmNumbers:
    """One arm's totals since its first event. ctr: clicks per impression, with an interval over users.

    crossed: users seen in this arm and another one, who are in none.
    """

    experiment: str
    arm: str
    users: int
    impressions: int
    clicks: int
    ctr: Estimate
    crossed: int


@dataclass(frozen=True, slots=True)
class ExperimentNumbers:
    """One experiment since its first event: every arm and metric against control.

    settings: as declared. moments: by arm, every one of the settings, summed over the join shards; of `columns`.
    reason: why nothing is compared, None where it is.
    """

    settings: ExperimentSettings
    analysis: Analysis
    columns: tuple[str, ...]
    moments: Mapping[str, ArmMoments]
    reason: str | None = None

    @property
    def guardrails(self) -> dict[tuple[str, str], Holding]:
        """The verdict on each declared guardrail, by arm and metric; "undecided" where nothing is compared."""
        judged = {(one.name, one.metric): one.guardrail for one in self.analysis.comparisons}
        arms = [arm.name for arm in self.settings.arm if arm.name != self.settings.control]
        guarded = [metric.name for metric in self.settings.metric if metric.guardrail is not None]
        return {(arm, metric): judged.get((arm, metric)) or "undecided" for arm in arms for metric in guarded}


@dataclass(frozen=True, slots=True)
class PublishView:
    """Every number as of a bucket's end.

    end: where the windows end, ms since 1970, 0 before any; revision: the rank group's sequence number.
    windows: by length (ms, `WHOLE_RUN`, `OVERLAP` once there was a second version) and slice; diagnoses: the
    same, and by key of `SliceNumbers.variants`; alignment: by length and such a key, its windows end H later.
    versions: those measured now. set_aside: rankers that are out of use, by name, and the reason.
    warm_from: when the warm-up ends, None while nothing has been scored; warm: whether it has. late_side: side
    records that came after their time had been applied. left_out: samples beyond their user's cap so far.
    counts: input records by fate. experiments: by name, cumulative as `arms`. trails: the last values of each window.
    drift: None where it is not looked for.
    """

    end: int
    revision: int
    metric: Metric
    windows: Mapping[int, Mapping[str, SliceNumbers]]
    diagnoses: Mapping[int, Mapping[str, Mapping[str, Diagnosis]]]
    arms: tuple[ArmNumbers, ...]
    counts: Mapping[str, int]
    set_aside: Mapping[str, str]
    late_side: int
    left_out: int
    warm_from: int | None
    warm: bool
    versions: tuple[VersionInfo, ...] = ()
    alignment: Mapping[int, Mapping[str, PairAlignment]] = field(default_factory=dict)
    experiments: Mapping[str, ExperimentNumbers] = field(default_factory=dict)
    trails: Trails = field(default_factory=Trails)
    drift: DriftView | None = None
