"""``masumi-sumi doctor``: every finding with what to do about it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from masumi_sumi.cli.commands import app
from masumi_sumi.cli.doctor import folder, python, signing_key
from masumi_sumi.cli.ports import free_ports
from masumi_sumi.sandbox import Sandbox, SandboxKey

SELLER = SandboxKey("seller-key")
READER = SandboxKey("reader-key", can_pay=False)
ADMIN = SandboxKey("admin-key", can_admin=True)
ELSEWHERE = SandboxKey("mainnet-key", networks=("Mainnet",))
PORTS = ("PANEL", "SERVE", "SANDBOX", "RAY", "DASHBOARD")

Doctor = Callable[..., tuple[int, dict[str, list[dict[str, Any]]]]]


@pytest.fixture(scope="module")
def node() -> Iterator[Sandbox]:
    with Sandbox(frozen=True, keys=(SELLER, READER, ADMIN, ELSEWHERE)) as sandbox:
        yield sandbox


@pytest.fixture
def doctor(node: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Doctor:
    """``doctor(token=..., url=..., SUMI_...=...)``: exit code and findings by what they are of."""
    monkeypatch.chdir(tmp_path)

    def doctor(
        token: str = SELLER.token, url: str = "", **settings: str
    ) -> tuple[int, dict[str, list[dict[str, Any]]]]:
        nodes = {"Preprod": {"url": url or node.url, "token": token}}
        ports = zip(PORTS, free_ports(len(PORTS)), strict=True)
        environment = {f"SUMI_{part}_PORT": str(port) for part, port in ports}
        environment |= {"SUMI_NODES": json.dumps(nodes), **settings}
        result = CliRunner().invoke(app, ["doctor", "--json"], env=environment)
        assert token not in result.output
        found: dict[str, list[dict[str, Any]]] = {}
        for line in result.stdout.splitlines():
            finding = json.loads(line)
            found.setdefault(finding["what"], []).append(finding)
        return result.exit_code, found

    return doctor


def test_where_all_is_well_nothing_is_to_be_done(doctor: Doctor):
    code, found = doctor()

    assert code == 0, found
    assert {f["verdict"] for findings in found.values() for f in findings} == {"good"}
    assert {"Python", "ray", "kodosumi", "settings", "deadlines of Preprod"} <= set(found)


@pytest.mark.parametrize(
    ("options", "verdict", "words", "advice"),
    [
        ({"token": READER.token}, "bad", "may only read", "right to pay"),
        ({"token": ELSEWHERE.token}, "bad", "is for Mainnet", "allow it Preprod"),
        ({"token": "no-such-key"}, "bad", "401", "token is unknown"),
        ({"url": "http://127.0.0.1:9/api/v1"}, "bad", "gave no answer", "start the node"),
        ({"token": ADMIN.token}, "beware", "everything", "may pay and no more"),
    ],
)
def test_a_node_that_cannot_sell_says_why(
    doctor: Doctor, options: dict[str, str], verdict: str, words: str, advice: str
):
    code, found = doctor(**options)

    assert code == (2 if verdict == "bad" else 0)
    [finding] = [f for f in found["node of Preprod"] if f["verdict"] != "good"]
    assert finding["verdict"] == verdict
    assert words in finding["words"]
    assert advice in finding["advice"]


def test_a_setting_that_cannot_be_read_ends_the_round(doctor: Doctor):
    code, found = doctor(SUMI_RUN_SECONDS="soon")

    assert code == 2
    assert "SUMI_RUN_SECONDS" in found["settings"][0]["words"]
    assert "node of Preprod" not in found


def test_a_port_that_is_taken_is_named_with_its_setting(doctor: Doctor):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        code, found = doctor(SUMI_PANEL_PORT=port)

    [finding] = found["port of the panel"]
    assert (code, finding["verdict"]) == (0, "beware")
    assert "SUMI_PANEL_PORT" in finding["advice"]


def test_deadlines_that_do_not_fit_are_told_with_their_numbers(doctor: Doctor, node: Sandbox):
    short = {"Preprod": {"url": node.url, "token": SELLER.token, "submit_by": 600}}

    code, found = doctor(SUMI_NODES=json.dumps(short))

    assert code == 2
    assert "600 s after the start" in found["settings"][0]["words"]


@pytest.mark.parametrize(
    ("content", "mode", "verdict", "advice"),
    [
        ("ab" * 32, 0o600, "good", ""),
        ("ab" * 32, 0o640, "beware", "chmod 600"),
        ("secret", 0o600, "bad", "key new"),
        (None, 0o600, "bad", "key new"),
    ],
)
def test_the_key_that_signs_is_looked_at(
    tmp_path: Path, content: str | None, mode: int, verdict: str, advice: str
):
    file = tmp_path / "agent.key"
    if content is not None:
        file.write_text(content)
        file.chmod(mode)

    [finding] = signing_key(str(file))

    assert finding.verdict == verdict
    assert advice in finding.advice
    assert "secret" not in finding.words
    assert list(signing_key("")) == []


def test_an_old_python_is_named():
    assert python((3, 11, 9)).verdict == "bad"
    assert python((3, 12, 0)).verdict == "good"


def test_a_data_folder_that_is_a_file_is_bad(tmp_path: Path):
    (tmp_path / "data").write_text("")

    assert folder(tmp_path / "data").verdict == "bad"
    assert folder(tmp_path / "new" / "data").verdict == "good"
