"""A COSE_Sign1 of an Ed25519 key, read and verified as any wallet tool does it: with nothing of
ours."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Self

import cbor2
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


@dataclass(frozen=True)
class Signature:
    """``protected`` is the header as it was signed."""

    protected: bytes
    payload: bytes
    signed: bytes

    @classmethod
    def read(cls, text: str) -> Self:
        protected, unprotected, payload, signed = cbor2.loads(bytes.fromhex(text))
        assert unprotected == {"hashed": False}
        return cls(protected, payload, signed)

    @property
    def header(self) -> dict[Any, Any]:
        found: dict[Any, Any] = cbor2.loads(self.protected)
        return found

    @property
    def said(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.payload)
        return found

    def over(self, payload: bytes) -> Self:
        """The same signature, put under another text."""
        return replace(self, payload=payload)

    def verify(self, public_key: str) -> None:
        """Raises InvalidSignature. The key in hex."""
        signed = cbor2.dumps(["Signature1", self.protected, b"", self.payload])
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public_key)).verify(self.signed, signed)
