"""A selling wallet's word for an agent's key: what the node signs as verifyAndPublishAgent.

The text says for three minutes that a public key goes with a wallet. So it is kept, and judged by
its date: it was said then.
"""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict, Field

from masumi_sumi import cose
from masumi_sumi.errors import NodeUnreadable

CALL = "POST /signature/sign/verifyAndPublishAgent"
ACTION = "VerifyAndPublishAgent"


class Statement(BaseModel):
    """As the node gave it: ``text`` is what was signed, ``key`` the wallet's COSE_Key in hex."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    signature: str
    key: str
    wallet_address: str = Field(alias="walletAddress")
    text: str = Field(alias="signatureData")


def wallet_of(statement: Statement, public_key: str) -> str:
    """The key hash (56 hex digits) of the wallet that vouches for exactly this key.

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
    return vkey
