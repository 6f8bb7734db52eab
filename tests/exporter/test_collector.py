"""What /metrics shows for a view and a worker's health."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse

from lis_online.events import reasons
from lis_online.experiments.srm import sample_ratio
from lis_online.exporter import labels, names
from lis_online.exporter.collector import LisCollector, register
from lis_online.exporter.distribution import BOUNDS
from lis_online.exporter.exemplars import Origin
from lis_online.exporter.exposition import Exposition
from lis_online.exporter.families import Families
from lis_online.exporter.health import PAUSES, WorkerHealth
from lis_online.exporter.rendered import RenderedView
from lis_online.metrics.diagnosis import DIAGNOSES
from lis_online.rankers import health
from lis_online.shards.device_use import DeviceUse
from lis_online.shards.view import ExperimentNumbers, PublishView
from tests.exporter.examples import BEGAN, estimate, example, experiment, two_versions
from tests.programs import needs

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def exposition_of(
    view: Callable[[], PublishView | None] = lambda: None, health: WorkerHealth | None = None
) -> Exposition:
    """Return the exposition of a view and our collector alone."""
    registry = CollectorRegistry()
    registry.register(LisCollector(health, lambda: [("rank", GPU)] if health else [], 0.25 if health else None))
    return Exposition(registry, RenderedView(view))


GPU = DeviceUse("NVIDIA H200", 1 << 30, 2 << 30, 139 << 30)


def text_of(exposition: Exposition, accept: str = "") -> str:
    """Return what a scraper gets."""
    return exposition.get(accept)[0].decode()


def samples(exposition: Exposition) -> dict[tuple[str, ...], float]:
    """Return value by name and sorted label values, as a scraper reads them."""
    families = parse(text_of(exposition))
    return {(s.name, *(s.labels[k] for k in sorted(s.labels))): s.value for f in families for s in f.samples}


def worker() -> WorkerHealth:
    """Return the health of a worker with a join shard at work and a rank shard that has just begun."""
    health = WorkerHealth(clock=lambda: 1_000.0)
    for role in ("join", "rank"):
        health.begin(role)
    health.begin_history()
    health.assigned("join", 2)
    health.rebalanced("join", 1)
    health.committed("join", 2, taken=True)
    health.committed("join", 2, taken=False)
    health.written(40, 0.75)
    health.unwritten()
    health.assigned("rank", 0)
    health.applied("join", 2, records=500, seconds=0.25)
    health.applied("join", 2, records=100, seconds=0.5, last=Origin("feedback", 2, 599))
    health.refused("join", 2, "malformed", Origin("impressions", 2, 77))
    health.counted("join", 2, {"accepted": 590, "malformed": 10})
    health.passed("join", 2, 1_573_516_800_500)
    health.saved("join", 2, 600, size=5_000, seconds=0.5, pause=0.01)
    health.lagged({("join", 2): 7})
    health.paused("join", 2, "catching_up")
    return health


def test_numbers_come_with_the_ends_of_their_interval() -> None:
    """The form that a dashboard draws a band from."""
    found = samples(exposition_of(example))
    at = ("auc", "all", "coclick", "15m")
    given = estimate(0.05)  # the fifth number of the example's source
    assert found["lis_adjusted_impact_score", *at] == given.value
    assert found["lis_adjusted_impact_score_lower", *at] == given.lower
    assert found["lis_adjusted_impact_score_upper", *at] == given.upper
    assert found["lis_adjusted_improvement_score", "auc", "all", "title", "1", "15m"] == 0.02
    assert found["lis_unleaked_score", "auc", "all", "run"] == 0.7
    assert found["lis_published_timestamp_seconds",] == 1_573_516_800.5
    assert found["lis_variant_info", "coclick", "title"] == 1


def test_what_has_no_number_is_absent() -> None:
    """0 would be a measurement."""
    found = samples(exposition_of(example))
    assert not [key for key in found if key[0].startswith("lis_efficiency")]
    assert not [key for key in found if key[0].startswith("lis_effective_users")]
    assert not [key for key in found if key[0].startswith("lis_unleaked_score") and "gauc" in key]
    assert {key[1] for key in found if key[0] == "lis_ranker_score"} == {"auc"}
    assert {key[2] for key in found if key[0] == "lis_ranker_score"} == {"unleaked"}


def test_learning_noise_is_marked_where_a_number_is() -> None:
    """A reader of the band must know that it was widened."""
    view = example()
    numbers = view.windows[0]["all"]
    loud = replace(numbers.variants["title"], ais=replace(estimate(0.01), learning_noise=True))
    marked = {0: {"all": numbers}, 900_000: {"all": replace(numbers, variants={"title": loud})}}
    found = samples(exposition_of(lambda: replace(view, windows=marked)))
    assert (found["lis_learning_noise", "all", "run"], found["lis_learning_noise", "all", "15m"]) == (0, 1)


def test_exactly_one_diagnosis_of_a_variant_is_1() -> None:
    """A state set: a rule can ask for any of them, whichever is on."""
    found = {key[1]: value for key, value in samples(exposition_of(example)).items() if key[0] == "lis_diagnosis"}
    assert found == {name: float(name == "aligned") for name in DIAGNOSES}


def test_rankers_set_aside_are_marked_among_all_with_the_reason() -> None:
    """Every other ranker and reason is 0, so that an alert sees the change."""
    found = {
        key[1:]: value for key, value in samples(exposition_of(example)).items() if key[0] == "lis_ranker_set_aside"
    }
    every = {(ranker, reason) for ranker in ("unleaked", "leaked:coclick") for reason in labels.SET_ASIDE_REASONS}
    assert found == {**dict.fromkeys(every, 0), ("leaked:coclick", "diverged"): 1}


def test_reasons_for_setting_a_ranker_aside_are_those_of_the_rankers() -> None:
    """They are spelled twice, because publish runs without what the rankers need."""
    assert set(labels.SET_ASIDE_REASONS) == {health.DIVERGED, health.EXPLODED, health.STALLED}


def test_each_version_of_a_variant_has_its_own_series() -> None:
    """A new version is a new line from its first vector on; the old one's goes on beside it."""
    found = samples(exposition_of(two_versions))
    name = "lis_adjusted_improvement_score"
    at = ("auc", "all", "title")
    assert {key[4:]: value for key, value in found.items() if key[:4] == (name, *at)} == {
        ("1", "run"): 0.02,
        ("1", "overlap"): 0.02,
        ("2", "overlap"): 0.03,
    }
    judged = {key[3:]: value for key, value in found.items() if key[:2] == ("lis_diagnosis", "insufficient_data")}
    assert judged == {("title", "2", "run"): 1, ("title", "1", "run"): 0} | {
        ("title", version, "overlap"): 0 for version in "12"
    }
    since, newest = "lis_version_since_timestamp_seconds", "lis_version_newest"
    assert (found[since, "title", "1"], found[since, "title", "2"]) == (BEGAN / 1000, BEGAN / 1000 + 500)
    assert (found[newest, "title", "1"], found[newest, "title", "2"]) == (0, 1)
    assert {key for key in found if key[0] == "lis_variant_info"} == {("lis_variant_info", "coclick", "title")}


def test_pair_alignment_is_a_share_with_its_interval_and_pairs() -> None:
    """The early signal of each version, in every window that there is."""
    found = samples(exposition_of(two_versions))
    name = "lis_pair_alignment_ratio"
    assert [found[name, "title", *at] for at in (("1", "run"), ("2", "run"), ("2", "overlap"))] == [0.75, 0.6, 0.6]
    assert found[f"{name}_lower", "title", "1", "overlap"] < 0.7 < found[f"{name}_upper", "title", "1", "overlap"]
    assert found["lis_pair_alignment_pairs", "title", "2", "run"] == 500
    assert found["lis_pair_alignment_left_out_pairs", "title", "2", "run"] == 20


def test_a_version_whose_name_is_strange_is_still_one_label() -> None:
    """A version is text of the producer's: quotes, backslashes and an @ are part of it."""
    strange = 'a@b"c\\d'
    view = two_versions()
    overlap = view.windows[-1]["all"]
    variants = {"title": overlap.variants["title"], f"title@{strange}": overlap.variants["title@1"]}
    variants[f"title@{strange}"] = replace(variants[f"title@{strange}"], version=strange)
    view = replace(view, windows={-1: {"all": replace(overlap, variants=variants)}}, diagnoses={}, alignment={})
    found = samples(exposition_of(lambda: view))
    assert found["lis_adjusted_improvement_score", "auc", "all", "title", strange, "overlap"] == 0.02


def test_arms_have_users_impressions_clicks_and_ctr() -> None:
    """Beside LIS and AIS stands what the arms do."""
    found = samples(exposition_of(example))
    at = ("treatment", "mllm-q4")
    assert [
        found[f"lis_arm_{name}", *at] for name in ("users", "impressions_total", "clicks_total", "crossed_users")
    ] == [
        50,
        400,
        40,
        2,
    ]
    assert found["lis_arm_ctr_ratio", *at] == 0.1
    assert found["lis_arm_ctr_ratio_lower", *at] < 0.1 < found["lis_arm_ctr_ratio_upper", *at]


def of_experiment(found: ExperimentNumbers) -> dict[tuple[str, ...], float]:
    """Return the samples of a view with this experiment."""
    view = replace(example(), experiments={"mllm-q4": found})
    return samples(exposition_of(lambda: view))


def test_lifts_stand_beside_the_arms() -> None:
    """Relative, with the always-valid interval; p over the family; levels of both arms."""
    given = experiment()
    found, one = of_experiment(given), given.analysis.get("treatment", "ctr")
    at = ("treatment", "mllm-q4", "ctr")
    assert found["lis_arm_lift_ratio", *at] == one.relative.value
    assert found["lis_arm_lift_ratio_lower", *at] == one.relative.sequence.lower
    assert found["lis_arm_lift_ratio_upper", *at] == one.relative.sequence.upper
    assert one.p_sequential is not None
    assert found["lis_arm_lift_p_value", *at] == one.p_adjusted != one.p_sequential
    assert found["lis_arm_users_needed", *at] == one.users_needed
    assert found["lis_arm_metric_value", *at] == one.arm.value
    assert found["lis_arm_metric_value", "control", "mllm-q4", "ctr"] == one.control.value
    assert {key[1] for key in found if key[0].startswith("lis_arm_lift")} == {"treatment"}
    assert found["lis_arm_assigned_users", "treatment", "mllm-q4"] == 3000
    assert ("lis_arm_info", "treatment", "false", "mllm-q4", "title") in found
    assert ("lis_arm_info", "control", "true", "mllm-q4", "") in found


def test_an_experiment_exists_before_its_first_user() -> None:
    """What an alert waits for is 0 from the start; numbers that there are not are absent."""
    found = of_experiment(experiment(0))
    assert found["lis_sample_ratio_mismatch", "mllm-q4"] == 0
    assert ("lis_sample_ratio_p_value", "mllm-q4") not in found
    guardrails = {key[1:]: value for key, value in found.items() if key[0] == "lis_guardrail"}
    at = ("treatment", "mllm-q4", "dwell")
    assert guardrails == {(*at, "undecided"): 1, (*at, "holds"): 0, (*at, "breached"): 0}
    named = ("lis_arm_lift", "lis_arm_metric", "lis_arm_users_needed")
    assert not [key for key in found if key[0].startswith(named)]


def test_sample_ratio_and_guardrails_are_states() -> None:
    """A mismatch turns its series to 1, a guardrail has exactly one status."""
    good = experiment()
    ratio = sample_ratio([300, 700], [0.5, 0.5])
    found = of_experiment(replace(good, analysis=replace(good.analysis, sample_ratio=ratio)))
    assert found["lis_sample_ratio_mismatch", "mllm-q4"] == 1
    assert found["lis_sample_ratio_p_value", "mllm-q4"] == ratio.p_value
    statuses = {key[-1]: value for key, value in found.items() if key[0] == "lis_guardrail"}
    assert statuses == {"holds": 1, "undecided": 0, "breached": 0}


def test_a_scrape_reads_the_source_of_truth_each_time() -> None:
    """The collector keeps nothing: a number that went away is gone at the next scrape."""
    views: list[PublishView | None] = [None, example(estimate(0.5)), example()]
    exposition = exposition_of(lambda: views[0])
    assert [key[0] for key in samples(exposition)] == ["lis_build_info"]
    del views[0]
    assert samples(exposition)["lis_efficiency_ratio", "auc", "all", "title", "1", "15m"] == 0.5
    del views[0]
    assert ("lis_efficiency_ratio", "auc", "all", "title", "1", "15m") not in samples(exposition)


def test_a_shards_work_is_shown_in_base_units() -> None:
    """Seconds, not ms; what has not happened yet is absent."""
    found = samples(exposition_of(health=worker()))
    at = ("2", "join")
    assert found["lis_records_applied_total", *at] == 600
    assert (found["lis_step_seconds_count", *at], found["lis_step_seconds_sum", *at]) == (2, 0.75)
    assert found["lis_watermark_timestamp_seconds", *at] == 1_573_516_800.5
    assert found["lis_checkpoint_timestamp_seconds", *at] == 1_000.0
    assert found["lis_checkpoint_position", *at] == 600
    assert found["lis_lag_records", *at] == 7
    assert ("lis_checkpoint_timestamp_seconds", "0", "rank") not in found
    steps = {key[1]: value for key, value in found.items() if key[0] == "lis_step_seconds_bucket" and key[2] == "2"}
    assert steps == {str(b): (b >= 0.25) + (b >= 0.5) for b in BOUNDS[:-1]} | {"+Inf": 2}
    assert found["lis_commit_timestamp_seconds", *at] == 1_000.0
    assert (found["lis_lag_known", *at], found["lis_lag_known", "0", "rank"]) == (1, 0)
    assert ("lis_lag_records", "0", "rank") not in found
    assert found["lis_records_applied_total", "0", "rank"] == 0


def test_a_roles_life_in_its_group_and_the_history_are_counted() -> None:
    """From 0 on for a role that has just begun; nothing is said of a history that a worker does not write."""
    found = samples(exposition_of(health=worker()))
    counts = ("assigned_partitions", "rebalances_total", "commits_total", "commit_failures_total")
    assert [found[f"lis_{name}", "join"] for name in counts] == [1, 1, 1, 1]
    assert [found[f"lis_{name}", "rank"] for name in counts] == [0, 0, 0, 0]
    history = ("rows_total", "writes_total", "failures_total", "write_seconds_count", "write_seconds_sum")
    assert [found[f"lis_history_{name}",] for name in history] == [40, 1, 1, 1, 0.75]
    assert found["lis_history_write_timestamp_seconds",] == 1_000.0
    assert not [key for key in samples(exposition_of(health=WorkerHealth())) if key[0].startswith("lis_history")]


def test_share_of_the_users_and_failures_of_the_device_are_told() -> None:
    """Who reads a number must see what it is of; a role on the CPU after a failure, why it is slow."""
    health = worker()
    health.device_failed("rank")
    found = samples(exposition_of(health=health))
    assert found["lis_user_sample_ratio",] == 0.25
    assert [found["lis_device_failures_total", role] for role in ("join", "rank")] == [0, 1]


def test_memory_of_an_accelerator_is_shown_and_that_of_a_cpu_is_not() -> None:
    """A CPU's is the process's own; what a role computes on is told in both cases."""
    found = samples(exposition_of(health=worker()))
    memory = {key[2]: value for key, value in found.items() if key[0] == "lis_device_memory_bytes"}
    assert memory == {"allocated": 1 << 30, "reserved": 2 << 30, "total": 139 << 30}
    registry = CollectorRegistry()
    registry.register(LisCollector(devices=lambda: [("rank", DeviceUse("cpu"))]))
    on_cpu = [key for key in samples(Exposition(registry)) if key[0].startswith("lis_device")]
    assert on_cpu == [("lis_device_info", "cpu", "rank")]


def test_known_fates_reasons_and_pauses_exist_before_their_first_event() -> None:
    """`increase()` sees nothing when a series is born with a 1 in it."""
    found = samples(exposition_of(health=worker()))
    events = {key[1]: value for key, value in found.items() if key[0] == "lis_events_total"}
    letters = {key[2]: value for key, value in found.items() if key[0] == "lis_dead_letters_total"}
    pauses = {key[2]: value for key, value in found.items() if key[0] == "lis_paused" and key[1] == "2"}
    assert events == {**dict.fromkeys(reasons.COUNTED, 0), "accepted": 590}
    assert letters == {**dict.fromkeys(reasons.REFUSED, 0), "malformed": 10}
    assert pauses == {**dict.fromkeys(PAUSES, 0), "catching_up": 1}


def test_every_sample_belongs_to_a_declared_series_with_its_labels() -> None:
    """Nothing is exported that the names module does not know."""
    declared = {series.name: set(series.labels) for series in names.every()}
    for family in parse(text_of(exposition_of(lambda: example(estimate(0.5)), worker()))):
        for sample in family.samples:
            name = re.sub("_(bucket|sum|count)$", "", sample.name)
            assert set(sample.labels) - {"le"} == declared[name], sample.name


def test_every_declared_series_is_exported_when_it_has_a_number() -> None:
    """A name that nothing exports is a dashboard panel that stays empty."""
    view = example(estimate(0.5))
    numbers = replace(view.windows[0]["all"], effective_users=40.0)
    view = replace(view, windows={900_000: {"all": numbers}})
    text = text_of(exposition_of(lambda: view, worker()))
    seen = {sample.name for family in parse(text) for sample in family.samples}
    declared = list(names.every())
    histograms = {series.name for series in declared if series.kind == "histogram"}
    parts = {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}
    assert {series.name for series in declared} - histograms | parts <= seen


def test_the_text_is_valid_openmetrics() -> None:
    """Parsed by the strict parser of the format."""
    text = text_of(exposition_of(lambda: example(estimate(0.5)), worker()), OPENMETRICS)
    assert "lis_diagnosis" in {family.name for family in parse_openmetrics(text)}


def test_slow_steps_and_dead_letters_lead_to_their_record() -> None:
    """Exemplars, in OpenMetrics alone: from the bucket to the record that it last counted."""
    exposition = exposition_of(health=worker())
    found = {
        (sample.name, sample.labels.get("le") or sample.labels["reason"]): sample.exemplar
        for family in parse_openmetrics(text_of(exposition, OPENMETRICS))
        for sample in family.samples
        if sample.exemplar is not None
    }
    assert {key: (one.labels, one.value, float(one.timestamp or 0)) for key, one in found.items()} == {
        ("lis_step_seconds_bucket", "0.5"): ({"topic": "feedback", "partition": "2", "offset": "599"}, 0.5, 1000),
        ("lis_dead_letters_total", "malformed"): ({"topic": "impressions", "partition": "2", "offset": "77"}, 1, 1000),
    }
    assert " # {" not in text_of(exposition)


def test_values_of_labels_are_those_that_are_declared() -> None:
    """What a rule selects by must be spelled as the reference says; the views have every kind of number."""
    views = (example(), example(estimate(0.5)), two_versions(), replace(example(), experiments={"e": experiment(0)}))
    seen: dict[str, set[str]] = {}
    for view in views:
        for family in parse(text_of(exposition_of(lambda view=view: view, worker()))):
            for sample in family.samples:
                for label, value in sample.labels.items():
                    seen.setdefault(label, set()).add(value)
    assert {label: seen[label] - values for label, values in labels.VALUES.items() if label in seen} == {
        label: set() for label in labels.VALUES if label in seen
    }
    assert seen["role"] == {"join", "rank"}
    assert {"no_lis", "new_version", "no_users", "malformed", "catching_up", "diverged"} <= seen["reason"]


@needs("promtool")
def test_promtool_finds_nothing_to_complain_about() -> None:
    """Prometheus' own lint."""
    text = text_of(exposition_of(lambda: example(estimate(0.5)), worker())).encode()
    found = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, check=False)
    assert (found.returncode, found.stdout.decode() + found.stderr.decode()) == (0, "")


def test_a_second_collector_in_one_registry_is_refused() -> None:
    """Two owners of one series would make each scrape fail."""
    registry = CollectorRegistry()
    registry.register(LisCollector())
    with pytest.raises(ValueError, match="Duplicated timeseries"):
        registry.register(LisCollector())


def test_the_process_shows_its_own_memory_where_it_is_registered() -> None:
    """`register` brings prometheus_client's own collectors, into this registry and no other."""
    registry = CollectorRegistry()
    register(registry, LisCollector())
    assert ("process_resident_memory_bytes",) in samples(Exposition(registry))


def test_labels_that_were_not_declared_are_refused() -> None:
    """A misspelt label would otherwise become a new series."""
    with pytest.raises(ValueError, match="lis_samples must have the labels"):
        Families().add(names.SAMPLES, 1, window="1h", slize="all")
