"""Add what the order of the queue needs, and the store's own id."""

from __future__ import annotations

import json
import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# The margin of that time: how long before submitResultTime a result must be at the node.
NODE_MARGIN_SECONDS = 600.0

ENDED = ("completed", "failed")


def upgrade() -> None:
    op.add_column("jobs", sa.Column("app_url", sa.String, nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("due_at", sa.Double))
    op.create_index("ix_jobs_state_due", "jobs", ["state", "due_at", "entered_at", "id"])
    op.create_table(
        "store",
        sa.Column("id", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_store"),
    )
    store = sa.table("store", sa.column("id", sa.String))
    op.execute(sa.insert(store).values(id=secrets.token_hex(16)))
    _fill()


def downgrade() -> None:
    op.drop_table("store")
    op.drop_index("ix_jobs_state_due", "jobs")
    op.drop_column("jobs", "due_at")
    op.drop_column("jobs", "app_url")


def _fill() -> None:
    """Read each open job's body one by one: an ended job needs neither value."""
    names = ("id", "state", "body", "app_url", "due_at")
    jobs: Any = sa.table("jobs", *(sa.column(name) for name in names))
    connection = op.get_bind()
    ids = connection.execute(sa.select(jobs.c.id).where(jobs.c.state.not_in(ENDED))).scalars()
    for job_id in list(ids):
        is_job = jobs.c.id == job_id
        body = json.loads(connection.execute(sa.select(jobs.c.body).where(is_job)).scalar_one())
        values = {"app_url": str(body.get("app_url") or ""), "due_at": _due_at(body)}
        connection.execute(sa.update(jobs).where(is_job).values(**values))


def _due_at(body: dict[str, Any]) -> float | None:
    facts = (body.get("payment") or {}).get("facts")
    return facts["times"]["submit_result"] / 1000 - NODE_MARGIN_SECONDS if facts else None
