"""Whatever the OpenAPI document allows, and what it forbids, is answered as it says: schemathesis asks."""

from __future__ import annotations

import json
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from lis_online.api.schema import document
from lis_online.history.times import iso
from lis_online.settings.model import DAY
from tests.review.history import AT, END

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.filterwarnings("ignore:Using `httpx` with `starlette.testclient`"),  # schemathesis does
]
BEYOND_SCHEMA = [schemathesis.checks.positive_data_acceptance]
"""Times, zones and names have rules that a JSON schema does not tell: text that breaks one is refused as well."""
PATHS = list(json.loads(document())["paths"])


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_as_described(app: FastAPI, path: str, mode: GenerationMode) -> None:
    """No 500; no status, type or body that is not in the document; what breaks it is refused."""
    operation: Any = schemathesis.openapi.from_asgi("/openapi.json", app)[path]["GET"]
    if mode is GenerationMode.NEGATIVE and not list(operation.iter_parameters()):
        pytest.skip("it takes nothing that could be wrong")

    @settings(max_examples=12, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        case.call_and_validate(excluded_checks=BEYOND_SCHEMA)

    ask()


@pytest.mark.parametrize("path", PATHS)
def test_answers_of_the_history_are_as_described(app: FastAPI, path: str) -> None:
    """Any range of any slice in any zone: 200, and every field as the document has it."""
    operation: Any = schemathesis.openapi.from_asgi("/openapi.json", app)[path]["GET"]
    taken = {one.name for one in operation.query}

    @settings(max_examples=8, suppress_health_check=list(HealthCheck))
    @given(
        start=st.integers(AT - DAY, END),
        length=st.integers(1, DAY),
        slice_=st.sampled_from(["all", "surface:feed", "arm:mllm-q4/treatment"]),
        zone=st.sampled_from(["UTC", "Asia/Kathmandu", "America/St_Johns"]),
    )
    def ask(start: int, length: int, slice_: str, zone: str) -> None:
        given_ = {"from": iso(start), "to": iso(start + length), "at": iso(start), "slice": slice_, "zone": zone}
        case = operation.Case(
            path_parameters={"experiment": "mllm-q4"} if "{" in path else {},
            query={name: value for name, value in given_.items() if name in taken},
        )
        assert case.call_and_validate().status_code == 200

    ask()
