"""Ray Serve's REST API, its proxy and its apps, as far as exposes see them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import PanelError


@dataclass
class RayStandIn:
    """``slow`` applications stay DEPLOYING, ``unrouted`` ones have no route, ``broken`` ones become
    DEPLOY_FAILED with the message; a configuration with an app of which the target is ``refused``
    is refused as a whole; ``flows`` are those of an app, and ``sales`` what a flow's own document
    tells, by ``NAME/FLOW``. ``down`` is how many requests are not answered."""

    clock: ManualClock
    apps: dict[str, dict[str, Any]] = field(default_factory=dict)
    slow: set[str] = field(default_factory=set)
    unrouted: set[str] = field(default_factory=set)
    broken: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)
    flows: dict[str, dict[str, str]] = field(default_factory=dict)
    sales: dict[str, Any] = field(default_factory=dict)
    puts: list[dict[str, Any]] = field(default_factory=list)
    down: int = 0
    down_after_put: int = 0
    gate: asyncio.Event | None = None

    @property
    def transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._answer)

    async def pause(self, seconds: float) -> None:
        """Time passes, and with it what is being deployed gets on."""
        self.clock.advance(seconds)
        if self.gate:
            await self.gate.wait()
        for name, app in list(self.apps.items()):
            if app["status"] == "DELETING":
                del self.apps[name]
            elif app["status"] == "DEPLOYING" and name not in self.slow:
                app["status"] = "DEPLOY_FAILED" if name in self.broken else "RUNNING"
                app["message"] = self.broken.get(name, "")

    def add(self, name: str, document: dict[str, Any], status: str = "RUNNING") -> None:
        self.apps[name] = {"status": status, "message": "", "deployed_app_config": document}

    def names(self, put: int = -1) -> list[str]:
        return [each["name"] for each in self.puts[put]["applications"]]

    def document(self, name: str, put: int = -1) -> dict[str, Any]:
        return next(each for each in self.puts[put]["applications"] if each["name"] == name)

    def _answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if request.url.host == "dashboard":
            if self.down:
                self.down -= 1
                raise httpx.ConnectError("connection refused", request=request)
            if request.method == "PUT":
                return self._put(json.loads(request.content))
            return httpx.Response(200, json={"applications": self.apps})
        if path == "/-/routes":
            routes = {f"/{name}": name for name in self.apps.keys() - self.unrouted}
            return httpx.Response(200, json=routes)
        name, _, rest = path.strip("/").partition("/")
        if rest == "openapi.json" and name in self.flows:
            return httpx.Response(200, json=self._openapi(name))
        if (flow := path.strip("/").removesuffix("/openapi")) in self.sales:
            return httpx.Response(200, json={"paths": {}, "x-masumi": self.sales[flow]})
        return httpx.Response(404)

    def _put(self, body: dict[str, Any]) -> httpx.Response:
        self.puts.append(body)
        self.down = self.down_after_put
        documents = {each["name"]: each for each in body["applications"]}
        targets = [each["args"].get("target") for each in body["applications"]]
        if bad := next((target for target in targets if target in self.refused), None):
            self.puts.pop()
            return httpx.Response(400, text=self.refused[bad])
        for name in self.apps.keys() - documents.keys():
            self.apps[name]["status"] = "DELETING"
        for name, document in documents.items():
            if self.apps.get(name, {}).get("deployed_app_config") != document:
                self.add(name, document, "DEPLOYING")
        return httpx.Response(200)

    def _openapi(self, name: str) -> dict[str, Any]:
        paths: dict[str, Any] = {"/health": {"get": {"summary": "no flow"}}}
        for path, summary in self.flows[name].items():
            told = {"summary": summary, "description": f"{summary}.", "tags": ["Demo"]}
            paths[path] = {
                "get": {**told, "x-kodosumi": True, "x-author": "me"},
                "post": {**told, "x-kodosumi": False},
            }
        return {"openapi": "3.1.0", "paths": paths}


@dataclass
class PanelStandIn:
    told: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    refuses: bool = False

    async def register(self, serve_url: str, names: Sequence[str]) -> int:
        if self.refuses:
            raise PanelError("POST /flow/register", "it sleeps")
        self.told.append((serve_url, tuple(names)))
        return len(names)
