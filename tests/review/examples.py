"""Reviews made by hand: one for each decision, one without any number, one with names that are HTML."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from lis_online.review.document import (
    Against,
    Agreement,
    Annotation,
    Arm,
    DriftEvent,
    GuardrailResult,
    Level,
    MetricResult,
    Number,
    Pair,
    Quality,
    Representation,
    Review,
    SampleRatio,
    Span,
    Verdict,
)
from tests.review.parts import (
    END,
    HOSTILE,
    START,
    TOO_FEW,
    alignment_over_time,
    arm,
    change,
    metric,
    no_change,
    over_time,
    representation,
)


def ship() -> Review:
    """Return the review of an experiment whose better arm is to be shipped, with every part filled."""
    arms = (
        arm("control", 0.34, (metric("ctr", None), metric("dwell", None, kind="mean", level=41.7)), None),
        arm(
            "title",
            0.33,
            (metric("ctr", 0.012), metric("dwell", 0.004, kind="mean", level=41.7)),
            representation("title-encoder", 0.012, "misaligned"),
        ),
        arm(
            "mllm",
            0.33,
            (metric("ctr", 0.026), metric("dwell", 0.009, kind="mean", level=41.7)),
            representation("mllm-8b", 0.0254),
        ),
    )
    return Review(
        experiment="mllm-q4",
        control="control",
        made_at=datetime(2026, 11, 20, 17, 4, 11, tzinfo=UTC),
        zone="Europe/Berlin",
        configuration=3,
        slice="all",
        scope="range",
        asked=Span(start=START, end=END),
        covered=Span(start=START, end=END),
        alignment_covered=Span(start=START, end=END),
        alpha=0.05,
        correction="holm",
        primary_metric="ctr",
        verdict=Verdict(
            decision="ship",
            arm="mllm",
            metric="ctr",
            sentences=(
                "Ship mllm: it raises ctr by 2.60 % (always-valid interval 1.38 % to 3.82 %), adjusted p 0.0021.",
                "Its guardrail on dwell holds.",
                "mllm-8b delivers 62 % of the 0.0410 AUC that coclick could bring; the order of the arms by adjusted "
                "AIS is their order by lift.",
            ),
        ),
        sample_ratio=SampleRatio(
            p_value=0.62,
            mismatch=False,
            assigned={"control": 49_120, "title": 48_307, "mllm": 48_411},
            shares={"control": 0.34, "title": 0.33, "mllm": 0.33},
        ),
        guardrails=tuple(
            GuardrailResult(
                arm=name,
                metric="dwell",
                direction="decrease",
                margin=0.02,
                status="holds",
                relative=change(lift, 0.004),
            )
            for name, lift in (("title", 0.004), ("mllm", 0.009))
        ),
        arms=arms,
        agreement=Agreement(
            metric="ctr",
            pairs=(
                Pair(
                    better_by_ais="mllm",
                    other="title",
                    ais_difference=0.0134,
                    lift_difference=0.014,
                    agrees=True,
                    resolved=True,
                ),
                Pair(
                    better_by_ais="title",
                    other="control",
                    ais_difference=0.012,
                    lift_difference=0.012,
                    agrees=True,
                    resolved=False,
                ),
            ),
            agrees=True,
            rank_correlation=1.0,
        ),
        over_time=over_time(("title", "mllm"), ("ctr", "dwell")),
        alignment_over_time=alignment_over_time(("title-encoder", "mllm-8b")),
        drift=(
            DriftEvent(
                time=START + timedelta(hours=30),
                variant="title-encoder",
                number="adjusted_ais",
                before=0.0165,
                after=0.0118,
                cause="coverage fell",
                sentence="adjusted AIS of title-encoder fell from 0.0165 to 0.0118 as coverage fell.",
            ),
        ),
        annotations=(
            Annotation(time=START + timedelta(hours=29), end=None, text="Deploy of ranker 71", tags=("deploy",)),
            Annotation(
                time=START + timedelta(hours=50),
                end=START + timedelta(hours=54),
                text="Feed outage in one region",
                tags=("outage", "eu"),
            ),
        ),
        quality=Quality(
            accepted=8_412_090,
            late=1_204,
            duplicate=88,
            dead_letters=12,
            left_out=431,
            gaps=(Span(start=START + timedelta(hours=51), end=START + timedelta(hours=53)),),
            set_aside={"twin": "diverged"},
        ),
        against=Against(
            configuration=5,
            changed=("leakage.horizon: 30m -> 1h", "leakage.folds: 8 -> 4"),
            representations=(representation("mllm-8b", 0.0271), representation("title-encoder", 0.0119)),
        ),
        notes=(
            "CUPED is not used in a range: users' totals of before are not kept by bucket.",
            "An always-valid interval keeps its promise for a range whose start was fixed beforehand.",
        ),
    )


def keep_running() -> Review:
    """Return a review of which nothing can be said yet: one treatment, no declared guardrail."""
    base = ship()
    return base.model_copy(
        update={
            "verdict": Verdict(
                decision="keep_running",
                arm="mllm",
                metric="ctr",
                sentences=("Keep running: ctr of mllm is undecided.", "93,790 more users are needed."),
                users_needed=93_790,
            ),
            "arms": (base.arms[0], base.arms[2]),
            "guardrails": (),
            "over_time": over_time(("mllm",), ("ctr", "dwell"), 0.004),
            "against": None,
            "drift": (),
            "annotations": (),
        }
    )


def stop() -> Review:
    """Return a review whose guardrail is breached."""
    base = ship()
    breached = GuardrailResult(
        arm="mllm", metric="dwell", direction="decrease", margin=0.02, status="breached", relative=change(-0.061, 0.004)
    )
    undecided = breached.model_copy(update={"arm": "title", "status": "undecided", "relative": change(-0.02, 0.004)})
    verdict = Verdict(
        decision="stop", arm="mllm", metric="dwell", sentences=("Stop mllm: dwell fell by 6.10 %, 2 % are allowed.",)
    )
    return base.model_copy(update={"verdict": verdict, "guardrails": (breached, undecided)})


def invalid() -> Review:
    """Return a review whose users did not come in the declared shares."""
    base = ship()
    counts = {"control": 52_120, "title": 48_307, "mllm": 44_411}
    ratio = base.sample_ratio.model_copy(update={"p_value": 3.1e-9, "mismatch": True, "assigned": counts})
    verdict = Verdict(
        decision="invalid",
        arm=None,
        metric=None,
        sentences=("Not to be read: users did not come to the arms in the declared shares (p 3.1e-09).",),
        reasons=("sample_ratio",),
    )
    return base.model_copy(update={"verdict": verdict, "sample_ratio": ratio})


def empty() -> Review:
    """Return a review without a single number: before the first user came."""
    nothing = Level(value=None, stderr=None, users=0, effective_users=0.0, reason="no users")

    def none(is_control: bool) -> MetricResult:
        missing = None if is_control else no_change("no users")
        return MetricResult(
            metric="ctr",
            kind="proportion",
            level=nothing,
            relative=missing,
            absolute=missing,
            p_value=None,
            p_fixed=None,
            p_adjusted=None,
            minimum_effect=0.01,
            effect=None,
            users_needed=None,
            variance_reduction=None,
            cuped_reason=None if is_control else "no pre-period totals",
        )

    zero = {"control": 0, "mllm": 0}
    number = Number(value=None, reason="no samples")
    served = Representation(
        variant="mllm-8b",
        version="",
        source="coclick",
        samples=0,
        effective_users=None,
        lis=number,
        adjusted_lis=number,
        ais=number,
        adjusted_ais=number,
        efficiency=number,
        coverage=None,
        diagnosis="insufficient_data",
        sentence="There are no samples; check that impressions and feedback arrive, and that the rank role keeps up.",
    )
    empty_arm = {"share": 0.5, "users": 0, "assigned": 0, "crossed": 0}
    return ship().model_copy(
        update={
            "scope": "experiment",
            "asked": None,
            "covered": None,
            "alignment_covered": None,
            "primary_metric": None,
            "verdict": Verdict(
                decision="invalid", arm=None, metric=None, sentences=("There are no users yet.",), reasons=("no_users",)
            ),
            "sample_ratio": SampleRatio(
                p_value=None, mismatch=False, assigned=zero, shares={"control": 0.5, "mllm": 0.5}, reason="no users"
            ),
            "guardrails": (
                GuardrailResult(
                    arm="mllm",
                    metric="ctr",
                    direction="decrease",
                    margin=0.02,
                    status="undecided",
                    relative=no_change("no users"),
                ),
            ),
            "arms": (
                Arm(
                    arm="control",
                    is_control=True,
                    metrics=(none(True),),
                    representation=None,
                    representation_reason="the arm serves no variant",
                    **empty_arm,
                ),
                Arm(arm="mllm", is_control=False, metrics=(none(False),), representation=served, **empty_arm),
            ),
            "agreement": Agreement(metric=None, pairs=(), agrees=None, rank_correlation=None, reason="no metric"),
            "over_time": (),
            "alignment_over_time": (),
            "drift": (),
            "drift_reason": "nothing watches this configuration",
            "annotations": (),
            "quality": Quality(
                accepted=None,
                late=None,
                duplicate=None,
                dead_letters=None,
                left_out=0,
                gaps=(),
                set_aside={},
                reason="counts of that time are not kept",
            ),
            "against": Against(configuration=5, changed=(), representations=(), reason="a backfill has not run yet"),
            "notes": (),
        }
    )


def many_arms(count: int = 14) -> Review:
    """Return a review with many arms, half of them without an interval yet."""
    base = ship()
    names = tuple(f"arm-{k:02d}" for k in range(1, count))
    few = metric("ctr", 0.0).model_copy(update={"relative": no_change(TOO_FEW), "absolute": no_change(TOO_FEW)})
    treated = tuple(
        arm(
            name,
            1 / count,
            (few if k % 2 else metric("ctr", 0.002 * k - 0.008),),
            representation(f"encoder-{k:02d}", 0.002 * k),
        )
        for k, name in enumerate(names)
    )
    return base.model_copy(
        update={
            "arms": (arm("control", 1 / count, (metric("ctr", None),), None), *treated),
            "over_time": over_time(names, ("ctr",)),
            "alignment_over_time": alignment_over_time(tuple(f"encoder-{k:02d}" for k in range(count - 1))),
            "guardrails": (),
        }
    )


def long_names() -> Review:
    """Return a review whose names have no place to break."""
    return renamed(ship(), {name: name + "_with-a-very.long_name" * 4 for name in ("mllm", "title", "ctr", "mllm-q4")})


def hostile() -> Review:
    """Return a review whose every name and text is HTML."""
    names = ("mllm-q4", "mllm", "title", "control", "ctr", "dwell", "mllm-8b", "title-encoder", "coclick")
    found = renamed(ship(), {name: f"{name}{HOSTILE}" for name in names})
    return found.model_copy(
        update={
            "notes": (HOSTILE,),
            "annotations": tuple(
                one.model_copy(update={"text": HOSTILE, "tags": (HOSTILE,)}) for one in found.annotations
            ),
            "drift": tuple(one.model_copy(update={"sentence": HOSTILE, "cause": HOSTILE}) for one in found.drift),
        }
    )


def renamed(review: Review, names: dict[str, str]) -> Review:
    """Return the review with every text that is a name replaced."""

    def replaced(value: Any, by_arm: bool = False) -> Any:
        if isinstance(value, dict):
            return {
                names.get(key, key) if by_arm else key: replaced(one, key in ("assigned", "shares"))
                for key, one in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [replaced(one) for one in value]
        return names.get(value, value) if isinstance(value, str) else value

    return Review.model_validate(replaced(review.model_dump(by_alias=True)))


EVERY: Final = {
    "ship": ship,
    "keep_running": keep_running,
    "stop": stop,
    "invalid": invalid,
    "empty": empty,
    "many_arms": many_arms,
    "long_names": long_names,
    "hostile": hostile,
}
"""Each example by its name."""
