"""Ray Serve, the applications on it, and the panel."""

from __future__ import annotations

from masumi_sumi.errors.tree import SumiError


class ServeError(SumiError):
    """Ray Serve, or an application on it, did not do what was asked."""


class ServeUnreachable(ServeError):
    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url, self.reason = url, reason

    def __str__(self) -> str:
        return f"Ray's dashboard {self.url} gave no answer: {self.reason}"


class ServeRefused(ServeError):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status, self.message = status, message

    def __str__(self) -> str:
        return f"Ray Serve refused ({self.status}): {self.message}"


class FlowsUnreadable(ServeError):
    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url, self.reason = url, reason

    def __str__(self) -> str:
        return f"{self.url} does not tell its flows: {self.reason}"


class PanelError(SumiError):
    def __init__(self, call: str, reason: str) -> None:
        super().__init__(call, reason)
        self.call, self.reason = call, reason

    def __str__(self) -> str:
        return f"the panel refused {self.call}: {self.reason}"
