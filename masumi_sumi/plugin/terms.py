"""What an author says about the sale of a flow, what an operator says over it, and both settled."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from masumi_sumi.errors import HandlerFailed, SettingInvalid, TermsIncomplete
from masumi_sumi.flows import DEMO_RULE, error_text, is_demo
from masumi_sumi.jobs.identity import identity
from masumi_sumi.jobs.model import Amount, Pricing, SourceType, Terms
from masumi_sumi.settings import Settings

Price = int | str | Mapping[str, int] | Sequence[Mapping[str, Any]]
"""Lovelace, or amounts by unit, or MIP-style [{"amount", "unit"}]."""

Access = Literal["public", "login", "login_unless_sold"]
"""Who may start a flow: anybody, only who is logged in at the gateway, or anybody where the flow is
sold under an identity on a network."""

_WHOLE = re.compile(r"0{0,24}[1-9][0-9]{0,24}")

MOST_AMOUNTS, LONGEST_AMOUNT, LONGEST_UNIT = 7, 25, 150
"""What a payment node takes: assets, digits of an amount, characters of its unit."""


class FlowTerms(BaseModel):
    """Terms of one flow, all optional. Times in seconds from the job's start.

    A flow with an ``agent_identifier`` is for sale: at the ``Fixed`` price of the registry, or
    with a ``price`` at that (``Dynamic``), unless ``pricing`` says otherwise. One without is
    free, but one with a price and no identifier is an error.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    agent_identifier: str | None = None
    network: str | None = None
    pricing: Pricing | None = None
    price: Any = None  # Dynamic: a Price, or a function from the handler's inputs to one
    source_index: int | None = Field(None, ge=0, le=24)
    pay_by: float | None = Field(None, gt=0, allow_inf_nan=False)
    submit_by: float | None = Field(None, gt=0, allow_inf_nan=False)
    run: float | None = Field(None, gt=0, allow_inf_nan=False)
    lock: float | None = Field(None, ge=0, allow_inf_nan=False)
    repeats: int | None = Field(None, ge=0)
    demo: dict[str, Any] | None = None
    access: Access | None = None

    @field_validator("agent_identifier")
    @classmethod
    def _registered(cls, value: str | None) -> str | None:
        return None if value is None else identity(value)

    @field_validator("network")
    @classmethod
    def _known(cls, value: str | None) -> str | None:
        if value not in (None, "Preprod", "Mainnet"):
            raise ValueError("network is Preprod or Mainnet")
        return value

    @field_validator("demo")
    @classmethod
    def _shown(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        if value is not None and not is_demo(value):
            raise ValueError(DEMO_RULE)
        return value

    @field_validator("price")
    @classmethod
    def _plain(cls, value: Any) -> Any:
        if inspect.iscoroutinefunction(value):
            raise ValueError("a price is given by a plain function, not by a coroutine")
        return value

    @classmethod
    def of(cls, where: str, values: Mapping[str, Any]) -> Self:
        """Raises SettingInvalid naming the term and the rule.

        An identifier that is named but None is one: a variable that is not set makes no flow free.
        """
        if values.get("agent_identifier", "") is None:
            rule = "expected the identifier of the registry; leave it out for a free flow"
            raise SettingInvalid(f"{where}: agent_identifier", None, rule)
        try:
            return cls(**values)
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"]) or "terms"
            rule = first["msg"].removeprefix("Value error, ")
            raise SettingInvalid(f"{where}: {name}", first.get("input"), rule) from error

    def over(self, other: FlowTerms) -> FlowTerms:
        """These terms where they say something, the other's where they do not."""
        said = {name: value for name, value in self if value is not None}
        return other.model_copy(update=said)

    @property
    def asks_for_login(self) -> bool:
        """Whether strangers may not start the flow. Terms that say nothing are public."""
        if self.access == "login_unless_sold":
            return not (self.network and self.agent_identifier)
        return self.access == "login"

    def settle(self, flow: str, settings: Settings, inputs: Any) -> Terms:
        """The terms of a job with these inputs; of None: all but a price that is a function.

        Raises ConfigurationError when the flow cannot be sold so, HandlerFailed when the
        author's function gives no price for the input.
        """
        pricing = self.pricing or self._implied()
        if pricing == "Free":
            return Terms(
                network=self.network or "",
                agent_identifier=self.agent_identifier or "",
                run=self.run,
                repeats=self.repeats or 0,
            )
        network, agent = self._sale(flow)
        settings.node(network)
        times = settings.deadlines(
            network,
            f"flow {flow}",
            pay_by=self.pay_by,
            run=self.run,
            lock=self.lock,
            submit_by=self.submit_by,
        )
        return Terms(
            pricing=pricing,
            network=network,
            agent_identifier=agent,
            source_type=self._source_type(),
            source_index=self.source_index,
            price=self._price(flow, inputs) if pricing == "Dynamic" else (),
            pay_by=times.pay_by,
            submit_by=times.submit_by,
            run=times.run,
            repeats=self.repeats or 0,
        )

    def _implied(self) -> Pricing:
        if self.price is not None:
            return "Dynamic"
        return "Free" if self.agent_identifier is None else "Fixed"

    def _sale(self, flow: str) -> tuple[str, str]:
        if not self.agent_identifier:
            raise TermsIncomplete(flow, "agent_identifier")
        if not self.network:
            raise TermsIncomplete(flow, "network")
        return self.network, self.agent_identifier

    def _source_type(self) -> SourceType:
        return "Web3CardanoV1" if self.source_index is None else "Web3CardanoV2"

    def _price(self, flow: str, inputs: Any) -> tuple[Amount, ...]:
        if not callable(self.price):
            return _amounts(flow, self.price)
        return () if inputs is None else _asked(flow, self.price, inputs)


def _asked(flow: str, price: Callable[[Any], Any], inputs: Any) -> tuple[Amount, ...]:
    """A price that is none is the function's mistake as much as an error: for this input only."""
    try:
        return _amounts(flow, price(inputs))
    except Exception as error:
        reason = error_text(f"{type(error).__name__}: {error}")
        raise HandlerFailed(flow, f"no price for this input: {reason}") from error


def _amounts(flow: str, price: Any) -> tuple[Amount, ...]:
    if price is None or price in ("", [], {}):
        raise TermsIncomplete(flow, "price")
    try:
        amounts = tuple(_amount(sum_, unit) for sum_, unit in _parts(price))
        if len(amounts) > MOST_AMOUNTS:
            raise ValueError("has too many parts")
    except (TypeError, ValueError, KeyError, AttributeError) as error:
        rule = (
            'expected lovelace, {unit: amount} or [{"amount", "unit"}], whole, above 0, at most 7'
        )
        raise SettingInvalid(f"price of flow {flow}", price, rule) from error
    return amounts


def _parts(price: Any) -> Iterator[tuple[Any, str]]:
    if isinstance(price, int | str):
        yield price, ""
    elif isinstance(price, Mapping):
        yield from ((sum_, unit) for unit, sum_ in price.items())
    else:
        yield from ((part["amount"], part.get("unit", "")) for part in price)


def _amount(sum_: Any, unit: Any) -> Amount:
    """Raises ValueError."""
    text = str(sum_)
    whole = not isinstance(sum_, bool) and _WHOLE.fullmatch(text) and len(text) <= LONGEST_AMOUNT
    if not whole or not isinstance(unit, str) or len(unit) > LONGEST_UNIT:
        raise ValueError("is no amount")
    return Amount(text, unit)
