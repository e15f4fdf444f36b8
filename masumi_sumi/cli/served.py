"""What the applications on Ray Serve sell, by their own word: asked as a buyer would ask."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable
from contextlib import aclosing
from dataclasses import dataclass, field

import httpx

from masumi_sumi.buyer.agent import AgentClient
from masumi_sumi.cli.exposed import answers
from masumi_sumi.cli.findings import Finding, Verdict
from masumi_sumi.cli.ports import LOOPBACK
from masumi_sumi.cli.sold import Running, Sold
from masumi_sumi.errors import AgentError, AgentRefused, FlowsUnreadable, SettingInvalid, SumiError
from masumi_sumi.exposes import FoundFlow, OpenApiFinder, Serve, ServeConfig
from masumi_sumi.exposes.finder import NOT_SOLD
from masumi_sumi.settings import Settings

SECONDS = 10.0
AT_ONCE = 8

SEE_LOG = "see the app's log"


@dataclass(frozen=True, slots=True)
class Served:
    """``findings`` are of what could not be asked, or says that it cannot be sold. ``url`` is where
    the applications answer."""

    flows: Running = field(default_factory=dict)
    findings: tuple[Finding, ...] = ()
    url: str = ""


async def served(settings: Settings, exposes: Collection[str]) -> Served:
    """Of all applications that run; the gateway answers for those named as one of the exposes."""
    try:
        config = await asyncio.to_thread(ServeConfig.read, settings)
    except SumiError as error:
        return _none("bad", str(error), "correct it, and look again")
    if not await asyncio.to_thread(answers, config.url):
        return _none("good", f"none runs: Ray Serve does not answer at {config.url}")
    async with aclosing(Serve(f"http://{LOOPBACK}:{settings.dashboard_port}", settings)) as serve:
        routes = await serve.routes(config)
    if not routes:
        return _none("good", f"none runs on Ray Serve at {config.url}")
    return await _asked(config.url, sorted(routes), exposes)


def _none(verdict: Verdict, words: str, advice: str = "") -> Served:
    return Served(findings=(Finding("applications", verdict, words, advice),))


async def _asked(url: str, routes: Iterable[str], exposes: Collection[str]) -> Served:
    told: list[tuple[str, _Said]] = []
    limits = httpx.Limits(max_connections=AT_ONCE)
    async with (
        httpx.AsyncClient(trust_env=False, timeout=SECONDS, limits=limits) as http,
        aclosing(OpenApiFinder()) as finder,
    ):
        for app in (route.strip("/") for route in routes):
            try:
                flows = await finder.find(f"{url}/{app}".rstrip("/"))
            except FlowsUnreadable as error:
                words = f"what it sells was not compared: {error}"
                told.append((app, Finding(f"application /{app}", "beware", words, SEE_LOG)))
                continue
            places = [_Place.of(url, app, flow, app in exposes) for flow in flows]
            said = await asyncio.gather(*(place.ask(http) for place in places))
            told += zip((place.id for place in places), said, strict=True)
    findings = tuple(said for _, said in told if isinstance(said, Finding))
    found = {id_: said for id_, said in told if not isinstance(said, Finding)}
    return Served(found, findings, url)


_Said = Sold | Finding | None
"""None of a flow that is sold under no identity; a finding of one that does not say."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a flow answers."""

    id: str
    url: str
    exposed: bool
    flow: FoundFlow

    @classmethod
    def of(cls, url: str, app: str, flow: FoundFlow, exposed: bool) -> _Place:
        id_ = f"{app}/{flow.path.strip('/')}".strip("/")
        return cls(id_, f"{url}/{id_}".rstrip("/"), exposed, flow)

    async def ask(self, http: httpx.AsyncClient) -> _Said:
        try:
            said = await AgentClient(self.url, http).availability()
        except AgentRefused as error:
            return None if error.status in NOT_SOLD else self._finding("beware", str(error))
        except (AgentError, SettingInvalid) as error:
            return self._finding("beware", f"was not compared: {error}")
        if not said.available:
            return self._finding("bad", f"takes no job: {said.message or 'it does not say why'}")
        if not said.agent_identifier:
            return None
        return self._terms(said.agent_identifier)

    def _terms(self, agent: str) -> Sold | Finding:
        sale = self.flow.sale
        if sale is None:
            why = self.flow.unread or "it is not there"
            words = f"sells as {agent}, but GET openapi does not tell its terms: {why}"
            return self._finding("beware", words)
        if not sale.network:
            words = f"names agent {agent} without a network, so it was not compared"
            return self._finding("beware", words, "say network in its terms")
        return Sold(
            id=self.id,
            network=sale.network,
            agent=agent,
            pricing=sale.pricing,
            index=sale.source_index,
            exposed=self.exposed,
            served_at=self.url,
        )

    def _finding(self, verdict: Verdict, words: str, advice: str = SEE_LOG) -> Finding:
        return Finding(f"flow {self.id or '/'}", verdict, words, advice)
