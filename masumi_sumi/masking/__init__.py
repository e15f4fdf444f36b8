"""Hide in the text of an error what only the seller may know.

The words of the error stay. Keys, passwords, addresses of inner servers and paths go:
``[hidden]``, ``[host]`` and ``[path]`` stand in their place. Where it is not clear whether
something is a secret, it is hidden.

The work is linear in the text, of which only the beginning is read: every pattern looks at a
bounded number of characters from each position, or at characters that it never gives back.
"""

from __future__ import annotations

import unicodedata

from masumi_sumi.masking.hosts import mask_hosts, mask_paths, mask_urls
from masumi_sumi.masking.secrets import mask_named_values, mask_runs, mask_tokens
from masumi_sumi.masking.words import HIDDEN

__all__ = ["LARGEST_TEXT", "mask_text"]

LARGEST_TEXT = 4_000
"""Characters that are read. What is cut off is never shown, not even in part."""

_LONGEST_WORD = 1_000


def mask_text(text: str) -> str:
    """Return the text as one line without secrets, inner hosts and paths.

    Masking it again changes nothing.
    """
    masked = _to_line(_cut(text))
    for mask in (mask_urls, mask_named_values, mask_tokens, mask_hosts, mask_runs, mask_paths):
        masked = mask(masked)
    return masked


def _cut(text: str) -> str:
    """Return the beginning; the word that the cut went through is hidden whole."""
    if len(text) <= LARGEST_TEXT:
        return text
    at = LARGEST_TEXT
    while at and not text[at].isspace():
        at -= 1
    return f"{text[:at]} {HIDDEN}"


def _to_line(text: str) -> str:
    """Return one line: invisible characters would cut a secret into pieces that look like none."""
    if not text.isprintable():
        visible = (char for char in text if unicodedata.category(char) != "Cf")
        text = "".join(char if char.isprintable() else " " for char in visible)
    return " ".join(word if len(word) <= _LONGEST_WORD else HIDDEN for word in text.split())
