"""Serving a sandbox: in a thread of this process, or as the process itself."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from fastapi import FastAPI
from uvicorn.protocols.http.h11_impl import H11Protocol

from masumi_sumi.sandbox.app import build
from masumi_sumi.sandbox.clock import SandboxClock, frozen_base
from masumi_sumi.sandbox.controls import Controls
from masumi_sumi.sandbox.gate import BASE_PATH
from masumi_sumi.sandbox.keys import SandboxKey
from masumi_sumi.sandbox.node import Node, Settings

DEFAULT_PORT = 3001
DEFAULT_TOKEN = "sandbox"
_START_SECONDS = 10.0


class SandboxFailed(RuntimeError):
    """The server's thread ended, or never said that it serves."""


class _CuttableProtocol(H11Protocol):
    """HTTP whose requests know their transport, so that a fault can cut it."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # uvicorn narrows it too
        super().connection_made(transport)
        self.app_state = {**self.app_state, "transport": transport}


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_serving = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_serving.set()


class Sandbox(Controls):
    """A payment node of one's own. As a context manager it serves in a thread.

    ``port`` 0 takes a free one. ``host`` beyond loopback needs ``allow_remote`` and a token of its
    own: who has the token makes money and moves time. ``keys`` are further keys beside ``token``,
    which may do all. ``strict`` wants agents registered; ``frozen`` lets time pass only by
    ``advance``; ``production`` hides the text of 5xx; ``results_per_block`` 1 is the pace of a real
    V1 selling wallet; ``sync_seconds``, ``send_seconds`` and ``safe_recovery`` are those of
    ``Settings``; ``network`` is the one that it serves; ``database`` is a SQLite file that
    outlives the process.
    """

    def __init__(
        self,
        port: int = 0,
        host: str = "127.0.0.1",
        token: str = DEFAULT_TOKEN,
        *,
        allow_remote: bool = False,
        keys: Iterable[SandboxKey] = (),
        strict: bool = False,
        production: bool = False,
        block_seconds: float = 2.0,
        confirmations: int = 1,
        results_per_block: int | None = None,
        sync_seconds: float = 0.0,
        send_seconds: float = 0.0,
        safe_recovery: bool = False,
        refusal_delay: float = 0.0,
        seed: str = "sandbox",
        network: str = "Preprod",
        database: Path | str | None = None,
        frozen: bool = False,
    ) -> None:
        """Raises ValueError for an address beyond loopback that is not allowed."""
        check_host(host, token, allow_remote=allow_remote)
        settings = Settings(
            keys=(SandboxKey(token, can_admin=True), *keys),
            strict=strict,
            production=production,
            block_seconds=block_seconds,
            confirmations=confirmations,
            results_per_block=results_per_block,
            sync_seconds=sync_seconds,
            send_seconds=send_seconds,
            safe_recovery=safe_recovery,
            refusal_delay=refusal_delay,
            seed=seed,
            network=network,
            database=database,
        )
        clock = SandboxClock(frozen_base()) if frozen else SandboxClock()
        super().__init__(Node(settings, clock))
        self.token = token
        self.app: FastAPI = build(self)
        self._address = (host, port)
        self._listening: socket.socket | None = None
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """``http://host:port/api/v1``; a port 0 is known once it is bound."""
        host, port = self._address
        return f"http://{host}:{port}{BASE_PATH}"

    @property
    def control_url(self) -> str:
        """``http://host:port/sandbox``."""
        return self.url.removesuffix(BASE_PATH) + "/sandbox"

    def bind(self) -> socket.socket:
        """Take the port. Raises OSError if another process has it."""
        if self._listening is None:
            self._listening = socket.create_server(self._address)
            self._address = (self._address[0], self._listening.getsockname()[1])
        return self._listening

    def start(self) -> Self:
        """Serve in a thread of this process."""
        listening = self.bind()
        self._server = _Server(_config(self.app))
        self._thread = threading.Thread(
            target=self._server.run, args=([listening],), name="masumi-sandbox", daemon=True
        )
        self._thread.start()
        if not self._server.is_serving.wait(_START_SECONDS):
            raise SandboxFailed(f"the sandbox at {self.url} did not start")
        return self

    def stop(self) -> None:
        """End gracefully: requests under way are answered, what was saved stays saved."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_START_SECONDS)
        self.node.close()

    def run(self) -> None:
        """Serve until interrupted, in this thread."""
        listening = self.bind()
        try:
            _Server(_config(self.app)).run([listening])
        finally:
            self.node.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def check_host(host: str, token: str, *, allow_remote: bool) -> None:
    """Raises ValueError where others than this machine would reach a sandbox unintended."""
    if is_loopback(host):
        return
    if not allow_remote:
        rule = "allow it with --allow-remote (in Python allow_remote=True)"
        raise ValueError(f"the sandbox listens at loopback only, and {host!r} is beyond it: {rule}")
    if token == DEFAULT_TOKEN:
        raise ValueError(f"at {host!r} the sandbox needs a token of its own: {token!r} is known")


def is_loopback(host: str) -> bool:
    """Tell whether only this machine reaches it; any name but localhost counts as beyond."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def create_app(**settings: Any) -> FastAPI:
    """The application alone, for tests inside one process; settings as for ``Sandbox``."""
    return Sandbox(**settings).app


def serve(
    port: int = DEFAULT_PORT,
    host: str = "127.0.0.1",
    *,
    announce: Callable[[Sandbox], None] | None = None,
    **settings: Any,
) -> None:
    """Serve until interrupted; settings as for ``Sandbox``.

    ``announce`` is told when the port is taken and the address known.
    """
    sandbox = Sandbox(port, host, **settings)
    sandbox.bind()
    if announce is not None:
        announce(sandbox)
    sandbox.run()


def _config(app: FastAPI) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_CuttableProtocol,
        lifespan="on",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=2,
    )
