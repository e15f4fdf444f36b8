from __future__ import annotations

import os
import stat
from pathlib import Path

from masumi_sumi.private_files import make_data_folder_private


def get_mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_data_folder_of_before_is_closed(tmp_path: Path):
    data = tmp_path / "data"
    deep = data / "execution" / "user" / "job"
    deep.mkdir(parents=True)
    files = [data / "sumi.db", deep / "sqlite3.db"]
    for path in (data, *data.rglob("*")):
        path.chmod(0o777)
    for file in files:
        file.touch()
        file.chmod(0o664)

    make_data_folder_private(data)

    folders = [data, *(path for path in data.rglob("*") if path.is_dir())]
    assert {get_mode(path) for path in folders} == {0o700}
    assert {get_mode(path) for path in files} == {0o600}


def test_other_folders_beside_ours_and_targets_of_links_stay(tmp_path: Path):
    project, outside = tmp_path / "project", tmp_path / "outside"
    (project / "src").mkdir(parents=True)
    (project / "logs").mkdir()
    outside.touch()
    (project / "logs" / "link").symlink_to(outside)
    before = get_mode(project / "src"), get_mode(outside)

    make_data_folder_private(project)

    assert (get_mode(project / "src"), get_mode(outside)) == before
    assert get_mode(project) == 0o700


def test_new_data_folder_is_closed_from_the_start(tmp_path: Path):
    before = os.umask(0)
    try:
        make_data_folder_private(tmp_path / "new" / "data")
    finally:
        os.umask(before)

    assert get_mode(tmp_path / "new" / "data") == 0o700
