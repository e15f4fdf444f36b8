"""``sumi``: the one name that an author needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from masumi_sumi.plugin.terms import FlowTerms

TERMS = "__masumi_sumi_terms__"
FUNCTION = "__masumi_sumi_function__"

Sold = TypeVar("Sold")
Work = TypeVar("Work", bound=Callable[..., Any])


class Sumi:
    """``@sumi(...)`` on a flow carries its terms; ``@sumi.ingress(app)`` sells the app's flows, and
    ``sumi.bind(app)`` without a class; ``@sumi.flow(app, path)`` makes a flow of a function that
    takes a pydantic model.

    A function stays what it was: Kodosumi's lookups, the app's OpenAPI and ``serve.ingress`` see
    no difference.
    """

    def __call__(self, **terms: Any) -> Callable[[Sold], Sold]:
        """Terms as in FlowTerms, for what is decorated:

        a flow's function carries them; a Serve ingress class, a bound application or an app
        with flows gets SumiMiddleware around it, with the terms for every flow that says nothing
        itself. Raises SettingInvalid at once for a term that is not valid.
        """
        checked = FlowTerms.of("@sumi", terms)

        def carry(target: Any) -> Any:
            from masumi_sumi.plugin import serving
            from masumi_sumi.runtime.serving import serve_api_of

            if isinstance(target, type):
                return serving.with_middleware(target, {}, defaults=checked)
            if hasattr(target, "_bound_deployment"):
                return serving.sell(target, {}, defaults=checked)
            if serve_api_of(target) is not None:
                from masumi_sumi.plugin.middleware import SumiMiddleware

                return SumiMiddleware(target, defaults=checked)
            setattr(target, TERMS, checked)
            return target

        return carry

    def flow(
        self,
        app: Any,
        path: str = "/",
        *,
        summary: str | None = None,
        description: str | None = None,
        tags: Sequence[str] | None = None,
        author: str | None = None,
        organization: str | None = None,
        version: str | None = None,
        **terms: Any,
    ) -> Callable[[Work], Work]:
        """A flow of ``app``, Kodosumi's ServeAPI or a plain FastAPI app, from a function alone.

        The function takes one pydantic model, which becomes the form, and Kodosumi's Tracer if it
        wants one; what it returns is the result. ``terms`` as in FlowTerms. Summary and
        description come from its name and docstring unless they are said. Raises FunctionUnfit,
        FieldUnfit or SettingInvalid at once for what cannot be.
        """
        checked = FlowTerms.of("@sumi.flow", terms)
        about = {
            "summary": summary,
            "description": description,
            "tags": None if tags is None else list(tags),
            "author": author,
            "organization": organization,
            "version": version,
        }

        def add(function: Work) -> Work:
            from masumi_sumi.runtime.functions import add_flow

            handler = add_flow(app, path, function, about)
            setattr(handler, TERMS, checked)
            setattr(handler, FUNCTION, function)
            return function

        return add

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

    def bind(self, app: Any, name: str = "Agent", **terms: Any) -> Any:
        """The app as a bound Serve application: what ``serve run`` and ``masumi-sumi up`` take.

        For whoever needs no deployment class of their own. ``name`` is the deployment's; ``terms``
        as in ``ingress``.
        """
        from masumi_sumi.runtime.serving import bound

        return bound(self.ingress(app, **terms)(type(name, (), {})))


sumi = Sumi()


def terms_of(handler: Any) -> FlowTerms:
    """The author's: those of a flow, and where it says nothing those of its function."""
    found = getattr(handler, TERMS, None)
    said = found if isinstance(found, FlowTerms) else FlowTerms()
    function = getattr(handler, FUNCTION, None)
    return said if function is None else said.over(terms_of(function))
