"""Kodosumi's demonstration notebook, cell by cell in its order, against the whole stack.

Only the payment node's address and token and the import paths of the four apps are others.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from masumi_sumi.cli.stack import Stack
from masumi_sumi.hashing import input_hash, result_hash
from masumi_sumi.settings import SANDBOX_TOKEN, Settings

ROOT = Path(__file__).parents[2]

AGENT = (
    "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77"
    "ee8e013e3f92bbd2aa41065577ac087a0d55ff96430087324c023b021267ca37"
)
APPS = {
    "jkx": "examples.knowledge_graph:fast_app",
    "form-example": "examples.form_elements:fast_app",
    "prime": "examples.prime:fast_app",
    "sumi-test": "examples.two_stage:fast_app",
}
PRIME_BOOTSTRAP = f"""import_path: {APPS["prime"]}
runtime_env:
  env_vars:
    NOTEBOOK: "1"
deployments:
  - name: PrimeDistribution
    num_replicas: 1
    ray_actor_options:
      num_cpus: 0.1
"""
EXPOSE = {
    "bootstrap",
    "created",
    "display",
    "enabled",
    "etag",
    "flow_stats",
    "heartbeat",
    "meta",
    "name",
    "needs_reboot",
    "network",
    "stale",
    "state",
    "updated",
}
JOB = {
    "error",
    "identifier_from_purchaser",
    "input_schema",
    "job_id",
    "result",
    "runtime",
    "started_at",
    "status",
    "updated_at",
}
PATIENCE = 120
MARKS = "▶•→✓✔⚠✗" + chr(0x2139)

Json = dict[str, Any]


@dataclass
class Notebook:
    """The client of the notebook and what one cell leaves for a later one."""

    client: httpx.Client
    node: str
    kept: Json = field(default_factory=dict)

    def lines(self, method: str, url: str, status: int) -> list[str]:
        """A stream of lines, printed as the notebook prints it: without empty ones."""
        with self.client.stream(method, url) as answer:
            assert answer.status_code == status
            found = [line for line in answer.iter_lines() if line]
        assert all(line.strip()[0] in MARKS or "→" in line for line in found), found
        return found

    def save(self, name: str, **more: Any) -> Json:
        body = {"name": name, "bootstrap": f"import_path: {APPS[name]}", **more}
        answer = self.client.post("/expose/", json=body)
        assert answer.status_code == 201, answer.text
        saved: Json = answer.json()
        assert set(saved) == EXPOSE
        return saved

    def start(self, flow: str, **body: Any) -> Json:
        answer = self.client.post(f"/sumi/{flow}/start_job", json=body)
        assert answer.status_code == 201, answer.text
        started: Json = answer.json()
        return started

    def status(self, job_id: str) -> Json:
        answer = self.client.get(f"/sumi/status/{job_id}")
        assert answer.status_code == 200, answer.text
        standing: Json = answer.json()
        assert set(standing) == JOB
        return standing

    def poll(self, job_id: str, *wanted: str) -> Json:
        """Once a second, as in the notebook."""
        for _ in range(PATIENCE):
            standing = self.status(job_id)
            if standing["status"] in wanted:
                return standing
            time.sleep(1)
        raise AssertionError(f"{job_id} is {standing['status']} and not {wanted}")

    def events(self, job_id: str, query: str = "") -> Iterator[tuple[str, Any]]:
        """(kind, payload) of a stream; JSON is read, other payloads are text."""
        with self.client.stream("GET", f"/outputs/stream/{job_id}{query}") as answer:
            assert answer.status_code == 200
            kind = ""
            for line in answer.iter_lines():
                if line.startswith("event:"):
                    kind = line[6:].strip()
                elif line.startswith("data:"):
                    yield kind, _payload(line[5:].strip())

    def payment(self, job_id: str) -> Json:
        """The first payment event, found the way the notebook finds it."""
        for _, said in self.events(job_id):
            if isinstance(said, dict) and "blockchainIdentifier" in said.get("dict", {}):
                facts: Json = said["dict"]
                return facts
        raise AssertionError("no payment event")

    def purchase(self, identifier: str, facts: Json) -> None:
        same = ("payByTime", "submitResultTime", "unlockTime", "externalDisputeUnlockTime")
        more = ("blockchainIdentifier", "agentIdentifier", "inputHash")
        seller = facts["sellerVKey"]  # of the node's wallet, as is its address
        answer = httpx.post(
            f"{self.node}/purchase/",
            headers={"token": SANDBOX_TOKEN},
            json={
                "identifierFromPurchaser": identifier,
                "network": "Preprod",
                "sellerVkey": seller,
                **{name: facts[name] for name in (*same, *more)},
            },
            timeout=30.0,
        )
        assert answer.status_code == 200, answer.text
        bought = answer.json()["data"]
        assert bought["NextAction"]["requestedAction"] == "FundsLockingRequested"
        assert bought["PaidFunds"] == [{"amount": "10000000", "unit": ""}]


def _payload(text: str) -> Any:
    _, colon, message = text.partition(":")
    try:
        return json.loads(message) if colon else text
    except ValueError:
        return message


def _fields(schema: Json) -> dict[str, Json]:
    assert set(schema) == {"input_data", "input_groups"}
    assert schema["input_groups"] is None
    return {each["id"]: each for each in schema["input_data"]}


def is_new_job(started: Json, identifier: str) -> bool:
    nothing = ("error", "input_schema", "result", "runtime")
    return (
        set(started) == JOB
        and started["status"] == "running"
        and started["identifier_from_purchaser"] == identifier
        and all(started[name] is None for name in nothing)
    )


@pytest.fixture(scope="module")
def own_stack(fresh_settings: Callable[[], Settings]) -> Iterator[Stack]:
    """The notebook shuts Ray Serve down: that would take the other tests' apps along. Its login is
    admin/admin, which its operator sets.
    """
    with (
        pytest.MonkeyPatch.context() as patch,
        Stack(_with_login(patch, fresh_settings()), folder=ROOT, sandbox_options=BLOCKS) as stack,
    ):
        yield stack


BLOCKS = ("--block-seconds", "0.5")


def _with_login(patch: pytest.MonkeyPatch, settings: Settings) -> Settings:
    patch.setenv("KODO_ADMIN_PASSWORD", "admin")
    return settings


@pytest.fixture(scope="module")
def notebook(own_stack: Stack) -> Iterator[Notebook]:
    url = own_stack.urls["panel"]
    with httpx.Client(base_url=url, follow_redirects=True, timeout=30.0) as client:
        yield Notebook(client, own_stack.urls["sandbox"])


# --- log in, and an empty start ------------------------------------------------------------------


def test_login(notebook: Notebook) -> None:
    answer = notebook.client.post("/login", data={"name": "admin", "password": "admin"})
    assert answer.status_code == 200


def test_all_exposes_are_deleted(notebook: Notebook) -> None:
    for expose in notebook.client.get("/expose/").json():
        assert notebook.client.delete(f"/expose/{expose['name']}").status_code == 204

    left = notebook.client.get("/expose/")

    assert (left.status_code, left.json()) == (200, [])


def test_shutdown(notebook: Notebook) -> None:
    lines = notebook.lines("DELETE", "/boot/", 200)
    assert lines[0] == "▶ [DEPLOY] Shutting down Ray Serve"
    assert "  serve shutdown → success" in lines
    assert lines[-1] == "✔ Shutdown complete"


# --- exposes --------------------------------------------------------------------------------------


def test_exposes_are_created(notebook: Notebook) -> None:
    for name in ("jkx", "form-example"):
        saved = notebook.save(name)
        assert saved["bootstrap"] == f"import_path: {APPS[name]}"
        assert saved["state"] == "DEAD"
        assert (saved["meta"], saved["network"], saved["display"]) == (None, None, None)
        assert (saved["enabled"], saved["flow_stats"]) == (True, "0/0")
        assert saved["etag"].partition(".")[2]

    assert notebook.save("prime", bootstrap=PRIME_BOOTSTRAP)["bootstrap"] == PRIME_BOOTSTRAP
    notebook.save("sumi-test")

    listed = notebook.client.get("/expose/").json()
    assert [(each["name"], each["state"]) for each in listed] == [
        ("form-example", "DEAD"),
        ("jkx", "DEAD"),
        ("prime", "DEAD"),
        ("sumi-test", "DEAD"),
    ]


@pytest.mark.parametrize(
    ("name", "display", "title", "tags"),
    [
        ("form-example", "Form Elements Demo", "Form Elements Demo", ("demo", "forms")),
        ("jkx", "jKx Demo", "JKX Unwrap Test", ("test", "unwrap")),
    ],
)
def test_exposes_are_updated(
    notebook: Notebook, name: str, display: str, title: str, tags: tuple[str, ...]
) -> None:
    data = f"display: {title}\ndescription: As in the notebook\ntags:\n"
    data += "".join(f"  - {tag}\n" for tag in tags)
    before = notebook.client.get(f"/expose/{name}").json()

    saved = notebook.save(name, display=display, meta=[{"url": f"/{name}/", "data": data}])

    assert saved["display"] == display
    assert saved["created"] == before["created"]
    assert saved["etag"] != before["etag"]
    assert saved["meta"] == [
        {"data": data, "enabled": True, "heartbeat": None, "state": None, "url": f"/{name}/"}
    ]


def test_nothing_is_offered_before_the_boot(notebook: Notebook) -> None:
    answer = notebook.client.get("/sumi")
    assert (answer.status_code, answer.json()["items"]) == (200, [])


def test_boot(notebook: Notebook) -> None:
    lines = notebook.lines("POST", "/boot/", 201)

    assert lines[0].startswith(chr(0x2139) + " Boot started at 20")
    assert "▶ [DEPLOY] Starting Ray Serve deployment" in lines
    assert "  • [serve_config.yaml] Loading global configuration → OK" in lines
    for name in APPS:
        assert f"  • [{name}] Prepared deployment config → route=/{name}" in lines
        assert f"  • [{name}] Status: DEPLOYING" in lines
        assert f"  [{name}] Reached final state → RUNNING" in lines
    assert "  serve deploy command → success" in lines
    assert "✓ Deployment initiated (4 applications)" in lines


def test_flows_are_offered_after_the_boot(notebook: Notebook) -> None:
    base = str(notebook.client.base_url).rstrip("/")

    items = notebook.client.get("/sumi").json()["items"]

    assert [(item["display"], item["api_url"].removeprefix(base)) for item in items] == [
        ("Complete Registration Form", "/sumi/form-example/complete-form"),
        ("Date/Time Input Types Demo", "/sumi/form-example/datetime-inputs"),
        ("Numeric Input Types Demo", "/sumi/form-example/numeric-inputs"),
        ("Selection Input Types Demo", "/sumi/form-example/selection-inputs"),
        ("Special Input Types Demo", "/sumi/form-example/special-inputs"),
        ("Text Input Types Demo", "/sumi/form-example/text-inputs"),
        ("jKx Knowledge Graph", "/sumi/jkx/serve"),
        ("Prime Gap Distribution", "/sumi/prime"),
        ("Prime Gap Distribution (async)", "/sumi/prime/async"),
        ("Masumi Two-Stage Service", "/sumi/sumi-test"),
    ]


# --- text inputs ----------------------------------------------------------------------------------

TEXT = "form-example/text-inputs"


def test_text_inputs_schema(notebook: Notebook) -> None:
    answer = notebook.client.get(f"/sumi/{TEXT}/input_schema")
    fields = _fields(answer.json())
    assert fields["username"] == {
        "data": {"placeholder": "Enter your username (3-20 chars)"},
        "id": "username",
        "name": "Username",
        "type": "text",
        "validations": {"max": "20"},
    }
    assert fields["password"] == {
        "data": {"placeholder": "Min 8 characters"},
        "id": "password",
        "name": "Password",
        "type": "password",
        "validations": {"max": "100", "min": "8"},
    }
    assert fields["email"]["validations"] == {"format": "email"}
    assert fields["email"]["type"] == "email"
    assert fields["website"] == {
        "data": {"placeholder": "https://example.com"},
        "id": "website",
        "name": "Website URL",
        "type": "url",
        "validations": {"format": "url", "optional": True},
    }


def test_a_start_without_identifier_is_a_400(notebook: Notebook) -> None:
    answer = notebook.client.post(f"/sumi/{TEXT}/start_job", json={})
    assert answer.status_code == 400
    assert answer.json() == {
        "detail": "Validation failed for POST /sumi/form-example/text-inputs/start_job: "
        "[{'message': 'Field required', 'key': 'identifier_from_purchaser'}]",
        "error": "ValidationException",
        "path": "/sumi/form-example/text-inputs/start_job",
        "status_code": 400,
    }


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (
            None,
            "username: ['Username is required']; password: ['Password is required']; "
            "email: ['Email is required']; _global_: []",
        ),
        (
            {"username": "DemoUser"},
            "password: ['Password is required']; email: ['Email is required']; _global_: []",
        ),
        (
            {"username": "DemoUser", "password": "secretpass123"},
            "email: ['Email is required']; _global_: []",
        ),
    ],
)
def test_the_authors_validation_fails_the_start(
    notebook: Notebook, data: Json | None, error: str
) -> None:
    body: Json = {"identifier_from_purchaser": "demo-123"}
    body |= {} if data is None else {"input_data": data}
    assert notebook.start(TEXT, **body) == {"error": error, "status": "failed"}


def test_a_good_start_runs_and_has_a_status_at_once(notebook: Notebook) -> None:
    data = {"email": "user@example.com", "username": "DemoUser", "password": "secretpass123"}

    started = notebook.start(TEXT, identifier_from_purchaser="demo-123", input_data=data)
    at_once = notebook.status(started["job_id"])

    assert is_new_job(started, "demo-123")
    assert at_once["job_id"] == started["job_id"]
    notebook.poll(started["job_id"], "completed")


# --- prime ----------------------------------------------------------------------------------------


def test_prime_schema(notebook: Notebook) -> None:
    fields = _fields(notebook.client.get("/sumi/prime/input_schema").json())
    assert list(fields.values()) == [
        {
            "data": {"default": default},
            "id": name.lower(),
            "name": name,
            "type": "text",
            "validations": {"optional": True},
        }
        for name, default in (("Start", "0"), ("End", "10000000"), ("Tasks", "200"))
    ]


def test_prime_without_input_runs_with_the_defaults(notebook: Notebook) -> None:
    started = notebook.start("prime", identifier_from_purchaser="prime-no-input")
    assert is_new_job(started, "prime-no-input")

    ended = notebook.poll(started["job_id"], "completed", "failed")

    assert (ended["status"], ended["error"]) == ("completed", None)
    assert sum(ended["result"]["dict"].values()) > 600_000


def test_prime_with_words_for_numbers_fails(notebook: Notebook) -> None:
    words = {"start": "not-a-number", "end": "also-invalid", "tasks": "abc"}

    started = notebook.start("prime", identifier_from_purchaser="prime-invalid", input_data=words)
    ended = notebook.poll(started["job_id"], "completed", "failed")

    assert is_new_job(started, "prime-invalid")
    assert (ended["status"], ended["result"]) == ("failed", None)
    assert "not-a-number" in ended["error"]


RANGE = {"start": "0", "end": "100000", "tasks": "10"}


def test_prime_counts_the_gaps(notebook: Notebook) -> None:
    started = notebook.start("prime", identifier_from_purchaser="prime-valid", input_data=RANGE)
    ended = notebook.poll(started["job_id"], "completed", "failed")

    gaps = ended["result"]["dict"]
    some = {"1": 1, "2": 1224, "4": 1215, "10": 916, "12": 964, "20": 238, "38": 19}
    assert {gap: gaps[gap] for gap in some} == some
    assert ended["identifier_from_purchaser"] == "prime-valid"
    assert ended["runtime"] == pytest.approx(ended["updated_at"] - ended["started_at"])


def test_the_stream_of_a_job_goes_from_its_start_to_its_end(notebook: Notebook) -> None:
    started = notebook.start("prime", identifier_from_purchaser="prime-valid", input_data=RANGE)

    events = list(notebook.events(started["job_id"], "?extended=true"))

    kinds = [kind for kind, _ in events if kind not in ("alive", "debug", "upload")]
    assert kinds[:4] == ["status", "inputs", "meta", "status"]
    assert kinds[-3:] == ["final", "status", "eof"]
    said = dict(events)
    assert said["inputs"] == {"dict": RANGE}
    assert [value for kind, value in events if kind == "status"] == [
        "starting",
        "running",
        "finished",
    ]
    meta = said["meta"]["dict"]
    assert meta["fid"] == started["job_id"]
    assert meta["summary"] == "Prime Gap Distribution"
    assert meta["extra"]["identifier_from_purchaser"] == "prime-valid"
    digest = "5bc06e91746525903d5f5d0d9d3e0cc873df900aa033f096b68a34e08e916269"
    assert meta["extra"]["input_hash"] == digest
    assert notebook.status(started["job_id"])["status"] == "completed"


# --- a sale ---------------------------------------------------------------------------------------


def card(title: str, *tags: str) -> str:
    words = "".join(f"  - {tag}\n" for tag in tags)
    about = f"display: {title}\ndescription: Sold in the notebook\n"
    return f"{about}agentIdentifier: {AGENT}\ntags:\n{words}"


def test_text_inputs_are_put_up_for_sale(notebook: Notebook) -> None:
    data = card("Text Input Types Demo", "demo", "forms", "payment")

    saved = notebook.save(
        "form-example",
        display="Form Elements Demo",
        network="Preprod",
        meta=[{"url": "/form-example/text-inputs", "data": data}],
    )

    assert (saved["network"], saved["state"]) == ("Preprod", "RUNNING")
    assert [each["url"] for each in saved["meta"]] == ["/form-example/text-inputs"]


def test_form_example_is_refreshed(notebook: Notebook) -> None:
    lines = notebook.lines("POST", "/boot/refresh/form-example", 200)
    assert lines[0].startswith(chr(0x2139) + " Refreshing expose 'form-example' at 20")
    assert lines[-1].startswith("✔ ")
    saved = notebook.client.get("/expose/form-example").json()
    cards = {each["url"]: each["data"] for each in saved["meta"]}
    assert len(cards) == 6
    assert AGENT in cards["/form-example/text-inputs"]


def test_availability(notebook: Notebook) -> None:
    answer = notebook.client.get(f"/sumi/{TEXT}/availability")
    assert answer.json() == {
        "message": "Text Input Types Demo is ready to accept jobs",
        "status": "available",
        "type": "masumi-agent",
    }


def test_a_sold_job_waits_for_its_payment_and_then_runs(notebook: Notebook) -> None:
    identifier = secrets.token_hex(13)
    data = {"email": "user@example.com", "username": "PaymentUser", "password": "secretpass123"}

    started = notebook.start(TEXT, identifier_from_purchaser=identifier, input_data=data)
    waiting = notebook.poll(started["job_id"], "awaiting_payment")
    facts = notebook.payment(started["job_id"])

    assert is_new_job(started, identifier)
    assert (waiting["error"], waiting["result"], waiting["input_schema"]) == (None, None, None)
    assert facts["agentIdentifier"] == AGENT
    assert facts["inputHash"] == input_hash(identifier, data)
    notebook.purchase(identifier, facts)
    ended = notebook.poll(started["job_id"], "completed", "failed")
    assert (ended["status"], ended["result"]) == ("completed", {"dict": {"ok": True}})


# --- a sale with a question -----------------------------------------------------------------------


def test_the_two_stage_service_is_put_up_for_sale(notebook: Notebook) -> None:
    data = card("Two-Stage HITL Demo", "masumi", "hitl", "payment", "two-stage")
    saved = notebook.save(
        "sumi-test",
        display="Masumi Two-Stage Service",
        network="Preprod",
        meta=[{"url": "/sumi-test/", "data": data}],
    )
    assert [each["url"] for each in saved["meta"]] == ["/sumi-test/"]

    lines = notebook.lines("POST", "/boot/refresh/sumi-test", 200)

    assert lines[-1].startswith("✔ ")
    answer = notebook.client.get("/sumi/sumi-test/availability")
    assert answer.json() == {
        "message": "Two-Stage HITL Demo is ready to accept jobs",
        "status": "available",
        "type": "masumi-agent",
    }


def test_two_stage_schema(notebook: Notebook) -> None:
    fields = _fields(notebook.client.get("/sumi/sumi-test/input_schema").json())
    tomorrow = (datetime.now(UTC).date() + timedelta(days=1)).isoformat()
    assert list(fields.values()) == [
        {
            "data": {"placeholder": "Enter your name"},
            "id": "name",
            "name": "Name",
            "type": "text",
            "validations": {"optional": True},
        },
        {
            "data": None,
            "id": "date",
            "name": "Date",
            "type": "date",
            "validations": {"min": tomorrow},
        },
    ]


def test_the_two_stage_service_is_hired_and_paid(notebook: Notebook) -> None:
    identifier = secrets.token_hex(13)
    day = (datetime.now(UTC).date() + timedelta(days=7)).isoformat()
    data = {"name": "HITL Test User", "date": day}

    started = notebook.start("sumi-test", identifier_from_purchaser=identifier, input_data=data)
    notebook.poll(started["job_id"], "awaiting_payment")
    facts = notebook.payment(started["job_id"])
    notebook.purchase(identifier, facts)

    notebook.kept |= {"job": started["job_id"], "identifier": identifier}


GREETING = {
    "data": {"placeholder": "Say hello..."},
    "id": "greeting",
    "name": "Your Greeting",
    "type": "text",
    "validations": None,
}


def test_it_asks_its_buyer(notebook: Notebook) -> None:
    job_id = notebook.kept["job"]

    standing = notebook.poll(job_id, "awaiting_input", "failed")
    (asked,) = standing["input_schema"]
    lock = notebook.client.get(f"/sumi/lock/{job_id}/{asked['lock_id']}")

    assert asked == {
        "expires_at": asked["expires_at"],
        "input_data": [GREETING],
        "input_groups": None,
        "lock_id": asked["lock_id"],
    }
    assert asked["expires_at"] > time.time()
    assert lock.status_code == 200
    assert lock.json() == {
        "expires_at": asked["expires_at"],
        "input_schema": {"input_data": [GREETING], "input_groups": None},
        "job_id": job_id,
        "prompt": "greeting-lock",
        "status": "pending",
        "status_id": asked["lock_id"],
    }
    notebook.kept["lock"] = asked["lock_id"]


def test_it_is_answered(notebook: Notebook) -> None:
    job_id, lock_id = notebook.kept["job"], notebook.kept["lock"]
    data = {"greeting": "Hello from HITL Demo!"}

    answer = notebook.client.post(f"/sumi/lock/{job_id}/{lock_id}", json={"input_data": data})

    assert answer.status_code == 201
    digest = input_hash(f"{job_id}:{lock_id}", data)
    assert answer.json() == {"input_hash": digest, "status": "success"}


def test_it_says_goodbye(notebook: Notebook) -> None:
    ended = notebook.poll(notebook.kept["job"], "completed", "failed")
    words = "You say Hello from HITL Demo!, I say **goodbye**."
    assert ended["result"] == {"Markdown": {"body": words}}
    notebook.kept["result"] = words


def test_its_payment_is_finalized(notebook: Notebook) -> None:
    """The last steps of the payment are in the stream, with the hash that MIP-004 asks for."""
    dicts = [said["dict"] for _, said in notebook.events(notebook.kept["job"]) if _is_dict(said)]

    final = [said for said in dicts if said.get("step") == "final_result"]

    digest = result_hash(notebook.kept["identifier"], notebook.kept["result"])
    assert final == [{"resultHash": digest, "step": "final_result"}]


def _is_dict(said: Any) -> bool:
    return isinstance(said, dict) and isinstance(said.get("dict"), dict)
