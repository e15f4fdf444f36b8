from __future__ import annotations

import json
from pathlib import Path

import pytest

from masumi_sumi.errors import (
    ConfigurationError,
    DeadlinesDoNotFit,
    NodeNotConfigured,
    SettingInvalid,
)
from masumi_sumi.settings import Settings

TOKEN = "top-secret-token-9f8e"
URL = "http://node.test/api/v1"


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but the test's own, and an empty working directory."""
    import os

    for name in os.environ:
        if name.startswith(("SUMI_", "KODO_MASUMI")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def nodes(**node: object) -> str:
    return json.dumps({"Preprod": {"url": URL, "token": TOKEN, **node}})


def test_without_any_setting_there_is_a_store_and_no_node(tmp_path: Path):
    settings = Settings()

    assert settings.data_dir == tmp_path / "data"
    assert settings.database_url.endswith(f"{tmp_path}/data/sumi.db")
    with pytest.raises(NodeNotConfigured, match="Preprod"):
        settings.node("Preprod")


def test_nodes_come_as_json(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUMI_NODES", nodes(pay_by=900, submit_by=20000, poll=5))

    node = Settings().node("Preprod")

    assert (node.url, node.token.get_secret_value()) == (URL, TOKEN)
    assert (node.pay_by, node.submit_by, node.poll) == (900, 20000, 5)


def test_kodosumis_own_lines_are_read(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KODO_MASUMI0", f"Preprod {URL} {TOKEN}")
    monkeypatch.setenv("KODO_MASUMI9", f"Mainnet {URL} {TOKEN} 900 20000 5")

    settings = Settings()

    assert settings.node("Preprod").pay_by == 1800
    mainnet = settings.node("Mainnet")
    assert (mainnet.pay_by, mainnet.submit_by, mainnet.poll) == (900, 20000, 5)
    assert mainnet.token.get_secret_value() == TOKEN


def test_a_line_in_the_env_file_counts_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    lines = f'KODO_MASUMI0="Preprod {URL} {TOKEN} 600"\nKODO_MASUMI1="Mainnet {URL} {TOKEN} 600"\n'
    (tmp_path / ".env").write_text(lines)
    monkeypatch.setenv("KODO_MASUMI1", f"Mainnet {URL} {TOKEN} 700")

    settings = Settings()

    assert settings.node("Preprod").pay_by == 600
    assert settings.node("Mainnet").pay_by == 700


def test_a_second_node_of_a_network_is_refused_by_name(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KODO_MASUMI0", f"Preprod {URL} {TOKEN}")
    monkeypatch.setenv("KODO_MASUMI2", f"Preprod {URL}/other {TOKEN}")

    said = r"KODO_MASUMI2.*KODO_MASUMI0 names another"
    with pytest.raises(SettingInvalid, match=said) as refused:
        Settings()

    assert TOKEN not in str(refused.value)
    monkeypatch.setenv("KODO_MASUMI2", f"Preprod {URL} {TOKEN}")
    assert Settings().node("Preprod").url == URL


def test_nodes_as_json_win_over_lines(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUMI_NODES", nodes(pay_by=900))
    monkeypatch.setenv("KODO_MASUMI0", f"Preprod {URL} {TOKEN} 600")

    assert Settings().node("Preprod").pay_by == 900


@pytest.mark.parametrize(
    "given",
    [
        f'{{"Preprod": {{"url": "{URL}", "token": "{TOKEN}"',
        f'["{TOKEN}"]',
        f'{{"Preprod": "{URL} {TOKEN}"}}',
        json.dumps({"Preprod": {"token": TOKEN}}),
        json.dumps({"Preprod": {"url": URL, "token": [TOKEN]}}),
        json.dumps({"Preprod": {"url": TOKEN, "token": URL}}),
        json.dumps({"Preprod": {"url": URL, "token": TOKEN, "poll": 0.1}}),
        json.dumps({"Preprod": {"url": URL, "token": TOKEN, "pay_by": 0}}),
        '{"Preprod": {"url": "' + URL + '", "token": "' + TOKEN + '", "pay_by": NaN}}',
        json.dumps({"Preprd": {"url": URL, "token": TOKEN}}),
    ],
)
def test_nodes_that_cannot_be_are_refused_without_their_token(
    monkeypatch: pytest.MonkeyPatch, given: str
):
    monkeypatch.setenv("SUMI_NODES", given)

    with pytest.raises(SettingInvalid, match="SUMI_NODES") as refused:
        Settings()

    assert TOKEN not in str(refused.value) + repr(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "line",
    [
        f"Preprod {TOKEN}",
        f"Preprod {URL} {TOKEN} 1 2 3 4",
        f"Preprod {URL} {TOKEN} soon",
        f"Preprod {URL} 1800 {TOKEN}",
        f"Preprod {TOKEN} {URL}",
        f"Preprod {URL} {TOKEN} inf",
        f"Preprod {URL} {TOKEN} 1800 20000 0.1",
    ],
)
def test_a_line_that_cannot_be_is_refused_by_its_name_without_its_token(
    monkeypatch: pytest.MonkeyPatch, line: str
):
    monkeypatch.setenv("KODO_MASUMI3", line)

    with pytest.raises(SettingInvalid, match="KODO_MASUMI3") as refused:
        Settings()

    assert TOKEN not in str(refused.value) + repr(refused.value)
    assert "\n" not in str(refused.value)


def test_tokens_and_database_passwords_are_in_no_text(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUMI_NODES", nodes())
    monkeypatch.setenv("SUMI_DATABASE_URL", "postgresql://sumi:hunter2@db/sumi")

    settings = Settings()

    for text in (str(settings), repr(settings), repr(settings.nodes), str(settings.model_dump())):
        assert TOKEN not in text
    assert "hunter2" not in str(settings) + repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SUMI_RESULT_HASH", "both"),
        ("SUMI_MAX_RUNNERS", "-1"),
        ("SUMI_START_TIMEOUT", "soon"),
        ("SUMI_RUN_SECONDS", "0"),
    ],
)
def test_a_setting_that_is_not_valid_is_named_with_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
):
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=f"{name}='?{value}") as refused:
        Settings()

    assert "\n" not in str(refused.value)


def test_deadlines_that_do_not_fit_are_refused_with_their_numbers(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setenv("SUMI_NODES", nodes(pay_by=600, submit_by=4000))
    monkeypatch.setenv("SUMI_RUN_SECONDS", "3000")
    monkeypatch.setenv("SUMI_LOCK_SECONDS", "500")

    with pytest.raises(DeadlinesDoNotFit) as refused:
        Settings()

    told = str(refused.value)
    for number in ("4000 s", "4700 s", "pay 600", "run 3000", "locks 500", "node 600"):
        assert number in told


def test_a_flows_own_deadlines_are_held_to_the_same_rule():
    settings = Settings(nodes={"Preprod": {"url": URL, "token": TOKEN}}, lock_seconds=0)

    with pytest.raises(DeadlinesDoNotFit, match="flow /slow"):
        settings.deadlines("Preprod", "flow /slow", run=10_000, submit_by=10_000)


@pytest.mark.parametrize("pay_by", [1, 59.9, 172_801])
def test_a_time_to_pay_that_buyers_cannot_use_is_refused(pay_by: float):
    with pytest.raises(SettingInvalid, match=r"pay_by of a flow.*60 to 172800"):
        Settings(nodes={}).deadlines("Preprod", "a flow", pay_by=pay_by)


@pytest.mark.parametrize(("pay_by", "run", "lock"), [(60, 1, 0), (1800, 3600, 0), (60, 60, 9999)])
def test_derived_deadlines_leave_the_node_its_times(pay_by: float, run: float, lock: float):
    settings = Settings(run_seconds=run, lock_seconds=lock)

    fitted = settings.deadlines("Preprod", "a flow", pay_by=pay_by)

    assert fitted.submit_by >= pay_by + run + lock + 600
    assert fitted.submit_by - pay_by >= 300
    assert fitted.submit_by >= 900 + 300


def test_half_of_the_memory_bounds_the_runners_unless_set():
    assert Settings(max_runners=3).runners_at_once == 3
    assert Settings().runners_at_once >= 2


def test_inner_file_hosts_are_listed_with_their_ports(monkeypatch: pytest.MonkeyPatch):
    assert Settings().inner_file_hosts == frozenset()
    monkeypatch.setenv("SUMI_FILE_HOSTS", "MinIO.inner:9000, [::1]:80")

    assert Settings().inner_file_hosts == {"minio.inner:9000", "[::1]:80"}


@pytest.mark.parametrize("hosts", ["minio", "http://minio:9000", "minio:9000 other:80", "::1:80"])
def test_a_file_host_without_its_port_is_refused(monkeypatch: pytest.MonkeyPatch, hosts: str):
    monkeypatch.setenv("SUMI_FILE_HOSTS", hosts)

    with pytest.raises(SettingInvalid, match="SUMI_FILE_HOSTS"):
        Settings()


@pytest.mark.parametrize(
    "panel", ["panel.example:3370", "http://", "http://[::1", "http://x:abc", "http://x:99999"]
)
def test_a_panel_that_has_no_address_is_refused(monkeypatch: pytest.MonkeyPatch, panel: str):
    monkeypatch.setenv("SUMI_PANEL", panel)

    with pytest.raises(SettingInvalid, match="SUMI_PANEL"):
        Settings()


@pytest.mark.parametrize("panel", ["https://agents.example/", "http://[::1]:3370", "http://x/y"])
def test_a_panel_may_be_anywhere(panel: str):
    assert Settings(panel=panel).panel == panel


def test_a_port_that_cannot_be_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SUMI_SERVE_PORT", "99999")

    with pytest.raises(SettingInvalid, match="SUMI_SERVE_PORT"):
        Settings()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ("https://agents.example", "https://agents.example"),
        ("https://agents.example/", "https://agents.example"),
        ("http://[::1]:3370", "http://[::1]:3370"),
        ("https://agents.example:8443/shop/", "https://agents.example:8443/shop"),
    ],
)
def test_public_url_has_no_slash_at_its_end(given: str, kept: str):
    assert Settings(public_url=given).public_url == kept


@pytest.mark.parametrize(
    "given",
    [
        "agents.example",
        "ftp://agents.example",
        "https://",
        "https://agents.example?x=1",
        "https://agents.example#x",
        "https://user:secret@agents.example",
        "https://agents.example/a b",
        "https://agents.example\r\nx: y",
        "https://x:99999",
    ],
)
def test_public_url_that_is_no_address_is_refused(given: str):
    with pytest.raises(SettingInvalid, match="SUMI_PUBLIC_URL"):
        Settings(public_url=given)


def test_trusted_proxies_are_addresses_and_networks():
    given = Settings(trusted_proxies="127.0.0.1, 10.0.0.0/8,2001:DB8::1 ,fd00::/8")

    assert given.proxy_networks == ["127.0.0.1", "10.0.0.0/8", "2001:db8::1", "fd00::/8"]
    assert Settings().proxy_networks == []


@pytest.mark.parametrize(
    "given", ["*", "0.0.0.0/0", "::/0", "proxy.example", "10.0.0.1/8", "1.2.3"]
)
def test_trusted_proxies_that_name_no_proxy_are_refused(given: str):
    with pytest.raises(SettingInvalid, match="SUMI_TRUSTED_PROXIES"):
        Settings(trusted_proxies=given)
