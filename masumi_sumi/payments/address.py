"""Cardano addresses: their text in bech32 (BIP-173) from their bytes (CIP-19)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_PREFIXES = {0: "addr_test", 1: "addr"}


class NotAnAddress(ValueError):
    """Bytes that are no address with a payment key."""


def payment_key_hash(raw: bytes) -> bytes:
    """The 28 bytes that name the key which may spend. Raises NotAnAddress, for scripts too."""
    kind = raw[0] >> 4 if raw else 15
    if kind not in (0, 2, 4, 6) or not 29 <= len(raw) <= 65:
        raise NotAnAddress("no address with a payment key")
    return raw[1:29]


def text_of(raw: bytes) -> str:
    """Raises NotAnAddress when the network is unknown."""
    prefix = _PREFIXES.get(raw[0] & 0x0F) if raw else None
    if prefix is None:
        raise NotAnAddress("an address of an unknown network")
    words = list(_fives(raw))
    expanded = [*(ord(c) >> 5 for c in prefix), 0, *(ord(c) & 31 for c in prefix)]
    checksum = _polymod([*expanded, *words, *[0] * 6]) ^ 1
    words += [checksum >> shift & 31 for shift in range(25, -1, -5)]
    return f"{prefix}1{''.join(_ALPHABET[word] for word in words)}"


def _fives(raw: bytes) -> Iterator[int]:
    """The bytes as groups of five bits, zeros added at the end."""
    length = len(raw) * 8
    groups = -(-length // 5)
    number = int.from_bytes(raw) << groups * 5 - length
    return (number >> 5 * place & 31 for place in range(groups - 1, -1, -1))


def _polymod(words: Iterable[int]) -> int:
    checksum = 1
    for word in words:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ word
        for bit, generator in enumerate(_GENERATORS):
            checksum ^= generator if top >> bit & 1 else 0
    return checksum
