"""Catch what Kodosumi's ``Launch()`` would start, instead of starting it.

A sale calls the app's own handler. Inside that one request ``Launch()`` writes down what to run
and makes no actor; whether and when it runs is decided elsewhere. A request that the gateway
proved, and one to an app that sells nothing, launches as ever.

It fails closed: a launch that belongs to a sale but comes from where the sale's context is lost
(a bare thread, ``run_in_executor``), a launch of a stranger's request, and one of unknown origin
are refused.
"""

from __future__ import annotations

import contextvars
import functools
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum
from types import FrameType
from typing import Any

import ray
from fastapi import HTTPException

from masumi_sumi.errors import DirectLaunchRefused, LaunchEscaped, UserInvalid
from masumi_sumi.gateway_proof import APP_SECRET
from masumi_sumi.runtime.operators import check_user

SCOPE_KEY = "masumi_sumi.ticket"


class Origin(Enum):
    """Marks, in context and ASGI scope, where a request comes from that is no sale."""

    PROVEN = "proven"  # from the gateway, or from our own code
    HARMLESS = "harmless"  # from anybody, to an app that neither sells nor hides anything
    STRANGER = "stranger"  # from anybody


_current: contextvars.ContextVar[Ticket | Origin | None] = contextvars.ContextVar(
    "masumi_sumi_ticket", default=None
)
_in_handler: dict[int, Ticket] = {}


@dataclass(slots=True)
class Ticket:
    """One sale's pass through the app's handler. ``job_id`` becomes the execution's id."""

    job_id: str
    launches: list[dict[str, Any]] = field(default_factory=list)
    open: bool = True
    escaped: bool = False

    def take(self, launch: dict[str, Any]) -> None:
        """Raises LaunchEscaped when the handler is over or has launched already."""
        if not self.open or self.launches:
            self.escaped = True
            raise LaunchEscaped()
        self.launches.append(launch)


class _Started:
    """Stands where Kodosumi has the runner's handle: any method can be called, none does."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def remote(self, *args: Any, **kwargs: Any) -> None:
        return None


@contextmanager
def selling(ticket: Ticket) -> Iterator[None]:
    """Within it, and in what it awaits, launches go to the ticket."""
    token = _current.set(ticket)
    _in_handler[id(ticket)] = ticket
    try:
        yield
    finally:
        ticket.open = False
        del _in_handler[id(ticket)]
        _current.reset(token)


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """Let launches within it be judged by where their request comes from."""
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


def is_marked(scope: MutableMapping[str, Any]) -> bool:
    """Tell whether a request was judged already: by a middleware around, or as a call of ours."""
    return SCOPE_KEY in scope


def may_reach_kodosumi(scope: MutableMapping[str, Any]) -> bool:
    """Tell whether a request may reach Kodosumi's own start of a flow, and its locks."""
    mark = scope.get(SCOPE_KEY) or _current.get()
    return isinstance(mark, Ticket) or mark is Origin.PROVEN


def install() -> None:
    """Put the switch in front of Kodosumi's create_runner; once per process."""
    import kodosumi.runner.main as kodosumi_runner

    original = kodosumi_runner.create_runner
    if getattr(original, "__masumi_sumi__", False):
        return

    @functools.wraps(original)
    def create_runner(*args: Any, **kwargs: Any) -> tuple[str, Any]:
        ticket = _ticket_of(sys._getframe(1))
        named = _named(original, args, kwargs)
        if ticket is None:
            _check_user(named)
            return original(*args, **kwargs)  # type: ignore[no-any-return]
        ticket.take(named)
        return ticket.job_id, _Started()

    create_runner.__masumi_sumi__ = True  # type: ignore[attr-defined]
    kodosumi_runner.create_runner = create_runner
    _keep_secret_from(kodosumi_runner.Runner)


def _keep_secret_from(runner: Any) -> None:
    """A runner that Kodosumi makes gets its replica's environment, and shows it to who started it:
    of the app's secret it gets an empty text.
    """
    if "options" in vars(runner):
        return
    choose = runner.options

    def options(**given: Any) -> Any:
        return choose(**{**_without_secret(), **given})

    runner.options = options


def _without_secret() -> dict[str, Any]:
    """Ray lays the variables of an actor over those of its parent."""
    own = ray.get_runtime_context().runtime_env if ray.is_initialized() else {}
    has_secret = APP_SECRET in (own.get("env_vars") or {})
    return {"runtime_env": {"env_vars": {APP_SECRET: ""}}} if has_secret else {}


def _check_user(launch: dict[str, Any]) -> None:
    """Kodosumi's spooler makes a folder of the user's name."""
    try:
        check_user(str(launch["username"]))
    except UserInvalid as error:
        raise HTTPException(400, str(error)) from error


def _ticket_of(caller: FrameType) -> Ticket | None:
    """Return the sale that this launch belongs to, and None when it may go Kodosumi's own way.

    Raises LaunchEscaped, and HTTPException (401) for a launch that nobody proved: the author's own
    route answers it so.
    """
    found = _current.get()
    if isinstance(found, Ticket):
        return found
    marked = _scope_of(caller).get(SCOPE_KEY)
    if isinstance(marked, Ticket):
        marked.escaped = True
        raise LaunchEscaped()
    if found is None and marked is None and _in_handler:
        for ticket in _in_handler.values():
            ticket.escaped = True
        raise LaunchEscaped()
    # The scope is that of the very request; a context may have been inherited from another one.
    if (marked or found) not in (Origin.PROVEN, Origin.HARMLESS):
        raise HTTPException(401, str(DirectLaunchRefused()))
    return None


def _scope_of(frame: FrameType) -> dict[str, Any]:
    request = frame.f_locals.get("request")
    scope = getattr(request, "scope", None)
    return scope if isinstance(scope, dict) else {}


def _named(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    import inspect

    bound = inspect.signature(function).bind(*args, **kwargs)
    bound.apply_defaults()
    return dict(bound.arguments)
