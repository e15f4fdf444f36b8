"""What goes wrong with a stack that was configured well: exit code 1 of the command.

SumiError
├── ConfigurationError
│   └── StackRunning      another ``up`` owns this data folder
├── DemoFailed            a step of the demo did not come out as it must
└── StackFailed
    ├── PartDied          a process of the stack ended by itself
    ├── PartLate          a process lives but does not answer
    └── DeployFailed      Ray Serve refused an application, in Ray's own words
"""

from __future__ import annotations

from pathlib import Path

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
    """Something that was started did not stay or did not become ready."""


class PartDied(StackFailed):
    """``tail`` is the end of the part's log; ``code`` its exit code, negative for a signal."""

    def __init__(self, part: str, code: int, log: Path, tail: str) -> None:
        super().__init__(part, code, log, tail)
        self.part, self.code, self.log, self.tail = part, code, log, tail

    def __str__(self) -> str:
        how = f"signal {-self.code}" if self.code < 0 else f"exit code {self.code}"
        return f"{self.part} died ({how}); the end of {self.log}:\n{self.tail}"


class PartLate(StackFailed):
    def __init__(self, part: str, seconds: float, log: Path, tail: str) -> None:
        super().__init__(part, seconds, log, tail)
        self.part, self.seconds, self.log, self.tail = part, seconds, log, tail

    def __str__(self) -> str:
        return (
            f"{self.part} did not become ready within {self.seconds:.0f} s; "
            f"the end of {self.log}:\n{self.tail}"
        )


class DeployFailed(StackFailed):
    def __init__(self, application: str, message: str) -> None:
        super().__init__(application, message)
        self.application, self.message = application, message

    def __str__(self) -> str:
        return f"Ray Serve could not deploy {self.application}: {self.message}"


class DemoFailed(SumiError):
    """A step of the demo did not come out as it must; the message says which."""
