"""The jobs in SQLite or PostgreSQL: one process writes, any number read."""

from masumi_sumi.jobs.store.migration import migrate
from masumi_sumi.jobs.store.reader import SqlJobReader
from masumi_sumi.jobs.store.writer import SqlJobStore

__all__ = ["SqlJobReader", "SqlJobStore", "migrate"]
