"""What a doctor finds, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["good", "beware", "bad"]


@dataclass(frozen=True, slots=True)
class Finding:
    """``advice`` says what to do; empty where nothing is to be done."""

    what: str
    verdict: Verdict
    words: str
    advice: str = ""
