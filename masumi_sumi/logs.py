"""Log lines as a fixed sentence and its fields: ``job moved job_id=... was=... now=...``.

No line of this process, of whatever library, holds a secret that was named to ``hide_secrets``.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_LONGEST = 300
_SHORTEST_SECRET = 8
"""Characters; what is shorter is a word, such as the sandbox's known token."""

HIDDEN = "[hidden]"

_secrets: list[str] = []


class FieldsFormatter(logging.Formatter):
    """Puts the ``extra`` of a record behind its sentence, long values cut."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        clean = {name: replace_secrets(str(value)) for name, value in fields.items()}
        told = "".join(f" {name}={_short(value)}" for name, value in clean.items())
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


def hide_secrets(values: Iterable[str]) -> None:
    """Replace these values in all that this process logs from now on, also in tracebacks."""
    found = {value for value in values if len(value) >= _SHORTEST_SECRET}
    _secrets[:] = sorted(found.union(_secrets), key=len, reverse=True)  # one may hold another
    factory = logging.getLogRecordFactory()
    if not isinstance(factory, _HidingFactory):
        logging.setLogRecordFactory(_HidingFactory(factory))


class _HidingFactory:
    """Makes log records whose text is complete and free of secrets, for every handler."""

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make

    def __call__(self, *args: Any, **options: Any) -> logging.LogRecord:
        record = self._make(*args, **options)
        if not _secrets:
            return record
        try:
            text = record.getMessage()
        except (TypeError, ValueError):  # logging itself reports arguments that do not fit
            return record
        if (clean := replace_secrets(text)) != text:
            record.msg, record.args = clean, None
        if record.exc_info and not isinstance(record.exc_info[1], type(None)):
            trace = logging.Formatter().formatException(record.exc_info)
            if (clean := replace_secrets(trace)) != trace:
                record.exc_text = clean
        return record


def replace_secrets(text: str) -> str:
    for secret in _secrets:
        text = text.replace(secret, HIDDEN)
    return text


def _short(text: str) -> str:
    text = text.replace("\n", "\\n")
    shown = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
    return f'"{shown}"' if " " in shown else shown
