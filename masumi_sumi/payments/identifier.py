"""The blockchainIdentifier: its text, its parts, and whether its signature covers the terms.

hex(lz-string(``sellerId.purchaserId.signature.key[.contractAddress]``)); the fifth part stands in
Web3CardanoV2 only. sellerId is 64 hex digits and then the agentIdentifier. The signature is a
COSE_Sign1 over the SHA-256 of the terms' canonical JSON, by the seller's wallet (CIP-8).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lzstring import LZString

from masumi_sumi import cose
from masumi_sumi.errors import IdentifierUnverified
from masumi_sumi.jobs.model import Amount, SourceType, Times
from masumi_sumi.payments import address
from masumi_sumi.payments.wire import MAX_IDENTIFIER, unit

_MAX_TEXT = 8000
_HEX = re.compile(r"(?:[0-9a-fA-F]{4})+")
_PARTS = (
    ("seller id", re.compile(r"[0-9a-fA-F]{64}[0-9a-fA-F]{57,250}")),
    ("purchaser id", re.compile(r"(?:[0-9a-fA-F]{2}){7,13}")),
    ("signature", re.compile(r"(?:[0-9a-fA-F]{2})+")),
    ("key", re.compile(r"(?:[0-9a-fA-F]{2})+")),
    ("contract address", re.compile(r"addr(?:_test)?1[0-9a-z]+")),
)
_SALT = 64


@dataclass(frozen=True, slots=True)
class Identifier:
    """The parts as they stand in the text. ``contract_address`` is None for Web3CardanoV1."""

    seller_id: str
    purchaser_id: str
    signature: str
    key: str
    contract_address: str | None = None

    @property
    def agent_identifier(self) -> str:
        return self.seller_id[_SALT:]

    @property
    def source_type(self) -> SourceType:
        return "Web3CardanoV1" if self.contract_address is None else "Web3CardanoV2"


@dataclass(frozen=True, slots=True)
class SignedTerms:
    """What the buyer believes the seller to have signed.

    ``price`` is empty unless the agent's pricing is Dynamic: a fixed price stands on chain and is
    not signed. ``seller_vkey`` is the key hash of the selling wallet (56 hex digits).
    ``seller_return_address`` and ``source_index`` exist in Web3CardanoV2 only.
    """

    agent_identifier: str
    purchaser_id: str
    input_hash: str
    seller_vkey: str
    times: Times
    price: Sequence[Amount] = ()
    source_index: int | None = None
    seller_return_address: str | None = None


def decode(text: str) -> Identifier:
    """Raises IdentifierUnverified for everything that is no blockchainIdentifier."""
    parts = _expand(text).split(".")
    if not 4 <= len(parts) <= 5:
        raise IdentifierUnverified(f"it has {len(parts)} parts instead of 4 or 5")
    for part, (name, rule) in zip(parts, _PARTS, strict=False):
        if not rule.fullmatch(part):
            raise IdentifierUnverified(f"its {name} is malformed")
    return Identifier(*parts)


def encode(identifier: Identifier) -> str:
    """The text of it, byte for byte as the node writes it."""
    parts = [identifier.seller_id, identifier.purchaser_id, identifier.signature, identifier.key]
    if identifier.contract_address is not None:
        parts.append(identifier.contract_address)
    units = LZString.compress(".".join(parts))
    return b"".join(ord(char).to_bytes(2) for char in units).hex()


def verify(identifier: Identifier, terms: SignedTerms) -> None:
    """Returns when the wallet ``terms.seller_vkey`` signed exactly these terms.

    Raises IdentifierUnverified with the first thing that does not hold. The digest covers input
    hash, deadlines and dynamic price together, so a difference in one of them has one reason.
    What no signature covers (a wallet's unprotected header, capitals in hex) may differ.
    """
    if identifier.agent_identifier != terms.agent_identifier:
        raise IdentifierUnverified("it is of another agent")
    if identifier.purchaser_id != terms.purchaser_id:
        raise IdentifierUnverified("it is for another purchaser")
    signature = _signature(identifier.signature)
    public_key = _public_key(identifier.key)
    if signature.header[cose.KEY_ID] != public_key:
        raise IdentifierUnverified("its signature names another key than it carries")
    key_hash = cose.key_hash(public_key)
    if key_hash.hex() != terms.seller_vkey.lower():
        raise IdentifierUnverified("its key is not the seller's")
    seller_address = _address(signature.header[cose.ADDRESS], key_hash)
    if not signature.is_by(public_key):
        raise IdentifierUnverified("its signature is not by its key")
    if signature.payload != _digest(identifier, terms, seller_address):
        raise IdentifierUnverified(
            "its signature is over another input hash, other times, another price or source"
        )


def _signature(text: str) -> cose.Signature:
    try:
        signature = cose.read(text)
    except cose.CoseUnreadable as error:
        raise IdentifierUnverified(f"its signature {error}") from error
    if not isinstance(signature.header.get(cose.ADDRESS), bytes):
        raise IdentifierUnverified("its signature has a header that is not of a wallet")
    return signature


def _public_key(text: str) -> bytes:
    try:
        key = cose.decoded(bytes.fromhex(text), "is no CBOR")
    except cose.CoseUnreadable as error:
        raise IdentifierUnverified(f"its key {error}") from error
    match key:
        case {1: 1, 3: -8, -1: 6, -2: bytes() as public_key} if len(public_key) == 32:
            return public_key
        case _:
            raise IdentifierUnverified("its key is no Ed25519 COSE_Key")


def _address(raw: bytes, key_hash: bytes) -> str:
    try:
        if address.payment_key_hash(raw) != key_hash:
            raise IdentifierUnverified("its signer's address belongs to another key")
        return address.text_of(raw)
    except address.NotAnAddress as error:
        raise IdentifierUnverified(f"its signer's address is {error}") from error


def _digest(identifier: Identifier, terms: SignedTerms, seller_address: str) -> bytes:
    signed = _signed(identifier, terms, seller_address)
    text = json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _signed(identifier: Identifier, terms: SignedTerms, seller_address: str) -> dict[str, Any]:
    price = [{"amount": p.amount, "unit": unit(p.unit)} for p in terms.price]
    signed: dict[str, Any] = {
        "inputHash": terms.input_hash,
        "agentIdentifier": terms.agent_identifier,
        "purchaserIdentifier": terms.purchaser_id,
        "sellerIdentifier": identifier.seller_id,
        "RequestedFunds": price or None,
        "payByTime": str(terms.times.pay_by),
        "submitResultTime": str(terms.times.submit_result),
        "unlockTime": str(terms.times.unlock),
        "externalDisputeUnlockTime": str(terms.times.external_dispute_unlock),
        "sellerAddress": seller_address,
    }
    if identifier.contract_address is not None:
        signed["smartContractAddress"] = identifier.contract_address
        signed["sellerReturnAddress"] = terms.seller_return_address
        if terms.source_index is not None:
            signed["supportedPaymentSourceIndex"] = terms.source_index
    return signed


def _expand(text: str) -> str:
    """The text inside. Bounded by its input: 8000 digits expand to some megabytes at worst."""
    if len(text) > MAX_IDENTIFIER:
        raise IdentifierUnverified(f"it is longer than {MAX_IDENTIFIER} characters")
    if not _HEX.fullmatch(text):
        raise IdentifierUnverified("it is not hexadecimal, four digits by four")
    raw = bytes.fromhex(text)
    units = "".join(chr(raw[i] << 8 | raw[i + 1]) for i in range(0, len(raw), 2))
    try:
        expanded = LZString.decompress(units)
    except (LookupError, TypeError, ValueError, UnboundLocalError) as error:
        # lzstring checks nothing: bad input surfaces as whatever its loops stumble over
        raise IdentifierUnverified("it does not decompress") from error
    if not expanded:
        raise IdentifierUnverified("it does not decompress")
    if len(expanded) > _MAX_TEXT:
        raise IdentifierUnverified("it is longer than an identifier once decompressed")
    return str(expanded)
