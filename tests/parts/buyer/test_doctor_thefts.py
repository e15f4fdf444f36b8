"""The doctor tries to start flows without paying, and starts nothing where the door is open."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse
from starlette.routing import Mount, Route

from masumi_sumi.cli import doctor
from masumi_sumi.cli.exposed import Exposed, flows_with_login, read
from masumi_sumi.cli.findings import Finding
from masumi_sumi.cli.sold import Sold
from masumi_sumi.cli.unpaid_starts import Target, direct_launch, targets_of_app, try_to_steal
from masumi_sumi.plugin import FlowTerms
from masumi_sumi.settings import Settings

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
PRICED = FlowTerms(agent_identifier=AGENT, network="Preprod")
YOU = "https://you.example"

MakeApp = Callable[..., Any]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, nodes={})


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch, sold_app: ModuleType) -> list[str]:
    """Whoever is launched in Kodosumi's own way."""
    import kodosumi.runner.main as kodosumi_runner

    made: list[str] = []

    def create_runner(*args: Any, **kwargs: Any) -> Any:
        made.append("runner")
        raise AssertionError

    monkeypatch.setattr(kodosumi_runner, "create_runner", create_runner)
    return made


async def steal(app: Any, settings: Settings, *targets: Target) -> list[Finding]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport) as http:
        return [finding async for finding in try_to_steal(targets, settings, http)]


@pytest.mark.parametrize("sold", [True, False])
async def test_a_guarded_flow_is_good(
    an_app: MakeApp, settings: Settings, launched: list[str], sold: bool
):
    app = an_app({"*": PRICED if sold else FlowTerms()})
    flows = [Target(flow, f"{YOU}/{flow}".rstrip("/"), sold) for flow in ("", "sync", "a/b")]

    [finding] = await steal(app, settings, *flows)

    assert (finding.what, finding.verdict) == ("unpaid starts", "good")
    assert "3 attempts" in finding.words
    assert launched == []


async def test_an_unguarded_flow_is_bad_and_nothing_is_started(
    sold_app: ModuleType, settings: Settings, launched: list[str]
):
    flows = [Target(flow, f"{YOU}/{flow}".rstrip("/")) for flow in ("", "sync", "a/b", "threads")]

    found = await steal(sold_app.build(), settings, *flows)

    assert {(each.what, each.verdict) for each in found} == {
        (f"flow {flow or '/'}", "bad") for flow in ("", "sync", "a/b", "threads")
    }
    assert "a stranger starts it without paying: POST https://you.example" in found[0].words
    assert "SumiMiddleware" in found[0].advice
    assert launched == []


async def test_of_a_form_that_asks_for_nothing_only_the_locks_are_tried(
    sold_app: ModuleType, settings: Settings, launched: list[str]
):
    api = sold_app.ServeAPI()

    @api.enter("/", model=sold_app.F.Model(sold_app.F.Submit("Go")), summary="Asks nothing")
    async def start(inputs: Any, request: sold_app.Request) -> Any:  # type: ignore[name-defined]
        launched.append("author")

    [finding] = await steal(api, settings, Target("", YOU))

    assert (finding.verdict, launched) == ("bad", [])
    assert "/_lock_/doctor/doctor" in finding.words


async def test_a_flow_behind_a_redirect_is_found(sold_app: ModuleType, settings: Settings):
    moved = RedirectResponse(f"{YOU}/app/sync", status_code=307)
    app = Starlette(
        routes=[
            Route("/old", lambda request: moved, methods=["POST"]),
            Mount("/app", sold_app.build()),
        ]
    )

    found = await steal(app, settings, Target("old", f"{YOU}/old"))

    assert [(each.what, each.verdict) for each in found] == [("flow old", "bad")]


@pytest.mark.parametrize("status", [200, 201, 500])
async def test_what_takes_the_form_or_breaks_at_it_is_open(settings: Settings, status: int):
    app = Starlette(routes=[Route("/", lambda request: JSONResponse({}, status), methods=["POST"])])

    [finding] = await steal(app, settings, Target("", YOU))

    assert finding.verdict == "bad"
    assert f"(it answered {status})" in finding.words


@pytest.mark.parametrize("status", [302, 400, 401, 403, 404, 405, 415, 422, 429, 502, 503, 504])
async def test_what_another_server_refuses_or_cannot_say_is_no_theft(
    settings: Settings, status: int
):
    answer = JSONResponse({}, status, {"location": "https://elsewhere.example/"})
    app = Starlette(routes=[Route("/", lambda request: answer, methods=["POST"])])

    [finding] = await steal(app, settings, Target("", YOU))

    assert finding.verdict == "good"


async def test_direct_launches_are_named_as_the_reason(
    sold_app: ModuleType, tmp_path: Path, settings: Settings
):
    allowing = settings.model_copy(update={"allow_direct_launch": True})
    here, there = Target("", "http://127.0.0.1:8005"), Target("", YOU)

    found = {
        target.url: (await steal(sold_app.build(), allowing, target))[0] for target in (here, there)
    }

    assert [found[target.url].verdict for target in (here, there)] == ["beware", "bad"]
    assert all("SUMI_ALLOW_DIRECT_LAUNCH" in each.advice for each in found.values())


@pytest.mark.parametrize(
    ("host", "allowed", "verdicts"),
    [
        ("127.0.0.1", False, []),
        ("127.0.0.1", True, ["beware"]),
        ("0.0.0.0", True, ["bad"]),
        ("0.0.0.0", False, []),
    ],
)
def test_allowing_direct_launches_is_bad_beyond_loopback(
    tmp_path: Path, host: str, allowed: bool, verdicts: list[str]
):
    settings = Settings(data_dir=tmp_path, nodes={}, host=host, allow_direct_launch=allowed)

    assert [finding.verdict for finding in direct_launch(settings)] == verdicts


async def test_a_flow_that_wants_a_login_is_tried_as_a_hire(an_app: MakeApp, settings: Settings):
    target = Target("x/sync", f"{YOU}/sync", login=True)

    [closed] = await steal(an_app({"/sync": FlowTerms(access="login")}), settings, target)
    [opened] = await steal(an_app({}), settings, target)

    assert closed.verdict == "good"
    assert opened.verdict == "bad"
    assert "wants a login at the gateway, but anybody starts it" in opened.words
    assert "refresh" in opened.advice


def test_flows_that_want_a_login_are_known_by_their_exposes() -> None:
    free = {"url": "/b/free", "data": "agentPricing: {pricingType: Free}", "enabled": True}
    cards: Exposed = read(
        [
            {"name": "a", "network": "Preprod", "enabled": True, "meta": []},
            {"name": "b", "network": None, "enabled": True, "meta": [free]},
        ]
    )
    sold = Sold("", "Preprod", AGENT, "Fixed")
    running = {"a": None, "b": None, "b/sold": sold, "b/free": sold, "other": None}

    assert set(flows_with_login(cards, running)) == {"b", "b/free"}


def test_a_flow_is_tried_at_all_its_addresses_here() -> None:
    urls = [
        target.url
        for target in targets_of_app("http://127.0.0.1:8005", "http://panel:3370", {"a/b": True})
    ]

    assert urls == [
        "http://127.0.0.1:8005/a/b",
        "http://panel:3370/-/127.0.0.1/8005/a/-/b",
        "http://panel:3370/mip003/a/b",
        "http://panel:3370/sumi/a/b",
    ]
    assert len(list(targets_of_app("http://127.0.0.1:8005", "", {"a": True}))) == 1
    at_root = targets_of_app("http://127.0.0.1:8005", "http://panel:3370", {"a": True})
    assert not [target for target in at_root if target.url.endswith("/")]


async def test_the_doctor_tries_what_runs(
    running: Callable[..., Settings], an_app: MakeApp, sold_app: ModuleType
):
    settings = running({"/good": an_app({"*": PRICED}), "/open": sold_app.build()})

    found = [each async for each in doctor.registered(settings)]

    stolen = {each.what for each in found if "without paying" in each.words}
    assert stolen == {f"flow open{flow}" for flow in ("", "/sync", "/a/b", "/threads")}
