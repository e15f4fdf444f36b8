"""``masumi-sumi app-secret``: for apps that are deployed by other means."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from masumi_sumi.cli.commands import app
from masumi_sumi.cli.environment import environment, gateway_environment
from masumi_sumi.errors import SettingInvalid
from masumi_sumi.gateway_proof import derive_app_secret
from masumi_sumi.settings import Settings


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_prints_what_the_gateway_derives_and_not_the_master(tmp_path: Path) -> None:
    ask = ["app-secret", "/prime"]

    first = CliRunner().invoke(app, ask, env={"SUMI_DATA_DIR": "data"})
    master = (tmp_path / "data" / "secrets" / "gateway").read_text().strip()
    second = CliRunner().invoke(app, ask, env={"SUMI_DATA_DIR": "data"})
    given = CliRunner().invoke(app, ask, env={"SUMI_GATEWAY_SECRET": "other"})

    assert first.stdout.strip() == derive_app_secret(master, "/prime") == second.stdout.strip()
    assert given.stdout.strip() == derive_app_secret("other", "/prime")


def test_a_name_is_no_route_prefix() -> None:
    result = CliRunner().invoke(app, ["app-secret", "prime"])

    assert isinstance(result.exception, SettingInvalid)


def test_only_the_gateways_process_is_told_the_master_secret(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, nodes={}, gateway_secret="the-master", app_secret="one")
    environ = {"SUMI_GATEWAY_SECRET": "the-master", "SUMI_APP_SECRET": "one", "OTHER": "kept"}

    everywhere = environment(settings, environ, tmp_path)

    assert everywhere["OTHER"] == "kept"
    assert not {"the-master", "one"} & set(everywhere.values())
    assert gateway_environment(settings) == {"SUMI_GATEWAY_SECRET": "the-master"}
