"""Jobs, launches and locks as rows, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from hashlib import sha256
from typing import Any

from sqlalchemy import Row

from masumi_sumi.jobs.deadlines import result_due
from masumi_sumi.jobs.model import (
    UNPAID,
    Amount,
    Job,
    JobState,
    Launch,
    Lock,
    LockOutcome,
    Payment,
    PaymentFacts,
    PaymentState,
    PaymentView,
    Terms,
    Times,
)

_OWN_COLUMNS = frozenset({"id", "state", "version", "result", "final"})


def job_values(job: Job) -> dict[str, Any]:
    """All columns but those that the store keeps itself: version, entered_at and look_at."""
    return {
        "id": job.id,
        "state": job.state.value,
        "result": job.result,
        "final": job.final,
        "app_url": job.app_url,
        "due_at": result_due(job),
        "body": _body(job),
        **_payment_values(job.payment, job.terms),
        **_unpaid_values(job),
    }


def unpaid_flow(job: Job) -> str:
    """What stands for the flow of one app, of whatever length."""
    return sha256(f"{job.app_url}{job.flow}".encode("utf-8", "surrogatepass")).hexdigest()


def _unpaid_values(job: Job) -> dict[str, Any]:
    if job.payment is None or job.state not in UNPAID:
        return {"unpaid_flow": None, "unpaid_caller": None}
    return {"unpaid_flow": unpaid_flow(job), "unpaid_caller": digest(job.caller)}


def _payment_values(payment: Payment | None, terms: Terms) -> dict[str, Any]:
    if payment is None:
        names = ("payment_state", "network", "source_type", "payment_digest")
        return {**dict.fromkeys(names), "sent_hash": "", "next_try": 0.0}
    facts = payment.facts
    return {
        "payment_state": payment.state.value,
        "network": payment.network,
        "source_type": facts.source_type if facts else terms.source_type,
        "payment_digest": digest(payment.blockchain_identifier),
        "sent_hash": payment.sent_hash,
        "next_try": payment.next_try,
    }


def digest(blockchain_identifier: str) -> str | None:
    """What stands for a text, such as an identifier, in its index; None for no text."""
    if not blockchain_identifier:
        return None
    return sha256(blockchain_identifier.encode("utf-8", "surrogatepass")).hexdigest()


def job_of(row: Row[Any]) -> Job:
    body = row.body
    return _made(
        Job,
        body,
        id=row.id,
        state=JobState(row.state),
        version=row.version,
        result=row.result,
        final=row.final,
        terms=_made(Terms, body["terms"], price=_price(body["terms"])),
        payment=_payment(body["payment"]),
    )


def launch_of(row: Row[Any]) -> Launch:
    return Launch(row.spec, row.runtime_env, row.meta)


def lock_values(lock: Lock) -> dict[str, Any]:
    return {member.name: getattr(lock, member.name) for member in fields(lock)}


def lock_of(row: Row[Any]) -> Lock:
    return _made(Lock, row._asdict(), outcome=LockOutcome(row.outcome))


def _body(job: Job) -> dict[str, Any]:
    names = (member.name for member in fields(job))
    return {name: getattr(job, name) for name in names if name not in _OWN_COLUMNS}


def _payment(written: Mapping[str, Any] | None) -> Payment | None:
    if written is None:
        return None
    view = written["view"]
    return _made(
        Payment,
        written,
        state=PaymentState(written["state"]),
        facts=_facts(written["facts"]),
        view=None if view is None else _made(PaymentView, view),
    )


def _facts(written: Mapping[str, Any] | None) -> PaymentFacts | None:
    if written is None:
        return None
    times = _made(Times, written["times"])
    return _made(PaymentFacts, written, times=times, price=_price(written))


def _price(written: Mapping[str, Any]) -> tuple[Amount, ...]:
    return tuple(_made(Amount, amount) for amount in written["price"])


def _made[Value](kind: type[Value], written: Mapping[str, Any], **parsed: Any) -> Value:
    """Members that this version does not know are left out: a newer writer may run beside it."""
    names = {member.name for member in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: written[name] for name in names & written.keys()} | parsed)
