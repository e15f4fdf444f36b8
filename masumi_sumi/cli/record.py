"""``DATA_DIR/stack.json``: what a stack started, written at once, so that it can be ended later."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from masumi_sumi.cli.processes import Started, end
from masumi_sumi.private_files import make_private

FILE = "stack.json"
PATIENCE = 3.0
RAY_PATIENCE = 1.5
"""Seconds between TERM and KILL. Ray would drain itself for half a minute, for nobody."""


@dataclass(frozen=True)
class Record:
    """``owner`` is the process that runs the stack; ``ray_dir`` the private folder in which Ray's
    temporary one is: Ray opens its own to everybody.
    """

    owner: Started
    ray_dir: Path
    parts: tuple[Started, ...] = ()

    def with_part(self, part: Started) -> Record:
        return replace(self, parts=(*self.parts, part))


def read(data_dir: Path) -> Record | None:
    """The record of the last stack here, or None when there is none that can be read."""
    try:
        written = json.loads((data_dir / FILE).read_text())
        return Record(
            owner=Started(**written["owner"]),
            ray_dir=Path(written["ray_dir"]),
            parts=tuple(Started(**part) for part in written["parts"]),
        )
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def write(data_dir: Path, record: Record) -> None:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = data_dir / f"{FILE}.new"
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(asdict(record), default=str, indent=1))
    os.replace(fresh, data_dir / FILE)


def clear(data_dir: Path, record: Record) -> None:
    """End what the record names, keep Ray's logs as DATA_DIR/logs/ray, forget the record.

    Ray goes last: the others say goodbye to it. Does nothing to what is gone already.
    """
    end([part for part in record.parts if part.name != "ray"], PATIENCE)
    end([part for part in record.parts if part.name == "ray"], RAY_PATIENCE)
    _keep_logs(record.ray_dir, data_dir / "logs" / "ray")
    shutil.rmtree(record.ray_dir, ignore_errors=True)
    (data_dir / FILE).unlink(missing_ok=True)


def _keep_logs(ray_dir: Path, kept: Path) -> None:
    for logs in ray_dir.glob("*/session_2*/logs"):
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(logs, kept, symlinks=True, ignore_dangling_symlinks=True)
        make_private(kept)
