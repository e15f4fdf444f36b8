"""Close the data folder to other users of this machine."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

UMASK = 0o077
"""Of every process of the stack: what it creates is its owner's alone."""

OTHERS = 0o077

OURS = frozenset({"config", "execution", "hires", "logs", "secrets", "uploads"})
"""Folders in the data folder. An operator may have named a folder that holds other things too:
those are none of our business, and the closed folder above them is enough."""


def make_data_folder_private(folder: Path) -> None:
    """Create the data folder if it is missing; take group and others off it and what is ours.

    The top is closed first, so that nobody comes in meanwhile.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    _close(folder)
    for path in folder.iterdir():
        if path.name in OURS or not path.is_dir():
            make_private(path)


def make_private(path: Path) -> None:
    """Take group and others off a file, or off a folder and all under it.

    What vanishes is passed over, and what belongs to somebody else is left to its owner.
    """
    _close(path)
    for below in _walk(path):
        _close(below)


def is_open(path: Path) -> bool:
    """Whether the group or others may do anything with it."""
    return bool(path.stat().st_mode & OTHERS)


def _walk(folder: Path) -> Iterator[Path]:
    """Symbolic links are not followed."""
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            yield Path(place, name)


def _close(path: Path) -> None:
    try:
        mode = path.lstat().st_mode
        if mode & OTHERS and not stat.S_ISLNK(mode):
            path.chmod(stat.S_IMODE(mode) & ~OTHERS)
    except (FileNotFoundError, PermissionError):
        return
