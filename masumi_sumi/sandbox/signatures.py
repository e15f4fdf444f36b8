"""The signature calls: a statement about an agent's key, and the arbiter's wish to see data."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from masumi_sumi.sandbox import forms, schema
from masumi_sumi.sandbox.clock import HOUR, MINUTE
from masumi_sumi.sandbox.errors import Broken, Forbidden, Invalid, Missing
from masumi_sumi.sandbox.keys import SandboxKey
from masumi_sumi.sandbox.model import DISPUTED
from masumi_sumi.sandbox.node import Node
from masumi_sumi.sandbox.registry import CONFIRMED
from masumi_sumi.sandbox.source import NETWORKS, by_policy
from masumi_sumi.sandbox.wallet import SignatureUnreadable, is_signed, public_key_of

Values = Mapping[str, Any]


def publish(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
    """The selling wallet says, for three minutes, that a public key is this agent's."""
    form = schema.read(forms.PUBLISH, values)
    with node.turn() as now:
        agent = node.registry.listed(form["agentIdentifier"])
        if agent is None or agent.state != CONFIRMED:
            raise Missing("Registered agent not found")
        if not key.owns(agent.owner or ""):
            raise Forbidden("You are not authorized to sign a publish verification for this agent")
        found = (by_policy(node.sources, network, agent.identifier) for network in NETWORKS)
        wallet = next(source for source in found if source is not None).selling
        statement = {
            "action": form["action"],
            "data": {"publicKey": form["publicKey"], "walletVkey": wallet.vkey},
            "validUntil": now + 3 * MINUTE,
        }
    text = _canonical(statement)
    signature, cose_key = wallet.sign(text.encode())
    return {
        "signature": signature,
        "key": cose_key,
        "walletAddress": wallet.address,
        "signatureData": text,
    }


def reveal(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
    """Whether an admin wallet of the contract really asks for a disputed payment's data."""
    form = schema.read(forms.REVEAL, values)
    with node.turn() as now:
        row = node.ledger.find("payment", form["blockchainIdentifier"])
        if row is None or not key.sees(row.source_type):
            raise Missing("Payment not found")
        if row.state != DISPUTED:
            raise Invalid("Payment is not disputed state")
        if form["validUntil"] < now:
            raise Invalid("Signature is expired")
        if form["validUntil"] > now + 2 * HOUR:
            raise Invalid("Signature is too far in the future")
        admins = {wallet.address: wallet for wallet in node.source_of(row).admins}
        admin = admins.get(form["walletAddress"])
        if admin is None:
            raise Invalid("Wallet is not an admin wallet")
    said = {name: form[name] for name in ("action", "blockchainIdentifier", "validUntil")}
    return {"isValid": _is_valid(form, admin.public_key, _canonical(said).encode())}


def _is_valid(form: Values, public_key: bytes, payload: bytes) -> bool:
    for name in ("signature", "key"):
        try:
            bytes.fromhex(form[name])
        except ValueError as error:
            message = f"fromHex expects an hexadecimal string; input was: {form[name]}"
            raise Broken(message) from error
    try:
        same_key = public_key_of(form["key"]) == public_key
        return same_key and is_signed(form["signature"], public_key, payload)
    except SignatureUnreadable:
        return False


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
