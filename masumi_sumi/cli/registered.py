"""Whether what is sold is what is registered: address, price, wallet and network of agents."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator
from urllib.parse import urlsplit

import httpx

from masumi_sumi.cli.answering import at
from masumi_sumi.cli.environment import reachable
from masumi_sumi.cli.findings import Finding, Verdict
from masumi_sumi.cli.operator import panel_url
from masumi_sumi.cli.sold import Sold
from masumi_sumi.cli.unpaid_starts import Target, try_to_steal
from masumi_sumi.errors import NodeError, NodeNotConfigured
from masumi_sumi.jobs.identity import POLICY_LENGTH
from masumi_sumi.jobs.model import Amount
from masumi_sumi.payments.connection import NodeConnection
from masumi_sumi.payments.registration import CONFIRMED, Registration
from masumi_sumi.payments.wire import Source, unit
from masumi_sumi.settings import Settings

TIMEOUT = 10.0

REGISTER = "register the agent at the node, and put its identifier into the flow's card or terms"
INVENTED = "is registered nowhere: the node is a sandbox, which invents what it is asked for"
PRICING = "correct the pricing in the flow's terms or card (and refresh it), or register anew"


async def compared(
    sold: Iterable[Sold], settings: Settings, http: httpx.AsyncClient | None = None
) -> AsyncIterator[Finding]:
    """Node by node; one that does not answer is not asked again for each of its agents.

    ``http`` asks the agents at their registered addresses.
    """
    by_network: dict[str, list[Sold]] = {}
    for each in sold:
        by_network.setdefault(each.network, []).append(each)
    for network, agents in by_network.items():
        try:
            async for finding in _at_node(network, agents, settings, http):
                yield finding
        except NodeNotConfigured:
            yield _unknown(network, agents)
        except NodeError as error:
            words = f"its agents were not compared: {error}"
            yield Finding(f"registry of {network}", "bad", words, "mend the node, and look again")


def _unknown(network: str, agents: list[Sold]) -> Finding:
    """An app that runs was started with a node: a sandbox, or one that is not named here."""
    named = ", ".join(sold.id or "/" for sold in agents)
    words = f"SUMI_NODES names no node of {network}, so {named} could not be compared"
    verdict: Verdict = "beware" if all(sold.served_at for sold in agents) else "bad"
    return Finding(f"registry of {network}", verdict, words, f"name one that sells on {network}")


async def _at_node(
    network: str, agents: list[Sold], settings: Settings, http: httpx.AsyncClient | None
) -> AsyncIterator[Finding]:
    known = settings.node(network)
    async with NodeConnection(known.url, known.token, timeout=TIMEOUT) as node:
        sources = [each for each in await node.payment_sources() if each.network == network]
        for each in agents:
            own = await node.own_registration(network, each.agent)
            said = own or await node.registration(network, each.agent)
            if said is None:
                yield Finding(each.what, "bad", f"is not registered on {network}", REGISTER)
                continue
            if said.invented:
                yield Finding(each.what, "beware", INVENTED, REGISTER)
                continue
            address = list(_of_address(each, agents, said, settings))
            found = [
                *of_source(each, sources),
                *of_wallet(each, own is not None, said),
                *address,
                *_of_price(each, said),
            ]
            if all(finding.verdict != "bad" for finding in address):
                found += [finding async for finding in at(said.url, each, http)]
                target = Target(each.id, said.url.rstrip("/"))
                stolen = [finding async for finding in try_to_steal([target], settings, http)]
                found += [finding for finding in stolen if finding.verdict != "good"]
            good = f"is registered as {said.name} at {said.url}"
            for finding in found or [Finding(each.what, "good", good)]:
                yield finding


def of_source(sold: Sold, sources: list[Source]) -> Iterator[Finding]:
    """By its policy an agent belongs to one contract; the node must serve it."""
    policy = sold.agent[:POLICY_LENGTH]
    if not any(source.policy_id == policy for source in sources):
        words = f"its contract (policy {policy[:12]}…) is none of the node's on {sold.network}"
        advice = "add that payment source to the node, or register the agent with one it has"
        yield Finding(sold.what, "bad", words, advice)


def of_wallet(sold: Sold, is_own: bool, said: Registration) -> Iterator[Finding]:
    if not is_own:
        words = "is registered, but not by this node: whether its selling wallet is here is unknown"
        advice = "sell it through the node that registered it, or move its token to this node"
        yield Finding(sold.what, "beware", words, advice)
    elif said.state not in CONFIRMED:
        words = f"its registration is {said.state or 'in no known state'}"
        yield Finding(sold.what, "bad", words, "wait until it is confirmed, or register it anew")
    elif not said.selling_vkey:
        words = "its registration names no selling wallet"
        yield Finding(sold.what, "bad", words, "give the node a selling wallet; register it anew")


def _of_address(
    sold: Sold, agents: Iterable[Sold], said: Registration, settings: Settings
) -> Iterator[Finding]:
    """Buyers put ``/start_job`` behind the address, and not all of them cut a slash at its end."""
    ours = addresses(sold, settings)
    wanted = f"update the registration's apiBaseUrl to {ours[0]}, as buyers reach it"
    if said.url.rstrip("/") in ours:
        if said.url.endswith("/"):
            words = f"is registered at {said.url}: some buyers do not cut the slash at the end"
            yield Finding(sold.what, "beware", words, f"register it as {said.url.rstrip('/')}")
    elif not _takes_a_path(said.url):
        words = f"is registered at {said.url!r}, which buyers cannot put a path behind"
        yield Finding(sold.what, "bad", words, wanted)
    elif _leads_to(sold, said, settings):
        words = f"is registered at {said.url}, and this machine answers at {ours[0]}"
        advice = "see that the first leads to the second"
        advice += ", or set SUMI_PANEL to the public address" if sold.exposed else ""
        yield Finding(sold.what, "beware", words, advice)
    elif twin := _registered_one(sold, agents, said, settings):
        words = f"sells under the identity of {twin.id or '/'}, which buyers are led to instead"
        advice = "register it as an agent of its own, if buyers shall find it"
        yield Finding(sold.what, "beware", words, advice)
    else:
        yield Finding(sold.what, "bad", f"is registered at {said.url}, not at {ours[0]}", wanted)


def _takes_a_path(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:  # half a bracket
        return False
    return parts.scheme in ("http", "https") and not parts.query and not parts.fragment


def _leads_to(sold: Sold, said: Registration, settings: Settings) -> bool:
    """Whether it may, through a proxy: the host is the operator's own affair."""
    path = urlsplit(said.url).path.rstrip("/")
    return any(path.endswith(urlsplit(url).path) for url in addresses(sold, settings))


def _registered_one(
    sold: Sold, agents: Iterable[Sold], said: Registration, settings: Settings
) -> Sold | None:
    """The flow that the registration means, where several are sold under one identity."""
    twins = (each for each in agents if each.agent == sold.agent)
    return next((each for each in twins if _leads_to(each, said, settings)), None)


def addresses(sold: Sold, settings: Settings) -> list[str]:
    """Where buyers find a flow in MIP-003: through the gateway, and at Ray Serve itself."""
    serve = f"http://{reachable(settings.host)}:{settings.serve_port}"
    own = sold.served_at or f"{serve}/{sold.id}"
    return [f"{panel_url(settings, None)}/mip003/{sold.id}", own] if sold.exposed else [own]


def _of_price(sold: Sold, said: Registration) -> Iterator[Finding]:
    if sold.index is not None and not said.indexed:
        words = f"its terms name source {sold.index}, but it is registered with one source only"
        yield Finding(sold.what, "bad", words, "take source_index out of the flow's terms")
        return
    if said.indexed and sold.index is None and sold.pricing != "Free":
        places = said.places(sold.pricing)
        if len(places) != 1:
            words = f"{len(places)} of its payment sources are {sold.pricing}"
            advice = "name one with source_index in the flow's terms"
            yield Finding(sold.what, "bad", words, advice)
            return
    index = sold.index if sold.index is not None or not said.indexed else _only(sold, said)
    offered = said.offer(index)
    registered = offered.pricing if offered else "without a price that can be paid here"
    if offered is None or offered.pricing != sold.pricing:
        words = f"is sold as {sold.pricing}, and registered {registered}"
        yield Finding(sold.what, "bad", words, PRICING)
    elif sold.pricing == "Fixed" and sold.price and _sums(sold.price) != _sums(offered.price):
        from masumi_sumi.buyer import money

        words = f"shows {money.told(sold.price)}, and is registered for {money.told(offered.price)}"
        advice = "buyers pay what is registered: correct the card's fixedPricing, or register anew"
        yield Finding(sold.what, "bad", words, advice)


def _only(sold: Sold, said: Registration) -> int | None:
    places = said.places(sold.pricing)
    return places[0] if places else None


def _sums(price: Iterable[Amount]) -> list[tuple[str, int]]:
    return sorted((unit(part.unit), int(part.amount)) for part in price)
