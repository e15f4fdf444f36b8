"""A stranger at the panel with the secrets that stand in Kodosumi's source."""

from __future__ import annotations

import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from jose import jwt
from shop import Panel, Shop

from masumi_sumi.cli import record
from masumi_sumi.cli.stack import Stack

KODOSUMIS_KEY = "top secret -- change this in production"


@pytest.fixture
def stranger(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.urls["panel"], timeout=30.0, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("password", ["admin", "", "password"])
def test_known_password_is_refused(stranger: httpx.Client, password: str) -> None:
    login = {"name": "admin", "password": password}

    assert stranger.post("/api/login", json=login).status_code == 401
    assert stranger.post("/login", data=login).status_code == 401


@pytest.mark.parametrize("key", [KODOSUMIS_KEY, ""])
def test_login_that_a_stranger_signs_is_refused(
    stranger: httpx.Client, panel: Panel, key: str
) -> None:
    role = panel.http.get("/role").json()[0]["id"]
    now = time.time()
    forged = jwt.encode({"exp": now + 600, "iat": now, "sub": role}, key, algorithm="HS256")

    for sent in ({"KODOSUMI_API_KEY": forged}, {"Cookie": f"kodosumi_jwt={forged}"}):
        for path in ("/role", "/expose", "/flow", "/outputs/stream/x"):
            answer = stranger.get(path, headers={**sent, "Accept": "application/json"})
            assert answer.status_code == 401, (path, answer.text)


def test_page_of_another_site_cannot_use_an_operators_login(
    stranger: httpx.Client, stack: Stack, panel: Panel
) -> None:
    evil, own = "https://evil.example", stack.urls["panel"]
    asked = {"Access-Control-Request-Method": "GET"}
    for path in ("/role", "/expose", "/flow", "/timeline/list"):
        answer = panel.http.get(path, headers={"Origin": evil})
        assert answer.headers.get("access-control-allow-origin") in (None, own)
        preflight = stranger.options(path, headers={"Origin": evil, **asked})
        assert preflight.headers.get("access-control-allow-origin") in (None, own)

    answer = panel.http.get("/role", headers={"Origin": own})
    assert answer.headers["access-control-allow-origin"] == own


@pytest.mark.parametrize("form", [{"data": {}}, {"json": {}}])
def test_cookie_of_the_login_is_kept_from_scripts_and_other_sites(
    stranger: httpx.Client, stack: Stack, form: dict[str, dict[str, str]]
) -> None:
    [kind] = form
    name, password = stack.panel_login
    path = "/login" if kind == "data" else "/api/login"

    answer = stranger.post(path, **{kind: {"name": name, "password": password}})

    [cookie] = answer.headers.get_list("set-cookie")
    assert re.match(r"kodosumi_jwt=\S+;", cookie)
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))


def test_panel_asks_ray_with_its_token(panel: Panel) -> None:
    """Kodosumi's own list of deployments comes from Ray's dashboard."""
    answer = panel.http.get("/deploy")

    assert answer.status_code == 200, answer.text
    assert answer.json()["agents"]


def test_data_folder_is_closed_to_other_users(stack: Stack, shop: Shop, panel: Panel) -> None:
    job = shop.hire("/environment", word="word")
    shop.result(job)
    folder = stack.settings.data_dir
    paths = [folder, *folder.rglob("*")]

    assert any(job.id in str(path) for path in paths)
    assert {"sumi.db", "sandbox.db", "exposes.db", "admin.db"} <= {path.name for path in paths}
    assert _find_open(paths) == {}
    running = record.read(folder)
    assert running
    assert _find_open([running.ray_dir]) == {}


def _find_open(paths: list[Path]) -> dict[str, str]:
    """Those that others than the owner can use, with their modes."""
    modes = {path: stat.S_IMODE(path.lstat().st_mode) for path in paths if path.exists()}
    return {str(path): oct(mode) for path, mode in modes.items() if mode & 0o077}
