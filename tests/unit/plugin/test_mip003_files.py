"""Files of a sale: what the author's handler is told, and what the runner is told to fetch."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from fastapi import Request

from masumi_sumi.flows import Attachment
from masumi_sumi.jobs.model import JobState

PDF = "https://files.test/report.pdf?token=1"


@pytest.fixture
def shop(
    shop: Callable[..., Any], sold_app: ModuleType, online: Callable[[Any], Any]
) -> tuple[Any, list[Any]]:
    """A sold app with a form of files, and what its handler was given."""
    from kodosumi.core import Launch, ServeAPI
    from kodosumi.core import forms as F

    app, told = ServeAPI(), []
    fields = F.InputFiles("doc", "Document", required=True), F.InputFiles("more", multiple=True)

    @app.enter("/", model=F.Model(*fields, F.Submit("Go")))
    async def start(inputs: dict[str, Any], request: Request) -> Any:
        told.append(inputs)
        return Launch(request, sold_app.work, inputs=inputs)

    return online(shop(api=app)), told


async def start(shop: Any, **data: Any) -> Any:
    return await shop.post("/start_job", {"input_data": data})


async def test_the_handler_gets_names_as_of_uploads_and_the_runner_gets_the_urls(
    shop: tuple[Any, list[Any]],
) -> None:
    from masumi_sumi.runtime.spec import unpack

    made, told = shop

    answer = await start(made, doc=PDF, more=[PDF, "https://files.test/a.csv"])

    assert answer.status_code == 200, answer.text
    assert told == [{"doc": {"report.pdf"}, "more": {"report (2).pdf", "a.csv"}}]
    spec = unpack(made.desk.launches[answer.json()["job_id"]].spec)
    assert spec["files"] == (
        Attachment("doc", "report.pdf", PDF),
        Attachment("more", "report (2).pdf", PDF),
        Attachment("more", "a.csv", "https://files.test/a.csv"),
    )


async def test_no_file_is_none_to_the_handler(shop: tuple[Any, list[Any]]) -> None:
    made, told = shop

    await start(made, doc=PDF)

    assert told == [{"doc": {"report.pdf"}, "more": None}]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("https://gone.test/a.pdf", "its host is not known"),
        ("https://inner.test/a.pdf", "its host is not on the public internet"),
        ("ftp://files.test/a.pdf", "must be a URL of a file (http or https)"),
    ],
)
async def test_a_url_that_leads_nowhere_is_refused_before_the_handler_is_called(
    shop: tuple[Any, list[Any]], url: str, reason: str
) -> None:
    made, told = shop

    answer = await start(made, doc=url)

    assert answer.status_code == 400
    assert answer.json()["errors"] == {"doc": [reason]}
    assert not told
    assert not made.desk.jobs


# --- in questions, which no file reaches -------------------------------------------------------


FILE = {"type": "file", "name": "doc", "label": "Doc"}
WORD = {"type": "text", "name": "word", "label": "Word", "required": True}


async def test_a_question_does_not_ask_for_a_file_that_may_be_left_out(
    shop: tuple[Any, list[Any]],
) -> None:
    made, _ = shop
    job = made.put(state=JobState.RUNNING)
    made.ask(job, form=[WORD, FILE])

    status = (await made.get("/status", job_id=job.id)).json()
    refused = await answer(made, job, word="it", doc=PDF)
    taken = await answer(made, job, word="it")

    assert [field["id"] for field in status["input_schema"]["input_data"]] == ["word"]
    assert (refused.status_code, refused.json()["errors"]) == (400, {"doc": ["unknown field"]})
    assert taken.status_code == 200
    assert made.parts.released == {"lock-1": {"word": "it", "doc": ""}}


async def test_a_file_that_is_not_asked_for_takes_no_others_name(
    shop: tuple[Any, list[Any]],
) -> None:
    made, _ = shop
    job = made.put(state=JobState.RUNNING)
    made.ask(job, "lock-1", form=[WORD, FILE])
    made.ask(job, "lock-2", form=[{**WORD, "name": "doc"}])

    status = (await made.get("/status", job_id=job.id)).json()
    taken = await answer(made, job, {"status_id": status["id"]}, word="it", doc="that")

    groups = status["input_schema"]["input_groups"]
    assert [field["id"] for group in groups for field in group["input_data"]] == ["word", "doc"]
    assert taken.status_code == 200
    assert made.parts.released == {"lock-1": {"word": "it", "doc": ""}, "lock-2": {"doc": "that"}}


async def test_a_question_that_requires_a_file_is_no_question_and_its_author_is_told_once(
    shop: tuple[Any, list[Any]], caplog: pytest.LogCaptureFixture
) -> None:
    made, _ = shop
    job = made.put(state=JobState.RUNNING)
    made.ask(job, form=None)
    made.parts.lock_forms["lock-1"] = [WORD, {**FILE, "required": True}]

    seen = [(await made.get("/status", job_id=job.id)).json() for _ in range(2)]
    refused = await answer(made, job, word="it")

    assert [status["status"] for status in seen] == ["running", "running"]
    assert "input_schema" not in seen[0]
    assert refused.status_code == 409
    [told] = [each for each in caplog.records if each.levelname == "ERROR"]
    assert told.job_id == job.id  # type: ignore[attr-defined]
    assert "'greeting' requires doc" in told.note  # type: ignore[attr-defined]
    assert made.parts.released == {}


async def answer(made: Any, job: Any, named: Any = None, **data: Any) -> Any:
    body = {"job_id": job.id, "input_data": data, **(named or {})}
    return await made.post("/provide_input", body)
