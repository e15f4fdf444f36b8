"""What an operator asks an expose to be, checked; a document that is broken goes no further."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from masumi_sumi.errors import ExposeInvalid
from masumi_sumi.exposes.documents import bootstrap_of, card_of
from masumi_sumi.exposes.model import (
    FlowMeta,
    checked_name,
    checked_network,
    checked_url,
    flow_path,
)
from masumi_sumi.settings import Network

EVERYTHING = frozenset({"bootstrap", "display", "network", "enabled", "meta"})
READ_ONLY = frozenset(
    {"state", "heartbeat", "created", "updated", "flow_stats", "stale", "needs_reboot"}
) | {"last_error"}

MAX_FLOWS = 200
MAX_DISPLAY = 200


@dataclass(frozen=True, slots=True)
class Draft:
    """``said`` names the fields that are asked for; the others stay as they are.

    ``original_name`` is the expose to rename; None where the name stays. ``etag`` is that of the
    expose the draft was made from; None where whatever is there may be overwritten.
    """

    name: str
    bootstrap: str | None = None
    display: str | None = None
    network: Network | None = None
    enabled: bool = True
    meta: tuple[FlowMeta, ...] = ()
    original_name: str | None = None
    etag: str | None = None
    said: frozenset[str] = EVERYTHING


def draft_of(body: object) -> Draft:
    """The draft in a request's body. Raises ExposeInvalid, DocumentInvalid for broken YAML."""
    if not isinstance(body, Mapping):
        raise ExposeInvalid("body", "must be an object")
    known = EVERYTHING | READ_ONLY | {"name", "original_name", "etag"}
    if unknown := sorted(str(key) for key in body.keys() - known):
        raise ExposeInvalid(unknown[0], f"is no field of an expose; known are {sorted(known)}")
    name = checked_name(body.get("name"))
    original = body.get("original_name")
    return Draft(
        name=name,
        bootstrap=_bootstrap(body.get("bootstrap"), name),
        display=_text(body.get("display"), "display"),
        network=checked_network(body.get("network")),
        enabled=_flag(body.get("enabled"), "enabled"),
        meta=_meta(body.get("meta"), name),
        original_name=None if original is None else checked_name(original, "original_name"),
        etag=_text(body.get("etag"), "etag"),
        said=EVERYTHING & body.keys(),
    )


def renamed(meta: Sequence[FlowMeta], name: str) -> tuple[FlowMeta, ...]:
    """The cards of an expose that is named so now: no app of this name has told what it sells."""
    return tuple(replace(each, url=f"/{name}{flow_path(each.url)}", sale=None) for each in meta)


def _bootstrap(text: object, name: str) -> str | None:
    if text is None or (isinstance(text, str) and not text.strip()):
        return None
    bootstrap_of(text, name)
    return str(text)


def _meta(given: object, name: str) -> tuple[FlowMeta, ...]:
    if given is None:
        return ()
    if not isinstance(given, Sequence) or isinstance(given, str | bytes) or len(given) > MAX_FLOWS:
        raise ExposeInvalid("meta", f"must be a list of at most {MAX_FLOWS} flows")
    cards = tuple(_card(each, name) for each in given)
    paths = [flow_path(card.url) for card in cards]
    if twice := next((path for path in paths if paths.count(path) > 1), None):
        raise ExposeInvalid("meta", f"flow {twice} has two cards")
    return cards


def _card(given: object, name: str) -> FlowMeta:
    if not isinstance(given, Mapping):
        raise ExposeInvalid("meta", "each must be an object with url and data")
    known = {"url", "data", "enabled", "state", "heartbeat", "name"}
    if unknown := sorted(str(key) for key in given.keys() - known):
        raise ExposeInvalid("meta", f"{unknown[0]} is no field of a flow's card")
    url = checked_url(given.get("url"), name)
    data: Any = given.get("data")
    if data is not None:
        card_of(data, url)
    return FlowMeta(url=url, data=data, enabled=_flag(given.get("enabled"), "enabled"))


def _text(given: object, field: str) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str) or len(given) > MAX_DISPLAY or not (given + " ").isprintable():
        raise ExposeInvalid(field, f"must be a line of at most {MAX_DISPLAY} characters")
    return given


def _flag(given: object, field: str) -> bool:
    if given is None:
        return True
    if not isinstance(given, bool):
        raise ExposeInvalid(field, "must be true or false")
    return given
