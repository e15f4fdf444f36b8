"""The tables. What is queried or guarded has a column of its own; ``body`` is the whole job.

    jobs      state, version          the truth; every save is guarded by them
              result, final           the truth; texts that may be long
              body                    the truth for all the rest, as JSON
              entered_at, look_at     kept by the store alone
              payment_state, network, source_type, payment_digest, sent_hash, next_try
                                      copied from the body at every write
              unpaid_flow, unpaid_caller
                                      only while the job waits for its payment
              app_url, due_at         copied as well: what the queue is ordered by
    launches  how the runner is made, with the buyer's input; kept until the job has ended
    locks     questions of running jobs
    cursors   how far the payments of a (network, source type) were read
    opening   one row: a random name that the supervisor writes each time it opens the store

``payment_digest`` is the sha256 of the blockchainIdentifier: the identifier itself has more than
1,200 characters, longer than an index entry should be on either database.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from sqlalchemy import (
    Column,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)


class JsonText(TypeDecorator[Any]):
    """JSON as text that Python wrote, read back equal: numbers, key order, any unicode.

    The databases' own JSON types change numbers or refuse NUL. Dataclasses become objects.
    None is NULL.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json_text(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def json_text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_members)
    try:
        text.encode()
    except UnicodeEncodeError:  # lone surrogates can only be stored escaped
        return json.dumps(value, separators=(",", ":"), default=_members)
    return text


def _members(value: Any) -> dict[str, Any]:
    return {member.name: getattr(value, member.name) for member in fields(value)}


metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
    }
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("entered_at", Double, nullable=False),
    Column("look_at", Double),
    Column("next_try", Double, nullable=False),
    Column("payment_state", String),
    Column("network", String),
    Column("source_type", String),
    Column("payment_digest", String, unique=True),
    Column("sent_hash", String, nullable=False),
    Column("unpaid_flow", String),
    Column("unpaid_caller", String),
    Column("app_url", String, nullable=False, server_default=""),
    Column("due_at", Double),
    Column("result", JsonText),
    Column("final", JsonText),
    Column("body", JsonText, nullable=False),
    Index("ix_jobs_state_entered", "state", "entered_at", "id"),
    Index("ix_jobs_state_next_try", "state", "next_try", "id"),
    Index("ix_jobs_look", "network", "look_at", "id"),
    Index("ix_jobs_payment", "payment_state", "network", "source_type"),
    Index("ix_jobs_unpaid_flow", "unpaid_flow"),
    Index("ix_jobs_unpaid_caller", "unpaid_caller"),
    Index("ix_jobs_queue", "state", "app_url", "due_at", "entered_at", "id"),
    Index("ix_jobs_purge", "payment_state", "entered_at", "id"),
)

launches = Table(
    "launches",
    metadata,
    Column("job_id", ForeignKey("jobs.id"), primary_key=True),
    Column("spec", LargeBinary, nullable=False),
    Column("runtime_env", JsonText, nullable=False),
    Column("meta", JsonText, nullable=False),
)

locks = Table(
    "locks",
    metadata,
    Column("id", String, primary_key=True),
    Column("job_id", ForeignKey("jobs.id"), nullable=False),
    Column("name", JsonText, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("opened_at", Double, nullable=False),
    Column("closed_at", Double),
    Column("outcome", String, nullable=False),
    Column("form", JsonText),
    Column("input_hash", String, nullable=False),
    Index("ix_locks_job", "job_id", "opened_at", "id"),
)

opening = Table(
    "opening",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String, nullable=False),
)

cursors = Table(
    "cursors",
    metadata,
    Column("network", String, primary_key=True),
    Column("source_type", String, primary_key=True),
    Column("changed_at", String, nullable=False),
    Column("row_id", String, nullable=False),
)
