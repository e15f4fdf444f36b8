"""What ``up`` asks of Kodosumi's panel: a login, and that it lists the flows of Ray Serve."""

from __future__ import annotations

from typing import Any

import httpx

from masumi_sumi.cli.failures import StackFailed
from masumi_sumi.cli.loopback import request

HEADER = "KODOSUMI_API_KEY"


class PanelRefused(StackFailed):
    def __init__(self, call: str, reason: str) -> None:
        super().__init__(call, reason)
        self.call, self.reason = call, reason

    def __str__(self) -> str:
        return f"the panel refused {self.call}: {self.reason}"


def login(panel: str, name: str, password: str) -> str:
    """An API key of this role. The panel's first login makes the admin role."""
    body = {"name": name, "password": password}
    return str(_post(f"{panel}/api/login", body, {})[HEADER])


def register(panel: str, key: str, serve: str) -> list[str]:
    """Let the panel list the flows of all applications on this Ray Serve; their paths there."""
    body = {"url": [f"{serve}/-/routes"]}
    return [flow["url"] for flow in _post(f"{panel}/flow/register", body, {HEADER: key})]


def _post(url: str, body: object, headers: dict[str, str]) -> Any:
    try:
        answer = request("POST", url, json=body, headers=headers, timeout=60.0)
        answer.raise_for_status()
        return answer.json()
    except httpx.HTTPStatusError as error:
        raise PanelRefused(url, error.response.text[:500]) from error
    except (httpx.HTTPError, ValueError) as error:
        raise PanelRefused(url, repr(error)) from error
