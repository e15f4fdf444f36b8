"""What stands on the panel's address: our routes in front of Kodosumi's own panel.

``uvicorn masumi_sumi.gateway:create_app --factory``, or ``python -m masumi_sumi.gateway`` with
the environment of Kodosumi's ``serve``.
"""

from typing import Any


def create_app() -> Any:
    """The whole of it as one ASGI app, wired from the environment. Raises ConfigurationError."""
    from masumi_sumi.gateway.start import prepare

    prepare()
    from masumi_sumi.gateway.assembly import assemble

    return assemble()
