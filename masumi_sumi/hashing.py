"""The two hashes of MIP-004 that bind a job to its payment.

Input:  ``sha256(identifier_from_purchaser + ";" + JCS(input_data))``
Output: ``sha256(identifier_from_purchaser + ";" + result)``

JCS is RFC 8785. The marketplace and the pip package ``masumi`` verify the *escaped* result (the
text as it stands between the quotes of its JSON string); MIP-004 itself says *raw*. They differ
only where the result has a quote, a backslash or a control character.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, Literal

import rfc8785

from masumi_sumi.errors import BodyUnreadable

ResultForm = Literal["escaped", "raw"]

_SAFE_INTEGER = 2**53 - 1


def canonical_json(value: Any) -> str:
    """RFC 8785 text of a JSON value, numbers as the doubles that JavaScript sees.

    Raises BodyUnreadable for what JSON cannot carry (NaN, infinities, lone surrogates).
    """
    try:
        return str(rfc8785.dumps(_as_doubles(value)), "utf-8")
    except (rfc8785.CanonicalizationError, UnicodeError, OverflowError, RecursionError) as error:
        raise BodyUnreadable("input_data", f"cannot be hashed: {error}") from error


def input_hash(identifier: str, data: Any) -> str:
    """64 lower-case hex digits over the data exactly as the buyer sent them."""
    return _sha256(f"{identifier};{canonical_json(data)}")


def result_hash(identifier: str, result: str, form: ResultForm = "escaped") -> str:
    """64 lower-case hex digits over the result text that the buyer receives."""
    return _sha256(f"{identifier};{_escaped(result) if form == 'escaped' else result}")


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _as_doubles(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | dict | list | tuple):
        return value
    if isinstance(value, int):
        return value if abs(value) <= _SAFE_INTEGER else float(value)
    if isinstance(value, dict):
        return {key: _as_doubles(item) for key, item in value.items()}
    return [_as_doubles(item) for item in value]
