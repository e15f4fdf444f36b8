"""What each part of a stack finds in its environment."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import SecretStr

from masumi_sumi.cli.environment import environment
from masumi_sumi.cli.withholding import for_authors, for_panel, for_supervisor
from masumi_sumi.errors import SettingInvalid
from masumi_sumi.settings import NodeSettings, Settings
from masumi_sumi.signing import AgentKey

SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
TOKEN = "token-of-the-payment-node-0123"
OF_THE_OPERATOR = {
    "KODO_SECRET_KEY": "jwt-key-of-the-operator-0123456789",
    "KODO_ADMIN_PASSWORD": "panel password",
    "KODOSUMI_API_KEY": "api-key-of-an-operator-of-the-panel",
    "KODO_MASUMI0": f"Preprod https://node.example/api/v1 {TOKEN}",
    "RAY_AUTH_TOKEN": "token-of-another-ray-cluster",
}
GATEWAY_SECRET = "master-secret-of-the-gateway"
COPIES = {
    "GATEWAY": GATEWAY_SECRET,
    "PAYMENT_API_KEY": TOKEN,
    "NODE_HEADER": f"token: {TOKEN}",
    "ADMIN_PW": "panel password",
}
KEPT = {"OPENAI_API_KEY": "sk-of-the-author", "PATH": "/bin", "KODO_CHUNK_SIZE": "1000"}

SECRETS = [
    SEED,
    TOKEN,
    GATEWAY_SECRET,
    *(value for name, value in OF_THE_OPERATOR.items() if name[-1] != "0"),
]


def make_settings(folder: Path, **changes: object) -> Settings:
    url = f"https://user:{TOKEN}@node.example/api/v1"
    nodes = {"Preprod": NodeSettings(url=url, token=SecretStr(TOKEN), pay_by=900)}
    return Settings(
        **{
            "data_dir": folder,
            "nodes": nodes,
            "agent_key": SEED,
            "gateway_secret": GATEWAY_SECRET,
            **changes,
        }
    )


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return make_settings(tmp_path)


@pytest.fixture
def full(settings: Settings, tmp_path: Path) -> dict[str, str]:
    return environment(settings, {**OF_THE_OPERATOR, **COPIES, **KEPT}, tmp_path)


def test_authors_code_finds_no_secret(full: dict[str, str], settings: Settings):
    given = for_authors(full, settings, {})

    text = json.dumps(given)
    assert [secret for secret in SECRETS if secret in text] == []
    assert {name: given[name] for name in KEPT} == KEPT


def test_authors_code_finds_networks_and_the_public_key(full: dict[str, str], settings: Settings):
    given = for_authors(full, settings, {})

    nodes = json.loads(given["SUMI_NODES"])
    assert nodes["Preprod"]["pay_by"] == 900
    assert nodes["Preprod"]["url"] == "https://node.example/api/v1"
    assert given["SUMI_AGENT_PUBLIC_KEY"] == AgentKey(bytes.fromhex(SEED)).public_key


def test_names_in_dotenv_are_taken_before_it_is_loaded(settings: Settings, tmp_path: Path):
    dotenv = {**OF_THE_OPERATOR, **COPIES, "SUMI_AGENT_KEY": SEED, "SUMI_SANDBOX_X": "shown"}
    given = for_authors(environment(settings, KEPT, tmp_path), settings, dotenv)

    hidden = set(dotenv) - {"SUMI_SANDBOX_X", "RAY_AUTH_TOKEN"}
    assert {name: given.get(name) for name in hidden} == dict.fromkeys(hidden, "")


def test_store_with_a_password_is_read_through_the_supervisor(tmp_path: Path):
    settings = make_settings(tmp_path, database_url="postgresql://sumi:hunter2hunter2@db/sumi")

    given = for_authors(environment(settings, {}, tmp_path), settings, {})

    assert "hunter2hunter2" not in json.dumps(given)
    assert given["SUMI_DATABASE_URL"].startswith("sqlite+aiosqlite:///")


def test_store_without_a_password_is_read_directly(tmp_path: Path):
    settings = make_settings(tmp_path, database_url="postgresql://sumi@db/sumi")

    given = for_authors(environment(settings, {}, tmp_path), settings, {})

    assert given["SUMI_DATABASE_URL"] == "postgresql://sumi@db/sumi"


def test_supervisor_has_what_it_sells_with_and_nothing_of_the_panel(full: dict[str, str]):
    given = for_supervisor(full)

    assert (TOKEN in given["SUMI_NODES"], given["SUMI_AGENT_KEY"]) == (True, SEED)
    assert (given["KODO_SECRET_KEY"], given["KODO_ADMIN_PASSWORD"]) == ("", "")
    assert given["SUMI_GATEWAY_SECRET"] == ""


def test_panel_has_its_own_secrets_and_nothing_to_sell_with(
    full: dict[str, str], settings: Settings
):
    given = for_panel(full, settings)

    assert given["KODO_SECRET_KEY"] == OF_THE_OPERATOR["KODO_SECRET_KEY"]
    assert given["SUMI_GATEWAY_SECRET"] == GATEWAY_SECRET
    assert TOKEN not in given["SUMI_NODES"] + given["KODO_MASUMI0"]
    assert SEED not in json.dumps(given)


def test_key_that_is_none_is_refused_before_anything_starts(tmp_path: Path):
    file = tmp_path / "agent.key"
    file.write_text("no key")
    settings = make_settings(tmp_path, agent_key=str(file))

    with pytest.raises(SettingInvalid, match="SUMI_AGENT_KEY"):
        for_authors({}, settings, {})


def test_node_without_a_token_is_refused(tmp_path: Path):
    node = NodeSettings(url="https://node.example/api/v1", token=SecretStr(""))

    with pytest.raises(SettingInvalid, match="node of Preprod has no token"):
        make_settings(tmp_path, nodes={"Preprod": node}).require_tokens()
