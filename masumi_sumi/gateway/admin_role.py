"""Bring the panel's admin to the password that is set now.

Kodosumi gives the admin its password when it makes the role, at the first request, and never
again. So a data folder of before keeps admin/admin, whatever is set later.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any

from kodosumi.dtypes import Role, RoleEdit
from sqlalchemy import select
from sqlalchemy.exc import OperationalError, ProgrammingError

from masumi_sumi.panel_secrets import ADMIN

log = logging.getLogger(__name__)


async def set_admin_password(sessions: Any, password: str, earlier: Iterable[str]) -> None:
    """Replace the stored password when it is one of ``earlier``: known ones, and those of ours.

    A password that the admin chose in the panel stays. ``sessions`` makes database sessions.
    """
    async with sessions() as session:
        try:
            role = await session.scalar(select(Role).where(Role.name == ADMIN))
        except (OperationalError, ProgrammingError):
            return  # the panel has made no tables yet
        if role is None or role.verify_password(password):
            return
        if not any(role.verify_password(each) for each in earlier):
            log.warning(
                "the admin's password was changed in the panel: set KODO_ADMIN_PASSWORD to it, "
                "or masumi-sumi expose and boot cannot log in"
            )
            return
        role.password = RoleEdit(password=password).password
        await session.commit()
        log.warning("the panel's admin has a new password: masumi-sumi login shows it")
