"""Cardano addresses in bech32 (BIP-173), as far as a payment node needs them."""

from __future__ import annotations

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_PREFIXES = {"Preprod": ("addr_test", 0), "Mainnet": ("addr", 1)}


class NotAnAddress(ValueError):
    """Text that is no bech32 address."""


def base_address(payment: bytes, stake: bytes, network: str = "Preprod") -> tuple[bytes, str]:
    """Raw bytes and text of the address of two key hashes (28 bytes each)."""
    prefix, number = _PREFIXES[network]
    raw = bytes([number]) + payment + stake
    return raw, encode(prefix, raw)


def script_address(script: bytes, network: str) -> str:
    """The address of a contract, by its script's hash (28 bytes)."""
    prefix, number = _PREFIXES[network]
    return encode(prefix, bytes([0x70 | number]) + script)


def payment_hash(text: str) -> str:
    """The key hash (56 hex digits) that may spend from the address ``text``."""
    _, raw = decode(text)
    return raw[1:29].hex()


def is_address_on(text: str, network: str) -> bool:
    prefix, number = _PREFIXES[network]
    try:
        found, raw = decode(text)
    except NotAnAddress:
        return False
    return found == prefix and raw[:1] != b"" and raw[0] & 0x0F == number and len(raw) >= 29


def encode(prefix: str, raw: bytes) -> str:
    words = _regroup(raw, 8, 5, pad=True)
    checksum = _polymod([*_expanded(prefix), *words, 0, 0, 0, 0, 0, 0]) ^ 1
    tail = [(checksum >> 5 * (5 - i)) & 31 for i in range(6)]
    return prefix + "1" + "".join(_ALPHABET[word] for word in [*words, *tail])


def decode(text: str) -> tuple[str, bytes]:
    prefix, mark, data = text.rpartition("1")
    if not mark or not prefix or len(data) < 6 or any(c not in _ALPHABET for c in data):
        raise NotAnAddress(text)
    words = [_ALPHABET.index(c) for c in data]
    if _polymod([*_expanded(prefix), *words]) != 1:
        raise NotAnAddress(text)
    return prefix, bytes(_regroup(words[:-6], 5, 8, pad=False))


def _polymod(words: list[int]) -> int:
    checksum = 1
    for word in words:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ word
        for i, generator in enumerate(_GENERATOR):
            checksum ^= generator if top >> i & 1 else 0
    return checksum


def _expanded(prefix: str) -> list[int]:
    return [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]


def _regroup(words: bytes | list[int], width: int, into: int, *, pad: bool) -> list[int]:
    held, bits, out = 0, 0, []
    for word in words:
        held = held << width | word
        bits += width
        while bits >= into:
            bits -= into
            out.append(held >> bits & (1 << into) - 1)
    if pad and bits:
        out.append(held << into - bits & (1 << into) - 1)
    return out
