"""Row ids that look and sort like the real node's: 25 characters, older ones first."""

from __future__ import annotations

import hashlib
import itertools
import secrets

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_counter = itertools.count()


def new_id(now: int) -> str:
    """An id for a row made at ``now`` (epoch milliseconds)."""
    count = next(_counter) % 36**4
    return "c" + _base36(now, 8) + _base36(count, 4) + _base36(secrets.randbits(62), 12)


def fixed_id(name: str) -> str:
    """The same id for the same name, for things that outlive a restart without being stored."""
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:15])
    return "c" + _base36(number, 24)


def _base36(number: int, width: int) -> str:
    digits = []
    for _ in range(width):
        number, rest = divmod(number, 36)
        digits.append(_DIGITS[rest])
    return "".join(reversed(digits))
