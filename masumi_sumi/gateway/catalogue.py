"""The flows of all exposes, as buyers see them: MIP-002 metadata and the path of each on Serve."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from masumi_sumi.errors import DocumentInvalid, SellerUnavailable, UnknownExpose, UnknownFlow
from masumi_sumi.exposes import Card, Expose, ExposeState, FlowMeta, FlowState, card_of, flow_path
from masumi_sumi.exposes.applications import EVERY_FLOW, flow_terms
from masumi_sumi.exposes.book import Deployment

PAGE = 10
LARGEST_PAGE = 100
METADATA_VERSION = 1
UNTAGGED = "untagged"


class Book(Protocol):
    async def list(self) -> Sequence[Expose]: ...

    async def deployments(self) -> Mapping[str, Deployment]: ...


@dataclass(frozen=True, slots=True)
class Item:
    """A flow of an expose. ``name`` is its path without slashes at the ends, "" at the root."""

    expose: Expose
    meta: FlowMeta
    card: Card

    @property
    def name(self) -> str:
        return flow_path(self.meta.url).strip("/")

    @property
    def id(self) -> str:
        return f"{self.expose.name}/{self.name}".rstrip("/")

    @property
    def path(self) -> str:
        """Its path on Serve, which has the expose's name as route prefix."""
        return f"/{self.id}"

    @property
    def display(self) -> str:
        return self.card.display or self.name or self.expose.name

    @property
    def is_open(self) -> bool:
        """Whether strangers may hire it: its expose has a network, or its app sells it on one and
        the operator did not make it free."""
        sale = self.meta.sale
        sold = sale is not None and bool(sale.network and sale.agent_identifier)
        return self.expose.network is not None or (sold and self.card.pricing != "Free")

    @property
    def body_bytes(self) -> int:
        """What a request to it may need, by its app's word; 0 where its form has no long field."""
        return self.meta.sale.body_bytes if self.meta.sale is not None else 0

    @property
    def network(self) -> str | None:
        """Where it is sold now, by its app's word; else where its expose asks for."""
        sale = self.meta.sale
        return (sale.network if sale else "") or self.expose.network

    @property
    def agent_identifier(self) -> str | None:
        """Under which it is sold now, by its app's word; else the one that its card asks for."""
        sale = self.meta.sale
        return (sale.agent_identifier if sale else "") or self.card.agent_identifier

    @property
    def pricing(self) -> Mapping[str, Any]:
        """As MIP-002 has it. Amounts are the card's to tell: the app knows only the kind."""
        if said := self.card.content.get("agentPricing"):
            return dict(said)
        sale = self.meta.sale
        if sale is not None and (sale.agent_identifier or not self.card.agent_identifier):
            return {"pricingType": sale.pricing}
        return {"pricingType": self.card.sold_at}

    @property
    def is_alive(self) -> bool:
        running = self.expose.enabled and self.expose.state is ExposeState.RUNNING
        return running and self.meta.enabled and self.meta.state is FlowState.ALIVE


class Catalogue:
    def __init__(self, book: Book) -> None:
        self._book = book

    async def alive(self, expose: str | None = None) -> list[Item]:
        """Flows that take jobs, by id. Raises UnknownExpose for a name that is none."""
        exposes = list(await self._book.list())
        if expose is not None:
            exposes = [each for each in exposes if each.name == expose]
            if not exposes:
                raise UnknownExpose(expose)
        return sorted((item for item in items_of(exposes) if item.is_alive), key=lambda i: i.id)

    async def flow(self, expose: str, name: str, *, closed: bool = False) -> Item:
        """A flow that is there, alive or not; one that is disabled only where ``closed`` ones are
        asked for. Raises UnknownExpose, UnknownFlow.
        """
        found = await self.expose(expose)
        for item in items_of([found]):
            if item.name == name and (closed or (found.enabled and item.meta.enabled)):
                return item
        raise UnknownFlow(f"{expose}/{name}".rstrip("/"))

    async def check_terms(self, item: Item) -> None:
        """What was put up for sale, or sold otherwise, since its app was deployed would be given
        away, or on the old terms. Raises SellerUnavailable."""
        name, path = item.expose.name, flow_path(item.meta.url)
        deployment = (await self._book.deployments()).get(name)
        applied = deployment.document.get("args", {}).get("flows", {}) if deployment else {}
        asked = json.loads(json.dumps(_asked(item.expose)))  # as the deployed ones were kept
        if _of_flow(applied, path) != _of_flow(asked, path):
            raise SellerUnavailable(f"its terms have changed: {name!r} waits for a refresh")

    async def is_open(self, path: str) -> bool:
        """Whether strangers may hire the flow at this path on Serve, were it up and enabled."""
        try:
            found = await self.expose(path.strip("/").partition("/")[0])
        except UnknownExpose:
            return False
        items = [item for item in items_of([found]) if item.path == path]
        return found.network is not None or any(item.is_open for item in items)

    async def expose(self, name: str) -> Expose:
        """Raises UnknownExpose."""
        for each in await self._book.list():
            if each.name == name:
                return each
        raise UnknownExpose(name)


def items_of(exposes: Iterable[Expose]) -> Iterable[Item]:
    for expose in exposes:
        for meta in expose.meta:
            yield Item(expose, meta, _card(meta))


def page(items: Sequence[Item], size: int, offset: str | None) -> tuple[Sequence[Item], str | None]:
    """A page, and the offset of the next one: the id of this one's last flow. It goes on behind an
    offset that is not there any more."""
    size = max(1, min(size, LARGEST_PAGE))
    rest = [item for item in items if offset is None or item.id > offset]
    shown = rest[:size]
    return shown, shown[-1].id if len(rest) > size else None


def item_json(item: Item, base_url: str) -> dict[str, Any]:
    """The flow as MIP-002 describes an agent. ``base_url`` is the gateway's, as buyers reach it."""
    said = item.card.content
    return {
        "id": item.id,
        "parent": item.expose.name,
        "name": item.name,
        "display": item.display,
        "api_url": f"{base_url.rstrip('/')}/sumi/{item.id}",
        "mip003_url": f"{base_url.rstrip('/')}/mip003/{item.id}",
        "tags": list(item.card.tags) or [UNTAGGED],
        "agentPricing": item.pricing,
        "agentIdentifier": item.agent_identifier,
        "metadata_version": METADATA_VERSION,
        "description": item.card.description,
        "image": said.get("image"),
        "example_output": said.get("example_output"),
        "author": said.get("author"),
        "capability": said.get("capability"),
        "legal": said.get("legal"),
        "network": item.network,
        "state": "alive" if item.is_alive else "dead",
    }


def _asked(expose: Expose) -> dict[str, dict[str, Any]]:
    """Raises SellerUnavailable for cards that no app can be given."""
    try:
        return flow_terms(expose)
    except DocumentInvalid as error:
        raise SellerUnavailable(f"a card of {expose.name!r} cannot be read") from error


def _of_flow(terms: Mapping[str, Mapping[str, Any]], path: str) -> dict[str, Any]:
    return {**terms.get(EVERY_FLOW, {}), **terms.get(path, {})}


def _card(meta: FlowMeta) -> Card:
    """A card that was saved before a rule got stricter does not hide its flow."""
    try:
        return card_of(meta.data, meta.url)
    except DocumentInvalid:
        return Card()
