"""A flow that has a card and an app is one sale, and the two of them should say the same."""

from __future__ import annotations

from typing import Any

import pytest

from masumi_sumi.cli.sold import Sold, together, unlike
from masumi_sumi.jobs.model import Amount

AGENT, OTHER = "7e" * 60, "67" * 60


def sold(id_: str = "prime", agent: str = AGENT, **changes: Any) -> Sold:
    known: dict[str, Any] = {"network": "Preprod", "pricing": "Fixed", **changes}
    return Sold(id_, agent=agent, **known)


def test_the_app_says_how_it_sells_and_the_card_what_it_shows():
    card = sold(price=(Amount("5"),))
    app = sold(pricing="Dynamic", index=1, served_at="http://127.0.0.1:8005/prime")

    [one] = together([card], {"prime": app})

    assert (one.pricing, one.index, one.served_at) == ("Dynamic", 1, app.served_at)
    assert one.price == card.price


def test_a_card_and_an_app_alone_are_sold_too_and_what_is_free_is_not():
    found = together([sold("a"), sold("free")], {"b/c": sold("b/c"), "d": None, "free": None})

    assert [each.id for each in found] == ["a", "b/c", "free"]


def test_a_card_that_agrees_or_whose_app_was_not_met_is_no_finding():
    assert list(unlike([sold(), sold("away")], {"prime": sold(index=1)})) == []


@pytest.mark.parametrize(
    ("app", "words"),
    [
        (sold("prime/x", agent=OTHER), f"the app that runs sells as {OTHER} on Preprod"),
        (sold("prime/x", network="Mainnet"), f"the app that runs sells as {AGENT} on Mainnet"),
        (None, "the app that runs names no agent"),
    ],
)
def test_a_card_that_its_app_does_not_know_yet_wants_a_refresh(app: Sold | None, words: str):
    [finding] = unlike([sold("prime/x")], {"prime/x": app})

    assert (finding.what, finding.verdict) == ("flow prime/x", "bad")
    assert finding.words == f"its card says {AGENT} on Preprod, but {words}"
    assert finding.advice.startswith("masumi-sumi refresh prime:")
