"""The times of a job, which must fit together."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict

from masumi_sumi.errors import DeadlinesDoNotFit, SettingInvalid

NODE_MARGIN = 600.0
"""Seconds before submitResultTime that the hash must be at the node: the node itself stops
sending five minutes before it, and its queue needs a few more."""

NODE_SUBMIT_FLOOR = 900.0
"""Seconds that the node wants between the request and submitResultTime."""

PAY_BEFORE_SUBMIT = 300.0
"""Seconds that the node wants between payByTime and submitResultTime."""

PAY_BY_LEAST, PAY_BY_MOST = 60.0, 2 * 86_400.0
"""Seconds to pay. A lock takes a block or two, and a marketplace gives its user's money back for a
start that went wrong only after this time."""


class Deadlines(BaseModel):
    """Times of a job in seconds from its start; built only where they fit together."""

    model_config = ConfigDict(frozen=True)

    pay_by: float
    run: float
    lock: float
    submit_by: float

    @classmethod
    def fit(
        cls, what: str, *, pay_by: float, run: float, lock: float, submit_by: float | None
    ) -> Self:
        """Derive submit_by from its parts, or refuse one that is too early.

        Raises DeadlinesDoNotFit, with the numbers, when the parts need more time than given, and
        SettingInvalid for a time to pay that no buyer can keep, or that binds its money for days.
        """
        if not PAY_BY_LEAST <= pay_by <= PAY_BY_MOST:
            rule = f"expected {PAY_BY_LEAST:.0f} to {PAY_BY_MOST:.0f} seconds, as buyers need"
            raise SettingInvalid(f"pay_by of {what}", pay_by, rule)
        needed = max(pay_by + run + lock + NODE_MARGIN, NODE_SUBMIT_FLOOR + PAY_BEFORE_SUBMIT)
        if submit_by is not None and submit_by < needed:
            parts = f"pay {pay_by:.0f} + run {run:.0f} + locks {lock:.0f} + node {NODE_MARGIN:.0f}"
            raise DeadlinesDoNotFit(what, submit_by, needed, parts)
        return cls(pay_by=pay_by, run=run, lock=lock, submit_by=submit_by or needed)
