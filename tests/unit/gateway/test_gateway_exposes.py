"""/expose and /boot, for operators."""

from __future__ import annotations

import pytest
from counter import AGENT, Counter

BOOTSTRAP = "import_path: some.module:app"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/expose"),
        ("POST", "/expose"),
        ("GET", "/expose/prime"),
        ("DELETE", "/expose/prime"),
        ("POST", "/expose/health"),
        ("POST", "/expose/prime/health"),
        ("GET", "/boot"),
        ("POST", "/boot"),
        ("DELETE", "/boot"),
        ("GET", "/boot/stream"),
        ("POST", "/boot/refresh/prime"),
    ],
)
async def test_only_operators_come_in(counter: Counter, method: str, path: str) -> None:
    stranger = await counter.client().request(method, path, json={})
    user = await counter.client("user").request(method, path, json={})
    assert (stranger.status_code, stranger.json()["error"]) == (401, "NotAuthorizedException")
    assert (user.status_code, user.json()["error"]) == (403, "PermissionDeniedException")


async def test_an_expose_is_made_changed_and_deleted(counter: Counter) -> None:
    client = counter.client("operator")

    made = await client.post("/expose/", json={"name": "prime", "bootstrap": BOOTSTRAP})
    changed = await client.post("/expose/", json={"name": "prime", "display": "Prime"})
    shown = await client.get("/expose/prime")
    gone = await client.delete("/expose/prime")
    again = await client.delete("/expose/prime")

    assert (made.status_code, made.json()["state"]) == (201, "DEAD")
    assert (changed.status_code, changed.json()["bootstrap"]) == (201, BOOTSTRAP)
    assert shown.json() == changed.json()
    assert (gone.status_code, gone.content) == (204, b"")
    assert again.status_code == 404
    assert again.json() == {
        "detail": "Expose 'prime' not found",
        "error": "NotFoundException",
        "path": "/expose/prime",
        "status_code": 404,
    }


async def test_a_change_of_something_older_is_a_conflict(counter: Counter) -> None:
    client = counter.client("operator")
    made = (await client.post("/expose", json={"name": "prime", "bootstrap": BOOTSTRAP})).json()
    await client.post("/expose", json={"name": "prime", "display": "Mine"})

    late = {"name": "prime", "display": "Yours", "etag": made["etag"]}
    answer = await client.post("/expose", json=late)

    assert answer.status_code == 409
    assert (await client.get("/expose/prime")).json()["display"] == "Mine"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"name": "../etc"}, "'key': 'name'"),
        ({"name": "lock"}, "is reserved"),
        ({"name": "prime", "bootstrap": "import_path: ["}, "line 1, column"),
        ({"name": "prime", "meta": [{"url": "/prime/../x"}]}, "must be /prime/"),
        ({"name": "prime", "network": "Testnet"}, "must be Preprod or Mainnet"),
        ({"name": "prime", "color": "red"}, "'key': 'color'"),
    ],
)
async def test_what_cannot_be_is_refused_and_nothing_saved(
    counter: Counter, body: dict[str, object], told: str
) -> None:
    client = counter.client("operator")
    answer = await client.post("/expose", json=body)
    assert (answer.status_code, answer.json()["error"]) == (400, "ValidationException")
    assert told in answer.json()["detail"]
    assert (await client.get("/expose")).json() == []


async def test_a_boot_while_another_process_boots_is_told_so(counter: Counter) -> None:
    await counter.book.turn.take("other:1", "Boot")

    answer = await counter.client("operator").post("/boot")

    assert answer.status_code == 409
    assert "in progress already" in answer.json()["detail"]
    status = await counter.client("operator").get("/boot")
    assert (status.json()["running"], status.json()["owner"]) == (True, "other:1")


async def test_a_boot_without_ray_says_why_it_failed(counter: Counter) -> None:
    await counter.sells("prime", "/")
    async with counter.client("operator").stream("POST", "/boot") as answer:
        lines = [line async for line in answer.aiter_lines() if line]
    assert answer.status_code == 201
    assert lines[-1].startswith("✗ Boot failed: Ray's dashboard")

    followed = await counter.client("operator").get("/boot/stream")
    assert followed.text.splitlines() == lines


async def test_a_refresh_of_nothing_is_a_404(counter: Counter) -> None:
    answer = await counter.client("operator").post("/boot/refresh/nothing")
    assert (answer.status_code, answer.json()["detail"]) == (404, "Expose 'nothing' not found")


async def test_nothing_was_booted_yet(counter: Counter) -> None:
    answer = await counter.client("operator").get("/boot/stream")
    assert answer.text == "No boot in progress\n"


async def test_health_without_ray_is_a_502(counter: Counter) -> None:
    await counter.sells("prime", "/")
    answer = await counter.client("operator").post("/expose/prime/health")
    assert answer.status_code == 502


async def test_an_agent_identifier_comes_back_as_it_was_written(counter: Counter) -> None:
    data = f"agentIdentifier: {AGENT}\n"
    meta = [{"url": "/prime/", "data": data}]
    answer = await counter.client("operator").post("/expose", json={"name": "prime", "meta": meta})
    assert answer.json()["meta"][0]["data"] == data
