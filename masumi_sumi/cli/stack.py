"""A whole stack on one machine: Ray, Kodosumi's panel and spooler, the sandbox, our supervisor and
applications on Ray Serve. ``masumi-sumi up`` and the real tests start it through this class."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event, RLock
from types import TracebackType
from typing import Any, Literal, Self

from dotenv import dotenv_values

from masumi_sumi import panel_secrets, ray_token
from masumi_sumi.cli import error_log, panel, parts, ports, record
from masumi_sumi.cli.applications import Application, Serve, parse
from masumi_sumi.cli.environment import (
    driver,
    environment,
    with_sandbox,
)
from masumi_sumi.cli.failures import PartDied, PartLate, StackFailed, StackRunning
from masumi_sumi.cli.processes import Started, spawn
from masumi_sumi.cli.steps import Cancelled, Step, perform, retry
from masumi_sumi.cli.withholding import for_authors, for_panel, for_supervisor
from masumi_sumi.private_files import make_data_folder_private
from masumi_sumi.secret_files import get_gateway_secret, read_or_create_secret
from masumi_sumi.settings import ENV_FILE, Settings

PARTS = ("ray", "sandbox", "supervisor", "spooler", "panel", "serve")

PART_SECONDS = 120.0
"""How long a part may take to become ready on a slow machine."""

DEPLOY_SECONDS = 300.0

LIST_SECONDS = 45.0
"""How long the panel is asked again to list the flows; the stack is up without it."""

TAIL_LINES = 20


@dataclass(frozen=True)
class Progress:
    """Something for people to see; ``seconds`` since this part was begun. ``error`` is why an
    optional step was ``left out``."""

    what: Literal["starting", "ready", "ending", "ended", "left out"]
    name: str
    url: str = ""
    seconds: float = 0.0
    error: StackFailed | None = None


class Stack:
    """Parts of a stack as processes; ``start()`` returns when all are ready.

    ``settings`` become those that the parts have: with the sandbox as Preprod's node when no node
    is configured; ``sandbox_options`` are further words for its command, and ``sandbox_poll`` the
    seconds between two looks at it: it is near, so there are more. ``config`` stands beside
    the applications in Ray Serve's configuration. ``folder`` is where apps are imported from.
    Applications and ports are checked before anything starts; whatever goes wrong later, and
    whoever interrupts, ends all that was started.
    """

    def __init__(
        self,
        settings: Settings,
        apps: Iterable[str] = (),
        *,
        parts: Iterable[str] = PARTS,
        config: Mapping[str, Any] | None = None,
        folder: Path | None = None,
        sandbox_options: Iterable[str] = (),
        sandbox_poll: float = 1.0,
        report: Callable[[Progress], None] = lambda progress: None,
    ) -> None:
        real_node = bool(settings.nodes)
        wanted = set(parts) - ({"sandbox"} if real_node else set())
        self.parts = tuple(name for name in PARTS if name in wanted)
        self.settings = with_sandbox(settings, sandbox_poll) if "sandbox" in wanted else settings
        self.environment = environment(self.settings, os.environ, folder or Path.cwd())
        self._environments = self._get_environments()
        self.urls: dict[str, str] = {}
        self.pids: dict[str, int] = {}
        self._apps = parse(apps)
        self._sandbox_options = tuple(sandbox_options)
        self._serve = Serve(
            self.environment["KODO_RAY_DASHBOARD"],
            _options(settings, config),
            self.get_ray_headers,
            partial(get_gateway_secret, settings),
        )
        self.has_new_password = False
        self._report = report
        self._children: dict[str, subprocess.Popen[bytes]] = {}
        self._record: record.Record | None = None
        self._deployed: list[str] = []
        self._cancelled = Event()
        self._lock = RLock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _get_environments(self) -> dict[str, dict[str, str]]:
        """Return what each part is started with. Raises SettingInvalid."""
        authors = for_authors(self.environment, self.settings, dotenv_values(ENV_FILE))
        return {
            "ray": authors,
            "sandbox": driver(authors),
            "spooler": driver(authors),
            "supervisor": driver(for_supervisor(self.environment)),
            "panel": driver(for_panel(self.environment, self.settings)),
        }

    @property
    def panel_login(self) -> tuple[str, str]:
        dotenv = dotenv_values(ENV_FILE)
        password = panel_secrets.get_password(self.settings.data_dir, self.environment, dotenv)
        return panel_secrets.ADMIN, password

    def _create_secrets(self) -> None:
        """Raises SettingInvalid where strangers reach the panel and know a secret of it."""
        folder, dotenv = self.settings.data_dir, dotenv_values(ENV_FILE)
        make_data_folder_private(folder)
        read_or_create_secret(folder, ray_token.SECRET)
        if "panel" in self.parts:
            self.has_new_password = not panel_secrets.find_password(
                folder, self.environment, dotenv
            )
            address = self.environment["KODO_APP_SERVER"]
            panel_secrets.get_panel_environment(self.settings, address, self.environment, dotenv)

    def get_ray_headers(self) -> dict[str, str]:
        """Return what a request to Ray's dashboard needs, once the stack was started."""
        return ray_token.get_auth_headers(self.environment)

    @property
    def applications(self) -> tuple[str, ...]:
        """Names of the applications that were deployed, each with its address in ``urls``."""
        return tuple(self._deployed)

    def log(self, part: str) -> Path:
        return self.settings.data_dir / "logs" / f"{part}.log"

    def start(self) -> None:
        """Raises ConfigurationError before anything starts, StackFailed after all has ended."""
        error_log.use_folder(self.settings.data_dir)
        self.settings.require_tokens()
        _claim(self.settings.data_dir)
        ports.refuse_taken(self.settings, self.parts)
        self._create_secrets()
        try:
            ray_dir = tempfile.mkdtemp(prefix="sumi-", dir=parts.socket_room(tempfile.gettempdir()))
            self._record = record.Record(Started.of("up", os.getpid()), Path(ray_dir))
            record.write(self.settings.data_dir, self._record)
            perform(self._steps(Path(ray_dir)), self._cancelled)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End everything that was started, and nothing else. Can be called again."""
        self._cancelled.set()
        with self._lock:
            if self._record is None:
                return
            began = time.monotonic()
            self._report(Progress("ending", "stack"))
            record.clear(self.settings.data_dir, self._record)
            for child in self._children.values():
                child.poll()
            self._report(Progress("ended", "stack", seconds=time.monotonic() - began))
            self._record = None

    def deploy(self, apps: Iterable[str]) -> None:
        """Deploy more applications, wait until they run, let the panel list their flows.

        A panel that does not list them is reported, and no failure.
        """
        applications = parse(apps)
        self._deploy(applications)
        self._list_flows()

    def check(self) -> None:
        """Raises PartDied when a part has ended by itself."""
        dead = self._dead()
        if dead and dead[0].part != "ray":
            time.sleep(1.5)  # Ray tells of its own death last, and takes the others along
            dead = self._dead()
        if dead:
            raise dead[0]

    def wait(self) -> None:
        """Watch the parts. Never returns; raises PartDied."""
        while True:
            self.check()
            time.sleep(0.5)

    def _steps(self, ray_dir: Path) -> list[Step]:
        built = parts.build(
            self.settings, self.parts, ray_dir, self._sandbox_options, self.get_ray_headers()
        )
        steps = [Step(part.name, partial(self._bring, part), part.needs) for part in built]
        if "serve" in self.parts:
            steps.append(Step("serve", self._start_serve, ("ray",)))
            steps.append(Step("apps", lambda: self._deploy(self._apps), ("serve",)))
            steps.append(Step("flows", self._list_flows, ("apps", "panel")))
        return steps

    def _bring(self, part: parts.Part) -> None:
        began = time.monotonic()
        self._report(Progress("starting", part.name))
        child = self._spawn(part)
        while not self._is_ready(part, child):
            self._heed()
            if time.monotonic() - began > PART_SECONDS:
                log = self.log(part.name)
                raise PartLate(part.name, PART_SECONDS, log, _tail(log))
            time.sleep(0.1)
        self._tell_ready(part.name, part.url, began)

    def _spawn(self, part: parts.Part) -> subprocess.Popen[bytes]:
        """Start it, with its pid on disk at once; never after ``stop()`` has begun."""
        with self._lock:
            self._heed()
            assert self._record is not None
            child = spawn(part.command, self._environments[part.name], self.log(part.name))
            self._record = self._record.with_part(Started.of(part.name, child.pid))
            record.write(self.settings.data_dir, self._record)
            self._children[part.name] = child
            if not part.exits:
                self.pids[part.name] = child.pid
        return child

    def _is_ready(self, part: parts.Part, child: subprocess.Popen[bytes]) -> bool:
        code = child.poll()
        if code is None:
            return not part.exits and part.ready()
        if part.exits and code == 0:
            return True
        raise self._death(part.name, code)

    def _start_serve(self) -> None:
        began = time.monotonic()
        self._report(Progress("starting", "serve"))
        self._serve.start(self._heed)
        self._tell_ready("serve", self._serve.url, began)

    def _deploy(self, applications: tuple[Application, ...]) -> None:
        if not applications:
            return
        began = time.monotonic()
        for application in applications:
            self._report(Progress("starting", application.name))
        self._serve.apply(applications, self._heed)
        self._serve.wait(applications, seconds=DEPLOY_SECONDS, check=self._heed)
        for application in applications:
            url = f"{self.urls['serve']}{application.route.rstrip('/')}/"
            self._deployed.append(application.name)
            self._tell_ready(application.name, url, began)

    def _list_flows(self) -> None:
        """Make the panel's admin role, and let the panel list what Ray Serve serves.

        The apps sell without it, and an operator may boot at this very moment, so that some app
        does not answer the panel: a failure is tried again, and reported in the end.
        """
        if "panel" not in self.parts:
            return
        began = time.monotonic()
        try:
            retry(self._register_flows, seconds=LIST_SECONDS, check=self._heed)
        except StackFailed as error:
            seconds = time.monotonic() - began
            self._report(Progress("left out", "flows", seconds=seconds, error=error))

    def _register_flows(self, timeout: float) -> None:
        key = panel.login(self.urls["panel"], *self.panel_login, timeout)
        if self._serve.runs_any():
            panel.register(self.urls["panel"], key, self.urls["serve"], timeout)

    def _tell_ready(self, name: str, url: str, began: float) -> None:
        if url:
            self.urls[name] = url
        self._report(Progress("ready", name, url, time.monotonic() - began))

    def _heed(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled

    def _dead(self) -> list[PartDied]:
        codes = {name: self._children[name].poll() for name in PARTS if name in self.pids}
        return [self._death(name, code) for name, code in codes.items() if code is not None]

    def _death(self, name: str, code: int) -> PartDied:
        log = self.log(name)
        return PartDied(name, code, log, _tail(log))


def _claim(data_dir: Path) -> None:
    """Clear what a killed ``up`` left behind; raises StackRunning when one is alive."""
    left = record.read(data_dir)
    if left and left.owner.alive:
        raise StackRunning(data_dir, left.owner.pid)
    if left:
        record.clear(data_dir, left)


def _options(settings: Settings, config: Mapping[str, Any] | None) -> dict[str, Any]:
    config = config or {}
    options = {"host": settings.host, **config.get("http_options", {}), "port": settings.serve_port}
    if "host" in settings.model_fields_set:
        options["host"] = settings.host
    return {**config, "http_options": options}


def _tail(log: Path) -> str:
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-TAIL_LINES:])
    except FileNotFoundError:
        return "(no log)"
