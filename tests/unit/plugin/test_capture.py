"""What of an app's launches is caught, through the app's own routes."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import ModuleType
from typing import Any

import pytest

from masumi_sumi.errors import LaunchError, LaunchEscaped
from masumi_sumi.jobs.ports import Sale


@pytest.fixture
def app(sold_app: ModuleType) -> Any:
    return sold_app.build()


@pytest.fixture
def agent(sold_app: ModuleType, app: Any, runners: list[Any]) -> Any:
    return sold_app.KodosumiAgent(app, app, sold_app.SERVE)


def sale(job_id: str = "6b49d2000000000000000001") -> Sale:
    return Sale(job_id, "admin", "a1" * 8, "0" * 64, "", "http://serve")


def spec_of(launch: Any) -> dict[str, Any]:
    from masumi_sumi.runtime.spec import unpack

    return unpack(launch.spec)


@pytest.mark.parametrize("flow", ["/", "/sync"])
async def test_a_sale_launches_nothing_and_knows_what_was_to_run(
    agent: Any, runners: list[Any], flow: str
):
    launch = await agent.launch(flow, {"name": "Ada"}, sale())

    spec = spec_of(launch)
    assert runners == []
    assert spec["fid"] == "6b49d2000000000000000001"
    assert spec["inputs"] == {"name": "Ada", "age": None}
    assert spec["entry_point"].__name__ == "work"
    assert spec["username"] == "admin"


async def test_the_execution_is_described_by_the_handlers_own_words(agent: Any):
    """Kodosumi finds them by the handler's code, also below our middleware."""
    launch = await agent.launch("/sync", {"name": "Ada"}, sale())

    assert launch.meta["summary"] == "Sync flow"
    assert launch.meta["tags"] == ["S"]
    assert launch.meta["author"] == "ada"
    assert launch.meta["extra"]["identifier_from_purchaser"] == "a1" * 8


@pytest.mark.parametrize("way", ["to_thread", "create_task"])
async def test_a_launch_in_what_the_handler_awaits_is_caught(
    agent: Any, runners: list[Any], way: str
):
    launch = await agent.launch("/threads", {"name": way}, sale())

    assert spec_of(launch)["inputs"]["name"] == way
    assert runners == []


@pytest.mark.parametrize("way", ["run_in_executor", "thread", "stranger"])
async def test_a_launch_from_where_the_sale_is_not_known_is_refused(
    agent: Any, runners: list[Any], way: str
):
    with pytest.raises(LaunchEscaped):
        await agent.launch("/threads", {"name": way}, sale())

    assert runners == []


async def test_a_second_launch_of_one_sale_is_refused(agent: Any, runners: list[Any]):
    with pytest.raises(LaunchEscaped):
        await agent.launch("/", {"name": "twice"}, sale())

    assert runners == []


@pytest.mark.parametrize("way", ["afterwards", "only afterwards"])
async def test_a_launch_after_the_answer_is_refused(
    agent: Any, app: Any, runners: list[Any], way: str
):
    with suppress(LaunchError):
        await agent.launch("/threads", {"name": way}, sale())
    answered, in_task, in_thread = app.state.late

    answered.set()
    with pytest.raises(LaunchEscaped):
        await in_task
    with pytest.raises(LaunchEscaped):
        await asyncio.get_running_loop().run_in_executor(None, in_thread)

    assert runners == []


@pytest.mark.parametrize("flow", ["/", "/sync"])
async def test_two_hundred_sales_at_once_stay_apart(agent: Any, runners: list[Any], flow: str):
    sales = [sale(f"6b49d200{n:016x}") for n in range(200)]

    launches = await asyncio.gather(
        *(agent.launch(flow, {"name": f"buyer {n}"}, one) for n, one in enumerate(sales))
    )

    for n, (one, launch) in enumerate(zip(sales, launches, strict=True)):
        assert spec_of(launch)["fid"] == one.job_id
        assert spec_of(launch)["inputs"]["name"] == f"buyer {n}"
    assert runners == []


async def test_plain_requests_beside_sales_launch_as_ever(shop: Any, runners: list[Any]):
    sold = shop()

    answers = await asyncio.gather(
        *(sold.start("/sync", name=f"buyer {n}") for n in range(10)),
        *(sold.post("/direct") for _ in range(10)),
        *(sold.post_from_gateway("/", {"name": "from the panel"}) for _ in range(10)),
    )

    assert {answer.status_code for answer in answers} == {200}
    assert len(sold.desk.jobs) == 10
    assert len(runners) == 20
    assert all(made["run"] for made in runners)


async def test_a_sale_through_two_middlewares_is_caught_by_the_outer_one(
    shop: Any, runners: list[Any]
):
    """An author's own middleware below the one that an operator put around the app."""
    inner = shop()
    outer = shop(api=inner.api, app=inner.middleware)

    for name, flow in [("Ada", ""), ("to_thread", "/threads"), ("run_in_executor", "/threads")]:
        await outer.start(flow, name=name)

    assert runners == []
    launched = [spec_of(launch)["inputs"]["name"] for launch in outer.desk.launches.values()]
    assert launched == ["Ada", "to_thread"]
