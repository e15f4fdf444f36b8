"""Test who may control a sandbox, and where it listens."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from masumi_sumi.cli.commands import app as cli
from masumi_sumi.cli.environment import sandbox_url
from masumi_sumi.cli.parts import sandbox as sandbox_part
from masumi_sumi.sandbox import Sandbox, SandboxKey, create_app, is_loopback
from masumi_sumi.settings import Settings


def list_controls() -> list[tuple[str, str]]:
    """Every method and path below ``/sandbox``."""
    paths = create_app().openapi()["paths"]
    return [
        (method.upper(), path)
        for path, item in paths.items()
        if path.startswith("/sandbox/")
        for method in item
    ]


@pytest.mark.parametrize(("method", "path"), list_controls())
@pytest.mark.parametrize(
    "headers", [{}, {"token": "guessed"}, {"token": "payer"}, {"authorization": "sandbox"}]
)
async def test_no_control_acts_without_an_admin_key(
    method: str, path: str, headers: dict[str, str]
) -> None:
    sandbox = Sandbox(frozen=True, keys=[SandboxKey("payer")])
    body: dict[str, Any] = {"seconds": 3600, "blockchainIdentifier": "ab", "step": "withdraw"}
    body |= {"state": "Withdrawn"}
    before = sandbox.state()

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=sandbox.app), base_url="http://sandbox"
    ) as client:
        answer = await client.request(method, path, json=body, headers=headers)

    assert answer.status_code == 401
    assert answer.json()["status"] == "error"
    assert sandbox.state() == before
    sandbox.node.close()


async def test_a_page_of_another_origin_is_refused_and_the_sandboxs_own_is_not() -> None:
    sandbox = Sandbox(frozen=True)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=sandbox.app),
        base_url="http://127.0.0.1:3001",
        headers={"token": sandbox.token},
    ) as client:
        foreign = await client.post("/sandbox/mine", headers={"origin": "https://evil.test"})
        unknown = await client.post("/sandbox/mine", headers={"origin": "null"})
        own = await client.post(
            "/sandbox/mine", json={}, headers={"origin": "http://127.0.0.1:3001"}
        )

    assert (foreign.status_code, unknown.status_code, own.status_code) == (403, 403, 200)
    sandbox.node.close()


def test_the_docs_page_asks_for_the_token_of_each_control() -> None:
    document = create_app().openapi()

    schemes = document["components"]["securitySchemes"]
    assert {(s["in"], s["name"]) for s in schemes.values()} == {("header", "token")}
    for method, path in list_controls():
        assert document["paths"][path][method.lower()]["security"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.168.1.7", "example.com", "[::]"])
def test_beyond_loopback_it_starts_only_when_told_to_and_with_a_token_of_its_own(
    host: str,
) -> None:
    assert not is_loopback(host)
    with pytest.raises(ValueError, match="--allow-remote"):
        Sandbox(host=host)
    with pytest.raises(ValueError, match="token of its own"):
        Sandbox(host=host, allow_remote=True)
    Sandbox(host=host, token="9f8e-its-own", allow_remote=True).node.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_at_loopback_nothing_is_asked(host: str) -> None:
    Sandbox(host=host).node.close()


def test_the_command_refuses_an_address_beyond_loopback(tmp_path: Any) -> None:
    result = CliRunner().invoke(cli, ["sandbox", "--host", "0.0.0.0", "--port", "39017"])

    assert result.exit_code != 0
    assert "--allow-remote" in str(result.exception)


def test_the_module_refuses_an_address_beyond_loopback() -> None:
    command = [sys.executable, "-m", "masumi_sumi.sandbox", "--host", "0.0.0.0", "--port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert done.returncode == 2
    assert "--allow-remote" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_sandbox_of_a_stack_stays_at_loopback(tmp_path: Any) -> None:
    settings = Settings(data_dir=tmp_path, host="0.0.0.0", nodes={})

    command = sandbox_part(settings, ()).command

    assert command[command.index("--host") + 1] == "127.0.0.1"
    assert sandbox_url(settings).startswith("http://127.0.0.1:")
