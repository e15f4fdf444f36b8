"""The steps of a boot, a refresh and a shutdown, as events. Whose turn it is, is settled above."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress

from masumi_sumi.clock import Clock
from masumi_sumi.errors import (
    DocumentInvalid,
    FlowsUnreadable,
    PanelError,
    ServeRefused,
    UnknownExpose,
)
from masumi_sumi.exposes import events
from masumi_sumi.exposes.applications import planned
from masumi_sumi.exposes.book import Deployment, ExposeBook
from masumi_sumi.exposes.events import Event
from masumi_sumi.exposes.model import Expose, ExposeState, FlowState
from masumi_sumi.exposes.ports import FlowFinder, Panel
from masumi_sumi.exposes.serve import App, Document, Serve, ServeConfig
from masumi_sumi.exposes.wait import Wait
from masumi_sumi.gateway_proof import add_app_secret

Pause = Callable[[float], Awaitable[None]]

GONE_SECONDS = 60.0
"""How long a shutdown waits for applications to finish what they do."""


class Deploy:
    def __init__(
        self,
        book: ExposeBook,
        serve: Serve,
        finder: FlowFinder,
        panel: Panel,
        clock: Clock,
        timeout: float,
        pause: Pause,
        master_secret: str = "",
    ) -> None:
        """``master_secret`` is what the secret of each application is derived from."""
        self._master_secret = master_secret
        self._book, self._serve, self._finder, self._panel = book, serve, finder, panel
        self._clock, self._timeout, self._pause = clock, timeout, pause

    async def boot(self) -> AsyncIterator[Event]:
        began = self._clock.now()
        yield events.BootStarted(began)
        yield events.DeployStarted()
        exposes = await self._book.list()
        wait = self._wait()
        async for event in self._bring(exposes, everything=True, anew=False, wait=wait):
            yield event
        now = self._clock.now()
        yield events.Booted(now, now - began, tuple(wait.running), tuple(wait.failed))

    async def refresh(self, name: str) -> AsyncIterator[Event]:
        began = self._clock.now()
        yield events.RefreshStarted(name, began)
        yield events.RedeployStarted(name)
        wait = self._wait()
        exposes = [await self._book.get(name)]
        async for event in self._bring(exposes, everything=False, anew=True, wait=wait):
            yield event
        yield events.Refreshed(name, self._clock.now() - began, not wait.failed)

    async def shutdown(self) -> AsyncIterator[Event]:
        yield events.ShutdownStarted()
        yield events.ShuttingDown()
        config = await self._serve.config()
        if await self._serve.applications():
            await self._serve.put(config, [])
            await self._until_gone()
        await self._book.deployed({}, gone=await self._book.deployments())
        yield events.ServeShutDown()
        yield events.UpdateStarted()
        for expose in await self._book.list():
            await self._write(expose.name, _absent(expose))
        yield events.Clearing()
        try:
            yield events.Cleared(await self._panel.register(config.url, ()))
        except PanelError as error:
            yield events.PanelFailed(str(error))
        yield events.ShutDown()

    async def look(self, exposes: Iterable[Expose]) -> list[Expose]:
        """What Ray Serve and the apps tell now, written down."""
        config = await self._serve.config()
        there = await self._serve.applications()
        seen = []
        for expose in exposes:
            app = there.get(expose.name)
            if app is not None and app.status == "RUNNING":
                with suppress(FlowsUnreadable):
                    flows = await self._finder.find(f"{config.url}/{expose.name}")
                    seen.append(await self._book.found(expose.name, flows))
                    continue
                seen.append(await self._book.looked(expose.name, ExposeState.RUNNING))
            elif app is not None and app.has_failed:
                failed = ExposeState.UNHEALTHY
                seen.append(await self._book.looked(expose.name, failed, app.message))
            else:
                seen.append(await self._book.looked(expose.name, _absent(expose)))
        return seen

    async def _bring(
        self, exposes: list[Expose], *, everything: bool, anew: bool, wait: Wait
    ) -> AsyncIterator[Event]:
        """``everything``: what was deployed once and is not among these exposes is taken away."""
        config = await self._serve.config()
        yield events.ConfigLoaded(config.file)
        there, before = await self._serve.applications(), await self._book.deployments()
        plans: dict[str, Deployment] = {}
        for expose in exposes:
            if why := _why_not(expose):
                yield events.Skipped(expose.name, why)
                await self._write(expose.name, _absent(expose))
                continue
            app = there.get(expose.name)
            fresh = anew or (app is not None and app.has_failed)
            try:
                plans[expose.name] = planned(expose, before.get(expose.name), anew=fresh)
            except DocumentInvalid as error:
                yield await self._fail(wait, expose.name, str(error))
                continue
            yield events.Prepared(expose.name, f"/{expose.name}")
        gone = set(before) if everything else {expose.name for expose in exposes}
        gone -= set(plans) | set(wait.failed)
        async for event in self._send(config, there, plans, gone, wait):
            yield event
        async for event in self._settle(config, plans, wait):
            yield event

    async def _send(
        self,
        config: ServeConfig,
        there: Mapping[str, App],
        plans: dict[str, Deployment],
        gone: set[str],
        wait: Wait,
    ) -> AsyncIterator[Event]:
        kept = {
            name: app.document
            for name, app in there.items()
            if app.document is not None and name not in gone and app.status != "DELETING"
        }
        others = len(kept.keys() - plans.keys())
        yield events.Merged(f"PUT {self._serve.url}", others)
        yield events.Sending(len(plans))
        asked = {
            name: add_app_secret(plan.document, self._master_secret) for name, plan in plans.items()
        }
        for name, message in (await self._put(config, kept, asked)).items():
            del plans[name]
            yield await self._fail(wait, name, message)
        await self._book.deployed(plans, gone=gone)
        yield events.Sent()
        yield events.Initiated(len(plans))

    async def _put(
        self, config: ServeConfig, kept: Mapping[str, Document], asked: Mapping[str, Document]
    ) -> dict[str, str]:
        """Ask for all; where Ray refuses that, for one after the other, to name those it refuses.

        Ray takes a configuration as a whole or not at all, and says "no" to all for one of them.
        Raises ServeRefused when it is none of them.
        """
        try:
            await self._serve.put(config, {**kept, **asked}.values())
        except ServeRefused:
            good, refused = dict(kept), {}
            await self._serve.put(config, good.values())
            for name, document in asked.items():
                try:
                    await self._serve.put(config, {**good, name: document}.values())
                    good[name] = document
                except ServeRefused as error:
                    refused[name] = error.message
            return refused
        return {}

    async def _settle(
        self, config: ServeConfig, plans: Mapping[str, Deployment], wait: Wait
    ) -> AsyncIterator[Event]:
        """Wait for health, find the flows, tell the panel."""
        async for event in wait.follow(config, list(plans)):
            if isinstance(event, events.AppFailed):
                await self._write(event.name, ExposeState.UNHEALTHY, event.message)
            yield event
        yield events.FlowsStarted()
        flows = 0
        for name in wait.running:
            async for event in self._discover(config, name):
                flows += event.flows if isinstance(event, events.FlowsFound) else 0
                yield event
        yield events.FlowsEnded(flows, len(wait.running))
        yield events.RegisterStarted()
        try:
            yield events.Registered(await self._panel.register(config.url, await self._up()))
        except PanelError as error:
            yield events.PanelFailed(str(error))

    async def _discover(self, config: ServeConfig, name: str) -> AsyncIterator[Event]:
        url = f"{config.url}/{name}"
        try:
            found = await self._finder.find(url)
            expose = await self._book.found(name, found)
        except FlowsUnreadable as error:
            await self._write(name, ExposeState.RUNNING)
            yield events.AppFailed(name, str(error))
            return
        except UnknownExpose:
            return
        yield events.FlowsFound(name, len(found), f"{url}/openapi.json")
        for flow in found:
            if flow.unread:
                yield events.SaleUnread(name, flow.path, flow.unread)
        for card in expose.meta:
            if card.state is FlowState.NOT_FOUND:
                yield events.CardUnmatched(name, card.url)
        yield events.MetaUpdated(name, expose.flow_stats)

    async def _up(self) -> list[str]:
        exposes = await self._book.list()
        return [expose.name for expose in exposes if expose.state is ExposeState.RUNNING]

    async def _fail(self, wait: Wait, name: str, message: str) -> Event:
        wait.failed.append(name)
        await self._write(name, ExposeState.UNHEALTHY, message)
        return events.AppFailed(name, message)

    async def _write(self, name: str, state: ExposeState, error: str = "") -> None:
        """An expose that was deleted meanwhile needs no state."""
        with suppress(UnknownExpose):
            await self._book.looked(name, state, error)

    async def _until_gone(self) -> None:
        until = self._clock.now() + GONE_SECONDS
        while await self._serve.applications() and self._clock.now() < until:
            await self._pause(0.2)

    def _wait(self) -> Wait:
        return Wait(self._serve, self._clock, self._timeout, self._pause)


def _why_not(expose: Expose) -> str:
    if not expose.enabled:
        return "disabled"
    return "" if expose.bootstrap else "no bootstrap"


def _absent(expose: Expose) -> ExposeState:
    return ExposeState.DEAD if expose.bootstrap else ExposeState.DRAFT
