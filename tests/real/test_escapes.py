"""A launch that cannot be told to its sale is refused: nothing runs unpaid, or twice."""

from __future__ import annotations

import pytest
from desk import Desk
from shop import Cluster, Shop

ESCAPES = ("thread", "executor", "unknown", "twice")


@pytest.mark.parametrize("how", ESCAPES)
def test_a_launch_outside_its_sale_fails_and_makes_no_actor(
    shop: Shop, cluster: Cluster, desk: Desk, how: str
) -> None:
    before = _runners(cluster)

    answer = shop.ask_to_hire("/escapes", desk=str(desk.folder), how=how)

    assert answer.status_code == 422
    assert answer.json() == {"detail": "the agent is not set up correctly; nothing was started"}
    assert _runners(cluster) == before
    assert desk.begun == []


def test_a_handler_that_launches_nothing_fails(shop: Shop, cluster: Cluster, desk: Desk) -> None:
    before = _runners(cluster)

    answer = shop.ask_to_hire("/escapes", desk=str(desk.folder), how="never")

    assert answer.status_code == 422
    assert "Launch" in answer.json()["detail"]
    assert _runners(cluster) == before


def _runners(cluster: Cluster) -> set[str]:
    return {each["actor_id"] for each in cluster.actors("class_name", "Runner")}
