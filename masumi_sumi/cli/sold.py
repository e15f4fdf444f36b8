"""What is sold here: flows by their cards, and flows by the word of the apps that run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from masumi_sumi.cli.findings import Finding
from masumi_sumi.jobs.model import Amount, Pricing


@dataclass(frozen=True, slots=True)
class Sold:
    """A flow that is sold under an identity. ``id`` is ``APP[/FLOW]``, as in its addresses.

    ``price`` is what a card shows. ``exposed``: the gateway answers for it too. ``served_at`` is
    the address at which its app was met, empty where it was not.
    """

    id: str
    network: str
    agent: str
    pricing: Pricing
    price: tuple[Amount, ...] = ()
    index: int | None = None
    exposed: bool = True
    served_at: str = ""

    @property
    def what(self) -> str:
        return f"agent of {self.id or '/'}"


Running = Mapping[str, Sold | None]
"""Flows of the apps that run, by id; None for one that names no identity."""


def together(carded: Iterable[Sold], running: Running) -> list[Sold]:
    """Each flow once. What its app says of a sale is so; only the price shown is the card's."""
    found = {flow: sold for flow, sold in running.items() if sold is not None}
    for card in carded:
        app = found.get(card.id)
        found[card.id] = replace(app, price=card.price) if app else card
    return [found[flow] for flow in sorted(found)]


def unlike(carded: Iterable[Sold], running: Running) -> Iterator[Finding]:
    """Cards that name another agent or network than the one their app sells under.

    A card wins over what the author said, but only from the next start of the app on.
    """
    for card in carded:
        if card.id not in running:
            continue
        app = running[card.id]
        if app is None or (app.agent, app.network) != (card.agent, card.network):
            sells = f"sells as {_named(app)}" if app else "names no agent"
            words = f"its card says {_named(card)}, but the app that runs {sells}"
            advice = f"masumi-sumi refresh {card.id.partition('/')[0]}: then the card's holds"
            yield Finding(f"flow {card.id}", "bad", words, advice)


def _named(sold: Sold) -> str:
    return f"{sold.agent} on {sold.network}"
