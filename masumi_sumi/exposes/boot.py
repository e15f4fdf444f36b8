"""Boot, refresh and shutdown, one at a time: each is a stream of events and has an outcome.

It runs in a task of its own: who follows it may leave, and it goes on to its end.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable

from masumi_sumi.clock import Clock
from masumi_sumi.errors import SumiError
from masumi_sumi.exposes.book import ExposeBook
from masumi_sumi.exposes.deploy import Deploy, Pause
from masumi_sumi.exposes.events import Booted, Event, Failed, Refreshed
from masumi_sumi.exposes.model import Expose
from masumi_sumi.exposes.ports import FlowFinder, Panel
from masumi_sumi.exposes.serve import Serve
from masumi_sumi.exposes.show import Show
from masumi_sumi.exposes.turn import BEAT_SECONDS, BootStatus, Outcome

Steps = Callable[[], AsyncIterator[Event]]


class Boot:
    """``timeout`` is how many seconds a boot waits for its applications. Close it with ``aclose``.

    ``boot``, ``refresh`` and ``shutdown`` raise before their first event, or not at all:
    BootRunning when it is not their turn, UnknownExpose. What goes wrong later is told:
    ``Failed`` for the whole, ``AppFailed`` for one application.
    """

    def __init__(
        self,
        book: ExposeBook,
        serve: Serve,
        finder: FlowFinder,
        panel: Panel,
        clock: Clock,
        *,
        timeout: float = 1800.0,
        pause: Pause = asyncio.sleep,
        beat: float = BEAT_SECONDS,
        master_secret: str = "",
    ) -> None:
        self._book, self._clock, self._beat_seconds = book, clock, beat
        self._deploy = Deploy(book, serve, finder, panel, clock, timeout, pause, master_secret)
        self._host = f"{socket.gethostname()}:{os.getpid()}"
        self._show: Show | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def boot(self, *, force: bool = False) -> AsyncIterator[Event]:
        """Bring all enabled exposes to Ray Serve, and take away those that are none any more.

        Applications on Ray Serve that never were exposes stay. ``force`` takes over from a boot
        that died.
        """
        return self._perform("Boot", self._deploy.boot, force)

    def shutdown(self, *, force: bool = False) -> AsyncIterator[Event]:
        """Take all applications off Ray Serve, and wait until they are gone."""
        return self._perform("Shutdown", self._deploy.shutdown, force)

    async def refresh(self, name: str, *, force: bool = False) -> AsyncIterator[Event]:
        """Start this expose's application anew, as the book has it; all others keep serving."""
        await self._book.get(name)
        async for event in self._perform("Refresh", lambda: self._deploy.refresh(name), force):
            yield event

    async def stream(self) -> AsyncIterator[Event]:
        """What runs in this process, or ran last, from its first event; nothing if nothing did."""
        if self._show is not None:
            async for event in self._show.follow():
                yield event

    async def status(self) -> BootStatus:
        """Of whatever process has the turn."""
        return await self._book.turn.status()

    async def running(self) -> bool:
        return (await self.status()).running

    async def health(self, name: str | None = None) -> list[Expose]:
        """Look at one expose, or at all of them, and write down what is seen.

        Raises UnknownExpose, ServeUnreachable.
        """
        exposes = await self._book.list() if name is None else [await self._book.get(name)]
        return await self._deploy.look(exposes)

    async def aclose(self) -> None:
        """What runs is interrupted, and says so in its outcome."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _perform(self, what: str, steps: Steps, force: bool) -> AsyncIterator[Event]:
        show, begun = Show(), asyncio.get_running_loop().create_future()
        task = asyncio.create_task(self._carry(what, steps, force, show, begun))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task, begun}, return_when=asyncio.FIRST_COMPLETED)
        if begun.done():
            self._show = show
            async for event in show.follow():
                yield event
        await task

    async def _carry(
        self, what: str, steps: Steps, force: bool, show: Show, begun: asyncio.Future[None]
    ) -> None:
        owner = f"{self._host}:{secrets.token_hex(4)}"
        await self._book.turn.take(owner, what, force=force)
        begun.set_result(None)
        began = self._clock.now()
        last: Event = Failed(what, "it was interrupted")
        work = asyncio.create_task(self._tell(what, steps, show))
        beat = asyncio.create_task(self._beat(owner))
        try:
            await asyncio.wait({work, beat}, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                last = work.result()
            else:
                last = Failed(what, "another process has taken over")
                await show.tell(last)
        finally:
            outcome = _outcome(what, last, self._clock.now(), self._clock.now() - began)
            await asyncio.shield(self._close(owner, outcome, show, work, beat))

    async def _tell(self, what: str, steps: Steps, show: Show) -> Event:
        """All events; the last of them is returned."""
        last: Event = Failed(what, "it ended without an end")
        try:
            async for last in steps():
                await show.tell(last)
        except SumiError as error:
            last = Failed(what, str(error))
            await show.tell(last)
        return last

    async def _beat(self, owner: str) -> None:
        """Returns when the turn is another's."""
        while await self._book.turn.beat(owner):  # noqa: ASYNC110 - the row is another process's
            await asyncio.sleep(self._beat_seconds)

    async def _close(
        self, owner: str, outcome: Outcome, show: Show, *tasks: asyncio.Task[object]
    ) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._book.turn.end(owner, outcome)
        await show.end()


def _outcome(what: str, last: Event, at: float, seconds: float) -> Outcome:
    if isinstance(last, Failed):
        return Outcome(what, at, seconds, error=last.message)
    if isinstance(last, Booted):
        return Outcome(what, at, seconds, last.running, last.failed)
    if isinstance(last, Refreshed):
        ran, failed = ((last.name,), ()) if last.running else ((), (last.name,))
        return Outcome(what, at, seconds, ran, failed)
    return Outcome(what, at, seconds)
