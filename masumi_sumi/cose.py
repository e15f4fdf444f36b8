"""Signatures as wallets give them: an untagged COSE_Sign1 by an Ed25519 key (CIP-8), in hex."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

ALGORITHM, KEY_ID, ADDRESS = 1, 4, "address"
EDDSA = -8


class CoseUnreadable(ValueError):
    """What a text is not; the message goes on behind "its signature"."""


@dataclass(frozen=True, slots=True)
class Signature:
    """Taken apart, not yet checked. ``header`` is the protected one, ``protected`` its bytes."""

    protected: bytes
    header: Mapping[Any, Any]
    payload: bytes
    signed: bytes

    def is_by(self, public_key: bytes) -> bool:
        """Whether this key signed exactly this header and payload."""
        try:
            key = Ed25519PublicKey.from_public_bytes(public_key)
            key.verify(self.signed, _to_sign(self.protected, self.payload))
        except (InvalidSignature, ValueError):
            return False
        return True


def read(text: str) -> Signature:
    """Raises CoseUnreadable for what is no Ed25519 key's COSE_Sign1."""
    try:
        raw = bytes.fromhex(text)
    except ValueError as error:
        raise CoseUnreadable("is not hexadecimal") from error
    match decoded(raw, "is no CBOR"):
        case [bytes() as protected, dict(), bytes() as payload, bytes() as signed]:
            pass
        case _:
            raise CoseUnreadable("is no COSE_Sign1")
    match decoded(protected, "has a header that is no CBOR"):
        case dict() as header if _is_of_a_key(header):
            return Signature(protected, header, payload, signed)
        case _:
            raise CoseUnreadable("has a header that is not an Ed25519 key's")


def write(key: Ed25519PrivateKey, payload: bytes, address: bytes) -> str:
    """The signature of ``payload`` in hex; it names its key, and the address that the key has."""
    public_key = key.public_key().public_bytes_raw()
    protected = cbor2.dumps({ALGORITHM: EDDSA, KEY_ID: public_key, ADDRESS: address})
    signed = key.sign(_to_sign(protected, payload))
    return cbor2.dumps([protected, {"hashed": False}, payload, signed]).hex()


def key_hash(public_key: bytes) -> bytes:
    """The 28 bytes by which Cardano names a key."""
    return hashlib.blake2b(public_key, digest_size=28).digest()


def decoded(raw: bytes, otherwise: str) -> object:
    """The CBOR value. Raises CoseUnreadable, saying ``otherwise``."""
    try:
        return cbor2.loads(raw)
    except (cbor2.CBORError, ValueError, TypeError, ArithmeticError, RecursionError) as error:
        raise CoseUnreadable(otherwise) from error


def _is_of_a_key(header: Mapping[Any, Any]) -> bool:
    return header.get(ALGORITHM) == EDDSA and isinstance(header.get(KEY_ID), bytes)


def _to_sign(protected: bytes, payload: bytes) -> bytes:
    """RFC 9052's Sig_structure, without external data."""
    return cbor2.dumps(["Signature1", protected, b"", payload])
