"""``masumi-sumi app-secret``: what an app is told that is deployed by other means than ours."""

from __future__ import annotations

from typing import Annotated

import typer


def app_secret(
    route_prefix: Annotated[str, typer.Argument(help="Of the app on Ray Serve: / or /NAME.")],
) -> None:
    """Print SUMI_APP_SECRET for an app that was not deployed with masumi-sumi.

    Put it into the runtime_env.env_vars of its application in Ray Serve's YAML, and of no other.
    """
    from masumi_sumi.cli.foreground import load
    from masumi_sumi.errors import SettingInvalid
    from masumi_sumi.gateway_proof import derive_app_secret
    from masumi_sumi.secret_files import get_gateway_secret

    if not route_prefix.startswith("/"):
        raise SettingInvalid(
            "ROUTE_PREFIX", route_prefix, "expected / or /NAME, as Ray Serve has it"
        )
    print(derive_app_secret(get_gateway_secret(load()), route_prefix))
