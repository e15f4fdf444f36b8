"""Who tells a hire and asks for it: the trade of ``cli.terminal`` and ``cli.machine``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from masumi_sumi.buyer import (
    Asked,
    Event,
    Form,
    Hire,
    Offer,
    Terms,
    values,
)
from masumi_sumi.buyer.records import Record
from masumi_sumi.errors import SumiError
from masumi_sumi.jobs.model import PaymentView

Said = Mapping[str, list[str]]
"""``--answer`` options: the texts for each key."""


class Clerk(Protocol):
    """``paid``: whether money may be on its way."""

    paid: bool

    def offered(self, offer: Offer, url: str) -> None: ...

    def fill(
        self, form: Form, given: Mapping[str, Any], *, everything: bool
    ) -> Mapping[str, Any]: ...

    def hired(self, hire: Hire) -> None: ...

    def resumed(self, hire: Hire, url: str) -> None: ...

    def interrupted(self, hire: Hire) -> None: ...

    def unfinished(self, hires: Sequence[Record]) -> None: ...

    def agrees(self, terms: Terms, limit: Mapping[str, int] | None) -> bool: ...

    def ask(self, asked: Asked, said: Said) -> Mapping[str, Any]: ...

    def tell(self, event: Event) -> None: ...

    def refund(self, view: PaymentView, *, cancel: bool) -> None: ...

    def failed(self, error: SumiError) -> None: ...


def answers_said(form: Form, said: Said) -> dict[str, Any]:
    """The ``--answer`` options that this form asks for. Raises FieldsInvalid."""
    found = {}
    for question in form.questions:
        if question.asks and (texts := said.get(question.id)):
            several = len(texts) > 1
            found[question.id] = (
                values.settled(question, texts) if several else values.typed(question, texts[0])
            )
    return found
