"""The input once, in the launch; the queue by app and deadline; the store's opening."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NODE_MARGIN = 600.0
_ROWS_AT_ONCE = 200

_jobs = sa.table(
    "jobs",
    sa.column("id", sa.String),
    sa.column("state", sa.String),
    sa.column("body", sa.Text),
    sa.column("app_url", sa.String),
    sa.column("due_at", sa.Double),
)


def upgrade() -> None:
    op.add_column("jobs", sa.Column("app_url", sa.String, nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("due_at", sa.Double))
    _fill_in()
    op.create_index("ix_jobs_queue", "jobs", ["state", "app_url", "due_at", "entered_at", "id"])
    op.create_index("ix_jobs_purge", "jobs", ["payment_state", "entered_at", "id"])
    op.execute(
        "DELETE FROM launches WHERE job_id IN "
        "(SELECT id FROM jobs WHERE state IN ('completed', 'failed'))"
    )
    op.drop_column("launches", "inputs")
    op.create_table(
        "opening",
        sa.Column("id", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("name", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_opening"),
    )


def downgrade() -> None:
    op.drop_table("opening")
    op.add_column("launches", sa.Column("inputs", sa.Text, nullable=False, server_default='""'))
    op.drop_index("ix_jobs_purge", "jobs")
    op.drop_index("ix_jobs_queue", "jobs")
    op.drop_column("jobs", "due_at")
    op.drop_column("jobs", "app_url")


def _fill_in() -> None:
    """Copy what is queried from the body of each row that has not ended."""
    connection = op.get_bind()
    going_on = _jobs.c.state.not_in(("completed", "failed"))
    ids = list(connection.scalars(sa.select(_jobs.c.id).where(going_on)))
    for start in range(0, len(ids), _ROWS_AT_ONCE):
        some = _jobs.c.id.in_(ids[start : start + _ROWS_AT_ONCE])
        for row in connection.execute(sa.select(_jobs.c.id, _jobs.c.body).where(some)).all():
            copied = _copied(json.loads(row.body))
            connection.execute(sa.update(_jobs).where(_jobs.c.id == row.id).values(**copied))


def _copied(body: dict[str, Any]) -> dict[str, Any]:
    facts = (body.get("payment") or {}).get("facts") or {}
    due = facts.get("times", {}).get("submit_result")
    due_at = None if due is None else due / 1000 - _NODE_MARGIN
    return {"app_url": body.get("app_url") or "", "due_at": due_at}
