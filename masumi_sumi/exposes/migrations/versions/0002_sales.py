"""How apps sell their flows, by their own word."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("flows", sa.Column("sale", sa.Text))


def downgrade() -> None:
    op.drop_column("flows", "sale")
