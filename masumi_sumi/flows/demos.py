"""An example of a flow, as MIP-003 shows one: what was asked and what came of it."""

from __future__ import annotations

from collections.abc import Mapping

from masumi_sumi.errors import BodyUnreadable
from masumi_sumi.hashing import canonical_json

DEMO_RULE = "a demo is {input: {field: value, ...}, output: {result: text}}"


def is_demo(value: object) -> bool:
    """Whether ``value`` is what buyers read as a demo, and JSON can carry it."""
    match value:
        case {"input": Mapping(), "output": {"result": str(), **more}, **rest}:
            return not more and not rest and _travels(value)
    return False


def _travels(value: object) -> bool:
    try:
        canonical_json(value)
    except BodyUnreadable:
        return False
    return True
