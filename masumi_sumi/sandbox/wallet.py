"""Wallets: an Ed25519 key, its address, and signatures as wallets give them (CIP-8, COSE)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import cbor2
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from masumi_sumi.sandbox.address import base_address
from masumi_sumi.sandbox.cuid import fixed_id

_ALGORITHM, _KEY_ID, _EDDSA = 1, 4, -8


class SignatureUnreadable(ValueError):
    """Bytes that are no COSE_Sign1 or COSE_Key of the kind wallets give."""


@dataclass(frozen=True)
class Wallet:
    """``vkey`` is the payment key hash (56 hex digits)."""

    id: str
    vkey: str
    address: str
    raw_address: bytes
    public_key: bytes
    _private_key: Ed25519PrivateKey

    @classmethod
    def derive(cls, seed: str, role: str, network: str = "Preprod") -> Wallet:
        """The wallet of a role, the same for the same seed."""
        private = Ed25519PrivateKey.from_private_bytes(_digest(f"{seed}/{role}/payment"))
        stake = Ed25519PrivateKey.from_private_bytes(_digest(f"{seed}/{role}/stake"))
        public = private.public_key().public_bytes_raw()
        vkey = key_hash(public)
        raw, address = base_address(vkey, key_hash(stake.public_key().public_bytes_raw()), network)
        return cls(fixed_id(f"{seed}/{role}"), vkey.hex(), address, raw, public, private)

    def sign(self, payload: bytes) -> tuple[str, str]:
        """Signature and key in hex: an untagged COSE_Sign1 and the COSE_Key that made it."""
        header = {_ALGORITHM: _EDDSA, _KEY_ID: self.public_key, "address": self.raw_address}
        protected = cbor2.dumps(header)
        signed = self._private_key.sign(_to_sign(protected, payload))
        signature = cbor2.dumps([protected, {"hashed": False}, payload, signed])
        key = cbor2.dumps({1: 1, 3: _EDDSA, -1: 6, -2: self.public_key})
        return signature.hex(), key.hex()


def key_hash(public_key: bytes) -> bytes:
    return hashlib.blake2b(public_key, digest_size=28).digest()


def public_key_of(cose_key: str) -> bytes:
    try:
        public = cbor2.loads(bytes.fromhex(cose_key))[-2]
    except (ValueError, KeyError, TypeError, IndexError, cbor2.CBORDecodeError) as error:
        raise SignatureUnreadable(cose_key) from error
    if not isinstance(public, bytes) or len(public) != 32:
        raise SignatureUnreadable(cose_key)
    return public


def is_signed(signature: str, public_key: bytes, payload: bytes) -> bool:
    """Whether ``signature`` is this key's signature over exactly this payload."""
    try:
        protected, _, found, signed = cbor2.loads(bytes.fromhex(signature))
        header = cbor2.loads(protected)
        said = header[_KEY_ID]
    except (ValueError, KeyError, TypeError, cbor2.CBORDecodeError) as error:
        raise SignatureUnreadable(signature) from error
    if found != payload or said != public_key or not isinstance(signed, bytes):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signed, _to_sign(protected, payload))
    except InvalidSignature:
        return False
    return True


def _to_sign(protected: bytes, payload: bytes) -> bytes:
    return cbor2.dumps(["Signature1", protected, b"", payload])


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
