"""A stranger tries to start work without paying, and to say what only the panel may say."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, HTTPException, Request
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from masumi_sumi import gateway_proof
from masumi_sumi.plugin import FlowTerms

if TYPE_CHECKING:
    from sold_app import Shop

MakeShop = Callable[..., "Shop"]
AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
PRICED = FlowTerms(agent_identifier=AGENT, network="Preprod")
FORM = {"name": "Eve"}
SPELLINGS = ("/", "", "//", "/sync", "/%73ync", "/a/b/", "/a/b", "/a%2Fb/", "/threads", "/./sync")


class Rewrite:
    """A middleware of an author's: it takes other spellings and methods for a flow's start."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/again"):
            path = scope["path"].removeprefix("/again")
            scope = {**scope, "method": "POST", "path": path, "raw_path": path.encode()}
        await self.app(scope, receive, send)


async def test_a_sold_flow_is_not_started_without_proof_by_any_spelling_or_method(
    shop: MakeShop, runners: list[dict[str, Any]]
):
    sold = shop({"*": PRICED})

    async with sold.client() as client:
        answers = {
            (method, path): await client.request(method, path, json=FORM, follow_redirects=True)
            for method in ("POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "post")
            for path in SPELLINGS
        }

    assert runners == []
    assert sold.desk.jobs == {}
    assert answers["POST", "/"].status_code == 401
    assert "start_job" in answers["POST", "/"].json()["detail"]
    assert "SUMI_ALLOW_DIRECT_LAUNCH" in answers["POST", "/"].json()["detail"]
    assert all(not answer.is_success for answer in answers.values())


@pytest.mark.parametrize("root", ["", "/prefix"])
async def test_a_sold_flow_is_not_started_below_any_prefix(
    shop: MakeShop, runners: list[dict[str, Any]], root: str
):
    sold = shop({"*": PRICED}, root=root)

    for path in (*SPELLINGS, f"{root}/sync", f"{root}{root}/sync"):
        assert not (await sold.post(path, FORM, follow_redirects=True)).is_success

    assert runners == []


async def test_a_rewriting_middleware_of_the_author_leads_past_nothing(
    shop: MakeShop, sold_app: ModuleType, runners: list[dict[str, Any]]
):
    api = sold_app.build()
    api.user_middleware.insert(0, Middleware(Rewrite))
    sold = shop({"*": PRICED}, api=api)

    answers = [await sold.get(f"/again{path}") for path in ("/", "/sync", "/_lock_/job/lock")]

    assert [answer.status_code for answer in answers] == [401, 401, 401]
    assert runners == []


async def test_flows_of_an_app_inside_of_the_app_are_closed_too(
    shop: MakeShop, sold_app: ModuleType, runners: list[dict[str, Any]]
):
    api, inside, beside = sold_app.build(), sold_app.build(), sold_app.build()
    api.mount("/inside", inside)
    outer = APIRouter()
    outer.include_router(beside.router)
    api.include_router(outer, prefix="/beside")
    sold = shop({"*": PRICED}, api=api)

    answers = [await sold.post(f"{place}/sync", FORM) for place in ("/inside", "/beside")]

    assert [answer.status_code for answer in answers] == [401, 401]
    assert runners == []


@pytest.mark.parametrize(
    "proofs",
    [
        [],
        [""],
        ["0" * 64],
        ["{secret} "],
        ["{SECRET}"],
        ["{secret}", "{secret}"],
        ["{secret}", "wrong"],
    ],
)
async def test_only_the_proof_itself_once_is_believed(
    shop: MakeShop, sold_app: ModuleType, runners: list[dict[str, Any]], proofs: list[str]
):
    sold = shop({"*": PRICED}, settings={"app_secret": "ab" * 32})
    secret = "ab" * 32
    texts = [proof.format(secret=secret, SECRET=secret.upper()) for proof in proofs]
    headers = [(gateway_proof.HEADER.encode(), text.encode()) for text in texts]

    scope, body = _post_of("/", headers)
    status = await _ask(sold.middleware, scope, body)

    assert status == 401
    assert runners == []


async def test_an_app_without_a_secret_believes_nobody(
    shop: MakeShop, runners: list[dict[str, Any]]
):
    sold = shop({"*": PRICED}, settings={"app_secret": ""})

    for proof in ("", gateway_proof.derive_app_secret("", "/")):
        answer = await sold.post("/", FORM, headers={gateway_proof.HEADER: proof})
        assert answer.status_code == 401

    assert runners == []


async def test_an_operator_of_a_closed_network_may_let_kodosumis_panel_in(
    shop: MakeShop, runners: list[dict[str, Any]]
):
    sold = shop({"*": PRICED}, settings={"allow_direct_launch": True, "app_secret": ""})

    answer = await sold.post("/", FORM, headers={"x-kodosumi_user": "eve"})

    assert answer.status_code == 200
    assert [made["username"] for made in runners] == ["eve"]


@pytest.mark.parametrize("user", ["../../x", "/tmp/x", "a/b", "..", "a\\b", "", "x" * 129, "a b"])
@pytest.mark.parametrize("allowed", [False, True])
async def test_a_user_that_could_be_a_path_is_refused_whoever_says_it(
    shop: MakeShop, runners: list[dict[str, Any]], user: str, allowed: bool
):
    sold = shop({"*": PRICED}, settings={"allow_direct_launch": allowed})

    answer = await sold.post_from_gateway("/", FORM, headers={"x-kodosumi_user": user})

    assert not answer.is_success
    assert runners == []


# --- headers -----------------------------------------------------------------------------------

FORGED = {
    "x-kodosumi_user": "../../x",
    "X-Kodosumi-User": "eve",
    "X-KODOSUMI_BASE": "http://evil",
    "x-kodosumi-base": "http://evil",
    "x_kodosumi_url": "http://127.0.0.1:1",
    "x-kodosumi-url": "http://127.0.0.1:1",
    "x-kodosumi": "true",
    "x-sumi-client-address": "10.0.0.1",
    "x-sumi_client_address": "10.0.0.1",
    "x-sumi-gateway-proof": "0" * 64,
}


@pytest.fixture
def echo(sold_app: ModuleType) -> Any:
    """An app with a route of the author's that tells what headers reach it."""
    api = sold_app.build()

    @api.get("/headers")
    async def headers(request: Request) -> dict[str, str]:
        return {**dict(request.headers), "user": request.state.user, "base": request.state.prefix}

    return api


async def test_what_only_the_panel_says_is_dropped_from_a_strangers_request(
    shop: MakeShop, echo: Any
):
    sold = shop({"*": PRICED}, api=echo)

    async with sold.client() as client:
        seen = (await client.get("/headers", headers={**FORGED, "x-own": "kept"})).json()

    internal = ("x-kodosumi", "x-sumi")
    assert not [name for name in seen if name.replace("_", "-").startswith(internal)]
    assert (seen["user"], seen["base"], seen["x-own"]) == ("_annon_", "", "kept")


async def test_the_panel_is_believed_and_its_proof_never_reaches_the_authors_code(
    shop: MakeShop, echo: Any, sold_app: ModuleType
):
    sold = shop({"*": PRICED}, api=echo)
    said = {"x-kodosumi_user": "ada", "x-kodosumi_base": "http://serve", "x-sumi-a": "b"}

    async with sold.client() as client:
        seen = (await client.get("/headers", headers={**said, **sold_app.PROOF})).json()

    assert (seen["user"], seen["base"], seen["x-sumi-a"]) == ("ada", "http://serve", "b")
    assert sold_app.APP_SECRET not in seen.values()


async def test_a_strangers_websocket_loses_the_headers_too(shop: MakeShop):
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append([name for name, _ in scope["headers"]])

    sold = shop({"*": PRICED}, app=app)
    headers = [(name.encode(), value.encode()) for name, value in FORGED.items()]

    await sold.middleware({"type": "websocket", "headers": [*headers, (b"host", b"x")]}, None, None)  # type: ignore[arg-type]

    assert seen == [[b"host"]]


async def test_a_form_with_files_posts_to_no_address_of_a_stranger(
    shop: MakeShop, sold_app: ModuleType, monkeypatch: pytest.MonkeyPatch
):
    import kodosumi.serve

    def no_request(*args: Any, **options: Any) -> Any:
        raise AssertionError("the app asked an address that a stranger named")

    monkeypatch.setattr(kodosumi.serve, "HTTPXClient", no_request)
    api = sold_app.build()
    model = sold_app.F.Model(sold_app.F.InputFiles(name="files", label="Files"))

    @api.enter("/files", model=model, summary="Takes files")
    async def files(inputs: dict[str, Any], request: Request) -> Any:
        return sold_app.Launch(request, sold_app.work, inputs=inputs)

    upload = '{"items": {"u": {"filename": "a", "totalChunks": 1}}, "batchId": "b"}'
    for terms in (PRICED, FlowTerms()):
        sold = shop({"*": terms}, api=api)
        headers = {"x-kodosumi-url": "http://127.0.0.1:1"}
        answer = await sold.post("/files", {"files": upload}, headers=headers)
        assert answer.status_code in (400, 401, 422) or "errors" in answer.json()


# --- locks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_lock_answers_nobody_but_the_panel(
    shop: MakeShop, monkeypatch: pytest.MonkeyPatch, method: str, sold_app: ModuleType
):
    import kodosumi.serve

    asked: list[str] = []

    def find_lock(fid: str, lid: str) -> Any:
        asked.append(fid)
        raise kodosumi.serve.LockNotFound(fid, lid)

    monkeypatch.setattr(kodosumi.serve, "find_lock", find_lock)
    sold = shop()  # also of an app that gives everything away

    async with sold.client() as client:
        stranger = await client.request(method, "/_lock_/job/lock", json={})
        assert (stranger.status_code, asked) == (401, [])
        panel = await client.request(method, "/_lock_/job/lock", json={}, headers=sold_app.PROOF)

    assert (panel.status_code, asked) == (404, ["job"])


# --- what is free ------------------------------------------------------------------------------


async def test_a_free_flow_that_is_posted_directly_becomes_a_job(
    shop: MakeShop, runners: list[dict[str, Any]]
):
    sold = shop()

    started = await sold.post("/sync", FORM, headers={"x-kodosumi_user": "../../x"})
    refused = await sold.post("/sync", {"name": "refused"})

    from masumi_sumi.runtime.spec import unpack

    [job] = sold.desk.jobs.values()
    assert started.json()["result"] == job.id
    spec = unpack(sold.desk.launches[job.id].spec)
    assert (job.user, spec["inputs"]["name"]) == ("admin", FORM["name"])
    assert refused.status_code == 200
    assert refused.json()["errors"]["name"] == ["is taken"]
    assert refused.json()["elements"] == started.json()["elements"]
    assert runners == []


async def test_a_free_flow_that_breaks_shows_no_traceback(shop: MakeShop):
    sold = shop()
    sold.parts.broken = RuntimeError("/srv/secret/key.pem")

    answer = await sold.post("/sync", FORM)

    assert (answer.status_code, answer.json()) == (500, {"detail": "internal error"})
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("body", [b"0", b"[]", b"{", b'"x"'])
async def test_a_free_flow_refuses_a_form_that_is_none(shop: MakeShop, body: bytes):
    sold = shop()

    answer = await sold.post("/sync", content=body)

    assert answer.status_code == 400
    assert sold.desk.jobs == {}


async def test_terms_that_cannot_hold_give_nothing_away(
    shop: MakeShop, runners: list[dict[str, Any]]
):
    sold = shop({"/": FlowTerms(agent_identifier=AGENT)})

    assert (await sold.post("/", FORM)).status_code == 401
    assert runners == []


# --- routes of the author's that launch ----------------------------------------------------------


async def test_a_route_of_the_authors_launches_for_no_stranger_where_something_is_sold(
    shop: MakeShop, runners: list[dict[str, Any]]
):
    sold = shop({"/sync": PRICED})

    stranger = await sold.post("/direct")
    panel = await sold.post_from_gateway("/direct")

    assert stranger.status_code == 401
    assert "SUMI_ALLOW_DIRECT_LAUNCH" in stranger.json()["detail"]
    assert panel.status_code == 200
    assert len(runners) == 1


async def test_a_route_of_the_authors_launches_as_ever_where_nothing_is_sold(
    shop: MakeShop, runners: list[dict[str, Any]]
):
    assert (await shop().post("/direct")).status_code == 200
    assert len(runners) == 1


@pytest.mark.parametrize("how", ["thread", "executor", "later", "inherited"])
async def test_a_route_of_the_authors_launches_for_no_stranger_from_elsewhere(
    shop: MakeShop, sold_app: ModuleType, runners: list[dict[str, Any]], how: str
):
    api = sold_app.build()
    launch = lambda request: sold_app.Launch(request, sold_app.work, inputs={})  # noqa: E731
    jobs: asyncio.Queue[Any] = asyncio.Queue()
    failures: list[Any] = []

    async def serve_queue() -> None:
        request = await jobs.get()
        try:
            launch(request)
        except HTTPException as error:
            failures.append(error)

    @api.post("/work")
    async def work(request: Request) -> dict[str, str]:
        loop = asyncio.get_running_loop()
        if how == "inherited" and request.headers.get("begin"):
            api.state.worker = asyncio.create_task(serve_queue())
        elif how == "inherited":
            jobs.put_nowait(request)
            await api.state.worker
        elif how == "later":
            api.state.worker = asyncio.create_task(asyncio.to_thread(launch, request))
        elif how == "executor":
            await loop.run_in_executor(None, launch, request)
        else:
            double = Request({k: v for k, v in request.scope.items() if not k.startswith("masumi")})
            await loop.run_in_executor(None, launch, double)
        return {}

    sold = shop({"/sync": PRICED}, api=api)
    await sold.post_from_gateway("/work", headers={"begin": "yes"}) if how == "inherited" else None

    await sold.post("/work")
    if how == "later":
        failures.append((await asyncio.gather(api.state.worker, return_exceptions=True))[0])

    assert runners == []
    assert bool(failures) == (how in ("later", "inherited"))


# --- what asks for a login -----------------------------------------------------------------------

LOGIN = FlowTerms(access="login")


@pytest.mark.parametrize(
    ("action", "dialect"),
    [
        *((each, "") for each in ("availability", "input_schema", "start_job", "demo", "openapi")),
        *((each, "sumi") for each in ("availability", "input_schema", "start_job")),
    ],
)
async def test_a_flow_that_asks_for_a_login_is_closed_at_the_apps_own_address(
    shop: MakeShop, runners: list[dict[str, Any]], action: str, dialect: str
):
    sold = shop({"/sync": LOGIN})
    method = "POST" if action == "start_job" else "GET"
    body = {"identifier_from_purchaser": "aa" * 8, "input_data": FORM}
    headers = {"x-sumi-dialect": dialect} if dialect else {}

    async with sold.client() as client:
        refused = await client.request(method, f"/sync/{action}", json=body, headers=headers)

    assert refused.status_code == 401
    assert "log in" in refused.json()["detail"]
    assert sold.desk.jobs == {}
    assert runners == []


async def test_a_flow_that_asks_for_a_login_is_started_through_the_gateway(shop: MakeShop):
    sold = shop({"/sync": LOGIN})

    body = {"input_data": FORM}
    started = await sold.post_from_gateway("/sync/start_job", body)
    status = await sold.get("/sync/status", job_id=started.json()["id"])

    assert started.status_code == 200
    assert status.status_code == 200  # who knows its id follows it
    assert (await sold.post("/sync", FORM)).status_code == 401
    assert (await sold.get("/start_job")).status_code == 405  # the others are as they were


async def test_allowing_direct_launches_opens_no_start_job_that_asks_for_a_login(shop: MakeShop):
    sold = shop({"/sync": LOGIN}, settings={"allow_direct_launch": True})

    assert (await sold.start("/sync")).status_code == 401


@pytest.mark.parametrize(
    ("terms", "status"),
    [
        (FlowTerms(access="login_unless_sold"), 401),
        (FlowTerms(access="login_unless_sold", network="Preprod"), 401),
        (PRICED.model_copy(update={"access": "login_unless_sold"}), 200),
        (PRICED.model_copy(update={"access": "login"}), 401),
        (PRICED.model_copy(update={"access": "login_unless_sold", "pricing": "Free"}), 200),
        (FlowTerms(access="public"), 200),
    ],
)
async def test_access_is_settled_by_what_is_sold(shop: MakeShop, terms: FlowTerms, status: int):
    assert (await shop({"/sync": terms}).start("/sync")).status_code == status


# --- raw requests --------------------------------------------------------------------------------


def _post_of(path: str, headers: list[tuple[bytes, bytes]]) -> tuple[dict[str, Any], bytes]:
    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"serve"), *headers],
    }
    return scope, b'{"name": "Eve"}'


async def _ask(app: Any, scope: dict[str, Any], body: bytes) -> int:
    seen: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        seen.append(message)

    await app(scope, receive, send)
    return int(seen[0]["status"])


async def test_an_internal_call_of_the_authors_is_judged_as_its_own_request(
    shop: MakeShop, sold_app: ModuleType, runners: list[dict[str, Any]]
):
    api = sold_app.build()

    @api.post("/relay")
    async def relay() -> int:
        transport = httpx.ASGITransport(app=api)
        async with httpx.AsyncClient(transport=transport, base_url="http://inside") as client:
            return (await client.post("/sync", json=FORM)).status_code

    sold = shop({"*": PRICED}, api=api)

    assert (await sold.post("/relay")).json() == 401
    assert (await sold.post_from_gateway("/relay")).json() == 200
    assert len(runners) == 1


async def test_a_plain_fastapi_app_is_guarded_too(
    shop: MakeShop, sold_app: ModuleType, runners: list[dict[str, Any]]
):
    import function_app

    from masumi_sumi.runtime.serving import serve_api_of

    plain: FastAPI = function_app.plain()
    api = serve_api_of(plain)
    sold = shop({"*": PRICED}, api=api, app=plain)
    [path, *_] = [route.path for route in api.routes if "POST" in getattr(route, "methods", ())]

    answer = await sold.post(path, {"text": "x", "tone": "friendly", "words": 20})

    assert answer.status_code == 401
    assert runners == []
