"""What goes in comes out."""

from __future__ import annotations

import sqlite3
from dataclasses import fields, replace
from typing import Any, get_type_hints
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import LAUNCH, a_job, a_payment

from masumi_sumi.clock import ManualClock
from masumi_sumi.db import database_url, sqlite_file
from masumi_sumi.errors import UnknownJob
from masumi_sumi.jobs.model import (
    Amount,
    Job,
    JobState,
    Launch,
    Payment,
    PaymentFacts,
    PaymentView,
    Terms,
    Times,
)
from masumi_sumi.jobs.store import SqlJobStore

any_text = st.text(st.characters(exclude_categories=()), max_size=40)  # NUL, lone surrogates too
numbers = st.floats(allow_nan=False)
hexes = st.text("0123456789abcdef", min_size=1, max_size=1300)
networks = st.sampled_from(["Preprod", "Mainnet"])
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | numbers | any_text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(any_text, inner, max_size=3),
    max_leaves=8,
)


def whole[Value](kind: type[Value], **special: Any) -> st.SearchStrategy[Value]:
    """Every member of the value, those that it will gain included."""
    hints = get_type_hints(kind)
    members = {member.name: _of(hints[member.name]) for member in fields(kind)}  # type: ignore[arg-type]
    return st.builds(kind, **members | special)


def _of(hint: Any) -> st.SearchStrategy[Any]:
    known: dict[Any, st.SearchStrategy[Any]] = {
        str: any_text,
        float: numbers,
        str | None: st.none() | any_text,
        float | None: st.none() | numbers,
    }
    return known[hint] if hint in known else st.from_type(hint)


amounts = st.lists(whole(Amount), max_size=2).map(tuple)
terms = whole(Terms, network=networks, price=amounts)
facts = whole(PaymentFacts, blockchain_identifier=hexes, times=whole(Times), price=amounts)
payments = whole(
    Payment,
    network=networks,
    sent_hash=hexes,
    facts=st.none() | facts,
    view=st.none() | whole(PaymentView),
)
jobs = whole(
    Job,
    id=st.builds(lambda: uuid4().hex),
    terms=terms,
    payment=st.none() | payments,
    state=st.sampled_from([state for state in JobState if not state.ended]),
    version=st.just(0),
)
launches = st.builds(
    Launch, st.binary(), *(st.dictionaries(any_text, json_values, max_size=2),) * 2
)
on_one_database = settings(  # the ids differ, so the examples may share a database
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@on_one_database
@given(job=jobs, launch=launches)
async def test_a_job_comes_back_equal(store: SqlJobStore, job: Job, launch: Launch) -> None:
    job = _with_its_own_identifier(job)

    assert await store.add(job, launch)

    assert await store.job(job.id) == job
    assert await store.launch(job.id) == launch


@on_one_database
@given(before=jobs, after=jobs)
async def test_every_change_is_saved(store: SqlJobStore, before: Job, after: Job) -> None:
    before = before.with_(payment=None, result=None)
    after = _with_its_own_identifier(after).with_(id=before.id)
    await store.add(before, LAUNCH)

    assert await store.save(before, after)

    assert await store.job(before.id) == after.with_(version=1)


@pytest.mark.parametrize(
    "data", [None, False, 0, "", [], {}, 2**64, 10**400, 1e308, 0.1 + 0.2, -0.0, "\x00\ud800🎉"]
)
async def test_json_is_kept_exactly(store: SqlJobStore, data: Any) -> None:
    job = a_job()
    await store.add(job, Launch(b"", meta={"data": data}))

    kept = await store.launch_meta(job.id)

    assert repr(kept) == repr({"data": data})


async def test_an_unknown_job_is_none_and_has_no_launch(store: SqlJobStore) -> None:
    assert await store.job("nobody") is None
    with pytest.raises(UnknownJob):
        await store.launch("nobody")


async def test_a_member_written_by_a_newer_version_is_passed_over(sqlite_url: str) -> None:
    async with await SqlJobStore.open(sqlite_url, ManualClock()) as store:
        job = a_job(payment=a_payment())
        await store.add(job, LAUNCH)
        file = sqlite_file(database_url(sqlite_url))
        assert file is not None
        with sqlite3.connect(file) as raw:
            raw.execute("UPDATE jobs SET body = json_set(body, '$.new', 1, '$.payment.new', 2)")
        raw.close()

        assert await store.job(job.id) == job


async def test_a_job_with_its_launch_takes_less_than_ten_kilobytes(sqlite_url: str) -> None:
    file = sqlite_file(database_url(sqlite_url))
    assert file is not None
    async with await SqlJobStore.open(sqlite_url, ManualClock()) as store:
        for _ in range(100):
            await store.add(a_job(payment=a_payment(), result="r" * 1000), LAUNCH)
    assert file.stat().st_size / 100 < 10_000


def _with_its_own_identifier(job: Job) -> Job:
    if job.payment is None or job.payment.facts is None:
        return job
    own = uuid4().hex + job.payment.facts.blockchain_identifier
    named = replace(job.payment.facts, blockchain_identifier=own)
    return job.with_(payment=replace(job.payment, facts=named))
