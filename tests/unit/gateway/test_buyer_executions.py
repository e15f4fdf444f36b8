"""The role of anonymous buyers, and who sees its executions."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
from kodosumi.dtypes import Base, Role, RoleCreate, RoleResponse
from kodosumi.service import store
from kodosumi.service.files import FileControl
from kodosumi.service.inputs import outputs
from kodosumi.service.inputs.timeline import tool
from litestar.exceptions import NotFoundException
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from masumi_sumi.gateway import buyer_executions
from masumi_sumi.gateway.access import Access, Caller
from masumi_sumi.gateway.buyer_executions import OperatorView, ensure_buyers_role
from masumi_sumi.runtime.operators import BUYERS_ROLE, NOBODY, BuyerUser

ADMIN = Caller("a0000000-0000-0000-0000-000000000001", "admin", operator=True)
USER = Caller("a0000000-0000-0000-0000-000000000002", "user", operator=False)

# --- the role -------------------------------------------------------------------------------------


@pytest.fixture
async def sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Any]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'admin.db'}"
    monkeypatch.setenv("KODO_ADMIN_DATABASE", url)
    monkeypatch.setenv("iKODO_ADMIN_DATABASE", f'"{url}"')
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    yield async_sessionmaker(engine, expire_on_commit=False)
    await engine.dispose()


async def add_role(sessions: Any, name: str, *, operator: bool) -> str:
    facts = RoleCreate(
        name=name, email=f"{name}@example.com", password="secret", operator=operator
    ).model_dump()
    async with sessions() as session, session.begin():
        role = Role(**facts)
        session.add(role)
        await session.flush()
        return str(role.id)


async def buyers(sessions: Any) -> Any:
    async with sessions() as session:
        return await session.scalar(select(Role).where(Role.id == UUID(BUYERS_ROLE)))


async def test_the_role_is_no_operator_and_nobody_logs_in_as_it(sessions: Any) -> None:
    await ensure_buyers_role(sessions)

    role = await buyers(sessions)
    assert (role.name, role.operator, role.active) == ("buyers", False, False)
    assert not role.verify_password("buyers")
    RoleResponse.model_validate(role)  # which the panel's list of roles does


async def test_several_gateways_create_one_role(sessions: Any) -> None:
    await asyncio.gather(*(ensure_buyers_role(sessions) for _ in range(3)))

    async with sessions() as session:
        assert len((await session.scalars(select(Role))).all()) == 1


async def test_a_role_that_somebody_raised_to_an_operator_is_none_after_a_start(
    sessions: Any,
) -> None:
    await ensure_buyers_role(sessions)
    async with sessions() as session, session.begin():
        role = await session.scalar(select(Role))
        role.operator, role.active = True, True

    await ensure_buyers_role(sessions)

    role = await buyers(sessions)
    assert (role.operator, role.active) == (False, False)


async def test_another_role_of_that_name_gets_no_strangers_jobs(sessions: Any) -> None:
    other = await add_role(sessions, "buyers", operator=True)

    await ensure_buyers_role(sessions)

    role = await buyers(sessions)
    assert role.name.startswith("buyers-")
    assert str(role.id) != other
    assert await BuyerUser()() == BUYERS_ROLE


async def test_strangers_jobs_are_the_role_s_wherever_a_gateway_is(sessions: Any) -> None:
    user = BuyerUser()
    assert await user() == NOBODY
    admin = await add_role(sessions, "admin", operator=True)
    assert await user() == admin  # of a stock panel, which would not show them to anybody else
    await ensure_buyers_role(sessions)
    assert await user() == BUYERS_ROLE


async def test_the_operator_s_setting_comes_first(sessions: Any) -> None:
    await ensure_buyers_role(sessions)

    assert await BuyerUser("mine")() == "mine"


# --- who sees what --------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """One execution of each; the panel of this process is patched, and put back afterwards."""
    for role, execution in ((ADMIN.id, "own"), (USER.id, "hers"), (BUYERS_ROLE, "sold")):
        write_execution(tmp_path / role / execution)
    monkeypatch.setattr(store, "SHORT_WAIT", 0)
    monkeypatch.setattr(store, "SLEEP", 0)
    monkeypatch.setattr(outputs, "connect", outputs.connect)
    monkeypatch.setattr(
        outputs.OutputsController, "_get_final", outputs.OutputsController._get_final
    )
    monkeypatch.setattr(FileControl, "_get_exec_dir", FileControl._get_exec_dir)
    monkeypatch.setattr(tool, "Path", tool.Path)
    buyer_executions.install(tmp_path)
    return tmp_path


def write_execution(place: Path) -> None:
    place.mkdir(parents=True)
    connection = sqlite3.connect(place / "sqlite3.db")
    connection.execute("CREATE TABLE monitor (id INTEGER, timestamp REAL, kind TEXT, message TEXT)")
    connection.execute("INSERT INTO monitor VALUES (1, 1.0, 'status', 'finished')")
    connection.commit()
    connection.close()


class Panel:
    """Kodosumi's own functions, called as its routes call them."""

    def __init__(self, folder: Path) -> None:
        settings = SimpleNamespace(EXEC_DIR=str(folder), WAIT_FOR_JOB=0)
        self.state: Any = _State(settings)
        self.folder = folder
        self.seen: dict[str, Any] = {}

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        user, fid = scope["user"], scope["path"].rstrip("/").rpartition("/")[2]
        listed = tool.load_page(self.folder / user)["items"]["append"]
        paged = tool.get_paginated_results(self.folder / user)["items"]
        assert [each["fid"] for each in listed] == [each["fid"] for each in paged]
        self.seen["timeline"] = {each["fid"] for each in listed}
        self.seen["files"] = FileControl._get_exec_dir(
            _Controller, user, fid, "in", self.state
        ).parent
        try:
            connection, file = await outputs.connect(fid, user, self.state, False)
        except NotFoundException:
            self.seen["execution"] = None
        else:
            connection.close()
            self.seen["execution"] = file.parent


class _State(dict[str, Any]):
    def __init__(self, settings: Any) -> None:
        super().__init__(settings=settings)
        self.settings = settings


_Controller: Any = SimpleNamespace(_validate_dir_type=lambda dir_type: None)


async def look(folder: Path, caller: Caller, path: str) -> dict[str, Any]:
    async def caller_of(request: object) -> Caller:
        return caller

    async def send(message: Any) -> None:
        panel.seen.setdefault("status", message.get("status"))

    panel = Panel(folder)
    scope = {"type": "http", "path": path, "user": caller.id, "headers": [], "method": "GET"}
    await OperatorView(panel, Access(caller_of), folder)(scope, _receive, send)
    return panel.seen


async def _receive() -> Any:
    raise AssertionError("nothing is read")


async def test_an_operator_sees_his_own_and_the_buyers_executions(folder: Path) -> None:
    seen = await look(folder, ADMIN, "/outputs/status/sold")

    assert seen["timeline"] == {"own", "sold"}
    assert seen["execution"] == seen["files"] == folder / BUYERS_ROLE / "sold"
    own = await look(folder, ADMIN, "/outputs/status/own")
    assert own["execution"] == folder / ADMIN.id / "own"


async def test_an_operator_sees_no_other_user_s_executions(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = await look(folder, ADMIN, "/outputs/status/hers")

    assert seen["execution"] is None


@pytest.mark.parametrize("execution", ["sold", "own"])
async def test_an_ordinary_user_sees_her_own_only(folder: Path, execution: str) -> None:
    seen = await look(folder, USER, f"/outputs/status/{execution}")

    assert seen["timeline"] == {"hers"}
    assert seen["execution"] is None
    assert seen["files"] == folder / USER.id / execution


async def test_what_one_request_may_see_the_next_one_may_not(folder: Path) -> None:
    await look(folder, ADMIN, "/outputs/status/sold")
    seen = await look(folder, USER, "/outputs/status/sold")

    assert seen["execution"] is None


@pytest.mark.parametrize("execution", ["..", "../x", f"{BUYERS_ROLE}/sold", "a/b", ""])
def test_an_id_that_is_a_path_leads_nowhere_else(folder: Path, execution: str) -> None:
    before = buyer_executions._sees_buyers.set(True)
    try:
        assert buyer_executions._find_owner(folder, ADMIN.id, execution) == ADMIN.id
    finally:
        buyer_executions._sees_buyers.reset(before)


@pytest.mark.parametrize("path", ["/lock/{}/l", "/inputs/lock/{}/l", "//lock//{}/l"])
async def test_locks_of_others_are_not_found(folder: Path, path: str) -> None:
    assert (await look(folder, USER, path.format("sold")))["status"] == 404
    assert (await look(folder, USER, path.format("..")))["status"] == 404
    for caller, execution in ((USER, "hers"), (ADMIN, "sold"), (ADMIN, "hers")):
        assert "status" not in await look(folder, caller, path.format(execution))


def test_operators_control_strangers_jobs_and_nobody_else_s() -> None:
    assert ADMIN.controls(ADMIN.id)
    assert ADMIN.controls(BUYERS_ROLE)
    assert not ADMIN.controls(USER.id)
    assert USER.controls(USER.id)
    assert not USER.controls(BUYERS_ROLE)
