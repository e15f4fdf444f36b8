"""What speaks against paying although every term holds: words for people, codes for machines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import httpx

from masumi_sumi.errors import TermsRefused
from masumi_sumi.payments.registration import Registration
from masumi_sumi.payments.statements import Word

Code = Literal[
    "not-registered",
    "registered-elsewhere",
    "other-wallet",
    "registry-invented",
    "key-not-vouched",
    "key-vouched-long-ago",
]

IDENTITY: tuple[Code, ...] = ("not-registered", "registered-elsewhere", "other-wallet")
"""Those that leave open whether this is the agent that one means to buy from."""

LONG_AGO = 365 * 24 * 3600.0
"""Seconds after which a wallet's word for a key is told, but no longer taken for its word today."""


@dataclass(frozen=True, slots=True)
class Caution:
    code: Code
    words: str

    @property
    def is_of_identity(self) -> bool:
        return self.code in IDENTITY


def of_address(url: str, registration: Registration | None) -> Iterator[Caution]:
    """Of an agent that names itself, asked at ``url``."""
    if registration is None:
        words = "the payment node's registry knows no such agent, or none that can be sold"
        yield Caution("not-registered", words)
    elif registration.invented:
        words = "the payment node is a sandbox that invented its registration: nobody made it"
        yield Caution("registry-invented", words)
    elif not same_address(url, registration.url):
        yield Caution("registered-elsewhere", f"it is registered at {registration.url or 'no URL'}")


def of_wallet(registration: Registration | None, seller_vkey: str) -> Iterator[Caution]:
    """Only the node that registered an agent names its wallet; others ask the chain as they pay."""
    named = registration.selling_vkey if registration else ""
    if named and named.lower() != seller_vkey:
        words = f"the wallet {seller_vkey[:16]}… is paid, and the registry names {named[:16]}…"
        yield Caution("other-wallet", words)


def of_key(key: str, word: Word | None, now: float) -> Iterator[Caution]:
    """Of the key that answers are signed with, where the agent has one."""
    if key and word is None:
        yield Caution("key-not-vouched", "no wallet vouches for the key that it signs answers with")
    elif word is not None and not is_recent(word.said_at, now):
        words = "its wallet vouched for the key that it signs answers with more than a year ago"
        yield Caution("key-vouched-long-ago", words)


def is_recent(said_at: float, now: float) -> bool:
    return now - said_at <= LONG_AGO


def refuse(cautions: Iterable[Caution]) -> None:
    """For who pays without a person's look. Raises TermsRefused."""
    found = [caution for caution in cautions if caution.is_of_identity]
    if found:
        words = "; ".join(caution.words for caution in found)
        raise TermsRefused(found[0].code, f"{words} (--allow-warnings pays all the same)")


def same_address(one: str, other: str) -> bool:
    """Whether two URLs lead to the same place, however they are spelled."""
    try:
        first, second = httpx.URL(one.strip().rstrip("/")), httpx.URL(other.strip().rstrip("/"))
    except httpx.InvalidURL:
        return False
    return first == second
