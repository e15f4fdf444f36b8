"""What Ray Serve is given for an expose: its application, wrapped so that its flows can be sold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from masumi_sumi.exposes.book import Deployment
from masumi_sumi.exposes.documents import Card, bootstrap_of, card_of
from masumi_sumi.exposes.model import Expose, flow_path

BUILDER = "masumi_sumi.plugin:application"
EVERY_FLOW = "*"
LOGIN, UNLESS_SOLD = "login", "login_unless_sold"
"""Who may start the flows of an expose without a network; see ``FlowTerms.access``."""

REVISION = "SUMI_REVISION"
"""An environment variable that nobody reads: another value makes Serve start the app anew."""


def planned(expose: Expose, before: Deployment | None, *, anew: bool) -> Deployment:
    """What to give to Ray Serve now. ``anew``: even if that is what it was given before, for
    which Serve would do nothing.

    Raises DocumentInvalid.
    """
    revision = before.revision if before else 0
    now = Deployment(str(expose.bootstrap), serve_document(expose, revision), revision)
    if anew and before is not None and before.document == now.document:
        document = serve_document(expose, revision + 1)
        return replace(now, document=document, revision=revision + 1)
    return now


def serve_document(expose: Expose, revision: int = 0) -> dict[str, Any]:
    """An application of Ray Serve's configuration. Raises DocumentInvalid."""
    said = bootstrap_of(expose.bootstrap, expose.name)
    args: dict[str, Any] = {"target": said.import_path}
    if said.args:
        args["target_args"] = dict(said.args)
    if flows := flow_terms(expose):
        args["flows"] = flows
    return {
        "name": expose.name,
        "route_prefix": f"/{expose.name}",
        "import_path": BUILDER,
        "args": args,
        **_revised(said.rest, revision),
    }


def flow_terms(expose: Expose) -> dict[str, dict[str, Any]]:
    """The operator's terms by flow path, as FlowTerms reads them.

    A path is given with and without a slash at its end: the two are one address to people, and
    terms that miss their flow by a slash would give its work away.
    """
    for_all = {"network": expose.network} if expose.network else {"access": UNLESS_SOLD}
    terms: dict[str, dict[str, Any]] = {EVERY_FLOW: dict(for_all)}
    for meta in expose.meta:
        if said := _terms(card_of(meta.data, meta.url)):
            path = flow_path(meta.url)
            for spelling in {path, f"{path.rstrip('/')}/"}:
                terms[spelling] = {**said, **for_all, **_closed(expose, said)}
    return dict(sorted(terms.items()))


def _closed(expose: Expose, said: Mapping[str, Any]) -> dict[str, str]:
    """What a card makes free is sold to nobody, whatever its author says."""
    return {"access": LOGIN} if expose.network is None and said.get("pricing") == "Free" else {}


def _terms(card: Card) -> dict[str, Any]:
    said = {
        "agent_identifier": card.agent_identifier,
        "pricing": card.pricing,
        "demo": card.demo,
        **card.terms,
    }
    return {name: value for name, value in said.items() if value is not None}


def _revised(rest: Mapping[str, Any], revision: int) -> dict[str, Any]:
    if not revision:
        return dict(rest)
    environment = rest.get("runtime_env") or {}
    variables = {**(environment.get("env_vars") or {}), REVISION: str(revision)}
    return {**rest, "runtime_env": {**environment, "env_vars": variables}}
