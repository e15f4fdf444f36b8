"""/sumi and /mip003: who finds what, and what reaches an app."""

from __future__ import annotations

import httpx
import pytest
from counter import AGENT, Counter, body_of

from masumi_sumi.jobs.model import Terms

PRICED = Terms(pricing="Fixed", network="Preprod", agent_identifier=AGENT)
HIRE = {"identifier_from_purchaser": "demo-123"}


async def ids(client: httpx.AsyncClient, query: str = "") -> list[str]:
    return [item["id"] for item in (await client.get(f"/sumi{query}")).json()["items"]]


# --- discovery -------------------------------------------------------------------------------


async def test_strangers_find_what_strangers_may_hire(counter: Counter) -> None:
    await counter.sells("prime", "/", "/async")
    await counter.sells("private", "/", network=None)

    assert await ids(counter.client()) == ["prime", "prime/async"]
    assert await ids(counter.client("user")) == ["prime", "prime/async", "private"]


async def test_pages_follow_one_another(counter: Counter) -> None:
    await counter.sells("prime", "/a", "/b", "/c")
    client = counter.client()

    first = (await client.get("/sumi?pp=2")).json()
    second = (await client.get(f"/sumi?pp=2&offset={first['offset']}")).json()

    assert [item["name"] for item in first["items"] + second["items"]] == ["a", "b", "c"]
    assert (first["offset"], second["offset"]) == ("prime/b", None)


@pytest.mark.parametrize("pp", ["-1", "x", "1e3", "²"])
async def test_a_page_size_that_is_none_is_a_400(counter: Counter, pp: str) -> None:
    assert (await counter.client().get("/sumi", params={"pp": pp})).status_code == 400


async def test_flows_of_one_expose(counter: Counter) -> None:
    await counter.sells("prime", "/")
    await counter.sells("other", "/")
    assert await ids(counter.client(), "?expose=other") == ["other"]
    assert (await counter.client().get("/sumi?expose=none")).status_code == 404


async def test_metadata_is_the_cards(counter: Counter) -> None:
    await counter.sells("prime", "/async")
    data = f"display: Gaps\ndescription: Counts\ntags: [math]\nagentIdentifier: {AGENT}\n"
    data += "agentPricing: {pricingType: Fixed, fixedPricing: [{amount: '5', unit: ''}]}\n"
    await counter.card("/prime/async", data)

    item = (await counter.client().get("/sumi/prime/async")).json()

    assert item == {
        "id": "prime/async",
        "parent": "prime",
        "name": "async",
        "display": "Gaps",
        "description": "Counts",
        "tags": ["math"],
        "api_url": "http://panel:3370/sumi/prime/async",
        "mip003_url": "http://panel:3370/mip003/prime/async",
        "agentIdentifier": AGENT,
        "agentPricing": {"pricingType": "Fixed", "fixedPricing": [{"amount": "5", "unit": ""}]},
        "metadata_version": 1,
        "network": "Preprod",
        "state": "dead",
        "image": None,
        "example_output": None,
        "author": None,
        "capability": None,
        "legal": None,
    }


@pytest.mark.parametrize(
    "path", ["/sumi/none", "/sumi/none/start_job", "/sumi/prime/none/status/1"]
)
async def test_an_unknown_flow_is_a_404(counter: Counter, path: str) -> None:
    await counter.sells("prime", "/")
    method = "POST" if path.endswith("start_job") else "GET"
    answer = await counter.client("user").request(method, path, json=HIRE)
    assert (answer.status_code, answer.json()["path"]) == (404, path)
    assert not counter.apps.asked


# --- hiring ------------------------------------------------------------------------------------


async def test_a_hire_reaches_its_app_in_the_notebooks_dialect(counter: Counter) -> None:
    await counter.sells("prime", "/async")
    counter.apps.answer = httpx.Response(201, json={"status": "running"})

    answer = await counter.client("user").post("/sumi/prime/async/start_job", json=HIRE)

    assert (answer.status_code, answer.json()) == (201, {"status": "running"})
    (asked,) = counter.apps.asked
    assert str(asked.url) == "http://serve:8005/prime/async/start_job"
    assert asked.headers["x-sumi-dialect"] == "sumi"
    assert asked.headers["x-sumi-path"] == "/sumi/prime/async/start_job"
    assert body_of(asked) == HIRE


@pytest.mark.parametrize("face", ["sumi", "mip003"])
async def test_a_flow_put_up_for_sale_is_not_given_away_before_its_app_knows(
    counter: Counter, face: str
) -> None:
    await counter.sells("prime", "/async")
    await counter.card("/prime/async", f"agentIdentifier: {AGENT}")

    early = await counter.client().post(f"/{face}/prime/async/start_job", json=HIRE)
    await counter.refreshed("prime")
    later = await counter.client().post(f"/{face}/prime/async/start_job", json=HIRE)

    assert (early.status_code, later.status_code) == (503, 200)
    assert "waits for a refresh" in early.json()["detail"]
    assert len(counter.apps.asked) == 1


async def test_no_key_of_the_panel_reaches_an_app(counter: Counter) -> None:
    await counter.sells("prime", "/")
    client = counter.client("operator")
    client.cookies.set("kodosumi_jwt", "secret")

    await client.post("/sumi/prime/start_job", json=HIRE)
    await client.get("/mip003/prime/availability")

    for asked in counter.apps.asked:
        assert "kodosumi_api_key" not in asked.headers
        assert "cookie" not in asked.headers


@pytest.mark.parametrize("face", ["sumi", "mip003"])
async def test_a_flow_without_network_wants_a_login(counter: Counter, face: str) -> None:
    await counter.sells("private", "/", network=None)
    path = f"/{face}/private/start_job"

    stranger = await counter.client().post(path, json=HIRE)
    user = await counter.client("user").post(path, json=HIRE)

    assert (stranger.status_code, user.status_code) == (401, 200)
    assert len(counter.apps.asked) == 1


@pytest.mark.parametrize(
    "path",
    ["/sumi/prime/..%2Fother/start_job", "/sumi/%2e%2e/start_job", "/mip003/prime/../x/status"],
)
async def test_path_tricks_reach_nothing(counter: Counter, path: str) -> None:
    await counter.sells("prime", "/")
    await counter.client().post(path, json=HIRE)
    assert not counter.apps.asked


async def test_an_app_that_is_not_up_is_a_503(counter: Counter) -> None:
    await counter.sells("prime", "/")
    for answer in (httpx.ConnectError("refused"), httpx.Response(404, text="Path not found")):
        counter.apps.answer = answer
        sumi = await counter.client().post("/sumi/prime/start_job", json=HIRE)
        mip003 = await counter.client().post("/mip003/prime/start_job", json=HIRE)
        assert (sumi.status_code, mip003.status_code) == (503, 503)


async def test_an_app_that_gives_no_answer_may_have_acted(counter: Counter) -> None:
    await counter.sells("prime", "/")
    counter.apps.answer = httpx.ReadTimeout("silent")
    answer = await counter.client().post("/sumi/prime/start_job", json=HIRE)
    assert answer.status_code == 504
    assert "may or may not" in answer.json()["detail"]


async def test_availability_bears_the_cards_name(counter: Counter) -> None:
    await counter.sells("prime", "/")
    counter.apps.answer = httpx.Response(200, json={"status": "available", "message": "other"})
    ready = await counter.client().get("/sumi/prime/availability")
    counter.apps.answer = httpx.ConnectError("refused")
    away = await counter.client().get("/sumi/prime/availability")
    assert ready.json() == {
        "message": "The / of prime is ready to accept jobs",
        "status": "available",
        "type": "masumi-agent",
    }
    assert away.json()["status"] == "unavailable"


async def test_mip003_comes_back_untouched(counter: Counter) -> None:
    await counter.sells("prime", "/async")
    counter.apps.answer = httpx.Response(422, json={"detail": "no", "errors": {"a": ["b"]}})

    answer = await counter.client().get("/mip003/prime/async/demo?job_id=1&x=%2F")

    assert (answer.status_code, answer.content) == (422, counter.apps.answer.content)
    (asked,) = counter.apps.asked
    assert str(asked.url) == "http://serve:8005/prime/async/demo?job_id=1&x=%2F"
    assert "x-sumi-dialect" not in asked.headers


@pytest.mark.parametrize("path", ["async/demo", "async//demo", "async/demo/"])
async def test_a_demo_is_the_apps_own(counter: Counter, path: str) -> None:
    await counter.sells("prime", "/async")

    answer = await counter.client().get(f"/mip003/prime/{path}")

    assert (answer.status_code, answer.json()) == (200, {"from": "the app"})
    (asked,) = counter.apps.asked
    assert str(asked.url) == "http://serve:8005/prime/async/demo"


async def test_a_job_in_the_path_reaches_the_app_there(counter: Counter) -> None:
    await counter.sells("prime", "/async")

    await counter.client().post("/mip003/prime/async/provide_input/6b0226be/", json={"name": "Ada"})

    (asked,) = counter.apps.asked
    assert str(asked.url) == "http://serve:8005/prime/async/provide_input/6b0226be"
    assert body_of(asked) == {"name": "Ada"}


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "HEAD"])
async def test_a_wrong_method_is_refused_as_an_app_would(counter: Counter, method: str) -> None:
    await counter.sells("prime", "/")

    answer = await counter.client().request(method, "/mip003/prime/start_job")

    assert (answer.status_code, answer.headers["allow"]) == (405, "POST, OPTIONS")
    assert method == "HEAD" or answer.json() == {"detail": "use POST"}
    assert not counter.apps.asked


@pytest.mark.parametrize(
    ("path", "failure", "status"),
    [
        ("/mip003/prime/start_job", httpx.ReadTimeout("silent"), 504),
        ("/mip003/prime/start_job", httpx.ConnectError("refused"), 503),
        ("/mip003/private/start_job", None, 401),
        ("/mip003/prime/status/6b0226be", None, 405),
        ("/mip003/prime/start_job/6b0226be", None, 404),
        ("/mip003/prime/provide_input/..%2Fstart_job", None, 400),
        ("/mip003/prime/provide_input/.%2E", None, 400),
        ("/mip003/none/start_job", None, 404),
    ],
)
async def test_mip003_is_refused_with_a_detail_and_nothing_of_the_panel(
    counter: Counter, path: str, failure: Exception | None, status: int
) -> None:
    await counter.sells("prime", "/")
    await counter.sells("private", "/", network=None)
    counter.apps.answer = failure or counter.apps.answer

    answer = await counter.client().post(path, json=HIRE)

    assert (answer.status_code, list(answer.json())) == (status, ["detail"])
    assert isinstance(answer.json()["detail"], str)


async def test_methods_that_are_none(counter: Counter) -> None:
    await counter.sells("prime", "/")
    started = await counter.client().get("/sumi/prime/start_job")
    looked = await counter.client().post("/sumi/prime/input_schema")
    assert (started.status_code, started.headers["allow"]) == (405, "POST, OPTIONS")
    assert (looked.status_code, looked.headers["allow"]) == (405, "GET, HEAD, OPTIONS")


# --- who calls -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/sumi/prime/start_job", "/mip003/prime/start_job"])
async def test_an_app_hears_whose_request_it_gets_from_the_gateway_alone(
    counter: Counter, path: str
) -> None:
    await counter.sells("prime", "/")
    forged = {"x-sumi-client-address": "198.51.100.9", "x-forwarded-for": "198.51.100.9"}

    await counter.client().post(path, json=HIRE, headers=forged)

    asked = counter.apps.asked[-1]
    assert asked.headers.get_list("x-sumi-client-address") == ["127.0.0.1"]
    assert asked.headers.get_list("x-forwarded-for") == ["127.0.0.1"]


async def test_a_header_that_is_not_ascii_is_handed_on_as_it_came(counter: Counter):
    await counter.sells("prime", "/")
    names = {"user-agent": "Bücher/1".encode("latin-1")}

    for face in ("sumi", "mip003"):
        answer = await counter.client().get(f"/{face}/prime/availability", headers=names)
        assert answer.status_code == 200

    assert b"B\xfccher/1" in dict(counter.apps.asked[-1].headers.raw).values()
