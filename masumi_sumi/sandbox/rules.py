"""The node's rules about times and hex, pure: they look, say no, and change nothing."""

from __future__ import annotations

import re
from collections.abc import Callable

from masumi_sumi.sandbox.clock import MINUTE
from masumi_sumi.sandbox.errors import Broken, Invalid
from masumi_sumi.sandbox.model import Deadlines

_HEX = re.compile(r"([0-9a-fA-F]{2})+")

GRACE = 5 * MINUTE
"""How long after payByTime the node still waits for a lock."""

AUTOMATIC = 10 * MINUTE
"""How long after unlock (or submit) time the node collects (or refunds) by itself."""

_TIME_RULES: tuple[tuple[Callable[[Deadlines, int], bool], str], ...] = (
    (
        lambda d, now: d.pay_by <= d.submit_result - 5 * MINUTE,
        "Pay by time must be before submit result time (min. 5 minutes)",
    ),
    (
        lambda d, now: d.pay_by >= now - 5 * MINUTE,
        "Pay by time must be in the future (max. 5 minutes)",
    ),
    (
        lambda d, now: d.dispute_unlock >= d.unlock + 15 * MINUTE,
        "External dispute unlock time must be after unlock time (min. 15 minutes difference)",
    ),
    (
        lambda d, now: d.submit_result >= now + 15 * MINUTE,
        "Submit result time must be in the future (min. 15 minutes)",
    ),
    (
        lambda d, now: d.submit_result <= d.unlock - 15 * MINUTE,
        "Submit result time must be before unlock time with at least 15 minutes difference",
    ),
)


def check_deadlines(deadlines: Deadlines, now: int) -> None:
    """The first rule that does not hold is the answer; boundaries are inclusive."""
    for holds, message in _TIME_RULES:
        if not holds(deadlines, now):
            raise Invalid(message)


def check_hex(value: str, what: str) -> None:
    if _HEX.fullmatch(value) is None:
        raise Invalid(f"{what} is not a valid hex string")


def big_int(text: str) -> int:
    """What JavaScript's BigInt makes of a text; its failure is the real node's 500."""
    stripped = text.strip()
    if not stripped:
        return 0
    if re.fullmatch(r"[+-]?[0-9]{1,4000}", stripped) is None:
        raise Broken(f"Cannot convert {text} to a BigInt")
    return int(stripped)
