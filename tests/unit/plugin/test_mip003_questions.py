"""Several questions of one job at once, and the seller's signature under what was answered."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from masumi_sumi.errors import FieldsInvalid, SettingInvalid
from masumi_sumi.hashing import canonical_json, input_hash
from masumi_sumi.jobs.model import Job, JobState, Lock
from masumi_sumi.payments.statements import Statement, file_of, keep
from masumi_sumi.plugin import FlowTerms
from masumi_sumi.sandbox.wallet import Wallet
from masumi_sumi.signing import AgentKey, Taken, check

if TYPE_CHECKING:
    from sold_app import Shop

MakeShop = Callable[..., "Shop"]
IDENTIFIER = "b69a06808228fd00"
SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"


def digest(schema: Any) -> str:
    return hashlib.sha256(canonical_json(schema).encode()).hexdigest()


def with_numbers(schema: Any) -> Any:
    """The schema as the marketplace reads it: min and max as numbers."""
    if isinstance(schema, list):
        return [with_numbers(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    read = {key: with_numbers(value) for key, value in schema.items()}
    if read.get("validation") in ("min", "max"):
        read["value"] = int(read["value"])
    return read


def text_field(name: str, **rules: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "name": name, "label": name.title(), "required": True, **rules}]


async def status(sold: Shop, job: Job) -> dict[str, Any]:
    answer: dict[str, Any] = (await sold.get("/status", job_id=job.id)).json()
    return answer


@pytest.fixture
def sold(shop: MakeShop) -> Shop:
    return shop()


@pytest.fixture
def job(sold: Shop) -> Job:
    return sold.put(state=JobState.RUNNING)


@pytest.fixture
def open_(sold: Shop, job: Job) -> Callable[..., Lock]:
    """``open_("lock-1", "word")``: a question with one field."""

    def ask(lock_id: str, name: str, **rules: Any) -> Lock:
        return sold.ask(job, lock_id, name=lock_id.title(), form=text_field(name, **rules))

    return ask


Open = Callable[..., Lock]


# --- together ----------------------------------------------------------------------------------


HASHES: dict[str, Callable[[dict[str, Any]], Any]] = {
    "as served": lambda schema: schema,
    "with numbers": with_numbers,
}


@pytest.mark.parametrize("form", HASHES.values(), ids=HASHES)
async def test_several_questions_are_answered_by_one_flat_object_and_the_hash_of_all(
    sold: Shop, job: Job, open_: Open, form: Callable[[Any], Any]
):
    open_("lock-1", "size", min_length=1)
    open_("lock-2", "color", max_length=9)
    schema = (await status(sold, job))["input_schema"]
    body = {"job_id": job.id, "input_schema_hash": digest(form(schema))}
    data = {"color": "red", "size": "L"}

    answer = await sold.post("/provide_input", {**body, "input_data": data})

    assert answer.status_code == 200
    assert answer.json()["input_hash"] == input_hash(IDENTIFIER, data)
    assert sold.parts.released == {"lock-1": {"size": "L"}, "lock-2": {"color": "red"}}


async def test_several_questions_are_answered_by_the_id_of_the_state_that_asked(
    sold: Shop, job: Job, open_: Open
):
    open_("lock-1", "size")
    open_("lock-2", "color")
    body = {"job_id": job.id, "status_id": (await status(sold, job))["id"]}

    answer = await sold.post("/provide_input", {**body, "input_data": {"size": "L", "color": "r"}})

    assert answer.status_code == 200
    assert list(sold.parts.released) == ["lock-1", "lock-2"]


async def test_questions_with_fields_of_one_name_get_ids_of_their_own(
    sold: Shop, job: Job, open_: Open
):
    open_("lock-1", "word")
    open_("lock-2", "word")
    schema = (await status(sold, job))["input_schema"]
    first, second = schema["input_groups"]
    data = {first["input_data"][0]["id"]: "one", second["input_data"][0]["id"]: "two"}
    body = {"job_id": job.id, "input_schema_hash": digest(schema), "input_data": data}

    answer = await sold.post("/provide_input", body)

    assert [group["title"] for group in (first, second)] == ["Lock-1", "Lock-2"]
    assert list(data) == ["lock-1:word", "lock-2:word"]
    assert answer.status_code == 200
    assert sold.parts.released == {"lock-1": {"word": "one"}, "lock-2": {"word": "two"}}


@pytest.mark.parametrize("name", ["word", "lock-2:word"])
async def test_one_of_several_is_answered_by_its_id_as_before(
    sold: Shop, job: Job, open_: Open, name: str
):
    open_("lock-1", "word")
    open_("lock-2", "word")
    body = {"job_id": job.id, "status_id": "lock-2", "input_data": {name: "two"}}

    answer = await sold.post("/provide_input", body)

    assert answer.status_code == 200
    assert sold.parts.released == {"lock-2": {"word": "two"}}


REFUSED: list[tuple[dict[str, Any], set[str]]] = [
    ({"lock-1:word": "one"}, {"lock-2:word"}),
    ({"lock-1:word": "one", "lock-2:word": ""}, {"lock-2:word"}),
    ({"lock-1:word": "", "lock-2:word": "toolong"}, {"lock-1:word", "lock-2:word"}),
    ({"lock-1:word": "one", "lock-2:word": "two", "word": "three"}, {"word"}),
]


@pytest.mark.parametrize(("data", "fields"), REFUSED)
async def test_an_answer_that_does_not_fit_one_of_them_releases_none(
    sold: Shop, job: Job, open_: Open, data: dict[str, Any], fields: set[str]
):
    open_("lock-1", "word")
    open_("lock-2", "word", max_length=3)
    before = await status(sold, job)
    body = {"job_id": job.id, "input_schema_hash": digest(before["input_schema"])}

    answer = await sold.post("/provide_input", {**body, "input_data": data})

    assert (answer.status_code, set(answer.json()["errors"])) == (400, fields)
    assert sold.parts.released == {}
    assert await status(sold, job) == before


async def test_a_refusal_by_the_authors_own_code_releases_none(sold: Shop, job: Job, open_: Open):
    open_("lock-1", "word")
    open_("lock-2", "word")
    sold.parts.refusals["lock-2"] = FieldsInvalid({"word": ["is taken"], "_global_": ["no"]})
    body = {"job_id": job.id, "status_id": (await status(sold, job))["id"]}
    data = {"lock-1:word": "one", "lock-2:word": "two"}

    answer = await sold.post("/provide_input", {**body, "input_data": data})

    assert answer.status_code == 400
    assert answer.json()["errors"] == {"lock-2:word": ["is taken"], "_global_": ["no"]}
    assert sold.parts.released == {}


async def test_an_answer_that_comes_again_has_no_second_effect(sold: Shop, job: Job, open_: Open):
    open_("lock-1", "size")
    open_("lock-2", "color")
    before = await status(sold, job)
    body = {"job_id": job.id, "input_schema_hash": digest(before["input_schema"])}
    body = {**body, "input_data": {"size": "L", "color": "red"}}

    first = await sold.post("/provide_input", body)
    second = await sold.post("/provide_input", body)

    assert (first.status_code, second.status_code) == (200, 409)


async def test_who_is_too_late_for_the_first_question_answers_none(
    sold: Shop, job: Job, open_: Open
):
    open_("lock-1", "size")
    open_("lock-2", "color")
    sold.parts.released["lock-1"] = {"size": "somebody was faster"}
    body = {"job_id": job.id, "status_id": (await status(sold, job))["id"]}

    answer = await sold.post("/provide_input", {**body, "input_data": {"size": "L", "color": "r"}})

    assert answer.status_code == 409
    assert list(sold.parts.released) == ["lock-1"]


@pytest.mark.parametrize("named", [{}, {"status_id": "lock-1"}])
async def test_a_hash_of_something_else_is_refused_and_the_questions_stay_open(
    sold: Shop, job: Job, open_: Open, named: dict[str, str]
):
    lock = open_("lock-1", "word")
    alone = (await status(sold, job))["input_schema"]
    other = digest({"input_data": [{**alone["input_data"][0], "id": "other"}]})
    body = {"job_id": job.id, "input_data": {"word": "one"}, **named}

    answer = await sold.post("/provide_input", {**body, "input_schema_hash": other})

    assert (answer.status_code, set(answer.json()["errors"])) == (400, {"input_schema_hash"})
    assert sold.parts.released == {}
    assert (await status(sold, job))["id"] == lock.id


async def test_a_hash_that_two_questions_have_alone_is_none_of_either(
    sold: Shop, job: Job, open_: Open
):
    open_("lock-1", "word")
    alone = digest((await status(sold, job))["input_schema"])
    open_("lock-2", "word")
    body = {"job_id": job.id, "input_data": {"word": "one"}, "input_schema_hash": alone}

    assert (await sold.post("/provide_input", body)).status_code == 400
    assert sold.parts.released == {}


@pytest.mark.parametrize("inner", [False, True])
@pytest.mark.parametrize("form", HASHES.values(), ids=HASHES)
async def test_a_question_alone_is_known_by_every_hash_that_buyers_take(
    sold: Shop, job: Job, open_: Open, form: Callable[[Any], Any], inner: bool
):
    open_("lock-1", "word", min_length=1, max_length=5)
    schema = form((await status(sold, job))["input_schema"])
    body = {
        "job_id": job.id,
        "input_schema_hash": digest(schema["input_data"] if inner else schema),
    }

    assert (await sold.post("/provide_input", {**body, "input_data": "word"})).status_code == 200
    assert sold.parts.released == {"lock-1": {"word": "word"}}


# --- signed ------------------------------------------------------------------------------------


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> AgentKey:
    monkeypatch.setenv("SUMI_AGENT_KEY", SEED)
    found = AgentKey.of(SEED)
    assert found is not None
    return found


@pytest.fixture
def signing(key: AgentKey, shop: MakeShop) -> Shop:
    return shop()


async def test_an_answer_is_signed_by_the_key_that_the_agent_publishes(signing: Shop):
    job = signing.put(state=JobState.RUNNING)
    signing.ask(job, "lock-1")
    published = (await signing.get("/availability")).json()["provideInputKey"]
    body = {"job_id": job.id, "input_data": {"name": "Ada"}}

    answer = (await signing.post("/provide_input", body)).json()

    taken = Taken(job.id, "lock-1", IDENTIFIER, input_hash(IDENTIFIER, {"name": "Ada"}))
    check(answer["signature"], published, taken)


async def test_an_answer_to_all_is_signed_for_the_state_that_asked(signing: Shop, key: AgentKey):
    job = signing.put(state=JobState.RUNNING)
    for lock_id, name in (("lock-1", "size"), ("lock-2", "color")):
        signing.ask(job, lock_id, form=text_field(name))
    state_id = (await signing.get("/status", job_id=job.id)).json()["id"]
    data = {"size": "L", "color": "red"}
    body = {"job_id": job.id, "status_id": state_id, "input_data": data}

    answer = (await signing.post("/provide_input", body)).json()

    taken = Taken(job.id, state_id, IDENTIFIER, input_hash(IDENTIFIER, data))
    check(answer["signature"], key.public_key, taken)


async def test_without_a_key_nothing_is_signed_and_nothing_pretends_to_be(sold: Shop, job: Job):
    sold.ask(job)
    body = {"job_id": job.id, "input_data": {"name": "Ada"}}

    answer = await sold.post("/provide_input", body)

    assert answer.json()["signature"] == ""
    assert "provideInputKey" not in (await sold.get("/availability")).json()


async def test_a_key_that_cannot_be_read_stops_the_app_at_its_start(
    shop: MakeShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SUMI_AGENT_KEY", str(tmp_path / "none.key"))
    sold = shop()

    with pytest.raises(SettingInvalid, match="SUMI_AGENT_KEY"):
        sold.middleware.check()
    answer = await sold.get("/availability")

    assert answer.status_code == 424
    assert "none.key" not in json.dumps(answer.json())


def said_of(public_key: str) -> Statement:
    wallet = Wallet.derive("seed", "seller")
    data = {"publicKey": public_key, "walletVkey": wallet.vkey}
    said = {"action": "VerifyAndPublishAgent", "data": data, "validUntil": 1_790_000_000_000}
    text = json.dumps(said)
    signature, cose_key = wallet.sign(text.encode())
    return Statement(signature=signature, key=cose_key, wallet_address="addr_test1", text=text)


async def test_a_wallets_word_for_the_key_is_published_with_it(
    shop: MakeShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    agent, path = "7e8b" * 30, tmp_path / "agent.key"
    key = AgentKey.make(path)
    word = said_of(key.public_key)
    keep(file_of(path), agent, word)
    monkeypatch.setenv("SUMI_AGENT_KEY", str(path))
    sold = shop({"/sync": FlowTerms(agent_identifier=agent, network="Preprod")})

    told = (await sold.get("/sync/availability")).json()
    free = (await sold.get("/availability")).json()

    assert told["provideInputKey"] == free["provideInputKey"] == key.public_key
    assert Statement.model_validate(told["provideInputStatement"]) == word
    assert "provideInputStatement" not in free


async def test_a_wallets_word_for_an_earlier_key_is_not_published(
    shop: MakeShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    agent, path = "7e8b" * 30, tmp_path / "agent.key"
    AgentKey.make(path)
    keep(file_of(path), agent, said_of("ab" * 32))
    monkeypatch.setenv("SUMI_AGENT_KEY", str(path))
    sold = shop({"*": FlowTerms(agent_identifier=agent, network="Preprod")})

    assert "provideInputStatement" not in (await sold.get("/availability")).json()
