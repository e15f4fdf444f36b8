"""Identifiers, wallets and addresses, against values that the real node gave."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sandbox_caller import V1_AGENT, V2_AGENT

from masumi_sumi.sandbox import address
from masumi_sumi.sandbox.identifier import FormatInvalid, Identifier, Terms, decode, issue
from masumi_sumi.sandbox.source import sources_of
from masumi_sumi.sandbox.wallet import SignatureUnreadable, Wallet, is_signed, key_hash

REAL_KEY = "03ec0e1e45ac8804924caee1903be1967d1a7a2511e147864d75adb9e192cf35"
REAL_COSE_KEY = "a4010103272006215820" + REAL_KEY
REAL_VKEY = "df4897ac774e8eb0330c17d96f3052e5733996010b496eb0dcc245ad"
REAL_ADDRESS = (
    "addr_test1qr0539avwa8gavpnpstajmes2tjhxwvkqy95jm4smnpyttvscqnt04d76dfdqc06j7grc6jyumpd5kn"
    "5v6g7lhl7x6lq2hxhg0"
)
REAL_BEGINNINGS = {
    "d41d0d8f9849128ad32fbf5976cb3e": (
        "0981608cc00cc01c06604e188160130c086c0331ae0119c02b0203b006c03181"
    ),
    "84856878304353b52c61c58d7390dc7f520": (
        "0701661580d981d9819800c27b9e023700980c690230ee300098cf009c88938c"
    ),
    "77d310dd7224bedd9cf9b170056675efcc": (
        "3b302619811801955804c080b008c0a67027018c0665aa930d3402b006c17067"
    ),
}
V1, V2 = sources_of("Preprod", "test")
V1_TERMS = Terms(
    input_hash="aa" * 32,
    agent_identifier=V1_AGENT,
    purchaser_id="ab" * 7,
    seller_id="5c" * 32 + V1_AGENT,
    requested_funds=None,
    pay_by="1795294823139",
    submit_result="1795298423139",
    unlock="1795320023139",
    dispute_unlock="1795341623139",
    seller_address=V1.selling.address,
)
V1_DYNAMIC = replace(V1_TERMS, requested_funds=[("5000000", "")])
V2_TERMS = replace(
    V1_TERMS,
    agent_identifier=V2_AGENT,
    seller_id="5c" * 32 + V2_AGENT,
    seller_address=V2.selling.address,
    contract_address=V2.contract_address,
    seller_return_address=V2.selling.address,
    source_index=0,
)
CASES = {"V1 fixed": V1_TERMS, "V1 dynamic": V1_DYNAMIC, "V2": V2_TERMS}


@pytest.mark.parametrize(("seller_id", "beginning"), REAL_BEGINNINGS.items())
def test_an_identifier_begins_as_the_real_nodes_of_the_same_seller_id(
    seller_id: str, beginning: str
) -> None:
    identifier = Identifier(seller_id + "0" * 90, "ab" * 7, "84", "a4")

    assert identifier.encode().startswith(beginning)


def test_a_real_key_hashes_to_the_real_vkey_in_the_real_address() -> None:
    assert key_hash(bytes.fromhex(REAL_KEY)).hex() == REAL_VKEY
    assert address.payment_hash(REAL_ADDRESS) == REAL_VKEY


def test_a_real_address_is_encoded_again_as_it_was() -> None:
    prefix, raw = address.decode(REAL_ADDRESS)

    assert address.encode(prefix, raw) == REAL_ADDRESS
    assert address.base_address(raw[1:29], raw[29:]) == (raw, REAL_ADDRESS)


@pytest.mark.parametrize(
    ("text", "network", "fits"),
    [
        (REAL_ADDRESS, "Preprod", True),
        (REAL_ADDRESS, "Mainnet", False),
        (REAL_ADDRESS[:-1] + "q", "Preprod", False),
        (V1.contract_address, "Preprod", True),
        ("addr_test1xyz", "Preprod", False),
        ("", "Preprod", False),
        ("1", "Preprod", False),
    ],
)
def test_an_address_is_of_one_network(text: str, network: str, fits: bool) -> None:
    assert address.is_address_on(text, network) is fits


def test_a_key_has_the_bytes_of_a_real_cose_key() -> None:
    _, key = V1.selling.sign(b"payload")

    assert key == REAL_COSE_KEY.replace(REAL_KEY, V1.selling.public_key.hex())


def test_a_signature_begins_like_a_real_one() -> None:
    signature, _ = V1.selling.sign(b"payload")

    assert signature.startswith("845869a3012704" + "5820" + V1.selling.public_key.hex())


def test_wallets_follow_from_the_seed() -> None:
    again = Wallet.derive("test", "selling/1")

    assert (again.id, again.address) == (V1.selling.id, V1.selling.address)
    assert again.address != sources_of("Preprod", "other")[0].selling.address
    assert address.payment_hash(again.address) == again.vkey
    assert len(again.address) == len(REAL_ADDRESS)


@pytest.mark.parametrize("terms", CASES.values(), ids=CASES)
def test_an_identifier_is_read_verified_and_written_again_byte_for_byte(terms: Terms) -> None:
    wallet = V2.selling if terms.contract_address else V1.selling
    text = issue(terms, wallet).encode()
    read = decode(text)

    assert read.encode() == text
    assert read.covers(terms)
    assert read.agent_identifier == terms.agent_identifier
    assert read.purchaser_id == terms.purchaser_id
    assert read.seller_vkey == wallet.vkey
    assert read.contract_address == terms.contract_address


V2_ONLY = ("contract_address", "seller_return_address", "source_index")
ALTERED = [
    pytest.param(terms, field.name, id=f"{case}-{field.name}")
    for case, terms in CASES.items()
    for field in fields(Terms)
    if terms.contract_address is not None or field.name not in V2_ONLY
]


@pytest.mark.parametrize(("terms", "name"), ALTERED)
def test_every_altered_term_is_caught(terms: Terms, name: str) -> None:
    altered: object = {"requested_funds": [("1", "")], "source_index": 1}.get(name, "7")
    identifier = issue(terms, V1.selling)

    assert not identifier.covers(replace(terms, **{name: altered}))


def test_a_v2_index_that_was_not_signed_is_caught() -> None:
    identifier = issue(V2_TERMS, V2.selling)

    assert not identifier.covers(replace(V2_TERMS, source_index=None))


@pytest.mark.parametrize("text", ["", "a", "abcd", "zz", "0" * 40, "ff" * 30])
def test_garbage_is_no_identifier(text: str) -> None:
    with pytest.raises(FormatInvalid):
        decode(text)


@given(st.binary(max_size=200))
def test_whatever_comes_is_an_identifier_or_refused(raw: bytes) -> None:
    try:
        read = decode(raw.hex())
    except FormatInvalid:
        return
    assert read.covers(V1_TERMS) is False


@given(st.binary(max_size=200))
def test_whatever_comes_is_a_signature_or_unreadable(raw: bytes) -> None:
    try:
        signed = is_signed(raw.hex(), V1.selling.public_key, b"payload")
    except SignatureUnreadable:
        return
    assert signed is False
