"""Refuse request paths that two readers could understand differently.

A router, a file system and a check of ours must see the same path. What only one of them would
decode, shorten or join is refused instead of repaired.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

# Encoded they mean something else to whoever decodes once more, or not at all: . / \ and controls.
_ENCODED = re.compile(r"%(?:2e|2f|5c|[01][0-9a-f]|7f)", re.IGNORECASE)
# The same behind an encoded per cent sign, for whoever decodes twice.
_ENCODED_TWICE = re.compile(r"%(?:2e|2f|5c|25|[01][0-9a-f]|7f)", re.IGNORECASE)
_UNREADABLE = "\N{REPLACEMENT CHARACTER}"
_FILES = "/files/"
"""Below it stand the names of files, and a file's name may contain a semicolon."""


def find_path_fault(scope: Mapping[str, Any]) -> str:
    """Return what is wrong with the path of an ASGI request; an empty text if nothing is."""
    return find_encoded_fault(scope) or find_fault(str(scope["path"]))


def find_encoded_fault(scope: Mapping[str, Any]) -> str:
    """Return what is wrong with the path as it was sent; an empty text if nothing is."""
    raw = bytes(scope.get("raw_path") or b"").partition(b"?")[0].decode("latin-1")
    if _ENCODED.search(raw):
        return "contains an encoded dot, slash, backslash or control character"
    return ""


def find_fault(path: str) -> str:
    """Return what is wrong with a decoded path; an empty text if nothing is."""
    if not path.startswith("/"):
        return "does not begin with a slash"
    if "//" in path:
        return "contains two slashes in a row"
    if "\\" in path or _UNREADABLE in path or any(map(_is_control, path)):
        return "contains a backslash or a control character"
    if _ENCODED_TWICE.search(path):
        return "is encoded twice"
    if ";" in path and not path.startswith(_FILES):
        return "contains a semicolon"
    if any(map(_is_dots, path.split("/"))):
        return "contains a segment of dots"
    return ""


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")


def _is_dots(segment: str) -> bool:
    """Servers of other kinds cut a segment at a semicolon: ``..;x`` would be ``..`` to them."""
    name = segment.partition(";")[0]
    is_dots = "." in name and not name.strip(". ")
    return is_dots or (";" in segment and not name.strip())
