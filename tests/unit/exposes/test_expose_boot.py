# ruff: noqa: RUF001 - the marks of the stream
"""Boot, refresh, shutdown: what Ray Serve is given, what people see, and who may, one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from ray_stand_in import PanelStandIn, RayStandIn

from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import BootRunning, DocumentInvalid, ServeUnreachable, UnknownExpose
from masumi_sumi.exposes import (
    Boot,
    BootStatus,
    Event,
    ExposeBook,
    ExposeState,
    Outcome,
    Serve,
    ServeConfig,
    draft_of,
    event_json,
    events,
    line,
    status_json,
)
from masumi_sumi.exposes.applications import serve_document
from masumi_sumi.settings import Settings

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
FOREIGN = {"name": "other", "route_prefix": "/other", "import_path": "x:y", "args": {"a": 1.0}}


async def an_expose(book: ExposeBook, name: str, **said: Any) -> None:
    body = {"name": name, "bootstrap": f"import_path: demo.{name.replace('-', '_')}:app", **said}
    await book.save(draft_of(body))


async def lines(stream: AsyncIterator[Event]) -> list[str]:
    return [line(event) async for event in stream]


async def all_of(stream: AsyncIterator[Event]) -> list[Event]:
    return [event async for event in stream]


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


async def test_serve_is_given_the_wrapped_app_with_its_terms(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    bootstrap = """import_path: tests.test_masumi:fast_app
args: {size: 3}
runtime_env: {env_vars: {A: b}}
deployments: [{name: TwoStage, num_replicas: 2}]
"""
    card = f"display: Two\nagentIdentifier: {AGENT}\ndemo: {{input: {{}}, output: x}}\n"
    dynamic = "agentPricing: {pricingType: Dynamic}\nterms: {price: 5, pay_by: 900}\n"
    cards = [{"url": "/sumi-test/", "data": card}, {"url": "/sumi-test/b", "data": dynamic}]
    await an_expose(book, "sumi-test", bootstrap=bootstrap, network="Preprod", meta=cards)

    await all_of(boot.boot())

    root = {"agent_identifier": AGENT, "demo": {"input": {}, "output": "x"}, "network": "Preprod"}
    other = {"pricing": "Dynamic", "price": 5, "pay_by": 900, "network": "Preprod"}
    assert ray.document("sumi-test") == {
        "name": "sumi-test",
        "route_prefix": "/sumi-test",
        "import_path": "masumi_sumi.plugin:application",
        "args": {
            "target": "tests.test_masumi:fast_app",
            "target_args": {"size": 3},
            "flows": {"*": {"network": "Preprod"}, "/": root, "/b": other, "/b/": other},
        },
        "runtime_env": {"env_vars": {"A": "b"}},
        "deployments": [{"name": "TwoStage", "num_replicas": 2}],
    }
    assert ray.puts[-1]["http_options"] == {"host": "127.0.0.1", "port": 8005}
    assert ray.puts[-1]["proxy_location"] == "HeadOnly"


async def test_terms_of_an_expose_are_such_as_the_plugin_reads(book: ExposeBook) -> None:
    from masumi_sumi.plugin.terms import FlowTerms

    data = f"agentIdentifier: {AGENT}\nagentPricing: {{pricingType: fixed}}\ndemo: {{a: 1}}\n"
    data += "terms: {source_index: 1, pay_by: 60, submit_by: 9000, run: 60, lock: 0, repeats: 1}\n"
    await an_expose(book, "a", network="Mainnet", meta=[{"url": "/a/", "data": data}])

    args = serve_document(await book.get("a"))["args"]

    terms = FlowTerms.of("flow /", args["flows"]["/"])
    assert (terms.agent_identifier, terms.network, terms.pricing) == (AGENT, "Mainnet", "Fixed")


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
        "args": {"target": "demo.new:app"},
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


async def test_a_boot_while_one_runs_is_told_so_and_changes_nothing(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a")
    ray.gate = asyncio.Event()
    first = boot.boot()
    await anext(first)

    with pytest.raises(BootRunning, match="Boot is in progress already"):
        await anext(boot.boot())
    with pytest.raises(BootRunning):
        await anext(boot.boot(force=True))
    with pytest.raises(BootRunning):
        await anext(boot.refresh("a"))

    assert await boot.running()
    ray.gate.set()
    await all_of(first)
    assert not await boot.running()
    assert len(ray.puts) == 1


async def test_a_boot_goes_on_when_nobody_follows_and_others_see_all_of_it(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a")
    ray.gate = asyncio.Event()
    first: Any = boot.boot()
    begun = await anext(first)
    await first.aclose()

    following = boot.stream()
    assert await anext(following) == begun
    ray.gate.set()
    rest = await all_of(following)

    assert isinstance(rest[-1], events.Booted)
    assert await all_of(boot.stream()) == [begun, *rest]


async def test_nothing_ran_yet(boot: Boot) -> None:
    assert await all_of(boot.stream()) == []


async def test_a_dead_boot_is_taken_over_by_force_only(
    boot: Boot, book: ExposeBook, clock: ManualClock
) -> None:
    await book.turn.take("host:1:x", "Boot")
    clock.advance(31)

    with pytest.raises(BootRunning, match="no sign of life for 31 s: use force=true"):
        await anext(boot.boot())
    assert (await boot.status()).dead

    told = await all_of(boot.boot(force=True))

    assert isinstance(told[-1], events.Booted)
    assert not await book.turn.beat("host:1:x")


async def test_who_was_taken_over_stops(
    book: ExposeBook, serve: Serve, ray: RayStandIn, panel: PanelStandIn, clock: ManualClock
) -> None:
    from masumi_sumi.exposes import OpenApiFinder

    await an_expose(book, "a")
    ray.gate = asyncio.Event()
    finder = OpenApiFinder(transport=ray.transport)
    boot = Boot(book, serve, finder, panel, clock, pause=ray.pause, beat=0.01)
    stream = boot.boot()
    await anext(stream)
    before = await book.turn.status()
    while (await book.turn.status()).owner == before.owner:  # its beats may come between
        clock.advance(31)
        try:
            await book.turn.take("other:2:y", "Boot", force=True)
        except BootRunning:
            continue

    told = await all_of(stream)

    assert told[-1] == events.Failed("Boot", "another process has taken over")
    assert (await book.turn.status()).owner == "other:2:y"
    await finder.aclose()


async def test_an_interrupted_boot_gives_its_turn_back(
    boot: Boot, book: ExposeBook, ray: RayStandIn
) -> None:
    await an_expose(book, "a")
    ray.gate = asyncio.Event()
    await anext(boot.boot())

    await boot.aclose()

    status = await boot.status()
    assert (status.running, status.dead) == (False, False)
    assert status.last is not None
    assert status.last.error == "it was interrupted"


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


def test_events_and_status_are_json() -> None:
    assert event_json(events.Settled("a", "RUNNING")) == {
        "event": "Settled",
        "name": "a",
        "state": "RUNNING",
    }
    last = Outcome("Boot", 1.0, 2.0, ("a",), ("b",))
    assert status_json(BootStatus(last=last))["last"] == {
        "what": "Boot",
        "at": 1.0,
        "seconds": 2.0,
        "running": ("a",),
        "failed": ("b",),
        "error": "",
    }


def test_serve_listens_where_settings_say_else_its_file_says(tmp_path: Path) -> None:
    file = tmp_path / "serve.yaml"
    file.write_text("http_options: {host: 0.0.0.0, port: 9000}\napplications: [{name: x}]\n")
    plain = Settings(data_dir=tmp_path, serve_config=file, nodes={})
    said = Settings(data_dir=tmp_path, serve_config=file, nodes={}, serve_port=9999)
    none = Settings(data_dir=tmp_path, serve_config=tmp_path / "none.yaml", nodes={})

    assert ServeConfig.read(plain).url == "http://127.0.0.1:9000"
    assert "applications" not in ServeConfig.read(plain).options
    assert ServeConfig.read(said).url == "http://127.0.0.1:9999"
    assert ServeConfig.read(none).url == "http://127.0.0.1:8005"


async def test_a_broken_serve_config_ends_the_boot_with_line_and_column(
    boot: Boot, settings: Settings
) -> None:
    settings.serve_config.write_text("http_options: {\n")

    with pytest.raises(DocumentInvalid):
        ServeConfig.read(settings)
    assert line((await all_of(boot.boot()))[-1]).startswith(
        "✗ Boot failed: serve_config.yaml: line 2, column 1: "
    )
