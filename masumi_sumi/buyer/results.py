"""Whether a result is the one whose hash the seller put on chain."""

from __future__ import annotations

from typing import Literal

from masumi_sumi.hashing import result_hash

HashForm = Literal["escaped", "raw", "either"]
"""The two forms differ only where a result has a quote, a backslash or a control character."""


def form_of(identifier: str, result: str, on_chain: str) -> HashForm | None:
    """The form of ``result`` that has the hash; None if neither has."""
    wanted = on_chain.lower()
    escaped = result_hash(identifier, result, "escaped") == wanted
    raw = result_hash(identifier, result, "raw") == wanted
    if escaped and raw:
        return "either"
    return "escaped" if escaped else "raw" if raw else None
