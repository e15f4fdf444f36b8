"""The seller's own key, and what it signs: that an answer of a buyer was taken, and which.

Signed is the RFC 8785 text of ``{"action": "ProvideInput", "identifier_from_purchaser": ...,
"input_hash": ..., "job_id": ..., "status_id": ...}``, as a COSE_Sign1 in hex. The selling wallet's
key lies at the payment node, which signs nothing of ours; so this key is another one, and the
wallet may vouch for it.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from masumi_sumi import cose
from masumi_sumi.errors import KeyExists, SettingInvalid, SignatureRefused
from masumi_sumi.hashing import canonical_json
from masumi_sumi.settings import AGENT_SEED

SETTING = "SUMI_AGENT_KEY"
PUBLIC_KEY = re.compile(r"[0-9a-f]{64}")

_RULE = "expected 64 hexadecimal digits, or a file with them (masumi-sumi key new makes one)"
_MAINNET, _TESTNET = b"\x61", b"\x60"
"""First bytes of an address that is a payment key and nothing else (CIP-19)."""


@dataclass(frozen=True, slots=True)
class Taken:
    """An answer that an agent took. ``status_id`` is of the status that asked for it: a lock's id,
    or that of several open questions."""

    job_id: str
    status_id: str
    identifier: str
    input_hash: str

    @property
    def text(self) -> bytes:
        said = {
            "action": "ProvideInput",
            "identifier_from_purchaser": self.identifier,
            "input_hash": self.input_hash,
            "job_id": self.job_id,
            "status_id": self.status_id,
        }
        return canonical_json(said).encode()


class AgentKey:
    """An Ed25519 key. Its secret is never shown."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)

    @classmethod
    def of(cls, setting: str) -> Self | None:
        """The key of SUMI_AGENT_KEY: its seed in hex, or a file with it; None for an empty one.

        Raises SettingInvalid, without what might be a secret.
        """
        if not setting:
            return None
        text = setting if AGENT_SEED.fullmatch(setting) else _read(Path(setting))
        if not AGENT_SEED.fullmatch(text):
            raise SettingInvalid(SETTING, "(hidden)", _RULE)
        return cls(bytes.fromhex(text))

    @classmethod
    def make(cls, path: Path) -> Self:
        """A new key in a file that its owner alone can read. Raises KeyExists."""
        seed = os.urandom(32)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise KeyExists(path) from error
        with os.fdopen(file, "w", encoding="ascii") as written:
            written.write(f"{seed.hex()}\n")
        return cls(seed)

    def __repr__(self) -> str:
        return f"AgentKey({self.public_key})"

    @property
    def public_key(self) -> str:
        """64 lower-case hex digits."""
        return self._key.public_key().public_bytes_raw().hex()

    def sign(self, taken: Taken, network: str) -> str:
        """The signature in hex. Wallet tools want an address in it: it is that of this very key."""
        kind = _MAINNET if network == "Mainnet" else _TESTNET
        address = kind + cose.key_hash(bytes.fromhex(self.public_key))
        return cose.write(self._key, taken.text, address)


def check(signature: str, public_key: str, taken: Taken) -> None:
    """Returns when the holder of ``public_key`` signed exactly this. Raises SignatureRefused."""
    if not signature:
        raise SignatureRefused("there is none, but the agent has a key")
    try:
        read = cose.read(signature)
    except cose.CoseUnreadable as error:
        raise SignatureRefused(f"it {error}") from error
    key = bytes.fromhex(public_key)
    if read.header[cose.KEY_ID] != key or not read.is_by(key):
        raise SignatureRefused("it is not by the agent's key")
    if read.payload != taken.text:
        raise SignatureRefused("it is over something else")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise SettingInvalid(SETTING, "(hidden)", f"{_RULE}; reading it: {reason}") from error
