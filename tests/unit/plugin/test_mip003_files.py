"""Files of a sale: what the author's handler is told, and what the runner is told to fetch."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from fastapi import Request

from masumi_sumi.flows import Attachment

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
    from ray import cloudpickle

    made, told = shop

    answer = await start(made, doc=PDF, more=[PDF, "https://files.test/a.csv"])

    assert answer.status_code == 200, answer.text
    assert told == [{"doc": {"report.pdf"}, "more": {"report (2).pdf", "a.csv"}}]
    spec = cloudpickle.loads(made.desk.launches[answer.json()["job_id"]].spec)
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


async def test_a_question_takes_no_files(shop: tuple[Any, list[Any]]) -> None:
    from masumi_sumi.jobs.model import JobState

    made, _ = shop
    job = made.put(state=JobState.RUNNING)
    made.ask(job, form=[{"type": "file", "name": "doc", "label": "Doc"}])

    answer = await made.post("/provide_input", {"job_id": job.id, "input_data": {"doc": PDF}})

    assert answer.status_code == 400
    assert answer.json()["errors"] == {"doc": ["files can be sent at the start only"]}
    assert not made.parts.released
