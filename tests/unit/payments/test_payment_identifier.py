from __future__ import annotations

from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from lzstring import LZString
from wire_node import ORDER, V1_AGENT, V1_CONTRACT, V2_AGENT, V2_CONTRACT, WALLET, issued

from masumi_sumi.errors import IdentifierUnverified
from masumi_sumi.jobs.model import Amount, Times
from masumi_sumi.payments import address
from masumi_sumi.payments.identifier import Identifier, SignedTerms, decode, encode, verify
from masumi_sumi.sandbox import address as other_address
from masumi_sumi.sandbox.wallet import Wallet

OTHER = Wallet.derive("tests of payments", "somebody else")
TERMS = SignedTerms(
    agent_identifier=V1_AGENT,
    purchaser_id=ORDER.identifier_from_purchaser,
    input_hash=ORDER.input_hash,
    seller_vkey=WALLET.vkey,
    times=Times(1795294823139, 1795298423139, 1795320023139, 1795341623139),
)
ISSUED = issued()
V2_SIGNED = {"agent_identifier": V2_AGENT, "contract_address": V2_CONTRACT}
V2_RETURN = WALLET.address

KINDS: dict[str, tuple[dict[str, Any], SignedTerms]] = {
    "V1 fixed": ({}, TERMS),
    "V1 dynamic": (
        {"requested_funds": [("5000000", ""), ("7", "16a5" * 14 + "0014df10")]},
        replace(
            TERMS, price=(Amount("5000000", "lovelace"), Amount("7", "16a5" * 14 + "0014df10"))
        ),
    ),
    "V2 fixed": (
        {**V2_SIGNED, "source_index": 0},
        replace(TERMS, agent_identifier=V2_AGENT, source_index=0),
    ),
    "V2 dynamic": (
        {
            **V2_SIGNED,
            "source_index": 1,
            "requested_funds": [("4000000", "")],
            "seller_return_address": V2_RETURN,
        },
        replace(
            TERMS,
            agent_identifier=V2_AGENT,
            source_index=1,
            price=(Amount("4000000"),),
            seller_return_address=V2_RETURN,
        ),
    ),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> tuple[str, SignedTerms]:
    signed, terms = KINDS[request.param]
    return issued(**signed).encode(), terms


def test_an_identifier_is_decoded_verified_and_encoded_byte_for_byte(
    kind: tuple[str, SignedTerms],
) -> None:
    text, terms = kind

    identifier = decode(text)
    verify(identifier, terms)

    assert identifier.agent_identifier == terms.agent_identifier
    assert identifier.purchaser_id == terms.purchaser_id
    assert identifier.source_type.endswith("V2") == (terms.agent_identifier == V2_AGENT)
    assert encode(identifier) == text


TIMES = TERMS.times
ALTERED: dict[str, dict[str, Any]] = {
    "agent": {"agent_identifier": V1_AGENT[:-2] + "00"},
    "purchaser": {"purchaser_id": "b69a06808228fe"},
    "purchaser in capitals": {"purchaser_id": "B69A06808228FD"},
    "input hash": {"input_hash": "ab" * 32},
    "seller": {"seller_vkey": OTHER.vkey},
    "pay by": {"times": replace(TIMES, pay_by=TIMES.pay_by + 1)},
    "submit result": {"times": replace(TIMES, submit_result=TIMES.submit_result + 1)},
    "unlock": {"times": replace(TIMES, unlock=TIMES.unlock + 1)},
    "dispute unlock": {
        "times": replace(TIMES, external_dispute_unlock=TIMES.external_dispute_unlock + 1)
    },
    "price": {"price": (Amount("5000001"),)},
}


@pytest.mark.parametrize("altered", ALTERED)
def test_every_altered_term_is_caught(altered: str, kind: tuple[str, SignedTerms]) -> None:
    text, terms = kind

    with pytest.raises(IdentifierUnverified):
        verify(decode(text), replace(terms, **ALTERED[altered]))


@pytest.mark.parametrize(
    "change",
    [{"source_index": 2}, {"source_index": None}, {"seller_return_address": OTHER.address}],
)
def test_every_altered_term_of_v2_is_caught(change: dict[str, Any]) -> None:
    signed, terms = KINDS["V2 fixed"]

    with pytest.raises(IdentifierUnverified, match="source"):
        verify(decode(issued(**signed).encode()), replace(terms, **change))


def test_the_order_of_a_dynamic_price_is_signed() -> None:
    signed, terms = KINDS["V1 dynamic"]

    with pytest.raises(IdentifierUnverified):
        verify(decode(issued(**signed).encode()), replace(terms, price=terms.price[::-1]))


def forged(**changes: str | None) -> Identifier:
    return replace(decode(ISSUED.encode()), **changes)


def cose(payload: object = None, **header: Any) -> str:
    protected, unprotected, found, signed = cbor2.loads(bytes.fromhex(issued().signature))
    named = cbor2.loads(protected) | {
        int(k[1:]) if k[0] == "_" else k: v for k, v in header.items()
    }
    return cbor2.dumps([cbor2.dumps(named), unprotected, payload or found, signed]).hex()


@pytest.mark.parametrize(
    ("identifier", "reason"),
    [
        (forged(key=OTHER.sign(b"")[1]), "another key than it carries"),
        (forged(signature=OTHER.sign(b"")[0]), "another key than it carries"),
        (forged(signature=OTHER.sign(b"")[0], key=OTHER.sign(b"")[1]), "not the seller's"),
        (forged(signature=WALLET.sign(b"x" * 32)[0]), "another input hash"),
        (forged(signature=cose(payload=b"x" * 32)), "not by its key"),
        (forged(signature=cose(address=OTHER.raw_address)), "belongs to another key"),
        (forged(signature=cose(address=b"\x70" + WALLET.raw_address[1:29])), "payment key"),
        (forged(signature=cose(address=b"\x07" + WALLET.raw_address[1:])), "unknown network"),
        (forged(signature=cose(address=b"")), "payment key"),
        (forged(signature=cose(_1=-7)), "header"),
        (forged(signature="00"), "COSE_Sign1"),
        (forged(signature="ff"), "CBOR"),
        (forged(signature="80"), "COSE_Sign1"),
        (forged(key="a0"), "COSE_Key"),
        (forged(key=cbor2.dumps({1: 1, 3: -8, -1: 6, -2: b"short"}).hex()), "COSE_Key"),
        (forged(seller_id="5f" * 32 + V1_AGENT), "another input hash"),
        (forged(contract_address=V2_CONTRACT), "another input hash"),
    ],
)
def test_a_forged_part_is_caught_and_named(identifier: Identifier, reason: str) -> None:
    with pytest.raises(IdentifierUnverified, match=reason):
        verify(identifier, TERMS)


def test_another_contract_than_the_signed_one_is_caught() -> None:
    signed, terms = KINDS["V2 fixed"]

    with pytest.raises(IdentifierUnverified):
        verify(replace(decode(issued(**signed).encode()), contract_address=V1_CONTRACT), terms)


def squeezed(text: str) -> str:
    return b"".join(ord(unit).to_bytes(2) for unit in LZString.compress(text)).hex()


GOOD = [V1_AGENT, "b69a06808228fd", "00", "00"]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "hexadecimal"),
        ("xyz", "hexadecimal"),
        ("abc", "hexadecimal"),
        ("ab", "hexadecimal"),
        ("ab cd", "hexadecimal"),
        ("\u0661\u0661\u0661\u0661", "hexadecimal"),
        ("ab" * 4001, "longer than 8000"),
        ("ffff", "decompress"),
        ("0000", "decompress"),
        (squeezed("a.b.c"), "3 parts"),
        (squeezed("a.b.c.d.e.f"), "6 parts"),
        (squeezed(".".join(GOOD)), "seller id"),
        (squeezed(f"{'0' * 64}{V1_AGENT}.b69a.00.00"), "purchaser id"),
        (squeezed(f"{'0' * 64}{V1_AGENT}.b69a06808228fd.0.00"), "signature"),
        (squeezed(f"{'0' * 64}{V1_AGENT}.b69a06808228fd.00.zz"), "key"),
        (squeezed(f"{'0' * 64}{V1_AGENT}.b69a06808228fd.00.00.stake1x"), "contract address"),
        (squeezed("a" * 300_000), "longer than an identifier"),
    ],
)
def test_garbage_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(IdentifierUnverified, match=reason):
        decode(text)


def test_a_newline_at_the_end_is_no_part_of_an_identifier() -> None:
    with pytest.raises(IdentifierUnverified):
        decode(issued().encode() + "\n")


@settings(max_examples=60, deadline=None)
@given(st.one_of(st.text(), st.binary(max_size=300).map(bytes.hex)))
@example("c000")
@example("8000")
def test_text_of_every_kind_is_decoded_or_unverified(text: str) -> None:
    try:
        decode(text)
    except IdentifierUnverified:
        return


def signed_part(identifier: Identifier) -> tuple[object, ...]:
    protected, _, payload, signed = cbor2.loads(bytes.fromhex(identifier.signature))
    key = cbor2.loads(bytes.fromhex(identifier.key))
    named = identifier.seller_id, identifier.purchaser_id, identifier.contract_address
    return (*named, protected, payload, signed, key[-2])


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_changed_digit_verifies_only_where_nothing_signed_stands(data: st.DataObject) -> None:
    text = ISSUED.encode()
    at = data.draw(st.integers(0, len(text) - 1))
    digit = data.draw(st.sampled_from("0123456789abcdef").filter(lambda d: d != text[at]))
    try:
        identifier = decode(text[:at] + digit + text[at + 1 :])
        verify(identifier, TERMS)
    except IdentifierUnverified:
        return

    assert signed_part(identifier) == signed_part(decode(text))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=80), st.binary(max_size=80))
@example(bytes.fromhex("c5821a0fffffff03"), b"\xa1\xa0\xa0")
@example(b"\x81" * 80, b"\x9f" * 80)
def test_signatures_and_keys_of_every_kind_are_unverified(signature: bytes, key: bytes) -> None:
    with pytest.raises(IdentifierUnverified):
        verify(forged(signature=signature.hex() or "00"), TERMS)
    with pytest.raises(IdentifierUnverified):
        verify(forged(key=key.hex() or "00"), TERMS)


@settings(max_examples=60, deadline=None)
@given(st.recursive(st.none() | st.integers() | st.binary() | st.text(), st.lists, max_leaves=8))
def test_headers_of_every_kind_are_unverified(header: Any) -> None:
    made = cbor2.dumps([cbor2.dumps(header), {}, b"x" * 32, b"y" * 64]).hex()
    with pytest.raises(IdentifierUnverified):
        verify(forged(signature=made), TERMS)


@pytest.mark.parametrize(
    "text",
    [
        "addr_test1qr0539avwa8gavpnpstajmes2tjhxwvkqy95jm4smnpyttvscqnt04d76dfdqc06j7grc6jyumpd5"
        "kn5v6g7lhl7x6lq2hxhg0",
        V1_CONTRACT,
        V2_CONTRACT,
    ],
)
def test_addresses_of_the_real_chain_come_out_of_their_bytes(text: str) -> None:
    _, raw = other_address.decode(text)

    assert address.text_of(raw) == text


def test_the_key_hash_of_a_real_wallet_stands_in_its_address() -> None:
    text = (
        "addr_test1qr0539avwa8gavpnpstajmes2tjhxwvkqy95jm4smnpyttvscqnt04d76dfdqc06j7grc6jyumpd5"
        "kn5v6g7lhl7x6lq2hxhg0"
    )
    _, raw = other_address.decode(text)

    expected = "df4897ac774e8eb0330c17d96f3052e5733996010b496eb0dcc245ad"
    assert address.payment_key_hash(raw).hex() == expected


@given(st.binary(min_size=28, max_size=56), st.sampled_from([("addr", 1), ("addr_test", 0)]))
def test_addresses_agree_with_the_sandboxs_own(tail: bytes, network: tuple[str, int]) -> None:
    prefix, number = network
    raw = bytes([number]) + tail

    assert address.text_of(raw) == other_address.encode(prefix, raw)
