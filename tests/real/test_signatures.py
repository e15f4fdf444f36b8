"""What an agent with a key signs when it takes an answer, verified with nothing of ours."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from buyer_words import ANSWER, ASKING, NAMINGS, canonical, digest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from encounter import Encounter, Turn
from signature import Signature

from masumi_sumi.cli.stack import Stack

EDDSA, ALGORITHM, KEY_ID = -8, 1, 4
TESTNET_KEY = b"\x60"
ALTERED = {
    "action": "StartJob",
    "identifier_from_purchaser": "ab" * 10,
    "input_hash": "0" * 64,
    "job_id": "0" * 24,
    "status_id": "0" * 32,
}


@pytest.fixture(params=ASKING)
def asking(request: pytest.FixtureRequest, encounters: Callable[[str], Encounter]) -> Encounter:
    return encounters(request.param)


@pytest.fixture
def key(asking: Encounter) -> str:
    """As its buyers find it."""
    return str(asking.availability.json()["provideInputKey"])


def signature(turn: Turn) -> Signature:
    return Signature.read(turn.answer.json()["signature"])


def taken(asking: Encounter, turn: Turn) -> dict[str, str]:
    """What a buyer knows of the answer that it gave."""
    return {
        "action": "ProvideInput",
        "identifier_from_purchaser": asking.identifier,
        "input_hash": digest(asking.identifier, canonical(ANSWER)),
        "job_id": asking.job_id,
        "status_id": turn.before[0].json()["id"],
    }


def test_every_flow_names_the_key_that_the_operator_set(met: Encounter, stack: Stack) -> None:
    seed = Path(stack.settings.agent_key.get_secret_value()).read_text()
    set_key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)).public_key()
    assert met.availability.json()["provideInputKey"] == set_key.public_bytes_raw().hex()


def test_every_answer_is_signed_with_that_key(asking: Encounter, key: str) -> None:
    assert len(asking.turns) == len(NAMINGS)
    for turn in asking.turns:
        signature(turn).verify(key)


def test_signed_is_which_answer_was_taken_for_which_state_of_which_job(asking: Encounter) -> None:
    for turn in asking.turns:
        assert signature(turn).payload == canonical(taken(asking, turn)).encode()


@pytest.mark.parametrize("name", ALTERED)
def test_a_text_that_was_altered_is_not_signed(asking: Encounter, key: str, name: str) -> None:
    for turn in asking.turns:
        altered = {**taken(asking, turn), name: ALTERED[name]}
        with pytest.raises(InvalidSignature):
            signature(turn).over(canonical(altered).encode()).verify(key)


def test_one_answer_is_not_signed_for_the_next(asking: Encounter, key: str) -> None:
    first, second, *_ = asking.turns
    with pytest.raises(InvalidSignature):
        signature(first).over(signature(second).payload).verify(key)


def test_the_key_of_somebody_else_did_not_sign(asking: Encounter) -> None:
    stranger = Ed25519PrivateKey.generate().public_key().public_bytes_raw().hex()
    with pytest.raises(InvalidSignature):
        signature(asking.turns[0]).verify(stranger)


def test_wallet_tools_find_the_key_and_its_address_in_the_header(
    asking: Encounter, key: str
) -> None:
    raw = bytes.fromhex(key)
    address = TESTNET_KEY + hashlib.blake2b(raw, digest_size=28).digest()
    header = {ALGORITHM: EDDSA, KEY_ID: raw, "address": address}
    assert [signature(turn).header for turn in asking.turns] == [header] * len(asking.turns)


def test_what_was_refused_is_not_signed(asking: Encounter) -> None:
    refused = [answer for turn in asking.turns for answer in (*turn.refused.values(), turn.again)]
    assert refused
    assert not [answer for answer in refused if "signature" in answer.json()]
