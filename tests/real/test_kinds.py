"""Every kind of handler, code, input and result that Kodosumi runs, sold side by side."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from desk import Desk
from shop import Hired, Shop, until

NO_RESULT = "The job completed without a result."

RESULTS = {
    "markdown": "# Title",
    "html": "<b>bold</b>",
    "text": "plain\ntext",
    "str": 'a "word"',
    "dict": '{"a":["x",null],"b":1}',
    "list": "one\n\ntwo",
    "none": NO_RESULT,
}

CODE = {
    "/task": '**word** is "done"',
    "/named": '**word** is "done"',
    "/blocking": "word, from a thread",
    "/order": '{"times":2,"word":"wordword"}',
    "/crew": "crew rhymes word",
    "/crew-class": "crew class rhymes word",
}
FAILURES = {"exit": "SystemExit: 3", "cancel": "CancelledError: given up"}
AT_A_DESK = ("/task", "/named", "/blocking")


@pytest.fixture(scope="module")
def hired(shop: Shop, new_desk: Callable[[], Desk]) -> dict[str, Hired]:
    """A job of every flow, and of every type of result."""
    jobs = {kind: shop.hire("/results", kind=kind) for kind in RESULTS}
    for flow in CODE:
        at = {"desk": str(new_desk().folder)} if flow in AT_A_DESK else {}
        jobs[flow] = shop.hire(flow, word="word", **at)
    for word in FAILURES:
        jobs[word] = shop.hire("/task", word=word, desk=str(new_desk().folder))
    return jobs


@pytest.mark.parametrize("kind", RESULTS)
def test_the_buyer_gets_the_text_of_a_result(
    shop: Shop, hired: dict[str, Hired], kind: str
) -> None:
    assert shop.result(hired[kind]) == RESULTS[kind]


@pytest.mark.parametrize("flow", CODE)
def test_the_code_runs_whatever_it_is(shop: Shop, hired: dict[str, Hired], flow: str) -> None:
    assert shop.result(hired[flow]) == CODE[flow]


@pytest.mark.parametrize("word", FAILURES)
def test_code_that_leaves_by_another_door_fails_too(
    shop: Shop, hired: dict[str, Hired], word: str
) -> None:
    assert shop.failure(hired[word]) == FAILURES[word]


def test_a_crew_is_introduced_by_its_agents_and_tasks(shop: Shop, hired: dict[str, Hired]) -> None:
    job = hired["/crew"]
    until(lambda: shop.statuses(job.id)[-1] == "finished", "the last event is there")

    told = [next(iter(event.value)) for event in shop.kinds(job.id, "agent")]

    assert told == ["agent", "task"]
    assert shop.kinds(job.id, "final")[0].message == '{"CrewOutput":{"raw":"crew rhymes word"}}'


def test_blocking_code_traces_while_it_runs(shop: Shop, hired: dict[str, Hired]) -> None:
    job = hired["/blocking"]
    until(lambda: shop.statuses(job.id)[-1] == "finished", "the last event is there")

    assert shop.kinds(job.id, "result")[0].value == {"body": "at work, blocking"}


def test_pydantic_inputs_are_shown_by_their_model(shop: Shop, hired: dict[str, Hired]) -> None:
    [inputs] = shop.kinds(hired["/order"].id, "inputs")
    assert inputs.message == '{"Order":{"word":"word","times":2}}'
