"""Exposes in a file that people write, as in examples/exposes.yaml, and what applying it changes.

    exposes:
      - name: prime
        network: Preprod
        bootstrap: {import_path: "examples.prime:fast_app"}
        flows:
          /: {display: Prime gaps, agentIdentifier: ...}

A field that is not in the file is left as it is, and so is a flow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from masumi_sumi.errors import DocumentInvalid, ExposeInvalid
from masumi_sumi.exposes import yamls
from masumi_sumi.exposes.drafts import Draft, draft_of
from masumi_sumi.exposes.model import FlowMeta, flow_path

FIELDS = ("name", "display", "network", "enabled", "bootstrap", "flows")
FILE_CHARACTERS = 1024 * 1024

Shown = Mapping[str, Any]
"""An expose as the HTTP API shows it, see ``expose_json``."""


@dataclass(frozen=True, slots=True)
class Change:
    """``body`` is what to POST for it; empty for unchanged and deleted. ``fields`` are those that
    differ."""

    name: str
    what: Literal["created", "changed", "unchanged", "deleted"]
    fields: tuple[str, ...] = ()
    body: Mapping[str, Any] | None = None


def read_exposes(text: str, file: str) -> tuple[Draft, ...]:
    """Raises ExposeInvalid, or DocumentInvalid with line and column."""
    said = yamls.load(text, file, FILE_CHARACTERS)
    if isinstance(said, Mapping) and "name" in said:
        said = {"exposes": [said]}
    listed = said.get("exposes") if isinstance(said, Mapping) else None
    if not isinstance(listed, list):
        raise DocumentInvalid(file, 'expected a list under "exposes"', 1, 1)
    drafts = tuple(_draft(each, f"{file}: expose {at}") for at, each in enumerate(listed, 1))
    names = [draft.name for draft in drafts]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise ExposeInvalid(file, f"expose {twice} is there twice")
    return drafts


def write_exposes(shown: Iterable[Shown]) -> str:
    """A file that, applied, changes nothing."""
    return yamls.dump({"exposes": [_written(each) for each in shown]})


def plan(drafts: Iterable[Draft], there: Iterable[Shown], *, prune: bool) -> tuple[Change, ...]:
    """What applying the drafts changes; ``prune`` deletes what is not among them."""
    shown = {str(each["name"]): each for each in there}
    changes = [_change(draft, shown.pop(draft.name, None)) for draft in drafts]
    return (*changes, *(Change(name, "deleted") for name in shown if prune))


def _draft(said: object, where: str) -> Draft:
    if not isinstance(said, Mapping):
        raise ExposeInvalid(where, "must be a mapping with a name")
    where = f"{where} ({said.get('name')})"
    if unknown := [key for key in said if key not in FIELDS]:
        raise ExposeInvalid(where, f"{unknown[0]} is no field; known are {', '.join(FIELDS)}")
    body = {key: value for key, value in said.items() if key != "flows"}
    if "bootstrap" in said:
        body["bootstrap"] = _document(said["bootstrap"])
    if "flows" in said:
        body["meta"] = _cards(said["flows"] or {}, said.get("name"), where)
    try:
        return draft_of(body)
    except ExposeInvalid as error:
        raise ExposeInvalid(where, str(error)) from error


def _cards(flows: object, name: object, where: str) -> list[dict[str, Any]]:
    if not isinstance(flows, Mapping) or not all(path.startswith("/") for path in flows):
        raise ExposeInvalid(where, "flows must be a mapping by path: /, /async, ...")
    return [_card(card, f"/{name}{path}") for path, card in flows.items()]


def _card(card: object, url: str) -> dict[str, Any]:
    if not isinstance(card, Mapping):
        return {"url": url, "data": _document(card)}
    said = {key: value for key, value in card.items() if key != "enabled"}
    return {"url": url, "data": _document(said), "enabled": card.get("enabled", True)}


def _document(said: object) -> Any:
    return yamls.dump(said) if isinstance(said, Mapping) else said


def _change(draft: Draft, shown: Shown | None) -> Change:
    body = _body(draft)
    if shown is None:
        return Change(draft.name, "created", tuple(sorted(draft.said)), body)
    differing = tuple(field for field in sorted(draft.said) if not _same(field, draft, shown))
    if not differing:
        return Change(draft.name, "unchanged")
    if "meta" in body:
        body["meta"] += _others(draft, shown)
    return Change(draft.name, "changed", differing, {**body, "etag": shown["etag"]})


def _body(draft: Draft) -> dict[str, Any]:
    plain = {name: getattr(draft, name) for name in sorted(draft.said) if name != "meta"}
    if "meta" in draft.said:
        plain["meta"] = [_sent(card.url, card.data, card.enabled) for card in draft.meta]
    return {"name": draft.name, **plain}


def _others(draft: Draft, shown: Shown) -> list[dict[str, Any]]:
    ours = {flow_path(card.url) for card in draft.meta}
    there = shown["meta"] or []
    return [
        _sent(card["url"], card["data"], card["enabled"])
        for card in there
        if flow_path(card["url"]) not in ours
    ]


def _sent(url: str, data: str | None, enabled: bool) -> dict[str, Any]:
    return {"url": url, "data": data, "enabled": enabled}


def _same(field: str, draft: Draft, shown: Shown) -> bool:
    if field == "bootstrap":
        return bool(_value(draft.bootstrap) == _value(shown["bootstrap"]))
    if field != "meta":
        return bool(getattr(draft, field) == shown[field])
    there = {flow_path(card["url"]): card for card in shown["meta"] or []}
    return all(_same_card(card, there.get(flow_path(card.url))) for card in draft.meta)


def _same_card(card: FlowMeta, there: Mapping[str, Any] | None) -> bool:
    if there is None or there["enabled"] != card.enabled:
        return False
    return bool((_value(there["data"]) or {}) == (_value(card.data) or {}))


def _value(text: str | None) -> Any:
    """What a document says: how it is written makes no difference."""
    return yamls.load(text or "", "document")


def _written(shown: Shown) -> dict[str, Any]:
    said = {key: shown[key] for key in ("name", "display", "network") if shown[key] is not None}
    if not shown["enabled"]:
        said["enabled"] = False
    if shown["bootstrap"]:
        said["bootstrap"] = _value(shown["bootstrap"])
    if shown["meta"]:
        said["flows"] = {flow_path(card["url"]): _written_card(card) for card in shown["meta"]}
    return said


def _written_card(card: Mapping[str, Any]) -> dict[str, Any]:
    disabled = {} if card["enabled"] else {"enabled": False}
    return {**disabled, **(_value(card["data"]) or {})}
