"""The documents of an expose, from YAML to frozen values: its bootstrap and its flows' cards."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from masumi_sumi.errors import DocumentInvalid
from masumi_sumi.exposes import yamls
from masumi_sumi.exposes.ports import FoundFlow
from masumi_sumi.flows import DEMO_RULE, is_demo
from masumi_sumi.jobs.identity import identity

IMPORT_PATH = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")
TERMS = frozenset({"price", "source_index", "pay_by", "submit_by", "run", "lock", "repeats"})

CARD_CHARACTERS = 32 * 1024

Pricing = Literal["Fixed", "Dynamic", "Free"]
PRICING: Mapping[str, Pricing] = {"fixed": "Fixed", "dynamic": "Dynamic", "free": "Free"}


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """An application of Ray Serve. ``rest`` are Serve's own further fields, which are Serve's to
    validate: runtime_env, deployments, logging_config, ..."""

    import_path: str
    args: Mapping[str, Any] = field(default_factory=dict)
    rest: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Card:
    """What a flow's card says. ``content`` is all of it, as written; the rest is what we act on.

    ``pricing`` is None where the card says nothing of it; ``fixed`` are the amounts of a Fixed
    price, for show: the price that counts is the one in the registry. ``terms`` are further
    terms of the sale by their names in FlowTerms.
    """

    display: str | None = None
    description: str | None = None
    tags: tuple[str, ...] = ()
    agent_identifier: str | None = None
    pricing: Pricing | None = None
    fixed: tuple[Mapping[str, Any], ...] = ()
    demo: Mapping[str, Any] | None = None
    terms: Mapping[str, Any] = field(default_factory=dict)
    content: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sold_at(self) -> Pricing:
        """``pricing``, or what follows for an app whose author says nothing of a sale."""
        implied: Pricing = "Dynamic" if "price" in self.terms else "Fixed"
        return self.pricing or (implied if self.agent_identifier else "Free")

    @property
    def is_for_sale(self) -> bool:
        return self.pricing != "Free" and bool(self.agent_identifier or self.pricing)


def bootstrap_of(text: object, name: str) -> Bootstrap:
    """The application of the expose ``name``. Raises DocumentInvalid.

    Its name and route prefix follow from the expose: they may be said, but not otherwise.
    """
    what = "bootstrap"
    said = dict(_mapping(yamls.load(text, what), what))
    path = said.pop("import_path", None)
    if not isinstance(path, str) or not IMPORT_PATH.fullmatch(path):
        raise _wrong(what, "import_path must be package.module:attribute")
    for key, only in (("name", name), ("route_prefix", f"/{name}")):
        if said.pop(key, only) != only:
            raise _wrong(what, f"{key} follows from the expose: leave it out, or say {only}")
    args = said.pop("args", None) or {}
    if not isinstance(args, Mapping):
        raise _wrong(what, "args must be a mapping")
    for key, kind in (("runtime_env", dict), ("deployments", list)):
        if not isinstance(said.get(key, kind()), kind):
            raise _wrong(what, f"{key} must be a {'mapping' if kind is dict else 'list'}")
    return Bootstrap(path, args, said)


def card_of(text: object, url: str = "") -> Card:
    """The card in a flow's YAML; an empty text is an empty card. Raises DocumentInvalid."""
    what = f"meta {url} data" if url else "data"
    loaded = yamls.load(text if text is not None else "", what, CARD_CHARACTERS)
    said = _mapping({} if loaded is None else loaded, what)
    pricing, fixed = _pricing(said.get("agentPricing"), what)
    return Card(
        display=_text(said, "display", what),
        description=_text(said, "description", what),
        tags=_tags(said.get("tags"), what),
        agent_identifier=_agent(said, what),
        pricing=pricing,
        fixed=fixed,
        demo=_demo(said, what),
        terms=_terms(said, what),
        content=said,
    )


def card_template(flow: FoundFlow) -> str:
    """The card that a flow gets which nobody wrote one for: what its app says of it."""
    author = {"name": flow.author, "organization": flow.organization}
    said = {
        "display": flow.summary or flow.path,
        "description": flow.description,
        "tags": list(flow.tags),
        "author": {key: value for key, value in author.items() if value},
    }
    return yamls.dump({key: value for key, value in said.items() if value})


def _agent(said: Mapping[str, Any], what: str) -> str | None:
    named = _text(said, "agentIdentifier", what)
    try:
        return None if named is None else identity(named)
    except ValueError as error:
        raise _wrong(what, f"agentIdentifier: {error}") from error


def _pricing(given: object, what: str) -> tuple[Pricing | None, tuple[Mapping[str, Any], ...]]:
    """MIP-002: ``{pricingType: Fixed, fixedPricing: [{amount, unit}]}``."""
    if given is None:
        return None, ()
    said = _mapping(given, f"{what} agentPricing")
    kind = PRICING.get(str(said.get("pricingType", "")).lower())
    if kind is None:
        raise _wrong(what, "agentPricing.pricingType must be Fixed, Dynamic or Free")
    amounts = said.get("fixedPricing") or []
    if not isinstance(amounts, list) or not all(_is_amount(each) for each in amounts):
        raise _wrong(what, "agentPricing.fixedPricing must be a list of {amount, unit}")
    return kind, tuple(amounts)


def _is_amount(given: object) -> bool:
    if not isinstance(given, Mapping) or not isinstance(given.get("unit", ""), str):
        return False
    amount = given.get("amount")
    return not isinstance(amount, bool) and bool(re.fullmatch(r"[0-9]{1,20}", str(amount)))


def _terms(said: Mapping[str, Any], what: str) -> Mapping[str, Any]:
    terms = _optional_mapping(said, "terms", what) or {}
    if unknown := sorted(terms.keys() - TERMS):
        raise _wrong(what, f"terms.{unknown[0]} is none of {', '.join(sorted(TERMS))}")
    return terms


def _demo(said: Mapping[str, Any], what: str) -> Mapping[str, Any] | None:
    demo = said.get("demo")
    if demo is not None and not is_demo(demo):
        raise _wrong(what, DEMO_RULE)
    return demo


def _tags(given: object, what: str) -> tuple[str, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or not all(isinstance(tag, str | int | float) for tag in given):
        raise _wrong(what, "tags must be a list of texts")
    return tuple(str(tag) for tag in given)


def _text(said: Mapping[str, Any], key: str, what: str) -> str | None:
    value = said.get(key)
    if value is None or isinstance(value, str):
        return value
    raise _wrong(what, f"{key} must be a text: put it in quotes")


def _optional_mapping(said: Mapping[str, Any], key: str, what: str) -> Mapping[str, Any] | None:
    return None if said.get(key) is None else _mapping(said[key], f"{what} {key}")


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(what, "must be a mapping of YAML, as in `key: value`")
    return value


def _wrong(what: str, rule: str) -> DocumentInvalid:
    return DocumentInvalid(what, rule, 1, 1)
