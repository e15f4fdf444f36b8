"""The tables of the book.

exposes      what operators ask for, and the state that was seen last
flows        cards of flows, in the order of ``position``; ``sale`` is JSON, the app's own word
deployments  what Ray Serve was given last, by application; what is here is ours to take away,
             even when its expose is gone
boots        one row: whose turn it is to boot, and how the last one came out
"""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Double, Integer, MetaData, String, Table, Text

from masumi_sumi.migration import History

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

exposes = Table(
    "exposes",
    metadata,
    Column("name", String, primary_key=True),
    Column("bootstrap", Text),
    Column("display", Text),
    Column("network", String),
    Column("enabled", Boolean, nullable=False),
    Column("created", Double, nullable=False),
    Column("updated", Double, nullable=False),
    Column("state", String, nullable=False),
    Column("heartbeat", Double, nullable=False),
    Column("error", Text, nullable=False),
)

flows = Table(
    "flows",
    metadata,
    Column("expose", String, primary_key=True),
    Column("url", String, primary_key=True),
    Column("position", Integer, nullable=False),
    Column("data", Text),
    Column("enabled", Boolean, nullable=False),
    Column("state", String),
    Column("heartbeat", Double),
    Column("sale", Text),
)

deployments = Table(
    "deployments",
    metadata,
    Column("name", String, primary_key=True),
    Column("bootstrap", Text, nullable=False),
    Column("document", Text, nullable=False),
    Column("revision", Integer, nullable=False),
)

boots = Table(
    "boots",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("owner", String, nullable=False),
    Column("what", String, nullable=False),
    Column("since", Double, nullable=False),
    Column("heartbeat", Double, nullable=False),
    Column("outcome", Text),
)

HISTORY = History("masumi_sumi.exposes:migrations", metadata, "exposes_version")
