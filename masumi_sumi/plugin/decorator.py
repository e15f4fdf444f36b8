"""``sumi``: the one name that an author needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from masumi_sumi.plugin.terms import FlowTerms

TERMS = "__masumi_sumi_terms__"

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Sumi:
    """``@sumi(...)`` on a flow carries its terms; ``@sumi.ingress(app)`` sells the app's flows.

    The function stays what it was: Kodosumi's lookups, the app's OpenAPI and ``serve.ingress``
    see no difference.
    """

    def __call__(self, **terms: Any) -> Callable[[Handler], Handler]:
        """Terms as in FlowTerms. Raises SettingInvalid at once for one that is not valid."""
        checked = FlowTerms.of("@sumi", terms)

        def carry(handler: Handler) -> Handler:
            setattr(handler, TERMS, checked)
            return handler

        return carry

    def ingress(self, app: Any, **terms: Any) -> Callable[[type], type]:
        """``serve.ingress(app)`` with SumiMiddleware around the app.

        ``terms`` hold for every flow of the app that says nothing itself.
        """
        checked = FlowTerms.of("@sumi.ingress", terms)

        def wrap(cls: type) -> type:
            from masumi_sumi.plugin.serving import with_middleware
            from masumi_sumi.runtime.serving import ingress

            return with_middleware(ingress(app, cls), {}, defaults=checked)

        return wrap


sumi = Sumi()


def terms_of(handler: Any) -> FlowTerms:
    found = getattr(handler, TERMS, None)
    return found if isinstance(found, FlowTerms) else FlowTerms()
