"""A replica beside an operator's ``.env``, which Kodosumi loads when it is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dotenv import dotenv_values

from masumi_sumi.cli.environment import environment
from masumi_sumi.cli.withholding import for_authors
from masumi_sumi.settings import Settings

REPLICA = """
import json, os
import dotenv
dotenv.load_dotenv(".env")
import kodosumi.config
from masumi_sumi.settings import Settings
settings = Settings()
print(json.dumps({"environ": dict(os.environ), "public_key": settings.agent_public_key,
                  "networks": list(settings.nodes), "secrets": [
                      *(node.token.get_secret_value() for node in settings.nodes.values()),
                      settings.agent_key.get_secret_value()]}))
"""
SEED = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
SECRETS = {
    "SUMI_NODES": "token-of-preprod-0123456789",
    "KODO_MASUMI0": "token-of-mainnet-0123456789",
    "SUMI_AGENT_KEY": SEED,
    "KODO_SECRET_KEY": "jwt-key-0123456789-0123456789-01",
    "KODO_ADMIN_PASSWORD": "password-of-the-admin",
    "KODOSUMI_API_KEY": "key-of-an-operator",
    "SUMI_GATEWAY_SECRET": "secret-of-the-gateway",
    "MY_PAYMENT_TOKEN": "token-of-preprod-0123456789",
}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Those of an operator who keeps everything in ``.env``."""
    monkeypatch.chdir(tmp_path)
    node = {"Preprod": {"url": "https://node.example", "token": SECRETS["SUMI_NODES"]}}
    lines = {
        **SECRETS,
        "SUMI_NODES": json.dumps(node),
        "KODO_MASUMI0": f"Mainnet https://node.example {SECRETS['KODO_MASUMI0']}",
        "AUTHORS_KEY": "sk-of-the-author",
    }
    Path(".env").write_text("\n".join(f"{name}='{value}'" for name, value in lines.items()))
    return Settings(data_dir=tmp_path)


def test_replica_finds_no_secret_of_dotenv(settings: Settings, tmp_path: Path) -> None:
    assert set(settings.nodes) == {"Preprod", "Mainnet"}
    full = environment(settings, os.environ, tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", REPLICA],
        env=for_authors(full, settings, dotenv_values(".env")),
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )

    assert [secret for secret in SECRETS.values() if secret in done.stdout] == []
    seen = json.loads(done.stdout)
    assert seen["environ"]["AUTHORS_KEY"] == "sk-of-the-author"
    assert set(seen["networks"]) == {"Preprod", "Mainnet"}
    assert (set(seen["secrets"]), len(seen["public_key"])) == ({""}, 64)
