"""The book: what is kept, what is refused, and what no boot can take away."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, inspect

from masumi_sumi.clock import ManualClock
from masumi_sumi.db import Database, database_url
from masumi_sumi.errors import (
    DocumentInvalid,
    ExposeChanged,
    NameTaken,
    SettingInvalid,
    UnknownExpose,
)
from masumi_sumi.exposes import (
    ExposeBook,
    ExposeState,
    FlowMeta,
    FlowState,
    FoundFlow,
    card_of,
    draft_of,
)
from masumi_sumi.exposes.book import Deployment
from masumi_sumi.exposes.changes import changed, merged, silent
from masumi_sumi.exposes.model import Expose, flow_path
from masumi_sumi.exposes.schema import HISTORY, metadata

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32
BOOTSTRAP = "import_path: tests.test_unwrap:fast_app2"
SOLD = f"display: Mine\nagentIdentifier: {AGENT}\n"


def asked(name: str = "jkx", **said: Any) -> Any:
    return draft_of({"name": name, "bootstrap": BOOTSTRAP, **said})


async def test_what_is_saved_is_there(book: ExposeBook, clock: ManualClock) -> None:
    saved = await book.save(asked(meta=[{"url": "/jkx/", "data": SOLD}], network="Preprod"))

    assert saved == Expose(
        name="jkx",
        created=clock.now(),
        updated=clock.now(),
        state=ExposeState.DEAD,
        heartbeat=clock.now(),
        bootstrap=BOOTSTRAP,
        network="Preprod",
        meta=(FlowMeta("/jkx/", SOLD),),
    )
    assert await book.get("jkx") == saved
    assert await book.list() == [saved]


async def test_exposes_are_in_the_order_of_their_names(book: ExposeBook) -> None:
    for name in ("prime", "form-example", "jkx"):
        await book.save(asked(name))

    assert [each.name for each in await book.list()] == ["form-example", "jkx", "prime"]


async def test_without_a_bootstrap_it_is_a_draft(book: ExposeBook) -> None:
    assert (await book.save(asked(bootstrap=" "))).state is ExposeState.DRAFT
    assert (await book.save(asked())).state is ExposeState.DEAD
    assert (await book.save(asked(bootstrap=None))).state is ExposeState.DRAFT


async def test_a_change_keeps_what_it_does_not_name(book: ExposeBook, clock: ManualClock) -> None:
    first = await book.save(asked(meta=[{"url": "/jkx/", "data": SOLD}], display="jKx"))
    clock.advance(5)

    second = await book.save(draft_of({"name": "jkx", "display": "jKx Demo"}))

    assert second == replace(first, display="jKx Demo", updated=clock.now())
    assert second.etag != first.etag


async def test_saving_the_same_again_changes_nothing(book: ExposeBook, clock: ManualClock) -> None:
    first = await book.save(asked())
    clock.advance(5)

    assert await book.save(asked()) == first


async def test_two_changes_at_one_moment_have_two_etags(book: ExposeBook) -> None:
    etags = {(await book.save(asked(display=str(number)))).etag for number in range(20)}

    assert len(etags) == 20


async def test_who_read_another_version_may_not_write(book: ExposeBook) -> None:
    first = await book.save(asked())
    second = await book.save(asked(display="by another"))

    with pytest.raises(ExposeChanged) as refused:
        await book.save(asked(display="mine", etag=first.etag))

    assert refused.value.current == second.etag
    assert await book.get("jkx") == second
    assert (await book.save(asked(display="mine"), second.etag)).display == "mine"


async def test_of_many_writers_of_one_version_one_wins(book: ExposeBook) -> None:
    first = await book.save(asked())
    drafts = [asked(display=str(number), etag=first.etag) for number in range(6)]

    outcomes = await asyncio.gather(*map(book.save, drafts), return_exceptions=True)

    assert sum(isinstance(each, ExposeChanged) for each in outcomes) == 5


async def test_an_etag_of_what_is_gone_is_told(book: ExposeBook) -> None:
    with pytest.raises(ExposeChanged, match="gone"):
        await book.save(asked(etag="1.0"))


async def test_a_rename_takes_the_cards_along(book: ExposeBook) -> None:
    before = await book.save(asked("old", meta=[{"url": "/old/a", "data": SOLD}]))

    after = await book.save(draft_of({"name": "new", "original_name": "old"}))

    assert after.meta == (FlowMeta("/new/a", SOLD),)
    assert after.created == before.created
    assert [each.name for each in await book.list()] == ["new"]


async def test_a_rename_to_a_name_in_use_changes_nothing(book: ExposeBook) -> None:
    await book.save(asked("old"))
    await book.save(asked("new"))

    with pytest.raises(NameTaken, match="another expose is named 'new'"):
        await book.save(draft_of({"name": "new", "original_name": "old"}))

    assert [each.name for each in await book.list()] == ["new", "old"]


async def test_nothing_cannot_be_renamed(book: ExposeBook) -> None:
    with pytest.raises(UnknownExpose):
        await book.save(draft_of({"name": "new", "original_name": "old"}))


async def test_a_bootstrap_that_says_the_old_name_stands_in_the_way(book: ExposeBook) -> None:
    await book.save(asked("old", bootstrap=f"{BOOTSTRAP}\nname: old"))

    with pytest.raises(DocumentInvalid, match="name follows from the expose"):
        await book.save(draft_of({"name": "new", "original_name": "old"}))

    assert [each.name for each in await book.list()] == ["old"]


async def test_what_is_deleted_is_gone_with_its_cards(book: ExposeBook) -> None:
    await book.save(asked(meta=[{"url": "/jkx/", "data": SOLD}]))

    await book.delete("jkx")

    assert await book.list() == []
    assert (await book.save(asked())).meta == ()
    with pytest.raises(UnknownExpose, match="expose 'other' not found"):
        await book.delete("other")
    with pytest.raises(UnknownExpose):
        await book.get("other")


async def test_a_discovery_adds_cards_and_keeps_those_that_are_there(
    book: ExposeBook, clock: ManualClock
) -> None:
    cards = [{"url": "/jkx/", "data": SOLD}, {"url": "/jkx/gone", "data": SOLD}, {"url": "/jkx/b"}]
    before = await book.save(asked(meta=cards))
    clock.advance(9)

    after = await book.found("jkx", [FoundFlow(path) for path in ("/", "/b", "/c")])

    assert await book.get("jkx") == after
    assert [card.url for card in after.meta] == ["/jkx/", "/jkx/gone", "/jkx/b", "/jkx/c"]
    assert [card.data for card in after.meta[:2]] == [SOLD, SOLD]
    assert [card.state and card.state.value for card in after.meta] == [
        "alive",
        "not-found",
        "alive",
        "alive",
    ]
    assert (after.state, after.flow_stats) == (ExposeState.RUNNING, "3/4")
    assert after.etag != before.etag


async def test_a_look_that_finds_nothing_new_keeps_the_etag(
    book: ExposeBook, clock: ManualClock
) -> None:
    await book.save(asked())
    first = await book.found("jkx", [FoundFlow("/")])
    clock.advance(9)

    again = await book.found("jkx", [FoundFlow("/")])
    dead = await book.looked("jkx", ExposeState.UNHEALTHY, "No module\0 named \ud800")

    assert again.etag == dead.etag == first.etag
    assert again.heartbeat == clock.now()
    assert (dead.state, dead.error) == (ExposeState.UNHEALTHY, "No module named ?")
    assert dead.meta[0].state is FlowState.DEAD


async def test_a_changed_card_has_not_been_looked_at(book: ExposeBook) -> None:
    await book.save(asked())
    found = await book.found("jkx", [FoundFlow("/a"), FoundFlow("/b")])
    kept, other = ({"url": card.url, "data": card.data} for card in found.meta)

    saved = await book.save(asked(meta=[kept, {**other, "data": SOLD}]))

    assert [card.state for card in saved.meta] == [FlowState.ALIVE, None]
    assert saved.state is ExposeState.RUNNING


async def test_a_state_nobody_looked_at_for_an_hour_is_stale(
    book: ExposeBook, clock: ManualClock
) -> None:
    await book.save(asked())
    await book.found("jkx", [])
    clock.advance(3599)
    assert not (await book.get("jkx")).stale

    clock.advance(2)

    assert (await book.get("jkx")).stale


async def test_another_bootstrap_than_the_deployed_one_needs_a_boot(book: ExposeBook) -> None:
    saved = await book.save(asked())
    assert not saved.needs_reboot

    await book.deployed({"jkx": Deployment(BOOTSTRAP, {"name": "jkx"})})

    assert not (await book.get("jkx")).needs_reboot
    assert not (await book.save(asked(display="new"))).needs_reboot
    assert (await book.save(asked(enabled=False))).needs_reboot
    assert (await book.save(asked(bootstrap="import_path: a:b"))).needs_reboot


async def test_what_ray_serve_was_given_outlives_the_expose(book: ExposeBook) -> None:
    given = Deployment(BOOTSTRAP, {"name": "jkx", "args": {"target": "a:b"}}, 3)
    await book.save(asked())
    await book.deployed({"jkx": given})
    await book.delete("jkx")

    assert await book.deployments() == {"jkx": given}
    await book.deployed({}, gone=["jkx"])
    assert await book.deployments() == {}


FLOWS = st.lists(st.sampled_from(["/", "/a", "/b/", "/c"]), unique=True)
CARDS = st.dictionaries(
    st.sampled_from(["/", "/a", "/b", "/c/", "/d"]),
    st.sampled_from([None, "", "display: x\n", SOLD]),
)


@given(CARDS, st.lists(FLOWS | st.none(), max_size=6))
def test_no_boot_refresh_or_discovery_loses_an_agent_identifier(
    cards: dict[str, str | None], looks: list[list[str] | None]
) -> None:
    """Not if its flow is not found, not if it comes back, not if the app is dead meanwhile."""
    meta = tuple(FlowMeta(f"/jkx{path}", data) for path, data in cards.items())
    expose = Expose("jkx", 1.0, 1.0, ExposeState.DEAD, 1.0, meta=meta)

    for now, look in enumerate(looks, 2):
        seen = silent(expose.meta, now)
        if look is not None:
            seen = merged(expose.meta, "jkx", [FoundFlow(path) for path in look], now)
        expose = changed(expose, seen, now)

    assert _agents(expose) == _agents(Expose("jkx", 1, 1, ExposeState.DEAD, 1, meta=meta))
    paths = [flow_path(card.url) for card in expose.meta]
    assert len(paths) == len(set(paths))


def _agents(expose: Expose) -> dict[str, str]:
    said = {card.url: card_of(card.data).agent_identifier for card in expose.meta}
    return {url: agent for url, agent in said.items() if agent}


async def test_the_migrated_schema_is_the_declared_one(url: str) -> None:
    await HISTORY.bring(url)

    assert await _seen(url, _differences) == []


async def test_down_to_nothing_and_up_again(url: str) -> None:
    await HISTORY.bring(url)
    await HISTORY.bring(url, "base")

    assert await _seen(url, lambda there: inspect(there).get_table_names()) == ["exposes_version"]


async def test_jobs_and_exposes_may_share_a_database(url: str, clock: ManualClock) -> None:
    from masumi_sumi.jobs.store import migrate

    async with await ExposeBook.open(url, clock) as book:
        await book.save(asked())
        await migrate(url)
        await HISTORY.bring(url)

        assert [each.name for each in await book.list()] == ["jkx"]


async def test_a_url_that_cannot_be_is_refused(clock: ManualClock, tmp_path: Path) -> None:
    with pytest.raises(SettingInvalid):
        await ExposeBook.open("sqlite://", clock)


async def _seen(url: str, look: Any) -> Any:
    database = Database.reading(database_url(url))
    try:
        return await database.look(look)
    finally:
        await database.aclose()


def _differences(connection: Connection) -> list[Any]:
    options = {"version_table": "exposes_version"}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))
