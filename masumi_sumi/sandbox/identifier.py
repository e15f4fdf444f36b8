"""The blockchainIdentifier: the seller's signed terms of one payment.

hex(lz(``sellerId.purchaserId.signature.key[.contractAddress]``)), where lz is lz-string's
compressToUint8Array; the fifth part exists for Web3CardanoV2 only. The signature covers the
SHA-256 of the canonical JSON of the terms.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from lzstring import LZString

from masumi_sumi.sandbox.wallet import (
    SignatureUnreadable,
    Wallet,
    is_signed,
    key_hash,
    public_key_of,
)

_UNREADABLE = (ValueError, TypeError, LookupError, AttributeError, NameError)
"""All that the lzstring package raises on text that was never compressed."""


class FormatInvalid(ValueError):
    """Text that is no blockchainIdentifier at all."""


@dataclass(frozen=True)
class Terms:
    """What a seller signs. Times are epoch milliseconds as text; V2 has a contract address."""

    input_hash: str
    agent_identifier: str
    purchaser_id: str
    seller_id: str
    requested_funds: Sequence[tuple[str, str]] | None
    pay_by: str
    submit_result: str
    unlock: str
    dispute_unlock: str
    seller_address: str
    contract_address: str | None = None
    seller_return_address: str | None = None
    source_index: int | None = None

    def digest(self) -> bytes:
        text = json.dumps(self._signed(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).digest()

    def _signed(self) -> dict[str, object]:
        funds = self.requested_funds
        signed: dict[str, object] = {
            "inputHash": self.input_hash,
            "agentIdentifier": self.agent_identifier,
            "purchaserIdentifier": self.purchaser_id,
            "sellerIdentifier": self.seller_id,
            "RequestedFunds": funds and [{"amount": a, "unit": u} for a, u in funds],
            "payByTime": self.pay_by,
            "submitResultTime": self.submit_result,
            "unlockTime": self.unlock,
            "externalDisputeUnlockTime": self.dispute_unlock,
            "sellerAddress": self.seller_address,
        }
        if self.contract_address is not None:
            signed["sellerReturnAddress"] = self.seller_return_address
            signed["smartContractAddress"] = self.contract_address
            if self.source_index is not None:
                signed["supportedPaymentSourceIndex"] = self.source_index
        return signed


@dataclass(frozen=True)
class Identifier:
    seller_id: str
    purchaser_id: str
    signature: str
    key: str
    contract_address: str | None = None

    @property
    def agent_identifier(self) -> str:
        return self.seller_id[64:]

    @property
    def seller_vkey(self) -> str:
        """Raises SignatureUnreadable for a key that is none."""
        return key_hash(public_key_of(self.key)).hex()

    def encode(self) -> str:
        parts = [self.seller_id, self.purchaser_id, self.signature, self.key]
        if self.contract_address is not None:
            parts.append(self.contract_address)
        return _squeeze(".".join(parts)).hex()

    def covers(self, terms: Terms) -> bool:
        """Whether the signature in here is a signature over exactly these terms."""
        try:
            return is_signed(self.signature, public_key_of(self.key), terms.digest())
        except SignatureUnreadable:
            return False


def issue(terms: Terms, wallet: Wallet) -> Identifier:
    signature, key = wallet.sign(terms.digest())
    return Identifier(terms.seller_id, terms.purchaser_id, signature, key, terms.contract_address)


def decode(text: str) -> Identifier:
    try:
        parts = _expand(bytes.fromhex(text)).split(".")
    except _UNREADABLE as error:
        raise FormatInvalid(text) from error
    if len(parts) not in (4, 5) or not all(parts):
        raise FormatInvalid(text)
    return Identifier(*parts)


def _squeeze(text: str) -> bytes:
    return b"".join(ord(unit).to_bytes(2) for unit in LZString().compress(text))


def _expand(raw: bytes) -> str:
    if not raw or len(raw) % 2:
        raise ValueError("odd number of bytes")
    units = "".join(chr(raw[i] << 8 | raw[i + 1]) for i in range(0, len(raw), 2))
    return LZString().decompress(units) or ""
