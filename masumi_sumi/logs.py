"""Log lines as a fixed sentence and its fields: ``job moved job_id=... was=... now=...``."""

from __future__ import annotations

import logging

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LONGEST = 300


class FieldsFormatter(logging.Formatter):
    """Puts the ``extra`` of a record behind its sentence, long values cut."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        told = "".join(f" {name}={_short(value)}" for name, value in fields.items())
        return super().formatMessage(record) + told


def show(level: int = logging.INFO) -> None:
    """Write the package's log lines to stderr, once per process."""
    logger = logging.getLogger("masumi_sumi")
    if logger.handlers:
        return
    handler = logging.StreamHandler()
    handler.setFormatter(FieldsFormatter())
    logger.addHandler(handler)
    logger.setLevel(level)
    logger.propagate = False


def _short(value: object) -> str:
    text = str(value).replace("\n", "\\n")
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f'"{shown}"' if " " in shown else shown
