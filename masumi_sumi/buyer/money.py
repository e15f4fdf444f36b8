"""Prices, as they are asked, bounded and told."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal

from masumi_sumi.errors import SettingInvalid
from masumi_sumi.jobs.model import Amount
from masumi_sumi.payments.wire import unit

LOVELACE = Decimal(1_000_000)

_PRICE = re.compile(r"(\d{1,20}(?:\.\d{1,6})?)\s*([A-Za-z]+|[0-9a-fA-F]{56,120})", re.ASCII)

Sums = Mapping[str, int]
"""Smallest units by asset; "" is lovelace."""


def sums(price: Iterable[Amount]) -> dict[str, int]:
    """What a price costs, asset by asset."""
    found: dict[str, int] = {}
    for part in price:
        name = unit(part.unit)
        found[name] = found.get(name, 0) + int(part.amount)
    return found


def within(price: Iterable[Amount], limit: Sums) -> bool:
    """Whether each asset costs at most its limit; an asset without a limit may cost nothing."""
    return all(amount <= limit.get(name, 0) for name, amount in sums(price).items())


def parse(text: str) -> tuple[str, int]:
    """``10ADA``, ``2.5 ADA``, ``5000000 lovelace`` or ``7 <policy id and asset name in hex>``.

    Raises SettingInvalid.
    """
    rule = "expected an amount like 10ADA, 5000000 lovelace, or 7 and a token's unit in hex"
    found = _PRICE.fullmatch(text.strip())
    if found is None:
        raise SettingInvalid("--max-price", text, rule)
    amount, name = Decimal(found[1]), found[2].lower()
    if name == "ada":
        return "", int(amount * LOVELACE)
    if amount != int(amount) or (name != "lovelace" and len(name) < 56):
        raise SettingInvalid("--max-price", text, rule)
    return unit(name), int(amount)


def told(price: Iterable[Amount]) -> str:
    """``10 ADA``, ``2.5 ADA and 7 units of 16a5…64d``."""
    return " and ".join(_told(name, amount) for name, amount in sums(price).items()) or "nothing"


def _told(name: str, amount: int) -> str:
    if name == "":
        return f"{(Decimal(amount) / LOVELACE).normalize():f} ADA"
    short = name if len(name) <= 20 else f"{name[:8]}…{name[-8:]}"
    return f"{amount} units of {short}"
