"""What the doctor says about panel, files and ports that strangers could use."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from masumi_sumi.cli import record
from masumi_sumi.cli.cluster import of_token
from masumi_sumi.cli.exposure import data_folder, listening, panel_secrets
from masumi_sumi.cli.findings import Finding
from masumi_sumi.cli.ports import free_ports
from masumi_sumi.cli.processes import Started
from masumi_sumi.panel_secrets import KEY, ORIGINS, PASSWORD
from masumi_sumi.settings import Settings

KNOWN = {KEY: "top secret -- change this in production", PASSWORD: "admin", ORIGINS: '["*"]'}


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in KNOWN:
        monkeypatch.delenv(name, raising=False)


def make_settings(folder: Path, **changes: object) -> Settings:
    return Settings(**{"data_dir": folder, "nodes": {}, **changes})


def get_verdicts(findings: Iterator[Finding]) -> list[tuple[str, str]]:
    return [(finding.what, finding.verdict) for finding in findings]


@pytest.mark.parametrize("where", ["environment", "dotenv"])
@pytest.mark.parametrize(("host", "verdict"), [("127.0.0.1", "beware"), ("0.0.0.0", "bad")])
@pytest.mark.parametrize("name", KNOWN)
def test_known_secret_of_the_panel_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, host: str, verdict: str, where: str
) -> None:
    if where == "dotenv":
        Path(".env").write_text(f"{name}='{KNOWN[name]}'\n")
    else:
        monkeypatch.setenv(name, KNOWN[name])

    found = list(panel_secrets(make_settings(tmp_path, host=host)))

    assert get_verdicts(iter(found)) == [(f"panel: {name}", verdict)]
    assert found[0].advice


def test_secrets_that_up_makes_are_good(tmp_path: Path) -> None:
    settings = make_settings(tmp_path, host="0.0.0.0", public_url="https://agents.example")

    assert get_verdicts(panel_secrets(settings)) == [("panel", "good")]


@pytest.mark.parametrize("mode", [0o755, 0o750, 0o701])
def test_data_folder_that_others_can_look_into_is_bad(tmp_path: Path, mode: int) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    assert get_verdicts(data_folder(data)) == [("data folder", "good")]

    data.chmod(mode)

    [finding] = data_folder(data)
    assert finding.verdict == "bad"
    assert "chmod -R go-rwx" in finding.advice


def test_data_folder_that_is_not_there_is_no_finding(tmp_path: Path) -> None:
    assert list(data_folder(tmp_path / "none")) == []


@pytest.mark.parametrize(("address", "verdict"), [("127.0.0.1", "good"), ("0.0.0.0", "bad")])
def test_port_of_the_stack_beyond_loopback_is_bad(
    tmp_path: Path, address: str, verdict: str
) -> None:
    me = Started("up", os.getpid(), psutil.Process().create_time())
    record.write(tmp_path, record.Record(me, tmp_path / "ray", (me,)))
    with socket.socket() as listener:
        listener.bind((address, 0))
        listener.listen()

        [finding] = listening(make_settings(tmp_path))

        assert finding.verdict == verdict
        assert (str(listener.getsockname()[1]) in finding.words) is (verdict == "bad")


def test_ports_that_an_operator_opens_are_meant_to_be_open(tmp_path: Path) -> None:
    me = Started("up", os.getpid(), psutil.Process().create_time())
    record.write(tmp_path, record.Record(me, tmp_path / "ray", (me,)))
    [port] = free_ports(1)
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", port))
        listener.listen()

        [finding] = listening(make_settings(tmp_path, host="0.0.0.0", panel_port=port))

        assert finding.verdict == "good"


async def test_ray_that_does_not_answer_is_told() -> None:
    [port] = free_ports(1)

    assert (await of_token(f"http://127.0.0.1:{port}")).verdict == "beware"
