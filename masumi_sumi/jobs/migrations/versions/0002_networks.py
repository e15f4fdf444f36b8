"""Looks by network; when a question was closed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("locks", sa.Column("closed_at", sa.Double))
    op.drop_index("ix_jobs_look", "jobs")
    op.create_index("ix_jobs_look", "jobs", ["network", "look_at", "id"])


def downgrade() -> None:
    op.drop_index("ix_jobs_look", "jobs")
    op.create_index("ix_jobs_look", "jobs", ["look_at", "id"])
    op.drop_column("locks", "closed_at")
