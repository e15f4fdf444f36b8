"""The proof goes to the app that it is for, and nowhere else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from masumi_sumi.gateway.proofs import AppProofs, DropInternalHeaders
from masumi_sumi.gateway_proof import HEADER, derive_app_secret
from masumi_sumi.settings import Settings

ROUTES = {"/": "root", "/a": "a", "/a/b": "nested", "/slash/": "slash"}
SERVE = "http://127.0.0.1:8005"


class World:
    """All servers there are: what reached them with which proof. One of them redirects."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None]] = []
        self.routes: Any = ROUTES
        self.redirects: dict[str, str] = {}

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/-/routes":
            return httpx.Response(200, json=self.routes)
        url = str(request.url)
        self.seen.append((url, request.headers.get(HEADER)))
        if url in self.redirects:
            return httpx.Response(307, headers={"location": self.redirects[url]})
        return httpx.Response(200)


Ask = Callable[..., Any]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
async def ask(world: World, tmp_path: Path) -> AsyncIterator[Ask]:
    settings = Settings(data_dir=tmp_path, nodes={}, serve_config=tmp_path / "none.yaml")
    transport = httpx.MockTransport(world)
    proofs = AppProofs("master", settings, transport)
    hooks: Any = {"request": [proofs.sign]}
    async with httpx.AsyncClient(
        transport=transport, event_hooks=hooks, follow_redirects=True
    ) as client:
        yield client.post
    await proofs.aclose()


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/a", "/a"),
        ("/a/", "/a"),
        ("/a/flow/x", "/a"),
        ("/a/b", "/a/b"),
        ("/a/b/c", "/a/b"),
        ("/ab", "/"),
        ("/a%2Fb/c", "/a/b"),  # Ray Serve compares the decoded path
        ("//a", "/"),
        ("/slash/x", "/slash/"),
        ("/slash", "/"),
    ],
)
async def test_an_app_gets_its_own_proof_alone(
    ask: Ask, world: World, path: str, route: str
) -> None:
    await ask(f"{SERVE}{path}")

    assert [proof for _, proof in world.seen] == [derive_app_secret("master", route)]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8006/a",
        "http://evil.example:8005/a",
        "https://127.0.0.1:8005/a",
        "http://127.0.0.1.evil.example:8005/a",
        "http://127.0.0.1:8005@evil.example/a",
        "http://[::1]:8005/a",
        "http://127.0.0.1/a",
    ],
)
async def test_another_server_gets_none(ask: Ask, world: World, url: str) -> None:
    await ask(url, headers={HEADER: "forged"})

    assert [proof for _, proof in world.seen] == [None]


@pytest.mark.parametrize("host", ["localhost", "0.0.0.0"])
async def test_serve_is_known_by_its_other_names(ask: Ask, world: World, host: str) -> None:
    await ask(f"http://{host}:8005/a")

    assert [proof for _, proof in world.seen] == [derive_app_secret("master", "/a")]


async def test_a_redirect_takes_no_proof_along(ask: Ask, world: World) -> None:
    world.redirects = {f"{SERVE}/a": f"{SERVE}/a/b", f"{SERVE}/a/b": "http://evil.example/a"}

    await ask(f"{SERVE}/a")

    assert world.seen == [
        (f"{SERVE}/a", derive_app_secret("master", "/a")),
        (f"{SERVE}/a/b", None),  # another app, which the panel did not choose
        ("http://evil.example/a", None),
    ]


@pytest.mark.parametrize("routes", [{}, [], None, {"/other": "x"}, {"a": "not a route"}, "text"])
async def test_an_app_that_serve_does_not_name_gets_none(
    ask: Ask, world: World, routes: Any
) -> None:
    world.routes = routes

    await ask(f"{SERVE}/a")

    assert [proof for _, proof in world.seen] == [None]


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_nobody_outside_sets_what_only_the_gateway_may(kind: str) -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["headers"])

    names = (HEADER, "X-Sumi-Gateway-Proof", "x_sumi_gateway_proof", "x-sumi-client-address")
    names += ("x-sumi-dialect", "x-kodosumi_user", "X-Kodosumi-User", "x_kodosumi_url")
    kept = [(b"host", b"panel"), (b"cookie", b"kodosumi_jwt=x"), (b"x-other", b"1")]
    headers = [*((name.encode(), b"x") for name in names), *kept]

    await DropInternalHeaders(app)({"type": kind, "headers": headers}, None, None)

    assert seen == [kept]


async def test_a_lifespan_has_no_headers_to_drop() -> None:
    seen: list[Any] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope)

    await DropInternalHeaders(app)({"type": "lifespan"}, None, None)

    assert seen == [{"type": "lifespan"}]


async def test_a_redirect_out_of_an_app_takes_nothing_of_the_panels_user_along(
    world: World, tmp_path: Path
) -> None:
    told: dict[str, httpx.Headers] = {}

    async def answer(request: httpx.Request) -> httpx.Response:
        told[request.url.path] = request.headers
        return await world(request)

    world.redirects = {f"{SERVE}/a/x": f"{SERVE}/a/y", f"{SERVE}/a/y": f"{SERVE}/slash/z"}
    settings = Settings(data_dir=tmp_path, nodes={}, serve_config=tmp_path / "none.yaml")
    transport = httpx.MockTransport(answer)
    proofs = AppProofs("master", settings, transport)
    hooks: Any = {"request": [proofs.sign]}
    own = {
        "KODOSUMI_API_KEY": "key",
        "x-kodosumi_user": "ada",
        "X-Kodosumi-Url": "u",
        "accept": "x",
    }
    async with httpx.AsyncClient(
        transport=transport, event_hooks=hooks, follow_redirects=True
    ) as client:
        await client.post(f"{SERVE}/a/x", headers=own)
    await proofs.aclose()

    assert told["/a/y"][HEADER] == derive_app_secret("master", "/a")  # inside of the app
    assert told["/a/y"]["x-kodosumi_user"] == "ada"
    left = told["/slash/z"]
    assert not {HEADER, "kodosumi_api_key", "x-kodosumi_user", "x-kodosumi-url"} & left.keys()
    assert left["accept"] == "x"


async def test_a_slow_serve_is_asked_once_by_all_who_wait(tmp_path: Path) -> None:
    asked = 0

    async def answer(request: httpx.Request) -> httpx.Response:
        nonlocal asked
        asked += 1
        await asyncio.sleep(1.2)
        if asked > 1:
            raise httpx.ReadTimeout("away")
        return httpx.Response(200, json={"/a": "a"})

    settings = Settings(data_dir=tmp_path, nodes={}, serve_config=tmp_path / "none.yaml")
    proofs = AppProofs("master", settings, httpx.MockTransport(answer))
    requests = [httpx.Request("POST", f"{SERVE}/a") for _ in range(20)]

    await asyncio.gather(*(proofs.sign(request) for request in requests))
    assert asked == 1
    await asyncio.sleep(1.1)
    later = httpx.Request("POST", f"{SERVE}/a")
    await proofs.sign(later)  # Serve does not answer now: what it said before holds

    proof = derive_app_secret("master", "/a")
    assert {request.headers[HEADER] for request in (*requests, later)} == {proof}
    await proofs.aclose()
