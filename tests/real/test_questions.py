"""A running job asks its buyer, who answers: here, in the panel, twice, wrongly, or never."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from buyer_words import NAMINGS, canonical, digest
from desk import Desk
from shop import Hired, Panel, Shop, until
from signature import Signature


def ask(shop: Shop, desk: Desk, how: str = "one", word: str = "it") -> Hired:
    return shop.hire("/ask", desk=str(desk.folder), word=word, how=how)


@pytest.fixture
def asked(shop: Shop, desk: Desk) -> Hired:
    """A job with an open question."""
    job = ask(shop, desk, word="the sky")
    shop.wait(job, "awaiting_input")
    return job


def test_a_question_is_shown_as_a_schema_and_its_answer_goes_on(shop: Shop, asked: Hired) -> None:
    status = shop.status(asked)
    [intro, field] = status["input_schema"]["input_data"]
    assert "the sky" in str(intro)
    assert (field["id"], field["name"], field["type"]) == ("color", "Colour", "text")
    assert shop.status(asked) == status

    answer = shop.provide(asked, {"color": "blue"}, status_id=status["id"])

    assert answer.status_code == 200
    assert len(answer.json()["input_hash"]) == 64
    assert shop.result(asked) == "the sky is blue"
    again = shop.provide(asked, {"color": "green"}, status_id=status["id"])
    assert again.status_code == 409
    assert shop.result(asked) == "the sky is blue"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ({}, "color"),
        ({"color": ["blue"]}, "color"),
        ({"colour": "blue"}, "colour"),
        (5, "input_data"),
        ({"color": "loud"}, "is no colour"),
    ],
    ids=["nothing", "wrong type", "unknown field", "no object", "the author's InputsError"],
)
def test_a_wrong_answer_is_refused_and_the_question_stays_open(
    shop: Shop, open_question: Hired, data: Any, reason: str
) -> None:
    before = shop.status(open_question)

    refused = shop.provide(open_question, data)

    assert refused.status_code == 400
    assert reason in refused.text
    assert shop.status(open_question) == before


@pytest.fixture(scope="module")
def open_question(shop: Shop, new_desk: Any) -> Any:
    """One question for all wrong answers; at the end a right one shows that it was open still."""
    job = ask(shop, new_desk(), word="grass")
    shop.wait(job, "awaiting_input")
    yield job
    assert shop.provide(job, {"color": "green"}).status_code == 200
    assert shop.result(job) == "grass is green"


def test_an_unknown_question_is_not_found(shop: Shop, open_question: Hired) -> None:
    refused = shop.provide(open_question, {"color": "red"}, status_id="0" * 32)
    assert refused.status_code == 404


def test_of_many_answers_at_once_exactly_one_counts(shop: Shop, asked: Hired) -> None:
    colors = ["red", "green", "blue", "gold"]
    with ThreadPoolExecutor(len(colors)) as pool:
        answers = list(pool.map(lambda each: shop.provide(asked, {"color": each}), colors))

    codes = [answer.status_code for answer in answers]

    assert sorted(codes) == [200, 409, 409, 409]
    assert shop.result(asked) == f"the sky is {colors[codes.index(200)]}"


def test_two_questions_are_open_side_by_side(shop: Shop, desk: Desk) -> None:
    job = ask(shop, desk, "two")
    groups = two_open(shop, job)["input_schema"]["input_groups"]
    locks = {group["title"]: group["id"] for group in groups}

    unnamed = shop.provide(job, {"color": "blue"})
    assert unnamed.status_code == 400
    alone = shop.provide(job, {"size": 7}, status_id=locks["size"])
    assert alone.status_code == 200
    assert signed(shop, alone)["status_id"] == locks["size"]
    left = shop.status(job)
    assert (left["status"], left["id"]) == ("awaiting_input", locks["color"])
    assert shop.provide_in_path(job, {"color": "blue"}).status_code == 200

    assert shop.result(job) == "blue and 7"
    assert shop.provide_in_path(job, {"color": "red"}).status_code == 409


def two_open(shop: Shop, job: Hired) -> dict[str, Any]:
    """The status once both are asked."""

    def both() -> dict[str, Any] | None:
        status = shop.status(job)
        return status if "input_groups" in status.get("input_schema", {}) else None

    return until(both, "two questions are open") or {}


def signed(shop: Shop, answer: httpx.Response) -> dict[str, str]:
    """What the agent signed when it took an answer."""
    signature = Signature.read(answer.json()["signature"])
    available = shop.http.get(f"{shop.url}/ask/availability").json()
    signature.verify(available["provideInputKey"])
    return signature.said


BOTH = {"color": "blue", "size": 7}
TOGETHER = {name: NAMINGS[name] for name in ("the schema's hash", "the status id")}


@pytest.fixture(scope="module")
def twins(shop: Shop, new_desk: Callable[[], Desk]) -> dict[str, Hired]:
    """Jobs with two open questions, side by side."""
    return {naming: ask(shop, new_desk(), "two") for naming in TOGETHER}


@pytest.mark.parametrize("naming", TOGETHER)
def test_one_flat_answer_is_for_all_that_is_asked(
    shop: Shop, twins: dict[str, Hired], naming: str
) -> None:
    job = twins[naming]
    status = two_open(shop, job)
    named = TOGETHER[naming](status)

    refused = [
        shop.provide(job, wrong, **named)
        for wrong in ({**BOTH, "color": "loud"}, {"color": "blue"}, {**BOTH, "width": 1})
    ]
    assert [answer.status_code for answer in refused] == [400] * 3
    assert [list(answer.json()["errors"]) for answer in refused] == [["color"], ["size"], ["width"]]
    assert shop.status(job) == status
    answer = shop.provide(job, BOTH, **named)

    assert answer.status_code == 200, answer.text
    assert answer.json()["input_hash"] == digest(job.identifier, canonical(BOTH))
    assert signed(shop, answer)["status_id"] == status["id"]
    assert shop.result(job) == "blue and 7"
    gone = 404 if "status_id" in named else 409  # a state's id ends with it
    assert shop.provide(job, BOTH, **named).status_code == gone


def test_a_question_that_nobody_answers_ends_in_the_authors_hands(
    shop: Shop, new_desk: Any
) -> None:
    caught = ask(shop, new_desk(), "briefly", word="catch")
    raised = ask(shop, new_desk(), "briefly", word="raise")

    assert shop.result(caught) == "nobody answered"
    assert shop.failure(raised).startswith("TimeoutError: Lock ")
    assert shop.provide(caught, {"color": "late"}).status_code == 409


def test_the_panel_answers_the_same_question(shop: Shop, panel: Panel, asked: Hired) -> None:
    lock = shop.status(asked)["id"]
    until(lambda: panel.status(asked.id)["status"] == "awaiting", "the panel shows the question")
    assert panel.timeline()[asked.id]["locks"] == [lock]

    refused = panel.http.post(f"/lock/{asked.id}/{lock}", json={"color": "loud"})
    assert refused.json()["errors"]["color"] == ["is no colour"]
    assert shop.status(asked)["status"] == "awaiting_input"
    accepted = panel.http.post(f"/lock/{asked.id}/{lock}", json={"color": "grey"})

    assert accepted.json()["result"] == {"color": "grey"}
    assert shop.result(asked) == "the sky is grey"
    assert shop.provide(asked, {"color": "blue"}, status_id=lock).status_code == 409


def test_lock_and_lease_are_told_as_events(shop: Shop, asked: Hired) -> None:
    lock = shop.status(asked)["id"]
    shop.provide(asked, {"color": "blue"})
    shop.result(asked)
    until(lambda: shop.statuses(asked.id)[-1] == "finished", "the last event is there")

    opened, closed = shop.kinds(asked.id, "lock", "lease")

    assert (opened.kind, opened.value["lid"], opened.value["name"]) == ("lock", lock, "color")
    assert (closed.kind, closed.value["lid"]) == ("lease", lock)
    assert closed.value["result"] == {"color": "blue"}
