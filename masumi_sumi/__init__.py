"""Sell any Kodosumi agent on the Masumi network."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from masumi_sumi.plugin import FlowTerms, SumiMiddleware, application, sumi

__all__ = ["FlowTerms", "SumiMiddleware", "application", "sumi"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from masumi_sumi import plugin

    return getattr(plugin, name)
