"""The seller's own key: what it signs, and what is no signature of it."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import cbor2
import pytest

from masumi_sumi import cose
from masumi_sumi.errors import KeyExists, SettingInvalid, SignatureRefused
from masumi_sumi.payments import address
from masumi_sumi.sandbox.wallet import Wallet, is_signed
from masumi_sumi.signing import AgentKey, Taken, check

SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"  # RFC 8032, test 1
PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
TAKEN = Taken("6b49d200", "lock-1", "b69a06808228fd00", "ab" * 32)
TEXT = (
    b'{"action":"ProvideInput","identifier_from_purchaser":"b69a06808228fd00",'
    b'"input_hash":"' + b"ab" * 32 + b'","job_id":"6b49d200","status_id":"lock-1"}'
)


def key() -> AgentKey:
    found = AgentKey.of(SEED)
    assert found is not None
    return found


def test_what_is_signed_is_one_canonical_text():
    assert TAKEN.text == TEXT


def test_a_wallets_own_reader_takes_the_signature():
    signature = key().sign(TAKEN, "Preprod")

    assert is_signed(signature, bytes.fromhex(PUBLIC), TEXT)


@pytest.mark.parametrize(
    ("network", "prefix"), [("Preprod", "addr_test1v"), ("Mainnet", "addr1v"), ("", "addr_test1v")]
)
def test_the_signature_names_the_address_of_its_own_key(network: str, prefix: str):
    raw = cose.read(key().sign(TAKEN, network)).header["address"]

    assert address.payment_key_hash(raw) == cose.key_hash(bytes.fromhex(PUBLIC))
    assert address.text_of(raw).startswith(prefix)


def test_a_signature_holds_for_its_key_and_its_answer():
    check(key().sign(TAKEN, "Preprod"), PUBLIC, TAKEN)


@pytest.mark.parametrize(
    "other",
    [
        replace(TAKEN, job_id="6b49d201"),
        replace(TAKEN, status_id="lock-2"),
        replace(TAKEN, identifier="b69a06808228fd01"),
        replace(TAKEN, input_hash="ac" * 32),
    ],
)
def test_a_signature_over_another_answer_is_refused(other: Taken):
    with pytest.raises(SignatureRefused, match="something else"):
        check(key().sign(other, "Preprod"), PUBLIC, TAKEN)


def altered(place: int, value: object) -> str:
    parts = cbor2.loads(bytes.fromhex(key().sign(TAKEN, "Preprod")))
    parts[place] = value
    return cbor2.dumps(parts).hex()


OTHER = AgentKey(bytes(32))
FORGED = cbor2.dumps({1: -8, 4: bytes.fromhex(PUBLIC)})


@pytest.mark.parametrize(
    ("signature", "reason"),
    [
        ("", "there is none"),
        ("xy", "hexadecimal"),
        ("ab" * 32, "CBOR"),  # a hash in disguise
        ("80", "COSE_Sign1"),
        (altered(0, cbor2.dumps({1: -7, 4: bytes(32)})), "header"),
        (altered(0, b"\xff"), "header"),
        (altered(0, FORGED), "not by the agent's key"),
        (altered(2, TEXT.replace(b"lock-1", b"lock-2")), "not by the agent's key"),
        (altered(3, bytes(64)), "not by the agent's key"),
        (altered(3, b""), "not by the agent's key"),
        (OTHER.sign(TAKEN, "Preprod"), "not by the agent's key"),
        (Wallet.derive("seed", "seller").sign(TEXT)[0], "not by the agent's key"),
    ],
)
def test_what_is_no_signature_of_the_key_is_refused_with_its_reason(signature: str, reason: str):
    with pytest.raises(SignatureRefused, match=reason):
        check(signature, PUBLIC, TAKEN)


# --- where the key is --------------------------------------------------------------------------


def test_a_key_is_given_as_its_seed_or_as_a_file_with_it(tmp_path: Path):
    file = tmp_path / "agent.key"
    file.write_text(f"{SEED.upper()}\n")

    assert key().public_key == PUBLIC
    assert repr(AgentKey.of(str(file))) == f"AgentKey({PUBLIC})"
    assert AgentKey.of("") is None


def test_a_new_key_is_its_owners_alone_and_never_written_over(tmp_path: Path):
    path = tmp_path / "keys" / "agent.key"

    made = AgentKey.make(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert repr(AgentKey.of(str(path))) == repr(made)
    with pytest.raises(KeyExists, match=r"agent\.key"):
        AgentKey.make(path)
    assert repr(AgentKey.of(str(path))) == repr(made)


@pytest.mark.parametrize("content", [None, b"", SEED[:-1].encode(), b"\xff\xfe", b"secret word"])
def test_a_file_without_a_key_is_refused_and_its_words_stay_hidden(
    tmp_path: Path, content: bytes | None
):
    path = tmp_path / "agent.key"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SettingInvalid, match="SUMI_AGENT_KEY") as refusal:
        AgentKey.of(str(path))

    assert "secret" not in str(refusal.value)
    assert SEED[:-1] not in str(refusal.value)


def test_a_seed_that_was_mistyped_is_not_told():
    with pytest.raises(SettingInvalid) as refusal:
        AgentKey.of(SEED[:-1])

    assert SEED[:-1] not in repr(refusal.value)
