"""What real buyers demand of an agent that they have hired, rule by rule."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from buyer_words import ANSWER, ASKING, NAMINGS, WRONG_ANSWERS, canonical, digest
from encounter import Encounter as Met

STATUSES = {"awaiting_payment", "awaiting_input", "running", "completed", "failed"}


@pytest.fixture(params=ASKING)
def asking(request: pytest.FixtureRequest, encounters: Callable[[str], Met]) -> Met:
    return encounters(request.param)


# --- GET status ----------------------------------------------------------------------------------


def test_a_job_has_a_status_from_the_first_moment(met: Met) -> None:
    assert [answer.status_code for answer in met.seen["at once"]] == [200, 200]


def test_a_paid_job_waits_for_its_payment_and_a_free_one_runs(met: Met) -> None:
    first = "awaiting_payment" if met.ware.priced else "running"
    assert met.seen["at once"][0].json()["status"] == first


@pytest.mark.parametrize("state", ["running", "completed", "failed"])
def test_each_state_has_its_word(met: Met, state: str) -> None:
    assert {answer.json()["status"] for answer in met.seen[state]} == {state}


def test_no_other_words_are_used(met: Met) -> None:
    assert {found["status"] for found in met.statuses()} <= STATUSES


def test_an_unknown_job_is_a_404(met: Met) -> None:
    assert met.other_names["unknown"].status_code == 404
    assert isinstance(met.other_names["unknown"].json()["detail"], str)


def test_a_status_without_a_job_is_a_4xx(met: Met) -> None:
    assert met.other_names["missing"].status_code in (400, 422)


@pytest.mark.parametrize("way", ["in the path", "as jobId"])
def test_another_way_to_ask_tells_of_the_same_job(met: Met, way: str) -> None:
    answer, known = met.other_names[way], met.other_names["as job_id"]
    assert answer.json() == known.json()


def test_a_result_is_text_and_there_when_the_job_is_completed(met: Met) -> None:
    for answer in met.seen["completed"]:
        assert isinstance(answer.json()["result"], str)
        assert answer.json()["result"]


def test_there_is_no_result_before(met: Met) -> None:
    early = [found for found in met.statuses() if found["status"] != "completed"]
    assert early
    assert all(found.get("result") is None for found in early)


def test_the_result_never_changes(met: Met) -> None:
    assert len(met.seen["completed"]) == 4
    assert len({answer.content for answer in met.seen["completed"]}) == 1


def test_a_schema_is_there_when_input_is_awaited_and_only_then(met: Met) -> None:
    for found in met.statuses():
        assert ("input_schema" in found) == (found["status"] == "awaiting_input")
        assert isinstance(found.get("input_schema", {}), dict)


def test_a_state_has_an_id_and_another_state_another(met: Met) -> None:
    found = [each for each in met.statuses() if each["job_id"] == met.job_id]
    assert all(isinstance(each["id"], str) and each["id"] for each in found)
    assert all((a["id"] == b["id"]) == (a["status"] == b["status"]) for a, b in _neighbours(found))


def _neighbours(found: list[dict[str, object]]) -> list[tuple[dict[str, object], ...]]:
    """Two after another, but for two questions, which are two states of one word."""
    asked = "awaiting_input"
    return [(a, b) for a, b in pairwise(found) if not a["status"] == b["status"] == asked]


def test_each_question_has_an_id_of_its_own(asking: Met) -> None:
    ids = [turn.before[0].json()["id"] for turn in asking.turns]
    assert len(set(ids)) == len(ids) == len(NAMINGS)


def test_the_job_is_named(met: Met) -> None:
    known = {met.job_id, met.failing.json()["job_id"]}
    assert {found["job_id"] for found in met.statuses()} == known


def test_what_is_unchanged_is_told_in_the_same_bytes(met: Met) -> None:
    for first, second, *_ in met.seen.values():
        assert first.content == second.content


def test_a_failure_says_why_without_a_trace(met: Met) -> None:
    found = met.seen["failed"][0].json()
    assert found["error"] == found["message"] == "ValueError: the word was fail"


def test_a_job_that_did_not_fail_has_no_error(met: Met) -> None:
    good = [found for found in met.statuses() if found["status"] != "failed"]
    assert not [found for found in good if "error" in found or "message" in found]


def test_the_hash_that_is_told_is_the_one_at_the_node(paid: Met) -> None:
    told = paid.seen["completed"][0].json()["result_hash"]
    assert told in (paid.row["resultHash"], paid.row["NextAction"]["resultHash"])


# --- POST provide_input --------------------------------------------------------------------------


@pytest.mark.parametrize("naming", NAMINGS)
def test_an_answer_is_taken_however_its_question_is_named(asking: Met, naming: str) -> None:
    [turn] = [turn for turn in asking.turns if turn.naming == naming]
    assert turn.answer.status_code == 200, turn.answer.text


def test_the_hashes_that_buyers_take_differ(asking: Met) -> None:
    status = asking.turns[0].before[0].json()
    assert len({canonical(name(status)) for name in NAMINGS.values()}) == len(NAMINGS)


def test_the_hash_of_an_answer_is_over_what_was_sent(asking: Met) -> None:
    ours = digest(asking.identifier, canonical(ANSWER))
    assert {turn.answer.json()["input_hash"] for turn in asking.turns} == {ours}


@pytest.mark.parametrize("why", [*WRONG_ANSWERS, "another hash"])
def test_a_wrong_answer_is_a_400(asking: Met, why: str) -> None:
    assert {turn.refused[why].status_code for turn in asking.turns} == {400}


def test_a_question_stays_open_until_it_is_answered(asking: Met) -> None:
    for turn in asking.turns:
        assert len({answer.content for answer in turn.before}) == 1
        assert turn.before[0].json()["status"] == "awaiting_input"


def test_an_answer_that_is_sent_twice_is_refused_the_second_time(asking: Met) -> None:
    for turn in asking.turns:
        assert 400 <= turn.again.status_code < 500, turn.again.text


def test_there_is_one_question_for_each_answer(asking: Met) -> None:
    numbers = [json.dumps(turn.schema).count(f"Question {n}") for n, turn in _numbered(asking)]
    assert numbers == [2] * len(NAMINGS)  # in the note's name and in its text


def _numbered(asking: Met) -> list[tuple[int, object]]:
    return list(enumerate(asking.turns))


@pytest.mark.parametrize(
    ("to", "status"),
    [
        ("an unknown job", 404),
        ("a job that is over", 409),
        ("no job", 400),
        ("a job in the path", 409),
    ],
)
def test_an_answer_that_nobody_waits_for_is_a_4xx(met: Met, to: str, status: int) -> None:
    assert 400 <= met.late[to].status_code < 500
    assert met.late[to].status_code == status
    assert isinstance(met.late[to].json()["detail"], str)


# --- the result's hash ---------------------------------------------------------------------------


def test_the_nodes_hash_is_over_the_escaped_result(paid: Met) -> None:
    at_node = paid.row["resultHash"] or paid.row["NextAction"]["resultHash"]
    escaped = json.dumps(paid.result, ensure_ascii=False)[1:-1]
    assert re.fullmatch(r"[0-9a-f]{64}", at_node)
    assert at_node == digest(paid.identifier, escaped) != digest(paid.identifier, paid.result)


def test_the_result_is_what_the_author_gave(met: Met) -> None:
    assert met.result == '"something"\n\tback\\slash, ümlaut ✓'
