"""The book of exposes, in SQLite or PostgreSQL: any number of processes may have it open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from itertools import groupby
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Row, Select, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from masumi_sumi.clock import Clock
from masumi_sumi.db import Database, database_url
from masumi_sumi.errors import ExposeChanged, NameTaken, UnknownExpose
from masumi_sumi.exposes.changes import changed, drafted, merged, silent, untold
from masumi_sumi.exposes.drafts import Draft
from masumi_sumi.exposes.model import Expose, ExposeState, FlowMeta, FlowState, checked_network
from masumi_sumi.exposes.ports import FoundFlow
from masumi_sumi.exposes.schema import HISTORY, deployments, exposes, flows
from masumi_sumi.exposes.turn import BootTurn
from masumi_sumi.jobs.sale import Sale

_OWN = ("bootstrap", "display", "network", "enabled", "created", "updated", "heartbeat", "error")


@dataclass(frozen=True, slots=True)
class Deployment:
    """What Ray Serve was given last for a name: from which bootstrap, and the whole document.

    ``revision`` counts the times that a new start was asked for without any other change.
    """

    bootstrap: str
    document: Mapping[str, Any]
    revision: int = 0


class ExposeBook:
    """Every change is one transaction: read, decided and written while nobody else writes.

    Close it with ``aclose`` or ``async with``.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock
        self.turn = BootTurn(database, clock)

    @classmethod
    async def open(cls, url: str, clock: Clock) -> Self:
        """Make the database if need be and bring it to the newest schema.

        Raises SettingInvalid for a URL that cannot be.
        """
        await HISTORY.bring(url)
        return cls(await Database.writing(database_url(url)), clock)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        await self._database.aclose()

    async def list(self) -> list[Expose]:
        """All exposes by name."""
        return _exposes(await self._database.read(_query()), self._clock.now())

    async def get(self, name: str) -> Expose:
        """Raises UnknownExpose."""
        rows = await self._database.read(_query().where(exposes.c.name == name))
        for found in _exposes(rows, self._clock.now()):
            return found
        raise UnknownExpose(name)

    async def save(self, draft: Draft, etag: str | None = None) -> Expose:
        """Create, change or rename; all of the draft or nothing.

        ``etag``, or else the draft's own, is that of the expose it was made from. Raises
        ExposeChanged when it is no longer that one, UnknownExpose for a rename of nothing,
        NameTaken for a rename to a name in use.
        """
        etag = etag or draft.etag
        async with self._database.transaction() as connection:
            before = await self._before(connection, draft)
            if etag is not None and (before is None or before.etag != etag):
                current = before.etag if before else ""
                raise ExposeChanged(draft.original_name or draft.name, current)
            after = drafted(before, draft, self._clock.now())
            await _put(connection, before, after)
        return await self.get(after.name)

    async def delete(self, name: str) -> None:
        """Its application stays on Ray Serve until the next boot. Raises UnknownExpose."""
        async with self._database.transaction() as connection:
            gone = await connection.execute(delete(exposes).where(exposes.c.name == name))
            if gone.rowcount == 0:
                raise UnknownExpose(name)
            await connection.execute(delete(flows).where(flows.c.expose == name))

    async def found(self, name: str, there: Iterable[FoundFlow]) -> Expose:
        """The expose runs and its app tells these flows; cards are added, none is taken away.

        Raises UnknownExpose.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            before = await self._one(connection, name)
            after = changed(before, merged(before.meta, name, there, now), now)
            running = replace(after, state=ExposeState.RUNNING, heartbeat=now, error="")
            await _put(connection, before, running)
        return running

    async def looked(self, name: str, state: ExposeState, error: str = "") -> Expose:
        """The expose was seen in this state, and did not tell what it sells; its etag stays.

        Raises UnknownExpose.
        """
        now = self._clock.now()
        async with self._database.transaction() as connection:
            before = await self._one(connection, name)
            after = replace(before, state=state, heartbeat=now, error=_storable(error))
            after = replace(after, meta=untold(before.meta))
            if state is not ExposeState.RUNNING:
                after = replace(after, meta=silent(after.meta, now))
            await _put(connection, before, after)
        return after

    async def deployments(self) -> dict[str, Deployment]:
        """What Ray Serve was given last, by application; of deleted exposes too."""
        rows = await self._database.read(select(deployments))
        return {
            row.name: Deployment(row.bootstrap, json.loads(row.document), row.revision)
            for row in rows
        }

    async def deployed(self, given: Mapping[str, Deployment], gone: Iterable[str] = ()) -> None:
        """Ray Serve was given these, and nothing any more for the names that are gone.

        What another app than before sells is not known until it tells.
        """
        async with self._database.transaction() as connection:
            names = [*given, *gone]
            await _forget_sales(connection, names, given)
            await connection.execute(delete(deployments).where(deployments.c.name.in_(names)))
            for name, each in given.items():
                document = json.dumps(each.document)
                row = {"bootstrap": each.bootstrap, "document": document, "revision": each.revision}
                await connection.execute(insert(deployments).values(name=name, **row))

    async def _before(self, connection: AsyncConnection, draft: Draft) -> Expose | None:
        if draft.original_name in (None, draft.name):
            return await self._find(connection, draft.name)
        if await self._find(connection, draft.name):
            raise NameTaken(draft.name)
        return await self._one(connection, str(draft.original_name))

    async def _find(self, connection: AsyncConnection, name: str) -> Expose | None:
        rows = (await connection.execute(_query().where(exposes.c.name == name))).all()
        return next(iter(_exposes(rows, self._clock.now())), None)

    async def _one(self, connection: AsyncConnection, name: str) -> Expose:
        found = await self._find(connection, name)
        if found is None:
            raise UnknownExpose(name)
        return found


def _query() -> Select[Any]:
    """An expose for each of its flows in one statement, so that both are of one moment."""
    cards = [column.label(f"flow_{column.name}") for column in flows.c]
    joined = exposes.outerjoin(flows, flows.c.expose == exposes.c.name)
    joined = joined.outerjoin(deployments, deployments.c.name == exposes.c.name)
    columns = [*exposes.c, deployments.c.bootstrap.label("deployed"), *cards]
    return select(*columns).select_from(joined).order_by(exposes.c.name, flows.c.position)


def _exposes(rows: Iterable[Row[Any]], now: float) -> list[Expose]:
    return [_expose(list(of)).seen(now) for _, of in groupby(rows, key=lambda row: row.name)]


def _expose(rows: list[Row[Any]]) -> Expose:
    first = rows[0]
    return Expose(
        name=first.name,
        created=first.created,
        updated=first.updated,
        state=ExposeState(first.state),
        heartbeat=first.heartbeat,
        bootstrap=first.bootstrap,
        display=first.display,
        network=checked_network(first.network),
        enabled=first.enabled,
        meta=tuple(_card(row) for row in rows if row.flow_url is not None),
        deployed=first.deployed,
        error=first.error,
    )


def _card(row: Row[Any]) -> FlowMeta:
    state = None if row.flow_state is None else FlowState(row.flow_state)
    sale = None if row.flow_sale is None else Sale.model_validate_json(row.flow_sale)
    return FlowMeta(row.flow_url, row.flow_data, row.flow_enabled, state, row.flow_heartbeat, sale)


async def _forget_sales(
    connection: AsyncConnection, names: Iterable[str], given: Mapping[str, Deployment]
) -> None:
    before = {row.name: row.document for row in await connection.execute(select(deployments))}
    same = {name for name, each in given.items() if before.get(name) == json.dumps(each.document)}
    other = flows.c.expose.in_(set(names) - same)
    await connection.execute(update(flows).where(other).values(sale=None))


async def _put(connection: AsyncConnection, before: Expose | None, after: Expose) -> None:
    values = {name: getattr(after, name) for name in _OWN} | {"state": after.state.value}
    if before is None:
        await connection.execute(insert(exposes).values(name=after.name, **values))
    else:
        row = update(exposes).where(exposes.c.name == before.name)
        await connection.execute(row.values(name=after.name, **values))
        await connection.execute(delete(flows).where(flows.c.expose == before.name))
    for position, card in enumerate(after.meta):
        await connection.execute(insert(flows).values(**_card_row(after.name, position, card)))


def _card_row(name: str, position: int, card: FlowMeta) -> dict[str, Any]:
    return {
        "expose": name,
        "position": position,
        "url": card.url,
        "data": card.data,
        "enabled": card.enabled,
        "state": card.state and card.state.value,
        "heartbeat": card.heartbeat,
        "sale": card.sale and json.dumps(card.sale.told()),
    }


def _storable(text: str) -> str:
    return text.replace("\0", "").encode("utf-8", "replace").decode()
