"""Sell an app that knows nothing of it: a Ray Serve application builder.

In a Serve config::

    import_path: masumi_sumi.plugin:application
    args:
      target: some.module:fast_app     # a bound application, or a builder
      target_args: {}                  # for a builder
      flows: {"/": {agent_identifier: ..., network: Preprod}}
"""

# No postponed annotations here: Serve reads the builder's own to validate its args.

import inspect
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pydantic import BaseModel, ConfigDict

from masumi_sumi.errors import SettingInvalid
from masumi_sumi.plugin.terms import FlowTerms
from masumi_sumi.runtime.serving import around_application, around_class

WRAPPED = "__masumi_sumi_wrapped__"


class ApplicationArgs(BaseModel):
    """``flows``: the operator's terms by flow path, ``"*"`` for all; see FlowTerms."""

    model_config = ConfigDict(extra="forbid")

    target: str
    target_args: dict[str, Any] = {}
    flows: dict[str, dict[str, Any]] = {}
    app_url: str = ""


def application(args: ApplicationArgs) -> Any:
    """The target application with SumiMiddleware around its ingress; the rest as it was."""
    terms = {flow: FlowTerms.of(f"flow {flow}", said) for flow, said in args.flows.items()}
    return sell(_load(args.target, args.target_args), terms, app_url=args.app_url)


def sell(
    app: Any,
    flows: Mapping[str, FlowTerms],
    *,
    defaults: FlowTerms | None = None,
    app_url: str = "",
) -> Any:
    """A bound Serve application, wrapped. Names, options, arguments and the graph stay."""
    return around_application(
        app, lambda cls: with_middleware(cls, flows, defaults=defaults, app_url=app_url)
    )


def with_middleware(
    cls: type,
    flows: Mapping[str, FlowTerms],
    *,
    defaults: FlowTerms | None = None,
    app_url: str = "",
) -> type:
    """An ASGI ingress class whose requests pass SumiMiddleware.

    ``flows`` are an operator's terms, ``defaults`` the author's for the whole app. Wrapping a
    wrapped class keeps its defaults and puts the operator's terms over them.
    """
    inner, said = getattr(cls, WRAPPED, (cls, FlowTerms()))
    defaults = defaults or said

    def wrap(call: Any, app: Any) -> Any:
        from masumi_sumi.plugin.middleware import SumiMiddleware

        return SumiMiddleware(call, api=app, flows=flows, defaults=defaults, app_url=app_url)

    ingress = around_class(inner, wrap)
    setattr(ingress, WRAPPED, (inner, defaults))
    return ingress


def _load(target: str, target_args: dict[str, Any]) -> Any:
    """A bound application. Raises SettingInvalid when the import path is none."""
    module, colon, attribute = target.partition(":")
    if not colon or not attribute:
        raise SettingInvalid("target", target, "expected package.module:attribute")
    found: Any = import_module(module)
    for name in attribute.split("."):
        found = getattr(found, name)
    if hasattr(found, "_bound_deployment"):
        return found
    if not callable(found):
        raise SettingInvalid("target", target, "is neither an application nor a builder")
    return _built(found, target_args)


def _built(builder: Any, given: dict[str, Any]) -> Any:
    """Call an application builder as Serve does: with its annotated model, a dict, or nothing."""
    parameters = list(inspect.signature(builder).parameters.values())
    if not parameters:
        return builder()
    wanted = inspect.get_annotations(builder, eval_str=True).get(parameters[0].name)
    if inspect.isclass(wanted) and issubclass(wanted, BaseModel):
        return builder(wanted.model_validate(given))
    return builder(given)
