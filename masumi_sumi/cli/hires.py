"""DATA_DIR/hires: what is bought from here, a file for each hire, written before it is paid.

A file is lines of JSON, each on disk before what it says goes on: the record, that it was bought,
how it ended, which is all that stays then. Who follows a hire holds a lock on its file, which dies
with the process.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from masumi_sumi.buyer import records
from masumi_sumi.buyer.records import Record
from masumi_sumi.errors import HireUnresumable, SettingInvalid

FOLDER = "hires"

FLAGS = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND


@dataclass(frozen=True, slots=True)
class Kept:
    """What a file says. ``raw`` is the record as ``Buyer.resume`` takes it."""

    path: Path
    raw: Mapping[str, Any]
    ended: str = ""

    @property
    def record(self) -> Record:
        """Raises HireUnresumable."""
        return records.read(self.raw)


class Page:
    """The open file of a hire that this process follows."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.ended = ""

    def bought(self) -> None:
        self._write(bought=True)

    def end(self, how: str) -> None:
        """What was sent to the agent, passwords too, is of no use any more: it goes."""
        self.ended = how
        self._write(ended=how)
        self._file.truncate(0)
        self._write(ended=how)

    def _write(self, **line: Any) -> None:
        _write(self._file, line)


class Hires:
    """The files below a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER

    @contextmanager
    def begun(self, raw: Mapping[str, Any]) -> Iterator[Page]:
        """A new hire, on disk. Raises SettingInvalid when that cannot be: then nothing is paid."""
        path = self._folder / f"{raw['identifier']}.jsonl"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.fdopen(os.open(path, FLAGS, 0o600), "a")
        except OSError as error:
            raise _unwritable(self._folder, error) from error
        with file:
            try:
                _lock(file, str(raw["job_id"]))
                _write(file, {"hire": raw})
                _keep_name(self._folder)
            except OSError as error:
                raise _unwritable(self._folder, error) from error
            yield Page(file)

    @contextmanager
    def taken(self, job: str) -> Iterator[tuple[Kept, Page]]:
        """One that did not end, by its job id or its identifier. Raises HireUnresumable."""
        path = self._one(job).path
        with path.open("a") as file:
            _lock(file, job)
            kept = _read(path)
            if kept is None or kept.ended:
                raise HireUnresumable(f"job {job} has ended meanwhile")
            yield kept, Page(file)

    def unfinished(self) -> list[Kept]:
        """Oldest first."""
        files = sorted(self._folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime)
        return [kept for kept in map(_read, files) if kept and not kept.ended]

    def _one(self, job: str) -> Kept:
        named = [kept for kept in self.unfinished() if job in _names(kept)]
        if len(named) == 1:
            return named[0]
        if named:
            many = ", ".join(str(kept.raw["identifier"]) for kept in named)
            raise HireUnresumable(f"several hires have the job id {job}: name one of {many}")
        raise HireUnresumable(f"none of job {job} is unfinished in {self._folder}")


def _names(kept: Kept) -> tuple[object, object]:
    return kept.raw.get("job_id"), kept.raw.get("identifier")


def _read(path: Path) -> Kept | None:
    """None for one that was never whole: then nothing was paid. A torn last line says nothing."""
    lines = []
    for text in path.read_text().splitlines():
        with suppress(ValueError):
            lines.append(json.loads(text))
    match lines:
        case [{"hire": dict(raw)}, *more]:
            said = {name: value for line in more for name, value in line.items()}
            bought = bool(raw.get("bought") or said.get("bought"))
            return Kept(path, {**raw, "bought": bought}, said.get("ended", ""))
    return None


def _lock(file: IO[str], job: str) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise HireUnresumable(f"another process follows job {job} now") from error


def _write(file: IO[str], line: Mapping[str, Any]) -> None:
    """Begins with a line's end, for the line before may be torn."""
    file.write(f"\n{json.dumps(line)}\n")
    file.flush()
    os.fsync(file.fileno())


def _keep_name(folder: Path) -> None:
    """A new file's name outlives a power cut only with its folder on disk."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def _unwritable(folder: Path, error: OSError) -> SettingInvalid:
    rule = f"cannot be written ({error.strerror}), and what is paid is kept first; nothing was paid"
    return SettingInvalid("SUMI_DATA_DIR", str(folder), rule)
