"""Keep what one request does from changing what another one sees of a flow.

Kodosumi's ``Launch(summary=..., description=...)`` writes these texts into the facts that the app
has of the flow, and a ``Select`` that reads an answer marks it as the chosen option of the form.
Both would show one buyer's words to all others.
"""

from __future__ import annotations

from typing import Any

from kodosumi.core import ServeAPI, forms

_LOOKUP = "_method_lookup"


class FlowFacts(dict[Any, Any]):
    """What an app knows of its flows, by their handlers. ``get`` is what ``Launch()`` writes to."""

    def get(self, handler: Any, default: Any = None) -> Any:
        """Return a copy, which is the caller's own."""
        facts = super().get(handler, default)
        return dict(facts) if isinstance(facts, dict) else facts


def protect(app: Any) -> None:
    """Protect the flows of this app. Call it again for flows that came later.

    The first call protects the facts of all apps of the process, also of those inside of others.
    """
    if not isinstance(ServeAPI.__dict__.get(_LOOKUP), property):
        setattr(ServeAPI, _LOOKUP, property(_read_facts, _write_facts))
    for facts in app._method_lookup.values():
        for element in getattr(facts.get("model"), "children", ()):
            if isinstance(element, forms.Select):
                element.parse_value = _parse_choice


def _read_facts(app: Any) -> FlowFacts:
    facts = app.__dict__[_LOOKUP]
    if not isinstance(facts, FlowFacts):
        facts = app.__dict__[_LOOKUP] = FlowFacts(facts)
    return facts


def _write_facts(app: Any, facts: dict[Any, Any]) -> None:
    app.__dict__[_LOOKUP] = FlowFacts(facts)


def _parse_choice(value: Any) -> Any:
    """Read a choice, and leave the form as it is."""
    return value
