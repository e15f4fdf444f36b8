# ruff: noqa: RUF001 - the marks of the stream
"""A boot: what people see of it, and each application for itself."""

from __future__ import annotations

from boot_steps import AGENT, FOREIGN, all_of, an_expose, lines
from ray_stand_in import PanelStandIn, RayStandIn

from masumi_sumi.clock import ManualClock
from masumi_sumi.exposes import (
    Boot,
    ExposeBook,
    ExposeState,
    events,
    line,
)
from masumi_sumi.jobs.sale import Sale


async def test_a_boot_reads_as_in_the_notebook(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    for name in ("form-example", "jkx"):
        await an_expose(book, name)
    ray.flows = {"form-example": {"/text-inputs": "Text"}, "jkx": {"/serve": "jKx", "/b": "B"}}

    assert await lines(boot.boot()) == [
        "ℹ Boot started at 2027-01-15 08:00:00",
        "▶ [DEPLOY] Starting Ray Serve deployment",
        "  • [serve_config.yaml] Loading global configuration → OK",
        "  • [form-example] Prepared deployment config → route=/form-example",
        "  • [jkx] Prepared deployment config → route=/jkx",
        "  • [PUT http://dashboard:8265/api/serve/applications/] Created merged deployment config",
        "  • [serve] Running serve deploy (2 applications)",
        "  serve deploy command → success",
        "✓ Deployment initiated (2 applications)",
        "▶ [HEALTH] Waiting for deployments to complete (timeout: 60s)",
        "  • [form-example] Status: DEPLOYING",
        "  • [jkx] Status: DEPLOYING",
        "  [form-example] Reached final state → RUNNING",
        "  [jkx] Reached final state → RUNNING",
        "✓ All deployments complete (2 running, 0 failed)",
        "▶ [RETRIEVE] Retrieving flows",
        "  • [form-example] GET http://127.0.0.1:8005/form-example/openapi.json → 1 flows",
        "  [form-example] Updated meta → 1/1 flows alive",
        "  • [jkx] GET http://127.0.0.1:8005/jkx/openapi.json → 2 flows",
        "  [jkx] Updated meta → 2/2 flows alive",
        "✓ Flows retrieved (3 flows of 2 applications)",
        "▶ [REGISTER] Registering flows with the panel",
        "  Flow registry refreshed → 2 flows",
        "✔ Boot completed at 2027-01-15 08:00:00 (runtime: 0.5s)",
    ]
    assert [each.state for each in await book.list()] == [ExposeState.RUNNING] * 2


async def test_a_boot_keeps_what_each_app_sells_and_tells_where_it_is_not_told(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a")
    ray.flows = {"a": {"/": "Free", "/odd": "Odd", "/plain": "Plain", "/sold": "Sold"}}
    sold = {"pricingType": "Fixed", "network": "Preprod", "agentIdentifier": AGENT}
    ray.sales = {"a": {"pricingType": "Free"}, "a/odd": "odd", "a/sold": sold}

    told = await lines(boot.boot())

    warned = [line for line in told if line.startswith("⚠")]
    why = "has no x-masumi that could be read"
    assert warned == [f"⚠ [a] GET openapi of flow /odd does not tell its terms: {why}"]
    assert "  [a] Updated meta → 4/4 flows alive" in told
    assert {card.url: card.sale for card in (await book.get("a")).meta} == {
        "/a/": Sale(pricing="Free"),
        "/a/odd": None,
        "/a/plain": None,
        "/a/sold": Sale(pricing="Fixed", network="Preprod", agent_identifier=AGENT),
    }


async def test_an_app_that_fails_is_named_in_rays_words_and_the_others_go_on(
    boot: Boot, book: ExposeBook, ray: RayStandIn, panel: PanelStandIn
) -> None:
    for name in ("bad", "good"):
        await an_expose(book, name)
    ray.broken = {"bad": "Traceback:\n  import demo.bad\nModuleNotFoundError: No module 'demo'"}
    ray.flows = {"good": {"/": "Good"}}

    told = await all_of(boot.boot())

    failed = next(event for event in told if isinstance(event, events.AppFailed))
    assert line(failed) == (
        "⚠ [bad] Traceback:\n      import demo.bad\n    ModuleNotFoundError: No module 'demo'"
    )
    bad, good = await book.list()
    assert (bad.state, bad.error) == (ExposeState.UNHEALTHY, ray.broken["bad"])
    assert (good.state, good.error) == (ExposeState.RUNNING, "")
    assert panel.told == [("http://127.0.0.1:8005", ("good",))]
    last = (await boot.status()).last
    assert last is not None
    assert (last.running, last.failed, last.error) == (("good",), ("bad",), "")


async def test_an_app_that_serve_refuses_does_not_hold_up_the_others(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    for name in ("a", "bad", "c"):
        await an_expose(book, name)
    ray.add("other", FOREIGN)
    ray.refused = {"demo.bad:app": "ValidationError: working_dir must be a URI"}

    told = await all_of(boot.boot())

    assert events.AppFailed("bad", "ValidationError: working_dir must be a URI") in told
    assert sorted(ray.names()) == ["a", "c", "other"]
    assert [each.state.value for each in await book.list()] == ["RUNNING", "UNHEALTHY", "RUNNING"]
    assert sorted(await book.deployments()) == ["a", "c"]


async def test_a_refused_change_leaves_what_runs(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a")
    await all_of(boot.boot())
    before = ray.document("a")
    await an_expose(book, "a", bootstrap="import_path: demo.new:app")
    ray.refused = {"demo.new:app": "no"}

    told = await all_of(boot.boot())

    assert events.AppFailed("a", "no") in told
    assert ray.document("a") == before
    assert (await book.get("a")).needs_reboot


async def test_an_app_that_takes_too_long_fails_by_itself(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    for name in ("fast", "slow"):
        await an_expose(book, name)
    ray.slow = {"slow"}

    told = await lines(boot.boot())

    assert "  [slow] Reached final state → TIMEOUT" in told
    assert "⚠ [slow] not ready after 60 s: DEPLOYING" in told
    assert "✓ All deployments complete (1 running, 1 failed)" in told


async def test_applications_that_are_no_exposes_stay_as_they_are(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    ray.add("other", FOREIGN)
    await an_expose(book, "a")

    await all_of(boot.boot())

    assert ray.document("other") == FOREIGN


async def test_a_deleted_or_disabled_expose_is_taken_off_serve_by_the_next_boot(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    for name in ("a", "b", "c"):
        await an_expose(book, name)
    ray.add("other", FOREIGN)
    await all_of(boot.boot())
    await book.delete("a")
    await an_expose(book, "b", enabled=False)

    told = await lines(boot.boot())

    assert "ℹ [b] Skipping (disabled)" in told
    assert sorted(ray.names()) == ["c", "other"]
    assert (await book.get("b")).state is ExposeState.DEAD
    assert not (await book.get("b")).needs_reboot


async def test_a_second_boot_gives_serve_the_same_again(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a")
    await all_of(boot.boot())
    await all_of(boot.boot())

    assert ray.puts[0] == ray.puts[1]


async def test_a_boot_starts_a_failed_app_anew(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a")
    ray.broken = {"a": "no"}
    await all_of(boot.boot())
    ray.broken = {}

    await all_of(boot.boot())

    assert ray.document("a", 0) != ray.document("a", 1)
    assert (await book.get("a")).state is ExposeState.RUNNING


async def test_a_panel_that_refuses_is_told_and_fails_nothing(
    boot: Boot, book: ExposeBook, panel: PanelStandIn
) -> None:
    await an_expose(book, "a")
    panel.refuses = True

    told = await lines(boot.boot())

    assert "⚠ [panel] the panel refused POST /flow/register: it sleeps" in told
    assert told[-1].startswith("✔ Boot completed")


async def test_a_dashboard_that_does_not_answer_ends_the_boot(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a")
    ray.down = 1

    told = await all_of(boot.boot())

    assert isinstance(told[-1], events.Failed)
    assert line(told[-1]).startswith("✗ Boot failed: Ray's dashboard http://dashboard:8265")
    status = await boot.status()
    assert not status.running
    assert status.last is not None
    assert "gave no answer" in status.last.error


async def test_a_dashboard_that_is_busy_meanwhile_is_waited_for(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a")
    ray.down_after_put = 5

    told = await all_of(boot.boot())

    assert isinstance(told[-1], events.Booted)
    assert (await book.get("a")).state is ExposeState.RUNNING


async def test_a_dashboard_that_stays_away_ends_the_boot(
    boot: Boot, book: ExposeBook, ray: RayStandIn, clock: ManualClock
) -> None:
    await an_expose(book, "a")
    ray.down_after_put = 1_000_000
    began = clock.now()

    told = await all_of(boot.boot())

    assert isinstance(told[-1], events.Failed)
    assert clock.now() - began == 30


async def test_an_app_counts_as_running_when_it_has_its_route(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a")
    ray.unrouted = {"a"}

    assert "⚠ [a] not ready after 60 s: RUNNING" in await lines(boot.boot())
