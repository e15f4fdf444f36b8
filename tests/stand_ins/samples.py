"""Jobs to store."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from masumi_sumi.jobs.model import (
    Amount,
    Job,
    JobState,
    Launch,
    Payment,
    PaymentFacts,
    PaymentState,
    SourceType,
    Terms,
    Times,
)

LAUNCH = Launch(bytes(range(256)) * 8, {"env_vars": {"KEY": "ü"}}, {"fid": "1"})


def a_job(**changes: Any) -> Job:
    job = Job(
        id=uuid4().hex,
        flow="/two-stage/",
        identifier="a1" * 9,
        input_hash="0" * 64,
        terms=Terms(pricing="Fixed", network="Preprod", agent_identifier="b" * 120),
        user="buyer",
        created_at=1_800_000_000.1,
        updated_at=1_800_000_000.2,
    )
    return job.with_(**changes)


def a_payment(
    identifier: str = "",
    state: PaymentState = PaymentState.AWAITING_FUNDS,
    network: str = "Preprod",
    source: SourceType = "Web3CardanoV1",
    **changes: Any,
) -> Payment:
    facts = PaymentFacts(
        blockchain_identifier=identifier or (uuid4().hex * 40),
        agent_identifier="b" * 120,
        input_hash="0" * 64,
        seller_vkey="c" * 56,
        times=Times(1_800_001_800_000, 1_800_016_800_000, 1_800_020_000_000, 1_800_030_000_000),
        source_type=source,
        price=(Amount("1000000"), Amount("2" * 25, "ab" * 30)),
    )
    return Payment(network=network, state=state, facts=facts, **changes)


def a_delivering_job(next_try: float = 0.0, sent_hash: str = "d" * 64) -> Job:
    payment = a_payment(state=PaymentState.LOCKED, sent_hash=sent_hash, next_try=next_try)
    return a_job(state=JobState.DELIVERING, payment=payment, result="done")
