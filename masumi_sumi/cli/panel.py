"""What ``up`` asks of Kodosumi's panel: a login, and that it lists the flows of Ray Serve."""

from __future__ import annotations

from typing import Any

import httpx

from masumi_sumi.cli.failures import StackFailed
from masumi_sumi.cli.loopback import request

HEADER = "KODOSUMI_API_KEY"


class PanelRefused(StackFailed):
    def __init__(
        self, call: str, reason: str, *, details: str = "", is_transient: bool = False
    ) -> None:
        super().__init__(call, reason)
        self.call, self.reason = call, reason
        self.details, self.is_transient = details, is_transient

    @classmethod
    def from_answer(cls, call: str, answer: httpx.Response) -> PanelRefused:
        """Take the panel's own sentence; its page, if it is one, is for the log."""
        said = _find_detail(answer)
        code = answer.status_code
        reason = f"{code}: {said}" if said else f"{code} {answer.reason_phrase}".strip()
        is_transient = answer.is_server_error or answer.status_code == 429
        details = "" if answer.text == said else answer.text
        return cls(call, reason, details=details, is_transient=is_transient)

    @classmethod
    def from_silence(cls, call: str, error: Exception) -> PanelRefused:
        """Take an error of the connection, or an answer that is not the panel's."""
        reason = f"no answer that can be read ({type(error).__name__})"
        return cls(call, reason, details=repr(error), is_transient=True)

    def __str__(self) -> str:
        return f"the panel refused {self.call}: {self.reason}"


def login(panel: str, name: str, password: str, timeout: float = 60.0) -> str:
    """Return an API key of this role. The panel's first login makes the admin role."""
    body = {"name": name, "password": password}
    url = f"{panel}/api/login"
    try:
        return str(_post(url, body, {}, timeout)[HEADER])
    except (KeyError, TypeError) as error:
        raise PanelRefused.from_silence(url, error) from error


def register(panel: str, key: str, serve: str, timeout: float = 60.0) -> list[str]:
    """Let the panel list the flows of all applications on this Ray Serve; their paths there."""
    body = {"url": [f"{serve}/-/routes"]}
    url = f"{panel}/flow/register"
    try:
        return [flow["url"] for flow in _post(url, body, {HEADER: key}, timeout)]
    except (KeyError, TypeError) as error:
        raise PanelRefused.from_silence(url, error) from error


def _post(url: str, body: object, headers: dict[str, str], timeout: float) -> Any:
    try:
        answer = request("POST", url, json=body, headers=headers, timeout=timeout)
        if answer.is_error:
            raise PanelRefused.from_answer(url, answer)
        return answer.json()
    except (httpx.HTTPError, ValueError) as error:
        raise PanelRefused.from_silence(url, error) from error


def _find_detail(answer: httpx.Response) -> str:
    """Return the sentence of a JSON answer; empty where it is a page or has several lines."""
    try:
        said = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return ""
    return said if isinstance(said, str) and "\n" not in said.strip() else ""
