"""What goes wrong with a stack that was configured well: exit code 1 of the command.

SumiError
├── ConfigurationError
│   └── StackRunning      another ``up`` owns this data folder
├── DemoFailed            a step of the demo did not come out as it must
└── StackFailed
    ├── PartDied          a process of the stack ended by itself
    ├── PartLate          a process lives but does not answer
    └── DeployFailed      Ray Serve refused an application, in Ray's own words
        └── ServeSilent   Ray Serve gave no answer that can be read: it may in a moment
"""

from __future__ import annotations

from pathlib import Path

from masumi_sumi.cli.escaping import find_error_line, find_last_line, shorten_error
from masumi_sumi.errors import ConfigurationError, SumiError


class StackRunning(ConfigurationError):
    def __init__(self, data_dir: Path, pid: int) -> None:
        super().__init__(data_dir, pid)
        self.data_dir, self.pid = data_dir, pid

    def __str__(self) -> str:
        return (
            f"a stack with the data folder {self.data_dir} is up already (pid {self.pid}): "
            "end it with `masumi-sumi down` or set SUMI_DATA_DIR"
        )


class StackFailed(SumiError):
    """Something that was started did not stay or did not become ready.

    ``details`` are foreign words that no message shows; the log keeps them. ``is_transient``: the
    same may succeed in a moment.
    """

    details: str = ""
    is_transient: bool = False


class PartDied(StackFailed):
    """``tail`` is the end of the part's log; ``code`` its exit code, negative for a signal."""

    def __init__(self, part: str, code: int, log: Path, tail: str) -> None:
        super().__init__(part, code, log, tail)
        self.part, self.code, self.log, self.tail = part, code, log, tail

    def __str__(self) -> str:
        how = f"signal {-self.code}" if self.code < 0 else f"exit code {self.code}"
        return f"{self.part} died ({how}): {find_last_line(self.tail)} (its log: {self.log})"


class PartLate(StackFailed):
    def __init__(self, part: str, seconds: float, log: Path, tail: str) -> None:
        super().__init__(part, seconds, log, tail)
        self.part, self.seconds, self.log, self.tail = part, seconds, log, tail

    def __str__(self) -> str:
        return (
            f"{self.part} did not become ready within {self.seconds:.0f} s: "
            f"{find_last_line(self.tail)} (its log: {self.log})"
        )


class DeployFailed(StackFailed):
    def __init__(self, application: str, message: str) -> None:
        super().__init__(application, message)
        self.application, self.message = application, message
        self.details = message

    def __str__(self) -> str:
        words = find_error_line(self.message) or shorten_error(self.message)
        return f"Ray Serve could not deploy {self.application}: {words}"


class ServeSilent(DeployFailed):
    """No answer, or one that is not Ray's; another attempt may get one."""

    is_transient = True

    def __init__(self, application: str, message: str, details: str = "") -> None:
        super().__init__(application, message)
        self.details = details


class DemoFailed(SumiError):
    """A step of the demo did not come out as it must; the message says which."""
