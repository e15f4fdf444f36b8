"""Secrets of a data folder: created once, private, the same for every process."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from masumi_sumi.errors import SettingInvalid
from masumi_sumi.secret_files import get_secret_path, read_or_create_secret


def test_it_is_created_once_and_private(tmp_path: Path) -> None:
    secret = read_or_create_secret(tmp_path, "gateway")
    path = get_secret_path(tmp_path, "gateway")
    assert len(secret) >= 43
    assert read_or_create_secret(tmp_path, "gateway") == secret
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    assert [each.name for each in path.parent.iterdir()] == ["gateway"]


def test_a_readable_file_is_made_private(tmp_path: Path) -> None:
    read_or_create_secret(tmp_path, "gateway")
    path = get_secret_path(tmp_path, "gateway")
    path.chmod(0o644)
    read_or_create_secret(tmp_path, "gateway")
    assert path.stat().st_mode & 0o777 == 0o600


def test_all_who_create_it_at_once_get_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(16) as pool:
        created = set(pool.map(lambda _: read_or_create_secret(tmp_path, "gateway"), range(64)))
    assert len(created) == 1


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    read_or_create_secret(tmp_path, "gateway")
    get_secret_path(tmp_path, "gateway").write_text("")
    with pytest.raises(SettingInvalid, match="delete the empty file"):
        read_or_create_secret(tmp_path, "gateway")
