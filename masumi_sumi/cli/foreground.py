"""What ``up`` and ``down`` do around a Stack: settings, signals, and what people see."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from pydantic import ValidationError
from rich.console import Console

from masumi_sumi import logs
from masumi_sumi.cli import error_log, ports, record
from masumi_sumi.cli.applications import CONFIG, read_config
from masumi_sumi.cli.display import Display, summarize
from masumi_sumi.cli.stack import Stack
from masumi_sumi.errors import SettingInvalid
from masumi_sumi.secret_files import read_or_create_secret
from masumi_sumi.settings import SANDBOX_TOKEN, Settings

ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

OWNER_SECONDS = 20.0
"""How long ``down`` leaves an ``up`` that is alive to end by itself."""


def load(**options: object) -> Settings:
    """Settings with these options over them; None leaves a setting alone.

    Raises SettingInvalid, naming the setting.
    """
    given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
    try:
        settings = Settings(**given)
        error_log.use_folder(settings.data_dir)
        logs.hide_secrets(settings.secret_values)
        return settings
    except ValidationError as error:
        first = error.errors()[0]
        name = "SUMI_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingInvalid(name, first["input"], first["msg"]) from error


def run_stack(apps: list[str], config: Path | None, **options: object) -> None:
    """Run until a signal asks for the end, or a part dies (StackFailed)."""
    settings = load(serve_config=config, **options)
    named = settings.serve_config if "serve_config" in settings.model_fields_set else None
    served = _serve_config(named)
    settings = _place(settings, served)
    console = Console()
    began = time.monotonic()
    with ends_on_signals(), Display(console) as display:
        stack = Stack(settings, apps, config=served, report=display)
        try:
            stack.start()
            summarize(console, stack, time.monotonic() - began)
            stack.wait()
        except KeyboardInterrupt:
            return
        finally:
            ignore_signals()
            stack.stop()


def stop_recorded(data_dir: Path) -> None:
    """Let an ``up`` that is alive end its stack; end what is left of one that is not."""
    console = Console()
    left = record.read(data_dir)
    if left is None:
        console.print(f"no stack is up with the data folder {data_dir}", soft_wrap=True)
        return
    if owner := left.owner.process():
        owner.send_signal(signal.SIGTERM)
        until = time.monotonic() + OWNER_SECONDS
        while left.owner.alive and time.monotonic() < until:
            time.sleep(0.1)
    record.clear(data_dir, record.read(data_dir) or left)
    for part in left.parts:
        console.print(f"ended: {part.name}", highlight=False)


def run_sandbox(settings: Settings, *, allow_remote: bool, **options: Any) -> None:
    """Serve the sandbox until interrupted; options as for ``masumi_sumi.sandbox.Sandbox``.

    Beyond loopback it has a token of its own, which the data folder keeps. Raises SettingInvalid.
    """
    from masumi_sumi.sandbox import Sandbox, is_loopback, serve

    is_remote = not is_loopback(settings.host)
    if is_remote and not allow_remote:
        rule = "who reaches the sandbox controls it: name a loopback address, or --allow-remote"
        raise SettingInvalid("SUMI_HOST", settings.host, rule)
    token = SANDBOX_TOKEN
    if is_remote:
        token = read_or_create_secret(settings.data_dir, "sandbox-token")

    def announce(sandbox: Sandbox) -> None:
        print(f"ready: sandbox {sandbox.url} (token {sandbox.token})", flush=True)

    ports.refuse_taken(settings, ("sandbox",))
    if database := options.get("database"):
        database.resolve().parent.mkdir(parents=True, exist_ok=True)
    place = (settings.sandbox_port, settings.host)
    with suppress(KeyboardInterrupt):
        serve(*place, announce=announce, token=token, allow_remote=allow_remote, **options)


def _serve_config(named: Path | None) -> dict[str, Any]:
    path = named or Path(CONFIG)
    return read_config(path) if named or path.exists() else {}


def _place(settings: Settings, served: dict[str, Any]) -> Settings:
    """Ray Serve's address from its own file, where no setting says otherwise."""
    said = served.get("http_options") or {}
    given = settings.model_fields_set
    if "port" in said and "serve_port" not in given:
        return settings.model_copy(update={"serve_port": int(said["port"])})
    return settings


@contextmanager
def ends_on_signals() -> Iterator[None]:
    """TERM and HUP end as Ctrl-C does."""
    before = {each: signal.signal(each, _interrupt) for each in ENDS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def ignore_signals() -> None:
    for each in ENDS:
        signal.signal(each, signal.SIG_IGN)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
