"""Jobs, launches, locks and cursors."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("entered_at", sa.Double, nullable=False),
        sa.Column("look_at", sa.Double),
        sa.Column("next_try", sa.Double, nullable=False),
        sa.Column("payment_state", sa.String),
        sa.Column("network", sa.String),
        sa.Column("source_type", sa.String),
        sa.Column("payment_digest", sa.String),
        sa.Column("sent_hash", sa.String, nullable=False),
        sa.Column("result", sa.Text),
        sa.Column("final", sa.Text),
        sa.Column("body", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
        sa.UniqueConstraint("payment_digest", name="uq_jobs_payment_digest"),
    )
    op.create_index("ix_jobs_state_entered", "jobs", ["state", "entered_at", "id"])
    op.create_index("ix_jobs_state_next_try", "jobs", ["state", "next_try", "id"])
    op.create_index("ix_jobs_look", "jobs", ["look_at", "id"])
    op.create_index("ix_jobs_payment", "jobs", ["payment_state", "network", "source_type"])
    op.create_table(
        "launches",
        sa.Column("job_id", sa.String, nullable=False),
        sa.Column("spec", sa.LargeBinary, nullable=False),
        sa.Column("runtime_env", sa.Text, nullable=False),
        sa.Column("meta", sa.Text, nullable=False),
        sa.Column("inputs", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("job_id", name="pk_launches"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_launches_job_id"),
    )
    op.create_table(
        "locks",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("job_id", sa.String, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Double, nullable=False),
        sa.Column("opened_at", sa.Double, nullable=False),
        sa.Column("outcome", sa.String, nullable=False),
        sa.Column("form", sa.Text),
        sa.Column("input_hash", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_locks"),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name="fk_locks_job_id"),
    )
    op.create_index("ix_locks_job", "locks", ["job_id", "opened_at", "id"])
    op.create_table(
        "cursors",
        sa.Column("network", sa.String, nullable=False),
        sa.Column("source_type", sa.String, nullable=False),
        sa.Column("changed_at", sa.String, nullable=False),
        sa.Column("row_id", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("network", "source_type", name="pk_cursors"),
    )


def downgrade() -> None:
    for table in ("cursors", "locks", "launches", "jobs"):
        op.drop_table(table)
