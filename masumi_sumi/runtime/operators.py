"""Under whose name strangers' executions are kept: a role of Kodosumi's panel."""

from __future__ import annotations

import logging
import re
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from masumi_sumi.errors import UserInvalid

log = logging.getLogger(__name__)

_PLAIN_USER = re.compile(r"[0-9A-Za-z_-]{1,128}")

NOBODY = "_annon_"
"""Kodosumi's own name for a caller without a login."""

BUYERS_ROLE = "6d617375-6d69-5375-8275-796572730000"
"""Id of the role that anonymous buyers' executions belong to.

The gateway creates it in the panel's database, without a login and not as an operator. It is the
same everywhere, so that several gateways and the supervisor need not agree on one.
"""


def check_user(user: str) -> str:
    """Return the user, whose name becomes a folder. Raises UserInvalid for what could be a path."""
    if not _PLAIN_USER.fullmatch(user):
        raise UserInvalid(user)
    return user


class BuyerUser:
    """``fixed`` if the operator set one; else the role of buyers. Without a gateway there is no
    such role, and nobody would see its executions: then the panel's admin, or first operator.
    """

    def __init__(self, fixed: str = "") -> None:
        self._found = fixed

    async def __call__(self) -> str:
        if self._found:
            return self._found
        roles = await _roles_by_preference()
        if BUYERS_ROLE in roles:
            self._found = BUYERS_ROLE  # an operator is asked for again: a gateway may come up
        return next(iter(roles), NOBODY)


async def _roles_by_preference() -> list[str]:
    from kodosumi.config import InternalSettings
    from kodosumi.dtypes import Role

    engine = create_async_engine(InternalSettings().ADMIN_DATABASE)
    buyers = Role.id == UUID(BUYERS_ROLE)
    wanted = select(Role.id).where(buyers | (Role.operator.is_(True) & Role.active.is_(True)))
    try:
        async with engine.connect() as connection:
            ordered = wanted.order_by(buyers.desc(), Role.name != "admin")
            rows = (await connection.execute(ordered)).all()
    except (SQLAlchemyError, OSError) as error:
        log.info("no panel operator yet", extra={"note": str(error).splitlines()[0]})
        return []
    finally:
        await engine.dispose()
    return [str(row[0]) for row in rows]
