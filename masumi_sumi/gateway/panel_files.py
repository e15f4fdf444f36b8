"""Keep the panel's files inside their folders.

Kodosumi joins folders with ids and names from request bodies and never looks where that leads. Its
controller's own functions are replaced, so that no body can be read in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path, PosixPath
from typing import Any

from masumi_sumi.faces.paths import find_fault

ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
LONGEST_NAME = 1000
MOST_CHUNKS = 100_000

Refuse = Callable[[str], Exception]
"""Makes the exception that the panel answers with 400."""


def guard_files(control: Any, refuse: Refuse) -> None:
    """Let ``control``, Kodosumi's FileControl, refuse whatever leads out of a user's folders."""
    folder_of_uploads, folder_of_run = control.upload_dir, control._get_exec_dir
    complete = control._complete_file

    def upload_dir(self: Any, state: Any) -> Path:
        return _Folder(folder_of_uploads(self, state), refuse, by_id=True)

    def get_exec_dir(self: Any, user: str, fid: str, dir_type: str, state: Any) -> Path:
        _check_id(fid, refuse)
        return _Folder(folder_of_run(self, user, fid, dir_type, state), refuse)

    async def complete_file(
        self: Any,
        user: str,
        fid: str,
        batch_id: str,
        upload_id: str,
        dir_type: str,
        filename: str,
        total_chunks: int,
        state: Any,
    ) -> Any:
        for name in (fid, batch_id):
            if name:
                _check_id(name, refuse)
        _check_id(upload_id, refuse)
        _check_filename(filename, refuse)
        self._validate_dir_type(dir_type)
        if not isinstance(total_chunks, int) or not 0 <= total_chunks <= MOST_CHUNKS:
            raise refuse(f"total_chunks must be at most {MOST_CHUNKS}")
        return await complete(
            self, user, fid, batch_id, upload_id, dir_type, filename, total_chunks, state
        )

    control.upload_dir = upload_dir
    control._get_exec_dir = get_exec_dir
    control._complete_file = complete_file


class _Folder(PosixPath):
    """A folder that joins only with what lies inside of it, links followed."""

    def __init__(self, path: Any, refuse: Refuse, *, by_id: bool = False) -> None:
        super().__init__(path)
        self._refuse, self._by_id = refuse, by_id

    def with_segments(self, *segments: Any) -> Any:
        return Path(*segments)

    def __truediv__(self, key: Any) -> Any:
        if self._by_id:
            _check_id(str(key).partition("/")[0], self._refuse)
        found = Path(self) / key
        if not found.resolve().is_relative_to(Path(self).resolve()):
            raise self._refuse("the path leads out of its folder")
        return found


def _check_id(given: Any, refuse: Refuse) -> None:
    if not isinstance(given, str) or not ID.fullmatch(given):
        raise refuse("an id must be 1 to 64 letters, digits, hyphens and underscores")


def _check_filename(given: Any, refuse: Refuse) -> None:
    """A name may have folders in it: whole folders are uploaded."""
    is_name = isinstance(given, str) and 0 < len(given) <= LONGEST_NAME
    if not is_name or find_fault(f"/files/{given}") or given.endswith("/"):
        raise refuse("a file name must be a path inside of the folder it is uploaded to")
