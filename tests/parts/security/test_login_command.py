"""The admin's password: shown to who may read the data folder, sent to no other machine."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from click.testing import Result
from typer.testing import CliRunner

from masumi_sumi.cli.commands import app
from masumi_sumi.cli.operator import Operator
from masumi_sumi.cli.panel import PanelRefused
from masumi_sumi.errors import SettingInvalid
from masumi_sumi.secret_files import read_or_create_secret

Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("KODO_ADMIN_PASSWORD", raising=False)
    return lambda *words, **env: CliRunner().invoke(app, words, env={"SUMI_DATA_DIR": "data"} | env)


def test_password_of_the_data_folder_is_printed(run: Run) -> None:
    password = read_or_create_secret(Path("data"), "admin-password")

    told = json.loads(run("login", "--json").stdout)

    assert (told["name"], told["password"]) == ("admin", password)
    assert password in run("login").stdout


def test_password_that_the_operator_set_is_printed(run: Run) -> None:
    read_or_create_secret(Path("data"), "admin-password")
    Path(".env").write_text("KODO_ADMIN_PASSWORD=mine\n")

    assert json.loads(run("login", "--json").stdout)["password"] == "mine"


def test_without_a_password_is_said_what_makes_one(run: Run) -> None:
    failed = run("login")

    assert isinstance(failed.exception, SettingInvalid)
    assert "masumi-sumi up" in str(failed.exception)
    assert not Path("data").exists()


def test_exports_for_ray_name_the_file_of_the_token_and_never_the_token(run: Run) -> None:
    token = read_or_create_secret(Path("data"), "ray-token")

    told = run("env", SUMI_RAY_PORT="7001", SUMI_DASHBOARD_PORT="7002").stdout

    exports = dict(line.removeprefix("export ").split("=", 1) for line in told.splitlines())
    exports = {name: shlex.split(value)[0] for name, value in exports.items()}
    assert token not in told
    assert Path(exports["RAY_AUTH_TOKEN_PATH"]).read_text().strip() == token
    assert exports["RAY_AUTH_MODE"] == "token"
    assert exports["RAY_ADDRESS"] == "127.0.0.1:7001"
    assert exports["RAY_DASHBOARD_ADDRESS"] == "http://127.0.0.1:7002"


def list_exposes(panel: str, environ: dict[str, str]) -> list[httpx.Request]:
    """The requests that an operator's command sends to this panel."""
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"KODOSUMI_API_KEY": "key"})

    with Operator(panel, environ, {}, httpx.MockTransport(answer)) as operator:
        operator.exposes()
    return sent


def test_password_of_the_data_folder_goes_to_this_machine(run: Run) -> None:
    password = read_or_create_secret(Path("data"), "admin-password")

    login, _ = list_exposes("http://127.0.0.1:3370", {"SUMI_DATA_DIR": "data"})

    assert json.loads(login.content)["password"] == password


def test_password_of_the_data_folder_goes_to_no_other_machine(run: Run) -> None:
    read_or_create_secret(Path("data"), "admin-password")

    with pytest.raises(PanelRefused, match="KODO_ADMIN_PASSWORD"):
        list_exposes("https://panel.example", {"SUMI_DATA_DIR": "data"})
