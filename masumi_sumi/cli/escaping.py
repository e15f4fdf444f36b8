"""Make foreign text safe to print, and short enough for an error message."""

from __future__ import annotations

import re
from itertools import pairwise

LONGEST_LINE = 300
LARGEST_TEXT = 100_000
"""Characters of a foreign error that are read for its message; the log keeps all of it."""

_COLOR_CODE = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_TRACEBACK = "Traceback (most recent call last)"
_ERROR = re.compile(r"[A-Za-z_][\w.]{0,200}(?:: .*|:?)")


def escape_text(text: str) -> str:
    """Replace what steers a terminal, but keep newlines and tabs."""
    kept = (char if char.isprintable() or char in "\n\t" else "�" for char in text)
    return "".join(kept)


def escape_line(text: str) -> str:
    """Replace what steers a terminal, and spread words evenly: no line that begins in the text, by
    itself or where a terminal wraps it, looks like a line of ours.
    """
    return escape_text(" ".join(text.split()))


def shorten_error(text: str) -> str:
    """Return at most two lines: the first, and of the others the one that says most."""
    lines = _split(text)
    error = find_error_line(text)
    if error:
        lines = [error] if lines[0].startswith(_TRACEBACK) else [lines[0], error]
    return "\n".join(_cut(line) for line in lines[:2])


def find_error_line(text: str) -> str:
    """Return what a traceback in the text says last; empty when there is none."""
    lines = _split(text)
    found = [
        line for before, line in pairwise(lines) if before[0].isspace() and _ERROR.fullmatch(line)
    ]
    return _cut(found[-1]) if found else ""


def find_last_line(text: str) -> str:
    """Return what the end of a log says: the error of its last traceback, or else its last line."""
    lines = _split(text)
    return find_error_line(text) or (_cut(lines[-1].strip()) if lines else "it is empty")


def _split(text: str) -> list[str]:
    """Return the lines that are not empty, safe to print; of a very long text its two ends."""
    if len(text) > LARGEST_TEXT:
        text = f"{text[:LONGEST_LINE]}\n{text[-LARGEST_TEXT:]}"
    lines = _COLOR_CODE.sub("", text).splitlines()
    return [escape_text(line.replace("\t", " ")) for line in lines if line.strip()]


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE]}…"
