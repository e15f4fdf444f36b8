"""What speaks against paying although every term holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from masumi_sumi.buyer import cautions
from masumi_sumi.buyer.cautions import Caution
from masumi_sumi.errors import TermsRefused
from masumi_sumi.payments.registration import Registration
from masumi_sumi.payments.statements import Word

URL = "https://you.example/two-stage"
REGISTERED = Registration("7e8b", "Two-stage", URL, ())
VKEY = "ab" * 28
NOW = 1_790_000_000.0
YEAR = 365 * 24 * 3600


def codes(found: object) -> list[str]:
    return [each.code for each in found]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "url",
    [URL, f"{URL}/", "https://YOU.example/two-stage", "https://you.example:443/two-stage/"],
)
def test_an_address_is_the_registered_one_however_it_is_spelled(url: str):
    assert codes(cautions.of_address(url, REGISTERED)) == []


@pytest.mark.parametrize(
    "url",
    [
        "http://you.example/two-stage",
        "https://you.example/Two-stage",
        "https://you.example/two-stage/a",
        "https://you.example:8443/two-stage",
        "https://you.example.evil.example/two-stage",
    ],
)
def test_another_address_is_told_with_the_registered_one(url: str):
    [caution] = cautions.of_address(url, REGISTERED)

    assert caution == Caution("registered-elsewhere", f"it is registered at {URL}")
    assert caution.is_of_identity


@pytest.mark.parametrize("registered", ["", "https://[", "you.example/two-stage"])
def test_a_registered_address_that_is_none_is_another(registered: str):
    found = cautions.of_address(URL, replace(REGISTERED, url=registered))

    assert codes(found) == ["registered-elsewhere"]


def test_what_nobody_registered_is_of_identity_and_what_a_sandbox_invents_is_not():
    [unknown] = cautions.of_address(URL, None)
    [invented] = cautions.of_address(URL, replace(REGISTERED, url="http://a", invented=True))

    assert (unknown.code, unknown.is_of_identity) == ("not-registered", True)
    assert (invented.code, invented.is_of_identity) == ("registry-invented", False)


def test_a_wallet_that_the_registry_does_not_name_is_told():
    named = replace(REGISTERED, selling_vkey=VKEY)
    [caution] = cautions.of_wallet(named, "cd" * 28)

    assert (caution.code, caution.is_of_identity) == ("other-wallet", True)
    assert codes(cautions.of_wallet(replace(named, selling_vkey=VKEY.upper()), VKEY)) == []
    assert codes(cautions.of_wallet(REGISTERED, VKEY)) == []
    assert codes(cautions.of_wallet(None, VKEY)) == []


@pytest.mark.parametrize(
    ("key", "age", "found"),
    [
        ("", None, []),
        ("k", None, ["key-not-vouched"]),
        ("k", YEAR, []),
        ("k", YEAR + 1, ["key-vouched-long-ago"]),
    ],
)
def test_a_wallets_word_for_a_key_holds_for_a_year(key: str, age: float | None, found: list[str]):
    word = None if age is None else Word(VKEY, NOW - age)
    cautious = list(cautions.of_key(key, word, NOW))

    assert codes(cautious) == found
    assert not any(caution.is_of_identity for caution in cautious)


def test_only_what_is_of_identity_is_refused_and_all_of_it_is_told():
    elsewhere, wallet = Caution("registered-elsewhere", "ONE"), Caution("other-wallet", "TWO")

    cautions.refuse([Caution("key-not-vouched", "a"), Caution("registry-invented", "b")])
    with pytest.raises(TermsRefused, match=r"ONE; TWO \(--allow-warnings") as refusal:
        cautions.refuse([Caution("key-not-vouched", "a"), elsewhere, wallet])

    assert refusal.value.term == "registered-elsewhere"
