"""``masumi-sumi key``: made, shown, and vouched for by the selling wallet."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from masumi_sumi.cli.commands import app
from masumi_sumi.cli.environment import environment
from masumi_sumi.errors import KeyExists, NodeNotFound, NodeUnreadable, SettingInvalid
from masumi_sumi.payments.statements import Statement, file_of, kept, word_of
from masumi_sumi.sandbox import Sandbox
from masumi_sumi.settings import Settings

SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
PUBLIC = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"

Key = Callable[..., Result]


@pytest.fixture
def key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Key:
    """``key("show", SUMI_AGENT_KEY=...)``"""
    monkeypatch.chdir(tmp_path)

    def key(*words: str, **settings: str) -> Result:
        return CliRunner().invoke(app, ["key", *words], env={"SUMI_DATA_DIR": "data", **settings})

    return key


def test_a_new_key_is_kept_for_its_owner_and_said_how_to_use(key: Key, tmp_path: Path):
    made = key("new")

    path = tmp_path / "data" / "agent.key"
    assert made.exit_code == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f"SUMI_AGENT_KEY={path}" in made.output
    assert path.read_text().strip() not in made.output
    assert key("show", SUMI_AGENT_KEY="data/agent.key").output.strip() in made.output


def test_a_key_that_is_there_is_kept(key: Key, tmp_path: Path):
    key("new", "my.key")
    before = (tmp_path / "my.key").read_text()

    again = key("new", "my.key")

    assert isinstance(again.exception, KeyExists)
    assert (tmp_path / "my.key").read_text() == before


def test_without_a_key_there_is_nothing_to_show(key: Key):
    shown = key("show", SUMI_AGENT_KEY="")

    assert isinstance(shown.exception, SettingInvalid)
    assert "key new" in str(shown.exception)


def test_a_key_reaches_the_parts_of_a_stack_and_no_print_of_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    inline = Settings(data_dir=tmp_path, agent_key=SEED)
    file = Settings(data_dir=tmp_path, agent_key="agent.key")

    assert environment(inline, {}, tmp_path)["SUMI_AGENT_KEY"] == SEED
    assert environment(file, {}, tmp_path)["SUMI_AGENT_KEY"] == str(tmp_path / "agent.key")
    assert SEED not in repr(inline) + inline.model_dump_json()


# --- the wallet's word -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(frozen=True) as sandbox:
        yield sandbox


def test_the_selling_wallet_vouches_for_the_key(key: Key, sandbox: Sandbox):
    agent = sandbox.register()
    nodes = json.dumps({"Preprod": {"url": sandbox.url, "token": sandbox.token}})

    said = key("publish", agent, SUMI_AGENT_KEY=SEED, SUMI_NODES=nodes)

    assert said.exit_code == 0, said.exception
    statement = Statement.model_validate_json(said.output)
    assert json.loads(statement.text)["data"]["walletVkey"] == word_of(statement, PUBLIC).wallet
    with pytest.raises(NodeUnreadable, match="another key"):
        word_of(statement, "00" * 32)


def test_a_wallets_word_is_kept_beside_the_key_for_each_agent(
    key: Key, sandbox: Sandbox, tmp_path: Path
):
    nodes = json.dumps({"Preprod": {"url": sandbox.url, "token": sandbox.token}})
    agents = [sandbox.register(), sandbox.register()]
    key("new")

    for agent in agents:
        key("publish", agent, SUMI_AGENT_KEY="data/agent.key", SUMI_NODES=nodes)

    words = kept(file_of(tmp_path / "data" / "agent.key"))
    public_key = key("show", SUMI_AGENT_KEY="data/agent.key").output.strip()
    assert list(words) == agents
    assert all(word_of(word, public_key).said_at for word in words.values())


def test_an_agent_that_the_node_does_not_know_is_not_vouched_for(key: Key, sandbox: Sandbox):
    nodes = json.dumps({"Preprod": {"url": sandbox.url, "token": sandbox.token}})

    said = key("publish", "7e8b" * 20, SUMI_AGENT_KEY=SEED, SUMI_NODES=nodes)

    assert isinstance(said.exception, NodeNotFound)
