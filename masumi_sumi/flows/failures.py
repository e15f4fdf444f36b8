"""Why a job failed, in the one line that a stranger may read."""

from __future__ import annotations

import re
from collections.abc import Iterator

from masumi_sumi.masking import mask_text

UNTOLD = "The job failed."

_LONGEST = 300
_LARGEST = 100_000
"""Characters that are read of a traceback, or of a line that stands for one."""

_HEADER = "Traceback (most recent call last)"
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_GUTTER = re.compile(r"^\s*[|+]+ ?")
_ERROR = re.compile(r"(?:[A-Za-z_]\w*+\.)*+[A-Za-z_]\w*+(?:\([\w.]*+\))?(?::|$)")
_REMOTE = re.compile(r"\S{0,200}(?:RayTaskError|ray::)")
_MODULES = re.compile(r"^(?:[A-Za-z_]\w*+\.)++(?=[A-Za-z_]\w*+(?::|\(|$))")
_FILE_LINE = re.compile(r'\(?[Ff]ile "[^"]*"(?:, line \d+)?(?:, in \S+)?\)?|\([^()]*, line \d+\)')


def error_text(traceback_text: str) -> str:
    """The head of the last exception, ``ValueError: bad number``: one line of at most 300
    characters, without modules, file lines and what only the seller may know (see ``masking``),
    never the word Traceback.

    A text that is no traceback gives its last line; one that tells nothing gives UNTOLD.
    """
    clean = _ANSI.sub("", _end_of(traceback_text))
    if "Exception Group Traceback" in traceback_text:
        clean = "\n".join(_GUTTER.sub("", line) for line in clean.splitlines())
    return _told(_head(clean)) or UNTOLD


def _end_of(text: str) -> str:
    """Return the last traceback, or the last lines, cut before any pattern reads them."""
    at = text.rfind(_HEADER)
    if at < 0 and len(text) > _LARGEST:
        last_line = text.rfind("\n", 0, len(text.rstrip())) + 1
        at = min(last_line, len(text) - _LARGEST)
    return text[max(at, 0) :][:_LARGEST]


def _head(text: str) -> str:
    block = text.rpartition(_HEADER)[2] if _HEADER in text else text
    lines = list(_unindented(block))
    if not lines:
        return ""
    if _HEADER not in text or _REMOTE.match(lines[0]):
        return next((line for line in reversed(lines) if _ERROR.match(line)), lines[-1])
    return lines[0]


def _unindented(block: str) -> Iterator[str]:
    for line in block.splitlines():
        if line.strip(":- \t") and not line[0].isspace() and not line.startswith(('File "', "-+")):
            yield line


def _told(line: str) -> str:
    bare = _FILE_LINE.sub("", _MODULES.sub("", line.strip()))
    words = mask_text(bare).replace("Traceback", "trace").split()
    told = " ".join(words).removesuffix(":")
    return told if len(told) <= _LONGEST else told[: _LONGEST - 3].rstrip() + "..."
