"""Ray Serve behind the REST API at its dashboard's address."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx

from masumi_sumi.errors import ServeRefused, ServeUnreachable, SettingInvalid
from masumi_sumi.exposes import yamls
from masumi_sumi.gateway_proof import mask_app_secrets
from masumi_sumi.settings import Settings

PATH = "/api/serve/applications/"
ANSWER_SECONDS = 60.0
"""Serve's controller answers when it has a moment; while it starts that may take a while."""

FAILED = frozenset({"DEPLOY_FAILED", "UNHEALTHY"})

Document = Mapping[str, Any]
"""A piece of Ray Serve's own configuration, which is Serve's to validate."""


@dataclass(frozen=True, slots=True)
class App:
    """An application as Ray Serve tells it. ``status`` is Ray's own word, ``message`` all that it
    says of it and of its deployments; ``document`` is what it was given, None for an application
    that came another way than through the REST API."""

    name: str
    status: str
    message: str = ""
    document: Document | None = field(default=None, repr=False)

    @property
    def has_failed(self) -> bool:
        return self.status in FAILED


@dataclass(frozen=True, slots=True)
class ServeConfig:
    """What stands beside the applications in Ray Serve's configuration; ``file`` is its name."""

    file: str
    options: Document

    @classmethod
    def read(cls, settings: Settings) -> Self:
        """From ``settings.serve_config``; a file that is not there says nothing.

        SUMI_HOST and SUMI_SERVE_PORT win over it. Raises SettingInvalid, or DocumentInvalid for
        broken YAML.
        """
        said = _read(settings.serve_config)
        place = said.get("http_options") or {}
        given = settings.model_fields_set
        ours = {"host": settings.host, "port": settings.serve_port}
        forced = {key: ours[key] for key in ours if _setting(key) in given}
        options = {key: value for key, value in said.items() if key != "applications"}
        options["http_options"] = {**ours, **place, **forced}
        return cls(settings.serve_config.name, options)

    @property
    def url(self) -> str:
        """Where the applications answer, for who is on the same machine."""
        place = self.options["http_options"]
        host = "127.0.0.1" if place["host"] in ("0.0.0.0", "::", "localhost") else place["host"]
        return f"http://{host}:{place['port']}"


class Serve:
    """Close it with ``aclose``. ``headers`` authenticate the requests to Ray's dashboard;
    ``transport`` is the seam for tests.
    """

    def __init__(
        self,
        dashboard: str,
        settings: Settings,
        transport: httpx.AsyncBaseTransport | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.url = dashboard.rstrip("/") + PATH
        self._settings, self._headers = settings, dict(headers or {})
        self._client = httpx.AsyncClient(
            transport=transport, trust_env=False, timeout=ANSWER_SECONDS
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def config(self) -> ServeConfig:
        """Read from its file each time, for an operator may change it."""
        return await asyncio.to_thread(ServeConfig.read, self._settings)

    async def applications(self) -> dict[str, App]:
        """All applications that are there. Raises ServeUnreachable, ServeRefused."""
        answer = await self._send("GET")
        try:
            told = answer.json()["applications"]
            return {name: _app(name, details) for name, details in told.items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ServeUnreachable(
                self.url, f"an answer without applications: {error!r}"
            ) from error

    async def put(self, config: ServeConfig, documents: Iterable[Document]) -> None:
        """Ask for exactly these applications; what is the same as before is left alone.

        Raises ServeUnreachable, or ServeRefused with Ray's own words when one of them cannot be.
        """
        await self._send("PUT", {**config.options, "applications": list(documents)})

    async def routes(self, config: ServeConfig) -> frozenset[str]:
        """Route prefixes that Serve's proxy has by now; none while it does not answer."""
        try:
            answer = await self._client.get(f"{config.url}/-/routes", timeout=5.0)
            answer.raise_for_status()
            return frozenset(route for route in answer.json() if route.startswith("/"))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, AttributeError):
            return frozenset()

    async def _send(self, method: str, body: Document | None = None) -> httpx.Response:
        try:
            answer = await self._client.request(method, self.url, json=body, headers=self._headers)
        except httpx.HTTPError as error:
            raise ServeUnreachable(self.url, str(error) or type(error).__name__) from error
        if answer.status_code == 503:
            raise ServeUnreachable(self.url, f"status {answer.status_code}: {answer.text[:2000]}")
        if answer.status_code != 200:
            raise ServeRefused(answer.status_code, mask_app_secrets(answer.text))
        return answer


def _app(name: str, details: Mapping[str, Any]) -> App:
    deployments = (details.get("deployments") or {}).values()
    said = [details.get("message"), *(each.get("message") for each in deployments)]
    message = mask_app_secrets("\n".join(dict.fromkeys(each for each in said if each)))
    return App(name, str(details.get("status", "")), message, details.get("deployed_app_config"))


def _read(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text()
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingInvalid("SUMI_SERVE_CONFIG", str(path), f"cannot be read: {error}") from error
    said = yamls.load(text, path.name)
    if said is None:
        return {}
    if not isinstance(said, dict) or not isinstance(said.get("http_options") or {}, dict):
        raise SettingInvalid("SUMI_SERVE_CONFIG", str(path), "expected Ray Serve's configuration")
    return said


def _setting(option: str) -> str:
    return "serve_port" if option == "port" else option
