"""What a flow answers: the payload of Kodosumi's ``final`` event, for a buyer.

Kodosumi serializes a result as ``{type name: value}``: ``{"Markdown": {"body": "..."}}``,
``{"str": "..."}``, ``{"dict": {...}}``, ``{"MyModel": {...}}``, ``{"__list__": [...]}``, and
``{"TypeError": str(value)}`` for None and for what JSON cannot carry.
"""

from __future__ import annotations

import json
from typing import Any

NO_RESULT = "The job completed without a result."

_DOCUMENTS = ("Markdown", "Text", "HTML")
_AGENT_OUTPUTS = ("CrewOutput", "TaskOutput")
_BROKEN = "\ufffd"


def result_text(final: str) -> str:
    """The one string a buyer gets and whose hash is submitted; the same for the same payload.

    Markdown, Text and HTML give their body, a string itself, an agent framework's output its raw
    text; a list of documents gives its texts with an empty line between. All else is compact
    JSON with sorted keys and without type names. Never empty: nothing is NO_RESULT. NUL and lone
    surrogates, which can be neither hashed nor stored, become U+FFFD. A payload that is no JSON,
    or too deep to be read, is its own text.
    """
    try:
        text = _travelling(_worded(_read(final)))
    except RecursionError:
        text = _travelling(final)
    return text if text.strip() else NO_RESULT


def result_value(final: str) -> dict[str, Any]:
    """The payload as the notebook's dialect shows it: ``{"Markdown": {"body": "..."}}``."""
    payload = _read(final)
    return payload if isinstance(payload, dict) else {type(payload).__name__: payload}


def _read(final: str) -> Any:
    try:
        return json.loads(final, parse_constant=lambda name: None)
    except (ValueError, RecursionError):
        return final


def _worded(payload: Any) -> str:
    if not _is_tagged(payload):
        return _plain(payload)
    ((name, value),) = payload.items()
    if name == "__list__" and isinstance(value, list):
        documents = [_document(item) for item in value]
        texts = [text for text in documents if text is not None]
        return "\n\n".join(texts) if texts and len(texts) == len(value) else _plain(_bare(payload))
    body = _document(payload)
    return _plain(_bare(payload)) if body is None else body


def _document(payload: Any) -> str | None:
    """The text of a payload that is one document; None if it is data."""
    if not _is_tagged(payload):
        return None
    ((name, value),) = payload.items()
    key = "body" if name in _DOCUMENTS else "raw" if name in _AGENT_OUTPUTS else None
    text = value.get(key) if key and isinstance(value, dict) else None
    return text if isinstance(text, str) else None


def _bare(payload: Any) -> Any:
    """The value without the type names that Kodosumi wrapped around it."""
    if not _is_tagged(payload):
        return payload
    ((name, value),) = payload.items()
    if name == "TypeError":
        return None if value == "None" else value
    if name == "__list__" and isinstance(value, list):
        return [_bare(item) for item in value]
    return value


def _is_tagged(payload: Any) -> bool:
    return isinstance(payload, dict) and len(payload) == 1


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value in (None, [], {}):
        return ""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _travelling(text: str) -> str:
    return "".join(_BROKEN if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in text)
