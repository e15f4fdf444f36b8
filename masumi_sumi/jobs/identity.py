"""How an agent is named: the policy that it is registered with, and the name of its token there."""

from __future__ import annotations

import re

POLICY_LENGTH = 56
"""Characters at the start of an agentIdentifier that name the contract it is registered with."""

IDENTITY_RULE = (
    "expected an agentIdentifier as the registry gives it: hexadecimal digits in pairs, "
    "58 to 250 of them (mostly 120)"
)

_IDENTITY = re.compile(r"(?:[0-9a-fA-F]{2}){29,125}")


def identity(text: str) -> str:
    """The name by which a node knows an agent, in small letters as the registry compares it; one
    with a digit too few is nobody's. Raises ValueError.
    """
    if not _IDENTITY.fullmatch(text):
        raise ValueError(IDENTITY_RULE)
    return text.lower()
