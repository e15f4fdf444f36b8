"""How many requests a replica takes: more than Ray's five, unless its author says otherwise."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from ray import serve

from masumi_sumi.runtime.serving import (
    MAX_ONGOING_REQUESTS,
    MAX_QUEUED_REQUESTS,
    around_application,
    bound,
    ingress,
)


def limits_of(app: Any) -> tuple[int, int]:
    deployment = app._bound_deployment
    return deployment.max_ongoing_requests, deployment.max_queued_requests


def make_app(**options: Any) -> Any:
    agent = ingress(FastAPI(), type("Agent", (), {}))
    return serve.deployment(agent, **options).bind()


def test_a_bound_app_gets_our_limits() -> None:
    assert limits_of(bound(ingress(FastAPI(), type("Agent", (), {})))) == (
        MAX_ONGOING_REQUESTS,
        MAX_QUEUED_REQUESTS,
    )


def test_a_wrapped_app_gets_our_limits() -> None:
    assert limits_of(around_application(make_app(), lambda cls: cls)) == (
        MAX_ONGOING_REQUESTS,
        MAX_QUEUED_REQUESTS,
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"max_ongoing_requests": 5}, (5, MAX_QUEUED_REQUESTS)),
        ({"max_queued_requests": 7}, (MAX_ONGOING_REQUESTS, 7)),
        ({"max_ongoing_requests": 3, "max_queued_requests": 9}, (3, 9)),
    ],
)
def test_the_authors_limits_stay(options: dict[str, int], expected: tuple[int, int]) -> None:
    assert limits_of(around_application(make_app(**options), lambda cls: cls)) == expected
