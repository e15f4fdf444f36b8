"""A selling wallet's word for an agent's key: what the node signs as verifyAndPublishAgent.

The text says for three minutes that a public key goes with a wallet. So it is kept, and judged by
its date: it was said then, three minutes before its ``validUntil``.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from masumi_sumi import cose
from masumi_sumi.errors import NodeUnreadable, SettingInvalid

log = logging.getLogger(__name__)

CALL = "POST /signature/sign/verifyAndPublishAgent"
ACTION = "VerifyAndPublishAgent"

LASTS = 180.0
"""Seconds from the signing of a statement to its ``validUntil``."""

LATEST = 10**15
"""Epoch milliseconds; what comes after is no date."""


class Statement(BaseModel):
    """As the node gave it: ``text`` is what was signed, ``key`` the wallet's COSE_Key in hex."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    signature: str
    key: str
    wallet_address: str = Field(alias="walletAddress")
    text: str = Field(alias="signatureData")


@dataclass(frozen=True, slots=True)
class Word:
    """What a statement comes to: ``wallet`` (its key hash, 56 hex digits) vouched for the key at
    ``said_at``, in epoch seconds.
    """

    wallet: str
    said_at: float


_BY_AGENT = TypeAdapter(dict[str, Statement])


def file_of(key: Path) -> Path:
    """Where the statements about a key in a file are kept."""
    return key.with_name(f"{key.name}.statements.json")


def kept(file: Path) -> Mapping[str, Statement]:
    """By agentIdentifier. Raises SettingInvalid for a file that holds something else."""
    try:
        return _BY_AGENT.validate_json(file.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValidationError) as error:
        rule = "cannot be read: delete it, and masumi-sumi key publish makes a new one"
        raise SettingInvalid("statements", str(file), rule) from error


def about(public_key: str, known: Mapping[str, Statement]) -> Mapping[str, Statement]:
    """Those that vouch for this key: a buyer refuses an agent that shows another."""
    found = {}
    for agent, statement in known.items():
        try:
            word_of(statement, public_key)
        except NodeUnreadable as error:
            log.warning("publish the key again", extra={"agent": agent, "note": error.reason})
        else:
            found[agent] = statement
    return found


def keep(file: Path, agent_identifier: str, statement: Statement) -> None:
    known = {**kept(file), agent_identifier: statement}
    file.write_bytes(_BY_AGENT.dump_json(known, by_alias=True, indent=2))


def word_of(statement: Statement, public_key: str) -> Word:
    """Which wallet vouched for exactly this key, and when.

    Raises NodeUnreadable with the first thing that does not hold.
    """
    try:
        signature = cose.read(statement.signature)
        said = json.loads(statement.text)
    except (cose.CoseUnreadable, ValueError, RecursionError) as error:
        raise NodeUnreadable(CALL, f"its statement: {error}") from error
    wallet = signature.header[cose.KEY_ID]
    if signature.payload != statement.text.encode() or not signature.is_by(wallet):
        raise NodeUnreadable(CALL, "its signature is not over its statement")
    match said:
        case {"action": str(action), "data": {"publicKey": str(key), "walletVkey": str(vkey)}}:
            pass
        case _:
            raise NodeUnreadable(CALL, "its statement is about something else")
    if (action, key) != (ACTION, public_key):
        raise NodeUnreadable(CALL, "its statement is about another key")
    if cose.key_hash(wallet).hex() != vkey:
        raise NodeUnreadable(CALL, "it is signed by another wallet than it names")
    return Word(vkey, _said_at(said.get("validUntil")))


def _said_at(valid_until: object) -> float:
    if type(valid_until) is not int or not 0 < valid_until < LATEST:
        raise NodeUnreadable(CALL, "its statement has no date")
    return valid_until / 1000 - LASTS
