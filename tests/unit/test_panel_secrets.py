"""Secrets of the panel: whose they are, and which of them a stranger knows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from masumi_sumi.errors import SettingInvalid
from masumi_sumi.panel_secrets import (
    KEY,
    ORIGINS,
    PASSWORD,
    find_password,
    find_set_weaknesses,
    get_panel_environment,
    is_loopback,
)
from masumi_sumi.settings import Settings

LOCAL, PUBLIC = "http://127.0.0.1:3370", "http://0.0.0.0:3370"
OWN = {KEY: "k" * 40, PASSWORD: "a password of mine"}
KODOSUMIS = "top secret -- change this in production"


def make_settings(folder: Path, **changes: object) -> Settings:
    return Settings(**{"data_dir": folder, "nodes": {}, **changes})


def test_secrets_are_created_once_and_are_no_known_ones(tmp_path: Path):
    settings = make_settings(tmp_path)

    first = get_panel_environment(settings, PUBLIC, {}, {})
    again = get_panel_environment(settings, PUBLIC, {}, {})

    assert first == again
    assert min(len(first[KEY]), len(first[PASSWORD])) >= 32
    assert first[KEY] != first[PASSWORD] == find_password(tmp_path, {}, {})


def test_two_data_folders_have_two_secrets(tmp_path: Path):
    one, other = (
        get_panel_environment(make_settings(tmp_path / name), LOCAL, {}, {}) for name in "ab"
    )

    assert (one[KEY], one[PASSWORD]) != (other[KEY], other[PASSWORD])


@pytest.mark.parametrize("place", ["environ", "dotenv"])
def test_operators_own_secrets_win(tmp_path: Path, place: str):
    given = ({}, OWN) if place == "dotenv" else (OWN, {})

    found = get_panel_environment(make_settings(tmp_path), PUBLIC, *given)

    assert {name: found[name] for name in OWN} == OWN
    assert not (tmp_path / "secrets").exists()


def test_admin_admin_is_allowed_at_loopback_where_the_operator_asks_for_it(tmp_path: Path):
    settings = make_settings(tmp_path)

    assert get_panel_environment(settings, LOCAL, {PASSWORD: "admin"}, {})[PASSWORD] == "admin"


KNOWN = [
    {PASSWORD: "admin"},
    {PASSWORD: "short"},
    {KEY: KODOSUMIS},
    {KEY: "k" * 31},
    {ORIGINS: '["*"]'},
    {ORIGINS: "https://mine.example,*"},
]


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize(
    ("address", "changes"),
    [
        (PUBLIC, {}),
        ("http://192.168.1.7:3370", {}),
        ("http://panel.example", {}),
        (LOCAL, {"host": "0.0.0.0"}),
        (LOCAL, {"public_url": "https://agents.example"}),
    ],
)
def test_known_secrets_are_refused_beyond_loopback(
    tmp_path: Path, known: dict[str, str], address: str, changes: dict[str, str]
):
    with pytest.raises(SettingInvalid) as refused:
        get_panel_environment(make_settings(tmp_path, **changes), address, {**OWN, **known}, {})

    [name] = known
    assert name in str(refused.value)
    assert known[name] not in str(refused.value).replace("the admin's", "")


@pytest.mark.parametrize("known", KNOWN)
def test_known_secrets_are_found_in_settings(known: dict[str, str]):
    assert [each.setting for each in find_set_weaknesses({**OWN, **known}, {})] == list(known)


def test_nothing_set_is_not_weak():
    assert list(find_set_weaknesses({}, {})) == []


@pytest.mark.parametrize(
    ("address", "public_url", "origins"),
    [
        (LOCAL, "", ["http://127.0.0.1:3370", "http://localhost:3370"]),
        (PUBLIC, "", ["http://127.0.0.1:3370", "http://localhost:3370"]),
        (
            LOCAL,
            "https://agents.example/sub",
            ["http://127.0.0.1:3370", "http://localhost:3370", "https://agents.example"],
        ),
        ("http://10.0.0.7:80", "", ["http://10.0.0.7:80"]),
    ],
)
def test_only_the_panels_own_pages_may_use_its_login(
    tmp_path: Path, address: str, public_url: str, origins: list[str]
):
    settings = make_settings(tmp_path, public_url=public_url)

    assert json.loads(get_panel_environment(settings, address, {}, {})[ORIGINS]) == origins


@pytest.mark.parametrize(
    "given", ["https://a.example, http://b", '["https://a.example","http://b"]']
)
def test_operators_origins_may_stand_with_commas_as_kodosumi_says(tmp_path: Path, given: str):
    found = get_panel_environment(make_settings(tmp_path), LOCAL, {ORIGINS: given}, {})

    assert json.loads(found[ORIGINS]) == ["https://a.example", "http://b"]


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        *((host, True) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")),
        *((host, False) for host in ("0.0.0.0", "::", "localhost.example", "10.0.0.1")),
    ],
)
def test_loopback_is_what_only_this_machine_reaches(host: str, loopback: bool):
    assert is_loopback(host) is loopback
