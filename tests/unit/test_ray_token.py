from __future__ import annotations

from pathlib import Path

import pytest

from masumi_sumi.errors import SettingInvalid
from masumi_sumi.ray_token import SECRET, get_auth_headers, get_token_environment
from masumi_sumi.secret_files import read_or_create_secret


def test_environment_names_the_file_and_never_the_token(tmp_path: Path):
    token = read_or_create_secret(tmp_path, SECRET)

    environ = get_token_environment(tmp_path)

    assert environ["RAY_AUTH_MODE"] == "token"
    assert Path(environ["RAY_AUTH_TOKEN_PATH"]).read_text().strip() == token
    assert token not in environ.values()
    assert get_auth_headers(environ) == {"Authorization": f"Bearer {token}"}


def test_token_of_the_environment_wins_as_in_ray(tmp_path: Path):
    read_or_create_secret(tmp_path, SECRET)
    environ = {**get_token_environment(tmp_path), "RAY_AUTH_TOKEN": "mine"}

    assert get_auth_headers(environ) == {"Authorization": "Bearer mine"}


@pytest.mark.parametrize("environ", [{}, {"RAY_AUTH_TOKEN_PATH": "/nowhere/at/all"}])
def test_without_a_token_there_is_no_header(environ: dict[str, str]):
    assert get_auth_headers(environ) == {}


def test_file_that_is_a_folder_is_named(tmp_path: Path):
    with pytest.raises(SettingInvalid, match="RAY_AUTH_TOKEN_PATH"):
        get_auth_headers({"RAY_AUTH_TOKEN_PATH": str(tmp_path)})
