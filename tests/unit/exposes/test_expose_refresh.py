# ruff: noqa: RUF001 - the marks of the stream
"""Refresh, shutdown and health: what they change, and what they leave alone."""

from __future__ import annotations

import pytest
from boot_steps import AGENT, FOREIGN, all_of, an_expose, lines
from ray_stand_in import PanelStandIn, RayStandIn

from masumi_sumi.errors import ServeUnreachable, UnknownExpose
from masumi_sumi.exposes import (
    Boot,
    BootStatus,
    ExposeBook,
    ExposeState,
)


async def test_a_refresh_changes_one_application_and_no_other(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    for name in ("a", "b"):
        await an_expose(book, name)
    ray.add("other", FOREIGN)
    await all_of(boot.boot())
    await an_expose(book, "b", bootstrap="import_path: changed:but_not_asked_for")
    await an_expose(book, "a", bootstrap="import_path: demo.new:app")

    told = await lines(boot.refresh("a"))

    assert told[0].startswith("ℹ Refreshing expose 'a' at ")
    assert "✓ Deployment initiated (1 applications)" in told
    assert ray.document("a") == {
        "name": "a",
        "route_prefix": "/a",
        "import_path": "masumi_sumi.plugin:application",
        "args": {"target": "demo.new:app", "flows": {"*": {"access": "login_unless_sold"}}},
    }
    assert ray.document("b", 1) == ray.document("b", 0)
    assert ray.document("other") == FOREIGN


async def test_a_refresh_without_a_change_starts_the_app_anew_and_a_boot_leaves_it_so(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a", bootstrap="import_path: a:b\nruntime_env: {env_vars: {X: y}}")
    await all_of(boot.boot())
    await all_of(boot.refresh("a"))
    await all_of(boot.refresh("a"))
    await all_of(boot.boot())

    variables = [put["applications"][0]["runtime_env"]["env_vars"] for put in ray.puts]
    assert variables == [
        {"X": "y"},
        {"X": "y", "SUMI_REVISION": "1"},
        {"X": "y", "SUMI_REVISION": "2"},
        {"X": "y", "SUMI_REVISION": "2"},
    ]


async def test_a_refresh_of_a_disabled_expose_takes_it_off_serve(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    for name in ("a", "b"):
        await an_expose(book, name)
    await all_of(boot.boot())
    await an_expose(book, "a", enabled=False)

    await all_of(boot.refresh("a"))

    assert ray.names() == ["b"]


async def test_a_refresh_keeps_the_operators_card_and_tells_one_that_fits_no_flow(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    ray.flows = {"a": {"/text": "Text"}}
    card = f"agentIdentifier: {AGENT}\n"
    cards = [{"url": f"/a/{path}", "data": card} for path in ("text", "typo")]
    await an_expose(book, "a", meta=cards)

    told = await lines(boot.refresh("a"))

    assert "⚠ [a] No flow of this app is at /a/typo" in told
    assert [each.data for each in (await book.get("a")).meta] == [card, card]


async def test_an_unknown_expose_cannot_be_refreshed(boot: Boot) -> None:
    with pytest.raises(UnknownExpose):
        await anext(boot.refresh("nobody"))
    assert await boot.status() == BootStatus()


async def test_a_shutdown_reads_as_in_the_notebook(
    boot: Boot, book: ExposeBook, ray: RayStandIn, panel: PanelStandIn
) -> None:
    await an_expose(book, "a")
    await all_of(boot.boot())

    assert await lines(boot.shutdown()) == [
        "▶ [DEPLOY] Shutting down Ray Serve",
        "  • [serve] Running serve shutdown -y",
        "  serve shutdown → success",
        "▶ [UPDATE] Updating expose states",
        "  • [Clearing flow registry] PUT /flow/register",
        "  Flow registry refreshed → 0 flows remaining",
        "✔ Shutdown complete",
    ]
    assert ray.apps == {}
    assert (await book.get("a")).state is ExposeState.DEAD
    assert panel.told[-1] == ("http://127.0.0.1:8005", ())


async def test_a_shutdown_of_nothing_asks_serve_for_nothing(boot: Boot, ray: RayStandIn) -> None:
    await all_of(boot.shutdown())

    assert ray.puts == []


async def test_health_writes_down_what_is_seen(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    for name in ("dead", "ill", "well"):
        await an_expose(book, name)
    await an_expose(book, "draft", bootstrap=None)
    ray.add("ill", {"name": "ill"}, "UNHEALTHY")
    ray.apps["ill"]["deployments"] = {"Ingress": {"message": "replica died"}}
    ray.add("well", {"name": "well"})
    ray.flows = {"well": {"/": "Well"}}

    seen = {each.name: each for each in await boot.health()}

    assert {name: each.state.value for name, each in seen.items()} == {
        "dead": "DEAD",
        "draft": "DRAFT",
        "ill": "UNHEALTHY",
        "well": "RUNNING",
    }
    assert seen["ill"].error == "replica died"
    assert seen["well"].flow_stats == "1/1"
    assert await boot.health("well") == [await book.get("well")]
    with pytest.raises(UnknownExpose):
        await boot.health("nobody")


async def test_health_tells_a_dashboard_that_does_not_answer(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a")
    ray.down = 1

    with pytest.raises(ServeUnreachable):
        await boot.health("a")
