"""Start a process of the stack, and end exactly what it became: itself and all it started."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from masumi_sumi.private_files import UMASK

CLOCK_SHIFT = 2.0
"""Seconds by which a creation time may seem to move: it is counted from a boot time that
follows the adjustments of the clock."""

KILL_SECONDS = 5.0
"""How long the system may take to carry out a KILL."""


@dataclass(frozen=True)
class Started:
    """A process that we started; ``created`` (epoch seconds) tells it from a later one with the
    same pid."""

    name: str
    pid: int
    created: float

    @classmethod
    def of(cls, name: str, pid: int) -> Started:
        """Raises psutil.NoSuchProcess when there is no such process."""
        return cls(name, pid, psutil.Process(pid).create_time())

    @property
    def alive(self) -> bool:
        return self.process() is not None

    def process(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            return process if _runs(process) and not self.reused else None
        except psutil.NoSuchProcess:
            return None

    @property
    def reused(self) -> bool:
        """Whether the pid belongs to another process now."""
        try:
            return abs(psutil.Process(self.pid).create_time() - self.created) > CLOCK_SHIFT
        except psutil.NoSuchProcess:
            return False


def spawn(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    """Start a command as the leader of its own session, its output appended to ``log``."""
    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    log.touch(mode=0o600)
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            umask=UMASK,
        )


def end(parts: Iterable[Started], patience: float) -> None:
    """TERM for the parts and everything they started, KILL for what lives ``patience`` s later."""
    parts = tuple(parts)
    found = members(parts)
    for process in found:
        _send(process, psutil.Process.terminate)
    _await_end(found, patience)
    late = found | members(parts)
    for process in late:
        _send(process, psutil.Process.kill)
    _await_end(late, KILL_SECONDS)


def members(parts: Sequence[Started]) -> set[psutil.Process]:
    """The parts' trees, and the members of their sessions whose parents are gone; no zombies."""
    found: set[psutil.Process] = set()
    for part in parts:
        if root := part.process():
            found.add(root)
            found.update(_children(root))
    return set(filter(_runs, found | _orphans(parts)))


def _orphans(parts: Sequence[Started]) -> set[psutil.Process]:
    """Processes in a session that a part opened, their own parents gone or not."""
    sessions = {part.pid for part in parts if not part.reused}
    oldest = min((part.created for part in parts), default=0.0)
    found = set()
    for process in psutil.process_iter():
        try:
            if os.getsid(process.pid) in sessions and process.create_time() >= oldest - CLOCK_SHIFT:
                found.add(process)
                found.update(_children(process))
        except (ProcessLookupError, PermissionError, psutil.Error):
            continue
    return found


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _send(process: psutil.Process, signal: Callable[[psutil.Process], None]) -> None:
    try:
        if _runs(process):
            signal(process)
    except psutil.NoSuchProcess:
        return


def _await_end(processes: Iterable[psutil.Process], seconds: float) -> None:
    """Return when all are gone, at latest after ``seconds``. A zombie is gone."""
    until = time.monotonic() + seconds
    while any(map(_runs, processes)) and time.monotonic() < until:
        time.sleep(0.02)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
