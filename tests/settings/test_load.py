"""Settings: read once, checked whole, every wrong key named with its rule and its value."""

from __future__ import annotations

import os
import re
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lis_online.errors import SettingsError
from lis_online.settings import Settings, load, load_table

WHOLE = """
[kafka]
bootstrap = "127.0.0.1:9092"          # plus security, sasl, client settings
prefix = "lis"                        # internal topics

[history]
url = "postgresql+psycopg://lis@127.0.0.1/lis"

[events]
label = "click"
attribution_window = "10m"
allowed_lateness = "30s"
max_ahead = "5m"
history_length = 20
surfaces = ["feed", "ads"]

[leakage]
horizon = "30m"                       # H; a whole number of placebo buckets
memory = "6h"                         # P
folds = 8
sketch_bits = 22

[training]
device = "auto"                       # cpu, cuda, cuda:0
threads = 1
batch = 512                           # samples a step
ranker = "wide-and-deep"              # or "package.module:factory"
embedding = 8
hidden = [64, 32]
learning_rate = 0.06                  # Adagrad
seed = 0

[metrics]
bucket = "1m"
windows = ["15m", "1h", "6h", "24h"]
warm_up = "auto"                      # P + H and a quiet twin; or a duration
min_useful_lis = 0.0005
min_efficiency = 0.5
placebo_tolerance = 0.0005
min_effective_users = 200

[[preference]]
name = "coclick"
kind = "co_engagement"                # from feedback
actions = ["click"]
gap = "6h"
partners = 5

[[preference]]
name = "search"
kind = "topic"                        # records of `preferences` with this source
users = "feed"                        # or "independent": then pairs without a user may leak

[[variant]]
name = "qwen-vl-coclick"
preference = "coclick"
dimension = 128

[[experiment]]
name = "mllm-q4"
control = "control"
start = 2026-11-01T00:00:00Z
[[experiment.arm]]
name = "control"
share = 0.5
[[experiment.arm]]
name = "treatment"
share = 0.5
variant = "qwen-vl-coclick"
[[experiment.metric]]
name = "ctr"
kind = "ratio"                        # clicks per impression, per user totals
numerator = "click"
denominator = "impression"
[[experiment.metric]]
name = "dwell"
kind = "mean"                         # per user
action = "dwell"
guardrail = { direction = "decrease", margin = 0.01 }
"""

ARMS = [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5}]


@pytest.fixture(autouse=True)
def no_overrides(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own LIS_... variables must not decide."""
    for name in [name for name in os.environ if name.startswith("LIS_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Return the file of the design."""
    path = tmp_path / "lis-online.toml"
    path.write_text(WHOLE, encoding="utf-8")
    return path


def problems(table: dict[str, Any]) -> dict[str, str]:
    """Return what is wrong with a table: path -> sentence."""
    with pytest.raises(SettingsError) as caught:
        Settings.of(table)
    found = dict(caught.value.problems)
    assert len(found) == len(caught.value.problems)
    for path, sentence in found.items():
        assert (f"{path}: {sentence}" if path else sentence) in str(caught.value)
    return found


def experiment(**more: Any) -> dict[str, Any]:
    """Return a table with one experiment, changed."""
    return {"experiment": [{"name": "e", "control": "a", "arm": ARMS, **more}]}


def test_the_file_of_the_design_loads_whole(whole: Path) -> None:
    """Every key that the design names is one, and its value arrives typed: durations in ms, times with a zone."""
    settings = load(whole)
    assert settings.leakage.horizon == 1_800_000 and settings.events.attribution_window == 600_000
    assert settings.metrics.windows == [900_000, 3_600_000, 21_600_000, 86_400_000]
    assert [source.name for source in settings.preference] == ["coclick", "search"]
    assert settings.preference[0].gap == 21_600_000 and settings.preference[1].users == "feed"
    assert settings.experiment[0].start == datetime(2026, 11, 1, tzinfo=UTC)
    assert settings.experiment[0].arm[1].variant == "qwen-vl-coclick"
    guardrail = settings.experiment[0].metric[1].guardrail
    assert guardrail is not None and (guardrail.direction, guardrail.margin) == ("decrease", 0.01)


def test_the_values_of_the_design_are_the_defaults(whole: Path) -> None:
    """Production defaults: a file without these tables asks for the same."""
    settings, default = load(whole), Settings.of({})
    for section in ("kafka", "history", "events", "leakage", "training", "metrics"):
        assert getattr(settings, section) == getattr(default, section), section


def test_every_wrong_key_is_named_at_once() -> None:
    """One run of `config check` is enough: argument, rule, value, for unknown keys, kinds and bounds alike."""
    found = problems(
        {
            "kafka": {"botstrap": "x", "partitions": 0},
            "leakage": {"folds": 1, "sketch_bits": 99, "horizon": "soon"},
            "training": {"hidden": [8, 0], "learning_rate": float("nan")},
            "nonsense": 1,
        }
    )
    assert found == {
        "kafka.botstrap": "is not a setting, but bootstrap is",
        "kafka.partitions": "must be >= 1, got 0",
        "leakage.folds": "must be >= 2, got 1",
        "leakage.sketch_bits": "must be <= 28, got 99",
        "leakage.horizon": "must be a whole number and a unit (ms, s, m, h, d) such as \"10m\", got 'soon'",
        "training.hidden.1": "must be >= 1, got 0",
        "training.learning_rate": "must be a finite number, got nan",
        "nonsense": "is not a setting",
    }


def test_a_misspelt_key_of_a_list_of_tables_names_the_right_one() -> None:
    """In its own table: `dimension` is a key of a variant, and of nothing else."""
    found = problems({"variant": [{"name": "a", "preference": "b", "dimensions": 8}], "history": {"dimensions": 8}})
    assert found["variant.0.dimensions"] == "is not a setting, but dimension is"
    assert found["history.dimensions"] == "is not a setting"


@pytest.mark.parametrize(
    "wrong", ["kafka:", "kafka:0", "kafka:99999", "kafka-1:9092,", "http://kafka:9092", "a b:9092"]
)
def test_a_broker_without_host_and_port_is_refused(wrong: str) -> None:
    """Here, and not only where somebody connects: `config check` connects to nothing."""
    assert problems({"kafka": {"bootstrap": wrong}})["kafka.bootstrap"].startswith("must be host:port, got '")


@pytest.mark.parametrize(
    ("table", "path", "sentence"),
    [
        ({"kafka": {"prefix": "a b"}}, "kafka.prefix", "must be letters, digits, '-', '_' or '.', got 'a b'"),
        ({"training": {"device": "tpu"}}, "training.device", r"must match '^(auto|cpu|cuda(:\d+)?)$', got 'tpu'"),
        (
            {"training": {"ranker": "deepfm"}},
            "training.ranker",
            "must be one of wide-and-deep, dcn-v2, logistic or package.module:factory, got 'deepfm'",
        ),
        ({"training": {"count_tick": "0s"}}, "training", "count_tick and half_lives must be > 0"),
        ({"training": {"half_lives": ["1h", "0s"]}}, "training", "count_tick and half_lives must be > 0"),
        ({"metrics": {"metric": "acc"}}, "metrics.metric", "must be 'auc' or 'gauc', got 'acc'"),
        (
            {"metrics": {"warm_up": "later"}},
            "metrics.warm_up",
            "must be 'auto' or a whole number and a unit (ms, s, m, h, d) such as \"10m\", got 'later'",
        ),
        ({"metrics": {"bucket": "1ms"}}, "metrics", "bucket must be >= 1s, got 1ms"),
        (
            {"metrics": {"windows": ["2m", "90s"]}},
            "metrics",
            "windows must be whole numbers of buckets of 1m, got 90s",
        ),
        (
            {"leakage": {"horizon": "7m", "placebo_bucket": "2m"}, "events": {"attribution_window": "1m"}},
            "leakage",
            "horizon must be a whole number of placebo buckets of 2m, got 7m",
        ),
        ({"leakage": {"memory": "0s"}}, "leakage", "horizon and memory must be > 0"),
        ({"leakage": 5}, "leakage", "must be a table, got 5"),
        (
            {"events": {"attribution_window": "3h"}},
            "",
            "leakage.horizon must be >= events.attribution_window, 3h: a label must be known H later, got 30m",
        ),
        (
            {"events": {"label": "zap", "actions": ["click"]}},
            "events",
            "label must be one of actions ['click'], got 'zap'",
        ),
        ({"events": {"surfaces": ["a", "a"]}}, "events", "surfaces must differ, got ['a', 'a']"),
        ({"events": {"actions": ["click", "click"]}}, "events", "actions must differ, got ['click', 'click']"),
        ({"variant": [{"name": "v", "preference": "coclick"}]}, "variant.0.dimension", "is missing"),
        ({"preference": [{"kind": "topic"}]}, "preference.0.name", "is missing"),
        ({"variant": {"name": "v"}}, "variant", "must be a valid list"),
        (experiment(control="c"), "experiment.0", "control must be one of the arms ['a', 'b'], got 'c'"),
        (
            experiment(arm=[ARMS[0], {"name": "b", "share": 0.6}]),
            "experiment.0",
            "the arms' shares must sum to 1, got 1.1",
        ),
        (experiment(arm=[ARMS[0], ARMS[0]]), "experiment.0", "arm names must differ, got ['a', 'a']"),
        (
            experiment(start="2026-11-01T00:00:00"),
            "experiment.0",
            "start must have a time zone, such as 2026-11-01T00:00:00Z",
        ),
        (
            experiment(metric=[{"name": "m", "kind": "ratio", "numerator": "click"}]),
            "experiment.0.metric.0",
            "kind ratio needs numerator and denominator",
        ),
    ],
)
def test_a_broken_rule_is_named_with_rule_and_value(table: dict[str, Any], path: str, sentence: str) -> None:
    """The whole sentence, as a person reads it."""
    assert problems(table) == {path: sentence}


def test_names_that_do_not_agree_are_all_named() -> None:
    """Sources, variants, actions and arms refer to each other by name, across tables."""
    table = experiment(
        arm=[ARMS[0], {**ARMS[1], "variant": "lost"}], metric=[{"name": "m", "kind": "mean", "action": "zap"}]
    )
    table["preference"] = [{"name": "s", "actions": ["swipe"]}, {"name": "s"}]
    table["variant"] = [{"name": "v", "preference": "nobody", "dimension": 4}]
    (sentence,) = problems(table).values()
    for expected in (
        "preference names must differ, got 's' twice",
        "variant v: preference must be one of ['s', 's'], got 'nobody'",
        "preference s: actions must be among ['click', ",
        "got 'swipe'",
        "experiment e, arm b: variant must be one of ['v'], got 'lost'",
        "experiment e, metric m: must use impression or one of ['click', ",
        "got 'zap'",
    ):
        assert expected in sentence


@pytest.mark.parametrize("missing", ["sasl_mechanism", "username", "password"])
def test_a_half_given_login_is_refused(missing: str) -> None:
    """With SASL all three, without it none: half of it would connect as somebody else, or in the clear."""
    login = {"sasl_mechanism": "PLAIN", "username": "u", "password": "hush-hush"}
    assert Settings.of({"kafka": {"security_protocol": "SASL_SSL", **login}}).kafka.username == "u"
    half = {key: value for key, value in login.items() if key != missing}
    needs = "security_protocol SASL_SSL needs sasl_mechanism, username and password"
    assert problems({"kafka": {"security_protocol": "SASL_SSL", **half}}) == {"kafka": needs}
    (sentence,) = problems({"kafka": half}).values()
    assert sentence.endswith("need security_protocol SASL_SSL or SASL_PLAINTEXT, got PLAINTEXT")


def secret_texts() -> Iterator[str]:
    """Yield what is shown of settings that hold secrets, good and bad ones."""
    login = {"security_protocol": "SASL_SSL", "sasl_mechanism": "PLAIN", "username": "u", "password": "hush-hush"}
    settings = Settings.of({"kafka": login, "history": {"url": "postgresql://u:hush-hush@db/lis"}})
    assert settings.kafka.password is not None and settings.kafka.password.get_secret_value() == "hush-hush"
    yield from (repr(settings), str(settings), settings.model_dump_json(), str(settings.model_dump()))
    for table in (
        {"kafka": {"password": "hush-hush"}},
        {"kafka": {**login, "username": ""}},
        {"kafka": {**login, "password": ["hush-hush"]}},
        {"history": {"url": {"password": "hush-hush"}}},
        {"kafka": login, "history": {"url": "postgresql://u:hush-hush@db/lis"}, "leakage": {"horizon": "1m"}},
    ):
        try:
            Settings.of(table)
        except SettingsError:
            yield traceback.format_exc()


def test_secrets_are_shown_nowhere() -> None:
    """Neither in what settings print, nor in a refusal, nor in the traceback behind it."""
    texts = list(secret_texts())
    assert len(texts) == 9
    for text in texts:
        assert "hush-hush" not in text
    assert "**********" in texts[0]


@pytest.mark.parametrize("path", ["kafka.password", "history.url"])
def test_a_secret_of_the_wrong_kind_is_not_repeated(path: str) -> None:
    """A password that was written without quotes is a number, and still a secret."""
    table, key = path.split(".")
    assert problems({table: {key: 271828}}) == {path: "must be a valid string"}


def test_settings_do_not_change() -> None:
    """Read once: nothing assigns to them later."""
    settings = Settings.of({})
    with pytest.raises(ValueError, match="frozen"):
        settings.leakage.folds = 3  # type: ignore[misc]


def test_the_environment_overrides_the_file(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LIS_TABLE__KEY; lists as JSON; the rest of the table stays the file's."""
    monkeypatch.setenv("LIS_KAFKA__BOOTSTRAP", "broker:1")
    monkeypatch.setenv("LIS_METRICS__WINDOWS", '["2m"]')
    monkeypatch.setenv("LIS_LEAKAGE__FOLDS", "3")
    settings = load(whole)
    assert settings.kafka.bootstrap == "broker:1" and settings.leakage.folds == 3
    assert settings.metrics.windows == [120_000] and settings.metrics.min_effective_users == 200
    assert load(None).kafka.bootstrap == "broker:1"
    assert Settings.of({}).kafka.bootstrap == "127.0.0.1:9092"


def test_mistakes_of_the_environment_are_named_with_those_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A misspelt variable does not pass in silence, and one that is no JSON breaks no rule but its own."""
    path = tmp_path / "bad.toml"
    path.write_text("[leakage]\nfolds = 1\n", encoding="utf-8")
    for name, value in {
        "LIS_KAFKA__WRONG": "1",
        "LIS_TRAINING__HIDDEN": "8]",
        "LIS_HTTP": "x",
        "LIS_HTTP_PORT": "80",
        "LIS_LEEKAGE__FOLDS": "2",
        "LIS_DATA": "/not/ours",
    }.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load(path)
    assert caught.value.origin == str(path)
    assert dict(caught.value.problems) == {
        "leakage.folds": "must be >= 2, got 1",
        "kafka.wrong": "is not a setting",
        "training.hidden": "must be a valid list, got '8]'",
        "http": "must be a table, got 'x'",
        "LIS_HTTP_PORT": "is not a setting: a variable is LIS_TABLE__KEY",
        "LIS_LEEKAGE__FOLDS": "is not a setting: a variable is LIS_TABLE__KEY",
    }


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot read the file: No such file or directory"),
        (b"[kafka\n", "is not TOML: "),
        (b"a = '\xff'\n", "is not TOML: "),
    ],
)
def test_a_file_that_cannot_be_read_says_which_and_why(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    """The path is in the message: there may be several."""
    path = tmp_path / "lis-online.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SettingsError, match=re.escape(f"{path}: {sentence}")):
        load(path)


def test_a_commands_options_change_the_tables_before_they_are_checked(whole: Path) -> None:
    """What an option asks for obeys the same rules as what a file says."""
    assert load_table(whole, lambda table: table["metrics"].update(metric="gauc")).metrics.metric == "gauc"
    with pytest.raises(SettingsError, match=r"metrics\.metric: must be 'auc' or 'gauc', got 'acc'"):
        load_table(whole, lambda table: table["metrics"].update(metric="acc"))
