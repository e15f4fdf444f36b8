"""The parts of a stack: how each is started, and how one sees from outside that it is ready."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from masumi_sumi.cli.environment import reachable, sandbox_url
from masumi_sumi.cli.loopback import request
from masumi_sumi.cli.ports import LOOPBACK, free_ports
from masumi_sumi.settings import Settings

OBJECT_STORE_BYTES = 200_000_000

RAY_FOLDER = "r"
"""Inside the private folder, for Ray opens its own to everybody, whatever the umask is."""

SOCKET_ROOM = 23
"""Characters that a folder may have above the private one, for its sockets to stay below 104."""


@dataclass(frozen=True)
class Part:
    """A process. ``needs`` names what must be ready before it starts; one that ``exits`` is ready
    when it has ended with code 0, any other as soon as ``ready()`` is true."""

    name: str
    command: tuple[str, ...]
    url: str = ""
    needs: tuple[str, ...] = ()
    ready: Callable[[], bool] = lambda: True
    exits: bool = False


def build(
    settings: Settings,
    names: tuple[str, ...],
    ray_dir: Path,
    sandbox_options: tuple[str, ...] = (),
    ray_headers: Mapping[str, str] | None = None,
) -> list[Part]:
    """The named parts, in the order in which they are started.

    ``ray_headers`` authenticate the looks at Ray's dashboard.
    """
    headers = dict(ray_headers or {})
    known: dict[str, Callable[[], Part]] = {
        "ray": lambda: ray(settings, ray_dir, headers),
        "sandbox": lambda: sandbox(settings, sandbox_options),
        "supervisor": supervisor,
        "spooler": lambda: spooler(settings, headers),
        "panel": lambda: panel(settings),
    }
    return [make() for name, make in known.items() if name in names]


def ray(settings: Settings, ray_dir: Path, headers: Mapping[str, str]) -> Part:
    """A Ray head of its own. Ports that Ray can choose itself are left to it (0)."""
    dashboard = f"http://{LOOPBACK}:{settings.dashboard_port}"
    options = {
        "--port": settings.ray_port,
        "--node-ip-address": LOOPBACK,
        "--dashboard-host": LOOPBACK,
        "--dashboard-port": settings.dashboard_port,
        "--dashboard-agent-listen-port": 0,
        "--ray-client-server-port": free_ports(1)[0],
        "--min-worker-port": 0,
        "--max-worker-port": 0,
        "--num-cpus": settings.ray_cpus or max(8, os.cpu_count() or 1),
        "--object-store-memory": OBJECT_STORE_BYTES,
        "--temp-dir": ray_dir / RAY_FOLDER,
        "--include-log-monitor": False,
        "--log-color": "false",
    }
    flags = ("--head", "--block", "--disable-usage-stats", "--no-monitor")
    words = (str(word) for option in options.items() for word in option)
    return Part(
        name="ray",
        command=_python("ray.scripts.scripts", "start", *flags, *words),
        url=dashboard,
        ready=lambda: _ok(f"{dashboard}/api/serve/applications/", headers),
    )


def spooler(settings: Settings, headers: Mapping[str, str]) -> Part:
    """Kodosumi's spooler; it says that it works by an actor of that name."""
    actors = f"http://{LOOPBACK}:{settings.dashboard_port}/api/v0/actors"
    query = "?filter_keys=name&filter_predicates=%3D&filter_values=Spooler"
    return Part(
        name="spooler",
        command=_python("kodosumi.cli", "spool", "--block"),
        ready=lambda: _lists_live_actor(actors + query, headers),
    )


def panel(settings: Settings) -> Part:
    """Kodosumi's panel, behind our gateway."""
    url = f"http://{reachable(settings.host)}:{settings.panel_port}"
    return Part(
        name="panel",
        command=_python("masumi_sumi.gateway"),
        url=url,
        ready=lambda: _answers(url),
    )


def sandbox(settings: Settings, options: tuple[str, ...]) -> Part:
    url = sandbox_url(settings)
    place = ("--host", LOOPBACK, "--port", str(settings.sandbox_port))
    database = ("--database", str(settings.data_dir / "sandbox.db"))
    return Part(
        name="sandbox",
        command=_python("masumi_sumi.cli", "sandbox", *place, *database, *options),
        url=url,
        ready=lambda: _ok(f"{url}/health"),
    )


def supervisor() -> Part:
    """Not a process that stays: it makes sure that the detached actor exists, and ends."""
    command = _python("masumi_sumi.compose", "supervisor")
    return Part(name="supervisor", command=command, exits=True)


def socket_room(folder: str) -> str:
    """The folder, or /tmp where the folder's name is too long for Ray's unix sockets."""
    return folder if len(folder) <= SOCKET_ROOM else "/tmp"


def _python(module: str, *arguments: str) -> tuple[str, ...]:
    return (sys.executable, "-m", module, *arguments)


def _ok(url: str, headers: Mapping[str, str] | None = None) -> bool:
    try:
        return request("GET", url, headers=headers).status_code == 200
    except httpx.HTTPError:
        return False


def _answers(url: str) -> bool:
    try:
        return request("GET", url).status_code < 500
    except httpx.HTTPError:
        return False


def _lists_live_actor(url: str, headers: Mapping[str, str]) -> bool:
    try:
        answer = request("GET", url, headers=headers)
        actors = answer.json()["data"]["result"]["result"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return False
    return any(actor["state"] == "ALIVE" for actor in actors)
