"""A data folder whose panel was made with another password than is set now."""

from __future__ import annotations

from pathlib import Path

import pytest
from kodosumi.dtypes import Base, Role, RoleCreate
from sqlalchemy import select
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from masumi_sumi.gateway.admin_role import set_admin_password

EARLIER = ("admin", "", "generated before")


async def get_sessions(folder: Path, password: str | None):
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder / 'admin.db'}")
    sessions = async_sessionmaker(engine)
    if password is not None:
        async with engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
        async with sessions() as session:
            mail, name = "admin@example.com", "admin"
            made = RoleCreate(name=name, email=mail, password=password, operator=True)
            session.add(Role(**made.model_dump()))
            await session.commit()
    return sessions


async def accepts(sessions, password: str) -> bool:
    async with sessions() as session:
        role = await session.scalar(select(Role))
        return role.verify_password(password)


@pytest.mark.parametrize("stored", EARLIER)
async def test_password_that_nobody_chose_is_replaced(tmp_path: Path, stored: str):
    sessions = await get_sessions(tmp_path, stored)

    await set_admin_password(sessions, "set now", EARLIER)

    assert await accepts(sessions, "set now")
    assert not await accepts(sessions, stored)


async def test_password_that_the_admin_chose_stays_and_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    sessions = await get_sessions(tmp_path, "chosen in the panel")

    await set_admin_password(sessions, "set now", EARLIER)

    assert await accepts(sessions, "chosen in the panel")
    assert "KODO_ADMIN_PASSWORD" in caplog.text


async def test_panel_without_tables_is_left_to_kodosumi(tmp_path: Path):
    sessions = await get_sessions(tmp_path, None)

    await set_admin_password(sessions, "set now", EARLIER)
