"""Exposes, flows, deployments and boots."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "exposes",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("bootstrap", sa.Text),
        sa.Column("display", sa.Text),
        sa.Column("network", sa.String),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("updated", sa.Double, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("heartbeat", sa.Double, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_exposes"),
    )
    op.create_table(
        "flows",
        sa.Column("expose", sa.String, nullable=False),
        sa.Column("url", sa.String, nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("data", sa.Text),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("state", sa.String),
        sa.Column("heartbeat", sa.Double),
        sa.PrimaryKeyConstraint("expose", "url", name="pk_flows"),
    )
    op.create_table(
        "deployments",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("bootstrap", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_deployments"),
    )
    op.create_table(
        "boots",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("what", sa.String, nullable=False),
        sa.Column("since", sa.Double, nullable=False),
        sa.Column("heartbeat", sa.Double, nullable=False),
        sa.Column("outcome", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_boots"),
    )


def downgrade() -> None:
    for table in ("boots", "deployments", "flows", "exposes"):
        op.drop_table(table)
