"""Why a job failed, in the one line that a stranger may read."""

from __future__ import annotations

import re
from collections.abc import Iterator

UNTOLD = "The job failed."

_LONGEST = 300
_HEADER = "Traceback (most recent call last)"
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_GUTTER = re.compile(r"^\s*[|+]+ ?")
_ERROR = re.compile(r"(?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:\([\w.]*\))?(?::|$)")
_REMOTE = re.compile(r"\S*(?:RayTaskError|ray::)")
_MODULES = re.compile(r"^(?:[A-Za-z_]\w*\.)+(?=[A-Za-z_]\w*(?::|\(|$))")
_FILE_LINE = re.compile(r'\(?[Ff]ile "[^"]*"(?:, line \d+)?(?:, in \S+)?\)?|\([^()]*, line \d+\)')
_URL = re.compile(r"([A-Za-z][\w+.-]*)://([^\s'\"<>]+)")
_PATH = re.compile(r"(?<![\w:/\\.<])(?:[A-Za-z]:|~|\.{1,2})?(?:[/\\][\w.@+~-]+)+[/\\]?")


def error_text(traceback_text: str) -> str:
    """The head of the last exception, ``ValueError: bad number``: one line of at most 300
    characters, without modules, file lines and paths, of URLs only the host (keys stand in their
    queries, passwords before their hosts), never the word Traceback.

    A text that is no traceback gives its last line; one that tells nothing gives UNTOLD.
    """
    clean = _ANSI.sub("", traceback_text)
    if "Exception Group Traceback" in clean:
        clean = "\n".join(_GUTTER.sub("", line) for line in clean.splitlines())
    return _told(_head(clean)) or UNTOLD


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


def _without_secrets(url: re.Match[str]) -> str:
    scheme, rest = url.groups()
    host = re.split(r"[/?#\\]", rest, maxsplit=1)[0]
    return f"{scheme}://..." if "@" in rest else f"{scheme}://{host}"


def _told(line: str) -> str:
    bare = _URL.sub(_without_secrets, _MODULES.sub("", line.strip()))
    bare = _PATH.sub("[path]", _FILE_LINE.sub("", bare)).replace("Traceback", "trace")
    words = "".join(char if char.isprintable() else " " for char in bare).split()
    told = " ".join(words).removesuffix(":")
    return told if len(told) <= _LONGEST else told[: _LONGEST - 3].rstrip() + "..."
