"""Where a job's code and its test meet: a folder with marks of what really ran, and a gate."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

GATE_SECONDS = 120.0


class Desk:
    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)

    # --- the test's side -----------------------------------------------------------------------

    def hold(self) -> Desk:
        """Let the job's code wait once it has begun."""
        self._gate.touch()
        return self

    def let_go(self) -> None:
        self._gate.unlink(missing_ok=True)

    @property
    def begun(self) -> list[int]:
        """Process ids of the runs that began, in order."""
        return self._marks("begun")

    @property
    def ended(self) -> list[int]:
        return self._marks("ended")

    # --- the job's side ------------------------------------------------------------------------

    def begin(self) -> None:
        self._mark("begun")

    async def gate(self) -> None:
        until = time.monotonic() + GATE_SECONDS
        while self._gate.exists() and time.monotonic() < until:  # noqa: ASYNC110 - a file, no event
            await asyncio.sleep(0.02)

    def gate_sync(self) -> None:
        until = time.monotonic() + GATE_SECONDS
        while self._gate.exists() and time.monotonic() < until:
            time.sleep(0.02)

    def end(self) -> None:
        self._mark("ended")

    @property
    def _gate(self) -> Path:
        return self.folder / "gate"

    def _mark(self, name: str) -> None:
        with (self.folder / name).open("a") as file:
            file.write(f"{os.getpid()}\n")

    def _marks(self, name: str) -> list[int]:
        file = self.folder / name
        return [int(line) for line in file.read_text().splitlines()] if file.exists() else []
