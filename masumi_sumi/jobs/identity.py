"""How agents and jobs are named."""

from __future__ import annotations

import re

POLICY_LENGTH = 56
"""Characters at the start of an agentIdentifier that name the contract it is registered with; the
rest names its token there."""

IDENTITY_RULE = (
    "expected an agentIdentifier as the registry gives it: hexadecimal digits in pairs, "
    "58 to 250 of them (mostly 120)"
)

_IDENTITY = re.compile(r"(?:[0-9a-fA-F]{2}){29,125}")

_JOB_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


def is_job_id(text: str) -> bool:
    """Tell whether a text can be a job's id: of any other, no store needs to be asked."""
    return _JOB_ID.fullmatch(text) is not None


def identity(text: str) -> str:
    """The name by which a node knows an agent, in small letters as the registry compares it; one
    with a digit too few is nobody's. Raises ValueError.
    """
    if not _IDENTITY.fullmatch(text):
        raise ValueError(IDENTITY_RULE)
    return text.lower()
