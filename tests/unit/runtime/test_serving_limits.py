"""How many requests a replica of ours takes at once."""

from __future__ import annotations

from typing import Any

import pytest
from ray import serve

from masumi_sumi.runtime.serving import REQUEST_LIMITS, around_application, bound


class Ingress:
    pass


def limits_of(app: Any) -> dict[str, int]:
    deployment = app._bound_deployment
    return {name: getattr(deployment, name) for name in REQUEST_LIMITS}


def test_deployment_of_ours_takes_more_requests_than_serves_default():
    assert limits_of(bound(Ingress)) == REQUEST_LIMITS
    assert REQUEST_LIMITS["max_ongoing_requests"] > 200


@pytest.mark.parametrize(
    "said",
    [{}, {"max_ongoing_requests": 5}, {"max_queued_requests": 7}, {"max_ongoing_requests": 100}],
)
def test_authors_own_limits_win_over_ours(said: dict[str, int]):
    app = serve.deployment(Ingress, num_replicas=2, **said).bind()

    wrapped = around_application(app, lambda cls: cls)

    assert limits_of(wrapped) == REQUEST_LIMITS | said
    assert wrapped._bound_deployment.num_replicas == 2
