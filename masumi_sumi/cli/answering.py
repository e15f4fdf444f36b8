"""Whether an agent answers where it is registered: asked as a registry asks before it lists one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

import httpx

from masumi_sumi.buyer.agent import AgentClient
from masumi_sumi.buyer.answers import Availability
from masumi_sumi.cli.findings import Finding, Verdict
from masumi_sumi.cli.sold import Sold
from masumi_sumi.errors import AgentError, AgentUnreachable, SettingInvalid
from masumi_sumi.payments.connection import is_here

INNER_NAMES = (".local", ".internal", ".lan", ".home.arpa")

PUBLIC = "register it at an address of the public internet before others shall buy it"
AS_IS = "see that it answers 200 itself, without a login, a redirect or another page before it"


async def at(url: str, sold: Sold, http: httpx.AsyncClient | None = None) -> AsyncIterator[Finding]:
    """What keeps a registry or a buyer from finding ``sold`` at its registered ``url``."""
    for finding in of_host(url, sold):
        yield finding
    try:
        client = AgentClient(url, http)
    except SettingInvalid as error:
        yield Finding(sold.what, "bad", str(error), "register it at an address that buyers can ask")
        return
    async with client:
        try:
            said = await client.availability()
        except AgentError as error:
            yield _silent(url, sold, error)
            return
    for finding in of_answer(url, sold, said):
        yield finding


def of_host(url: str, sold: Sold) -> Iterator[Finding]:
    """By its spelling alone: where a name leads differs from place to place."""
    host = urlsplit(url).hostname or ""
    if is_here(host):
        words = f"is registered at {url}, which leads everybody else to their own machine"
        yield Finding(sold.what, "beware", words, PUBLIC)
    elif _is_inner(host):
        words = f"is registered at {url}, which is reached from its own network only"
        yield Finding(sold.what, "beware", words, PUBLIC)


def of_answer(url: str, sold: Sold, said: Availability) -> Iterator[Finding]:
    if not said.available:
        words = f"takes no job at {url}: {said.message or 'it does not say why'}"
        yield Finding(sold.what, "bad", words, "see the app's log")
    if said.agent_identifier and said.agent_identifier != sold.agent:
        words = f"another agent answers at {url}: {said.agent_identifier}"
        advice = "correct the proxy before it, or the identifier in the flow's terms or card"
        yield Finding(sold.what, "bad", words, advice)
    elif not said.agent_identifier and said.available:
        words = f"what answers at {url} does not say which agent it is"
        yield Finding(sold.what, "beware", words, "let it say its agentIdentifier")


def _silent(url: str, sold: Sold, error: AgentError) -> Finding:
    """What does not run here need not answer now; what does is for sale."""
    away = isinstance(error, AgentUnreachable)
    verdict: Verdict = "beware" if away and not sold.served_at else "bad"
    advice = "start it, or see that its address leads here from outside" if away else AS_IS
    return Finding(sold.what, verdict, f"is not found at {url}: {error}", advice)


def _is_inner(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(INNER_NAMES)
