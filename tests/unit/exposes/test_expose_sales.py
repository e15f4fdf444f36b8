"""What apps sell: asked of each flow, kept at its card, and forgotten where it is not known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from boot_steps import AGENT, an_expose
from sqlalchemy import insert, select

from masumi_sumi.clock import ManualClock
from masumi_sumi.db import Database, database_url
from masumi_sumi.exposes import ExposeBook, ExposeState, FoundFlow, OpenApiFinder, draft_of
from masumi_sumi.exposes.book import Deployment
from masumi_sumi.exposes.schema import HISTORY, flows
from masumi_sumi.jobs.sale import Sale

CARD = f"display: Mine\nagentIdentifier: {AGENT}\n"
FLOW: dict[str, Any] = {"get": {"x-kodosumi": True}}
SOLD = {"pricingType": "Fixed", "network": "Preprod", "agentIdentifier": AGENT}
SALE = Sale.model_validate(SOLD)

# --- asked ---------------------------------------------------------------------------------------


def finding(document: Any, sales: Mapping[str, httpx.Response | Exception]) -> OpenApiFinder:
    """Of one app; ``sales`` are the answers of its flows' own documents, by their paths."""

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/openapi.json"):
            return httpx.Response(200, json=document)
        found = sales.get(request.url.path, httpx.Response(404))
        if isinstance(found, Exception):
            raise found
        return found

    return OpenApiFinder(httpx.MockTransport(answer))


async def test_each_flow_is_asked_what_it_is_sold_for() -> None:
    document = {"paths": {"/": FLOW, "/a/b/": FLOW, "/free": FLOW}}
    elsewhere = {**SOLD, "network": "Mainnet"}
    sales = {
        "/prime/openapi": httpx.Response(200, json={"x-masumi": SOLD}),
        "/prime/a/b/openapi": httpx.Response(200, json={"x-masumi": elsewhere}),
        "/prime/free/openapi": httpx.Response(200, json={"x-masumi": {"pricingType": "Free"}}),
    }

    root, nested, free = await finding(document, sales).find("http://serve/prime")

    assert root.sale == SALE
    assert nested.sale == SALE.model_copy(update={"network": "Mainnet"})
    assert free.sale == Sale(pricing="Free")
    assert {flow.unread for flow in (root, nested, free)} == {""}


@pytest.mark.parametrize("status", [404, 405])
async def test_an_app_that_nobody_sells_tells_of_no_sale(status: int) -> None:
    finder = finding({"paths": {"/": FLOW}}, {"/a/openapi": httpx.Response(status)})

    assert await finder.find("http://serve/a") == (FoundFlow("/"),)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.Response(503), "status 503"),
        (httpx.Response(302), "status 302"),
        (httpx.ReadTimeout("silent"), "silent"),
        (httpx.ReadTimeout(""), "ReadTimeout"),
        (httpx.Response(200, text="<html>"), "no x-masumi"),
        (httpx.Response(200, json=[]), "no x-masumi"),
        (httpx.Response(200, json={}), "no x-masumi"),
        (httpx.Response(200, json={"x-masumi": {**SOLD, "pricingType": "Cheap"}}), "no x-masumi"),
        (httpx.Response(200, json={"x-masumi": {**SOLD, "network": "Testnet"}}), "no x-masumi"),
    ],
)
async def test_a_sale_that_cannot_be_read_is_none_and_the_flow_is_found(
    answer: httpx.Response | Exception, why: str
) -> None:
    finder = finding({"paths": {"/": FLOW}}, {"/a/openapi": answer})

    [flow] = await finder.find("http://serve/a")

    assert (flow.path, flow.sale) == ("/", None)
    assert why in flow.unread


# --- kept ----------------------------------------------------------------------------------------


async def test_what_an_app_sells_is_its_word_at_the_last_look(book: ExposeBook) -> None:
    await an_expose(book, "jkx")
    sold = FoundFlow("/", sale=SALE)
    first = await book.found("jkx", [sold])
    assert (await book.get("jkx")).meta[0].sale == SALE

    for state in ExposeState.RUNNING, ExposeState.UNHEALTHY, ExposeState.DEAD:
        assert (await book.looked("jkx", state)).meta[0].sale is None
        assert (await book.get("jkx")).meta[0].sale is None
        assert (await book.found("jkx", [sold])).meta[0].sale == SALE

    assert (await book.found("jkx", [FoundFlow("/")])).meta[0].sale is None
    await book.found("jkx", [sold])
    assert (await book.found("jkx", [FoundFlow("/b")])).meta[0].sale is None
    assert (await book.get("jkx")).etag == (await book.found("jkx", [sold])).etag != first.etag


async def test_what_an_app_sells_hangs_on_no_card_but_on_its_name(book: ExposeBook) -> None:
    await an_expose(book, "jkx")
    await book.found("jkx", [FoundFlow("/", sale=SALE), FoundFlow("/b", sale=SALE)])

    cards = [{"url": "/jkx/", "data": CARD}, {"url": "/jkx/new", "data": CARD}]
    other = await book.save(draft_of({"name": "jkx", "meta": cards}))
    named = await book.save(draft_of({"name": "new", "original_name": "jkx"}))

    assert [card.sale for card in other.meta] == [SALE, None]
    assert [card.sale for card in named.meta] == [None, None]


async def test_another_app_than_before_has_told_nothing(book: ExposeBook) -> None:
    for name in ("jkx", "other"):
        await an_expose(book, name)
        await book.found(name, [FoundFlow("/", sale=SALE)])
    given = Deployment("import_path: a:b", {"name": "jkx"})

    async def sales() -> list[Sale | None]:
        return [each.meta[0].sale for each in await book.list()]

    await book.deployed({"jkx": given})
    assert await sales() == [None, SALE]
    await book.found("jkx", [FoundFlow("/", sale=SALE)])
    await book.deployed({"jkx": given})
    assert await sales() == [SALE, SALE]
    await book.deployed({}, gone=["jkx"])
    assert await sales() == [None, SALE]


async def test_flows_of_before_sales_were_kept_are_still_there(
    url: str, clock: ManualClock
) -> None:
    await HISTORY.bring(url, "0001")
    async with ExposeBook(await Database.writing(database_url(url)), clock) as before:
        row = {"expose": "jkx", "url": "/jkx/", "position": 0, "data": CARD, "enabled": True}
        await before._database.write(insert(flows).values(**row))

    async with await ExposeBook.open(url, clock) as book:
        [now] = await book._database.read(select(flows))

    assert (now.url, now.data, now.sale) == ("/jkx/", CARD, None)
