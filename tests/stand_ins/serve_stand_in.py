"""Ray Serve's proxy without Ray: apps behind their routes, on a port of this machine."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Mount, Route


@contextmanager
def serving(apps: Mapping[str, Any]) -> Iterator[int]:
    """The port at which ``apps`` answer, by their route prefixes."""

    def prefixes(request: Request) -> JSONResponse:
        return JSONResponse({prefix: prefix.strip("/") or "default" for prefix in apps})

    mounts = [Mount(prefix, app=app) for prefix, app in apps.items()]
    routes: list[BaseRoute] = [Route("/-/routes", prefixes), *mounts]
    listening = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(Starlette(routes=routes), lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)
