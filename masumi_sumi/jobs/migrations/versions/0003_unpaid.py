"""Which flow and which caller a job that waits for its payment counts for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = ("unpaid_flow", "unpaid_caller")


def upgrade() -> None:
    for name in COLUMNS:
        op.add_column("jobs", sa.Column(name, sa.String))
        op.create_index(f"ix_jobs_{name}", "jobs", [name])


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_index(f"ix_jobs_{name}", "jobs")
        op.drop_column("jobs", name)
