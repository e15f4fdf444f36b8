"""Ray Serve applications with an ASGI middleware put around their ingress, nothing else changed."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

ASGIApp = Callable[[Any, Any, Any], Awaitable[None]]


class Middleware(Protocol):
    def check(self) -> None:
        """Raises when the app must not be served like this; the deployment fails then."""
        ...

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...


REQUEST_LIMITS = {"max_ongoing_requests": 400, "max_queued_requests": 100}
"""How many requests a replica takes at once, and how many may wait at each proxy; beyond that Serve
answers 503. With Serve's default of 5, five slow strangers would hold up all the others.
"""

Wrap = Callable[[ASGIApp, Any], Middleware]
"""(what takes the requests, the ASGI app inside it) -> the middleware."""


BESIDE = "masumi_sumi_flows"
"""Where the state of a plain FastAPI app has what keeps its flows."""


def serve_api_of(app: Any) -> Any:
    """What keeps the flows of an app: a ServeAPI itself, or what stands beside a FastAPI app.

    None for anything else, also for a FastAPI app without flows.
    """
    if hasattr(app, "_route_lookup"):
        return app
    return getattr(getattr(app, "state", None), BESIDE, None)


def ingress(app: Any, cls: type) -> type:
    """``serve.ingress`` of Ray."""
    from ray import serve

    found: type = serve.ingress(app)(cls)
    return found


def bound(cls: type) -> Any:
    """An application of one deployment of an ingress class."""
    from ray import serve

    return serve.deployment(cls, **REQUEST_LIMITS).bind()


def around_class(cls: Any, wrap: Wrap) -> type:
    """An ASGI ingress class whose requests pass a middleware first."""

    class SumiIngress(cls):
        async def __init__(self, *args: Any, **kwargs: Any) -> None:  # type: ignore[misc]
            made = super().__init__(*args, **kwargs)  # Serve wants this one async; that one may be
            if inspect.isawaitable(made):
                await made
            self.__middleware = wrap(super().__call__, self.app)
            self.__middleware.check()

        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            await self.__middleware(scope, receive, send)

    SumiIngress.__name__, SumiIngress.__qualname__ = cls.__name__, cls.__qualname__
    return SumiIngress


def around_application(app: Any, change: Callable[[type], type]) -> Any:
    """A bound application with its ingress class changed; names, options and graph stay, and what
    the author does not say of requests at once becomes REQUEST_LIMITS.
    """
    deployment = app._bound_deployment  # the one private name that cannot be avoided
    changed = change(deployment.func_or_class)
    options = deployment.options(func_or_class=changed, **_limits_unsaid(deployment))
    return options.bind(*deployment.init_args, **deployment.init_kwargs)


def _limits_unsaid(deployment: Any) -> dict[str, int]:
    """The limits for which the author gives no value of their own."""
    config = getattr(deployment, "_deployment_config", None)
    said: set[str] = getattr(config, "user_configured_option_names", set())
    return {name: limit for name, limit in REQUEST_LIMITS.items() if name not in said}
