"""``sumi``: the one name that an author needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from masumi_sumi.plugin.terms import FlowTerms

TERMS = "__masumi_sumi_terms__"

Sold = TypeVar("Sold")


class Sumi:
    """``@sumi(...)`` on a flow carries its terms; ``@sumi.ingress(app)`` sells the app's flows.

    A function stays what it was: Kodosumi's lookups, the app's OpenAPI and ``serve.ingress`` see
    no difference.
    """

    def __call__(self, **terms: Any) -> Callable[[Sold], Sold]:
        """Terms as in FlowTerms, for what is decorated:

        a flow's function carries them; a Serve ingress class, a bound application or a ServeAPI
        app gets SumiMiddleware around it, with the terms for every flow that says nothing itself.
        Raises SettingInvalid at once for a term that is not valid.
        """
        checked = FlowTerms.of("@sumi", terms)

        def carry(target: Any) -> Any:
            from masumi_sumi.plugin import serving

            if isinstance(target, type):
                return serving.with_middleware(target, {}, defaults=checked)
            if hasattr(target, "_bound_deployment"):
                return serving.sell(target, {}, defaults=checked)
            if hasattr(target, "_route_lookup"):
                from masumi_sumi.plugin.middleware import SumiMiddleware

                return SumiMiddleware(target, defaults=checked)
            setattr(target, TERMS, checked)
            return target

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
