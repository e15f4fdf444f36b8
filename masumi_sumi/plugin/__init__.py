"""How an app is sold: ``sumi``, ``SumiMiddleware``, and the Serve application builder."""

from typing import TYPE_CHECKING, Any

from masumi_sumi.plugin.decorator import sumi
from masumi_sumi.plugin.serving import application
from masumi_sumi.plugin.terms import FlowTerms

if TYPE_CHECKING:
    from masumi_sumi.plugin.middleware import SumiMiddleware

__all__ = ["FlowTerms", "SumiMiddleware", "application", "sumi"]


def __getattr__(name: str) -> Any:
    """The middleware brings Ray and Kodosumi along; a decorated function does not need it."""
    if name != "SumiMiddleware":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from masumi_sumi.plugin.middleware import SumiMiddleware

    return SumiMiddleware
