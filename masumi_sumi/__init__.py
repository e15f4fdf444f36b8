"""Sell any Kodosumi agent on the Masumi network."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from masumi_sumi.flows import File, Files
    from masumi_sumi.plugin import FlowTerms, SumiMiddleware, application, sumi
    from masumi_sumi.runtime import elements as forms

__all__ = ["File", "Files", "FlowTerms", "SumiMiddleware", "application", "forms", "sumi"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "forms":
        from masumi_sumi.runtime import elements

        return elements
    from masumi_sumi import flows, plugin

    if name in ("File", "Files"):
        return getattr(flows, name)
    return getattr(plugin, name)
