"""An operator's conversation with the panel: over HTTP, from any machine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx

from masumi_sumi import panel_secrets
from masumi_sumi.cli.environment import reachable
from masumi_sumi.cli.failures import StackFailed
from masumi_sumi.cli.panel import HEADER, PanelRefused
from masumi_sumi.settings import Settings

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class BootFailed(StackFailed):
    """A boot, refresh or shutdown did not come out as it must; ``message`` names what failed."""

    def __init__(self, what: str, message: str) -> None:
        super().__init__(what, message)
        self.what, self.message = what, message

    def __str__(self) -> str:
        return f"{self.what}: {self.message}"


def panel_url(settings: Settings, named: str | None) -> str:
    """The one named, or SUMI_PANEL, or the panel of a stack on this machine."""
    own = f"http://{reachable(settings.host)}:{settings.panel_port}"
    return (named or settings.panel or own).rstrip("/")


class Operator:
    """Logs in with KODOSUMI_API_KEY, or else as the admin. Raises PanelRefused for any "no".

    ``transport`` is the seam for tests.
    """

    def __init__(
        self,
        panel: str,
        environ: Mapping[str, str],
        dotenv: Mapping[str, str | None],
        transport: httpx.BaseTransport | None = None,
        timeout: float = 60.0,
    ) -> None:
        local = urlsplit(panel).hostname in LOOPBACK
        self._client = httpx.Client(
            base_url=panel, transport=transport, trust_env=not local, timeout=timeout
        )
        self._key = environ.get(HEADER) or dotenv.get(HEADER) or ""
        self._password = _find_password(environ, dotenv, local=local)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.close()

    def exposes(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._read("/expose")
        return found

    def expose(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self._read(f"/expose/{name}")
        return found

    def save(self, body: Mapping[str, Any]) -> None:
        self._call("POST", "/expose", json=body)

    def delete(self, name: str) -> None:
        self._call("DELETE", f"/expose/{name}")

    def boot(self, *, force: bool = False) -> Iterator[str]:
        """The lines for people, as they come. Raises BootFailed at the end if it failed."""
        return self._stream("boot", "POST", "/boot", force)

    def shutdown(self, *, force: bool = False) -> Iterator[str]:
        return self._stream("shutdown", "DELETE", "/boot", force)

    def refresh(self, name: str, *, force: bool = False) -> Iterator[str]:
        return self._stream(f"refresh {name}", "POST", f"/boot/refresh/{name}", force)

    def _stream(self, what: str, method: str, path: str, force: bool) -> Iterator[str]:
        query = {"force": "true"} if force else {}
        try:
            with self._client.stream(
                method, path, params=query, headers=self._headers(), timeout=None
            ) as answer:
                if answer.is_error:
                    answer.read()
                    raise PanelRefused.from_answer(f"{method} {path}", answer)
                yield from answer.iter_lines()
        except httpx.HTTPError as error:
            raise PanelRefused.from_silence(f"{method} {path}", error) from error
        self._check(what)

    def _check(self, what: str) -> None:
        """The outcome comes from the panel's status: the lines are for people."""
        last = self._read("/boot").get("last") or {}
        if last.get("error"):
            raise BootFailed(what, str(last["error"]))
        if last.get("failed"):
            raise BootFailed(what, f"not up: {', '.join(last['failed'])}")

    def _read(self, path: str) -> Any:
        answer = self._call("GET", path)
        try:
            return answer.json()
        except ValueError as error:  # a redirect, or a page: somebody else's server
            reason = f"{answer.status_code} without JSON, as no panel of ours answers"
            raise PanelRefused(f"GET {path}", reason) from error

    def _call(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, headers=self._headers(), **content)
        except httpx.HTTPError as error:
            raise PanelRefused.from_silence(f"{method} {path}", error) from error
        if answer.is_error:
            raise PanelRefused.from_answer(f"{method} {path}", answer)
        return answer

    def _headers(self) -> dict[str, str]:
        self._key = self._key or self._log_in()
        return {HEADER: self._key}

    def _log_in(self) -> str:
        if not self._password:
            reason = "no password is known for it here: set KODOSUMI_API_KEY or KODO_ADMIN_PASSWORD"
            raise PanelRefused("the login", reason)
        login = {"name": panel_secrets.ADMIN, "password": self._password}
        try:
            answer = self._client.post("/api/login", json=login)
            answer.raise_for_status()
            return str(answer.json()[HEADER])
        except httpx.HTTPStatusError as error:
            call = "the login (set KODOSUMI_API_KEY)"
            raise PanelRefused.from_answer(call, error.response) from error
        except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
            raise PanelRefused.from_silence("the login", error) from error


def _find_password(
    environ: Mapping[str, str], dotenv: Mapping[str, str | None], *, local: bool
) -> str:
    """Return what the operator set, else the data folder's own: that goes to no other machine.

    A panel of Kodosumi's alone has its public password.
    """
    if not local:
        return panel_secrets.get_given(panel_secrets.PASSWORD, environ, dotenv)
    folder = Path(panel_secrets.get_given("SUMI_DATA_DIR", environ, dotenv) or "data")
    return panel_secrets.find_password(folder, environ, dotenv) or panel_secrets.KNOWN_PASSWORDS[0]
