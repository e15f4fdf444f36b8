"""Who may do what at the app's own address: the gateway's proof, and the terms of its flows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any

from masumi_sumi.errors import ConfigurationError, LoginRequired
from masumi_sumi.gateway_proof import (
    drop_internal_headers,
    drop_proof,
    find_client_address,
    has_valid_proof,
)
from masumi_sumi.plugin.terms import FlowTerms
from masumi_sumi.runtime.capture import Origin
from masumi_sumi.settings import Settings

PROVEN_KEY = "masumi_sumi.proven"
"""In the ASGI scope: whether the request comes from the gateway. ``x-sumi-*`` headers that reach
the app without it are only the two that change wording."""

OPEN_ACTIONS = frozenset({"status", "provide_input", "lock"})
"""What the id of a job opens. All else of a flow that asks for a login is for the gateway."""

Scope = MutableMapping[str, Any]


class Admission:
    """``find_terms`` gives the terms of all flows of the app, by their paths."""

    def __init__(self, settings: Settings, find_terms: Callable[[], Mapping[str, FlowTerms]]):
        self._settings, self._find_terms = settings, find_terms

    def admit(self, scope: Scope) -> Scope:
        """Return the scope with the proof checked and taken out. Without it, the headers that only
        the gateway may set are dropped; with it, ``client`` is the gateway's own caller.
        """
        headers = scope.get("headers") or ()
        proven = has_valid_proof(self._settings.app_secret.get_secret_value(), headers)
        kept = drop_proof(headers)
        if not proven:
            return {**scope, "headers": self._drop_untrusted(kept), PROVEN_KEY: False}
        address = find_client_address(kept)
        client = (address, 0) if address else scope.get("client")
        return {**scope, "headers": kept, "client": client, PROVEN_KEY: True}

    def check(self, scope: Scope, flow: str, action: str) -> None:
        """Raises LoginRequired where the flow is for those who are logged in at the gateway."""
        if scope.get(PROVEN_KEY) or action in OPEN_ACTIONS:
            return
        if self._find_terms()[flow].asks_for_login:
            raise LoginRequired(flow)

    def find_origin(self, scope: Scope) -> Origin:
        """Return how launches of this request are judged."""
        if scope.get(PROVEN_KEY) or self._settings.allow_direct_launch:
            return Origin.PROVEN
        if all(self._is_given_away(flow, terms) for flow, terms in self._find_terms().items()):
            return Origin.HARMLESS
        return Origin.STRANGER

    def is_given_away(self, flow: str) -> bool:
        """Tell whether anybody may start the flow at this path without paying."""
        terms = self._find_terms().get(flow)
        return terms is not None and self._is_given_away(flow, terms)

    def _is_given_away(self, flow: str, terms: FlowTerms) -> bool:
        try:
            return not terms.asks_for_login and terms.settle(flow, self._settings, None).free
        except ConfigurationError:
            return False

    def _drop_untrusted(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        if not self._settings.allow_direct_launch:
            return drop_internal_headers(headers, everything=False)
        panel = [each for each in headers if each[0].lower().startswith(b"x-kodosumi")]
        return drop_internal_headers(headers, everything=False) + panel
