"""Under whose name strangers' executions are kept: an operator of Kodosumi's panel."""

from __future__ import annotations

import logging
import re

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from masumi_sumi.errors import UserInvalid

log = logging.getLogger(__name__)

_PLAIN_USER = re.compile(r"[0-9A-Za-z_-]{1,128}")

NOBODY = "_annon_"
"""Kodosumi's own name for a caller without a login."""


def check_user(user: str) -> str:
    """Return the user, whose name becomes a folder. Raises UserInvalid for what could be a path."""
    if not _PLAIN_USER.fullmatch(user):
        raise UserInvalid(user)
    return user


class BuyerUser:
    """``fixed`` if the operator set one; else the panel's admin, else its first operator."""

    def __init__(self, fixed: str = "") -> None:
        self._found = fixed

    async def __call__(self) -> str:
        if not self._found:
            self._found = await _first_operator()
        return self._found or NOBODY


async def _first_operator() -> str:
    from kodosumi.config import InternalSettings
    from kodosumi.dtypes import Role

    engine = create_async_engine(InternalSettings().ADMIN_DATABASE)
    wanted = select(Role.id).where(Role.operator.is_(True), Role.active.is_(True))
    try:
        async with engine.connect() as connection:
            row = (await connection.execute(wanted.order_by(Role.name != "admin"))).first()
    except (SQLAlchemyError, OSError) as error:
        log.info("no panel operator yet", extra={"note": str(error).splitlines()[0]})
        return ""
    finally:
        await engine.dispose()
    return str(row[0]) if row else ""
