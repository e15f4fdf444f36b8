"""A stranger starts jobs and never pays: what the seller keeps of them is small and kept once."""

from __future__ import annotations

import secrets
import sqlite3
from contextlib import closing
from typing import Any

from desk import Desk
from shop import Hired, Panel, Shop, until

JOBS = 4
INPUT = 60_000
"""Characters of hexadecimal digits: they compress to half of their size."""


def test_unpaid_jobs_leave_their_input_once_and_no_execution(shop: Shop, desk: Desk) -> None:
    jobs = [
        shop.hire("/sale", desk=str(desk.folder), word=secrets.token_hex(INPUT // 2))
        for _ in range(JOBS)
    ]

    specs = _column(shop, jobs, "SELECT LENGTH(spec) FROM launches WHERE job_id = ?")
    bodies = _column(shop, jobs, "SELECT LENGTH(body) FROM jobs WHERE id = ?")

    assert max(specs) < 0.7 * INPUT
    assert max(bodies) < 8_000
    executions = shop.stack.settings.data_dir / "execution"
    assert not [found for job in jobs for found in executions.glob(f"*/{job.id}")]
    assert desk.begun == []


def test_launch_of_a_job_that_nobody_paid_for_goes_when_the_job_ends(
    shop: Shop, panel: Panel, desk: Desk
) -> None:
    job = shop.hire("/sale", desk=str(desk.folder), word="x")

    assert panel.http.delete(f"/outputs/{job.id}").status_code == 204

    shop.failure(job)
    left = "SELECT COUNT(*) FROM launches WHERE job_id = ?"
    until(lambda: _column(shop, [job], left) == [0], "its launch is deleted")


def _column(shop: Shop, jobs: list[Hired], query: str) -> list[Any]:
    file = shop.stack.settings.data_dir / "sumi.db"
    with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=10.0)) as store:
        return [store.execute(query, (job.id,)).fetchone()[0] for job in jobs]
