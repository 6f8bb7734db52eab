"""What the documents show and this suite does not run here: why not, and what holds it instead."""

from __future__ import annotations

import re
from typing import NamedTuple

from tests.documents import Quote


class Excuse(NamedTuple):
    """pattern: of whole commands. reason: why it is not run here. instead: the file of what runs or checks it."""

    pattern: str
    reason: str
    instead: str


MACHINE = "it changes the machine that it runs on"
OPERATED = "what it operates is not there in a test"

COMMANDS = (
    Excuse(r"make demo.*|lis-online demo .*", "it sets up, or runs until it is stopped", "tests/demo/test_demo.py"),
    Excuse(r"make (setup|check|test)", "it is what CI runs itself", ".ci/run"),
    Excuse(r"\.venv/bin/python -m pytest \S+", "it is a part of this suite", ".ci/run"),
    Excuse(r"make reference", "it rewrites pages of the working tree", "tests/cli/test_reference.py"),
    Excuse(r"make dashboards.*", "it rewrites files of the working tree", "tests/grafana/test_build.py"),
    Excuse(r"make example.*", "it downloads a language model", "tests/examples/test_text_alignment.py"),
    Excuse(r"make chaos.*", "it takes hours", "tests/chaos"),
    Excuse(r"promtool test rules .*", "it takes long, and another test runs it", "tests/alerts/test_rules.py"),
    Excuse(r"docker build .*|docker compose .*", OPERATED, "tests/test_containers.py"),
    Excuse(r"kubectl .*", OPERATED, "tests/packaging/test_kubernetes.py"),
    Excuse(r"systemctl .*|systemd-sysusers", MACHINE, "tests/packaging/test_systemd.py"),
    Excuse(r"python3 -m venv .*|/opt/lis-online/bin/pip install .*", MACHINE, "tests/packaging/test_wheel.py"),
    Excuse(
        r"LIS_KAFKA__PASSWORD_FILE=\S+ .*",
        "it needs a broker that asks for a password",
        "tests/settings/test_secrets.py",
    ),
)

BLOCKS = (
    Excuse(r"README\.md |docs/architecture\.md ", "a picture", "nothing: it says what the text beside it says"),
    Excuse(r"docs/numbers\.md ", "a formula", "tests/metrics/test_numbers.py"),
    Excuse(r"\S+ json", "an event, or a summary", "tests/test_readme.py"),
    Excuse(r"\S+ promql", "a query, which Prometheus is asked", "tests/docs/test_queries.py"),
    Excuse(r"docs/api\.md python", "a program of a user", "tests/packaging/test_api.py"),
    Excuse(r"docs/history\.md (python|sql)", "a query of the history", "tests/history/test_documents.py"),
    Excuse(r"docs/rankers\.md python", "a ranker of a user", "tests/rankers/test_page.py"),
    Excuse(r"docs/kubernetes\.md yaml", "a kustomization", "tests/packaging/test_kubernetes.py"),
    Excuse(r"docs/security\.md yaml", "a job of Prometheus", "tests/docs/test_queries.py"),
)
"""Blocks that are no commands and no settings, by page and language, and what runs them."""


def excuse_of(command: Quote) -> Excuse | None:
    """Return why a command is not run."""
    return next((excuse for excuse in COMMANDS if re.fullmatch(excuse.pattern, command.text)), None)


def runner_of(block: Quote) -> Excuse | None:
    """Return what runs a block that is not of commands or settings."""
    name = f"{block.where} {block.language}"
    return next((excuse for excuse in BLOCKS if re.fullmatch(excuse.pattern, name)), None)
