"""Catch what Kodosumi's ``Launch()`` would start, instead of starting it.

A sale calls the app's own handler. Inside that one request ``Launch()`` writes down what to run
and makes no actor; whether and when it runs is decided elsewhere. Every other request of the app
launches as ever.

It fails closed: a launch that belongs to a sale but comes from where the sale's context is lost
(a bare thread, ``run_in_executor``), or a launch of unknown origin while a sale is in the
handler, is refused.
"""

from __future__ import annotations

import contextvars
import functools
import sys
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from masumi_sumi.errors import LaunchEscaped

SCOPE_KEY = "masumi_sumi.ticket"
PLAIN = "plain"
"""Marks, in context and ASGI scope, a request that is no sale."""

_current: contextvars.ContextVar[Ticket | str | None] = contextvars.ContextVar(
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
def plain() -> Iterator[None]:
    """Within it launches go Kodosumi's own way."""
    token = _current.set(PLAIN)
    try:
        yield
    finally:
        _current.reset(token)


def is_sale(scope: MutableMapping[str, Any]) -> bool:
    """Whether an ASGI request is a sale's call to the app's own handler."""
    return isinstance(scope.get(SCOPE_KEY), Ticket)


def install() -> None:
    """Put the switch in front of Kodosumi's create_runner; once per process."""
    import kodosumi.runner.main as kodosumi_runner

    original = kodosumi_runner.create_runner
    if getattr(original, "__masumi_sumi__", False):
        return

    @functools.wraps(original)
    def create_runner(*args: Any, **kwargs: Any) -> tuple[str, Any]:
        ticket = _ticket_of(sys._getframe(1))
        if ticket is None:
            return original(*args, **kwargs)  # type: ignore[no-any-return]
        ticket.take(_named(original, args, kwargs))
        return ticket.job_id, _Started()

    create_runner.__masumi_sumi__ = True  # type: ignore[attr-defined]
    kodosumi_runner.create_runner = create_runner


def _ticket_of(caller: FrameType) -> Ticket | None:
    """The sale that this launch belongs to; None when it is surely none."""
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
