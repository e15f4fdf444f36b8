"""A wallet's word for a key: what does not hold is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from masumi_sumi.errors import NodeUnreadable, SettingInvalid
from masumi_sumi.payments.statements import Statement, Word, about, file_of, keep, kept, word_of
from masumi_sumi.sandbox.wallet import Wallet

PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
WALLET, OTHER = Wallet.derive("seed", "seller"), Wallet.derive("seed", "other")


def stated(text: str, signer: Wallet = WALLET, signed: str = "") -> Statement:
    signature, cose_key = signer.sign((signed or text).encode())
    return Statement(signature=signature, key=cose_key, wallet_address="addr_test1", text=text)


def text(
    action: str = "VerifyAndPublishAgent",
    wallet: Wallet = WALLET,
    dated: object = 1_790_000_180_000,
) -> str:
    data = {"publicKey": PUBLIC, "walletVkey": wallet.vkey}
    return json.dumps({"action": action, "data": data, "validUntil": dated})


def test_what_was_said_of_an_earlier_key_is_not_shown():
    known = {"agent": stated(text())}

    assert about(PUBLIC, known) == known
    assert about("ab" * 32, known) == {}


def test_a_statement_names_the_wallet_that_signed_it_and_when():
    assert word_of(stated(text()), PUBLIC) == Word(WALLET.vkey, 1_790_000_000.0)


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (stated(text(), signed="other"), "not over its statement"),
        (stated(text(), signer=OTHER), "another wallet"),
        (stated(text("Other")), "another key"),
        (stated("{}"), "something else"),
        (stated("no json"), "statement"),
        (stated(text(dated=None)), "no date"),
        (stated(text(dated=True)), "no date"),
        (stated(text(dated="1790000180000")), "no date"),
        (stated(text(dated=10**400)), "no date"),
        (stated(text()).model_copy(update={"signature": "ab"}), "statement"),
    ],
)
def test_a_statement_that_does_not_hold_is_refused(statement: Statement, reason: str):
    with pytest.raises(NodeUnreadable, match=reason):
        word_of(statement, PUBLIC)


def test_words_that_were_kept_are_found_again(tmp_path: Path):
    file = file_of(tmp_path / "agent.key")

    keep(file, "one", stated(text()))
    keep(file, "two", stated(text("Other")))

    assert kept(file) == {"one": stated(text()), "two": stated(text("Other"))}
    assert kept(tmp_path / "none.json") == {}


@pytest.mark.parametrize("content", ["", "[]", '{"one": {}}'])
def test_a_file_of_something_else_is_told_and_kept(tmp_path: Path, content: str):
    file = tmp_path / "agent.key.statements.json"
    file.write_text(content)

    for act in (lambda: kept(file), lambda: keep(file, "one", stated(text()))):
        with pytest.raises(SettingInvalid, match=r"agent\.key\.statements"):
            act()
    assert file.read_text() == content
