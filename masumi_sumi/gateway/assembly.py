"""The gateway wired from settings."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

from dotenv import dotenv_values
from starlette.routing import Route
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from masumi_sumi import compose, ray_token
from masumi_sumi.errors import SellerUnavailable
from masumi_sumi.exposes import Boot, ExposeBook, OpenApiFinder, Serve, ServeConfig
from masumi_sumi.faces.body import BodyLimits
from masumi_sumi.gateway.access import Access
from masumi_sumi.gateway.app import Gateway
from masumi_sumi.gateway.buyer_executions import OperatorView
from masumi_sumi.gateway.buyers import SumiRoutes
from masumi_sumi.gateway.catalogue import Catalogue
from masumi_sumi.gateway.cookies import ProtectCookies
from masumi_sumi.gateway.cross_site import Origins
from masumi_sumi.gateway.executions import Life
from masumi_sumi.gateway.exposes import ExposeRoutes
from masumi_sumi.gateway.jobs import HiredJobs
from masumi_sumi.gateway.known_secrets import RefuseStrangers
from masumi_sumi.gateway.login_limit import LoginLimit
from masumi_sumi.gateway.mip003 import Mip003Routes
from masumi_sumi.gateway.outputs import CancelBeforeArchive
from masumi_sumi.gateway.page_policy import PagePolicy
from masumi_sumi.gateway.panel import Panel, has_runner
from masumi_sumi.gateway.panel_border import PanelBorder, PanelRoutes, find_own_url
from masumi_sumi.gateway.proofs import AppProofs, DropInternalHeaders
from masumi_sumi.gateway.replica import Replica
from masumi_sumi.gateway.request_checks import RequestChecks
from masumi_sumi.jobs.ports import JobReader
from masumi_sumi.panel_secrets import find_earlier_passwords, find_set_weaknesses
from masumi_sumi.settings import ENV_FILE, Settings


def assemble() -> Any:
    """Return the gateway as an ASGI app. Raises ConfigurationError naming the setting.

    ``scope["client"]`` is the caller, also behind a proxy that is trusted.
    """
    parts = compose.gateway_parts()
    proofs = AppProofs(parts.master_secret, parts.settings)
    panel = Panel(partial(life, parts.jobs), parts.jobs, proofs.sign)
    access = Access(panel.caller)
    given = parts.settings
    origins = Origins.of(panel.listens_at, given.public_url, panel.cors_origins)
    own_url = find_own_url(panel.listens_at, given.public_url)
    border = PanelBorder(LoginLimit(panel.app), own_url, origins.allowed, PanelRoutes(panel.routes))
    shown = OperatorView(border, access, panel.executions)
    guarded = CancelBeforeArchive(shown, access, parts.jobs, parts.cancel, panel.waiting.is_written)
    gateway = Gateway(guarded, partial(routes, parts, panel, access, proofs))
    limits = BodyLimits(given.body_bytes, given.body_seconds)
    checks = RequestChecks(gateway, access, origins, limits, given.upload_bytes)
    inside: Any = PagePolicy(DropInternalHeaders(checks))
    inside = ProtectCookies(inside, secure=given.public_url.startswith("https://"))
    weaknesses = list(find_set_weaknesses(os.environ, dotenv_values(ENV_FILE)))
    inside = RefuseStrangers(inside, weaknesses)
    return ProxyHeadersMiddleware(inside, trusted_hosts=given.proxy_networks)


@asynccontextmanager
async def routes(
    parts: compose.GatewayParts, panel: Panel, access: Access, proofs: AppProofs
) -> AsyncIterator[list[Route]]:
    given, clock = parts.settings, parts.clock
    async with AsyncExitStack() as stack:
        stack.push_async_callback(parts.aclose)
        await panel.set_admin_password(find_earlier_passwords(given.data_dir))
        stack.push_async_callback(proofs.aclose)
        book = await stack.enter_async_context(
            await ExposeBook.open(given.expose_database_url, clock)
        )
        serve, finder = _serve(panel, given), OpenApiFinder(sign=proofs.sign)
        limits = BodyLimits(given.body_bytes, given.body_seconds)
        replica = Replica(ServeConfig.read(given).url, sign=proofs.sign, limits=limits)
        own_url = find_own_url(panel.listens_at, given.public_url)
        boot = Boot(
            book,
            serve,
            finder,
            panel,
            clock,
            timeout=given.boot_timeout,
            master_secret=parts.master_secret,
        )
        for part in (replica, finder, serve, boot):
            stack.push_async_callback(part.aclose)
        catalogue = Catalogue(book)
        jobs = HiredJobs(parts.jobs, replica, catalogue, access, clock)
        yield [
            *ExposeRoutes(book, boot, access, limits).routes(),
            *SumiRoutes(catalogue, access, replica, jobs, given.public_url or own_url).routes(),
            *Mip003Routes(catalogue, access, replica, jobs, given.public_url).routes(),
        ]


def _serve(panel: Panel, settings: Settings) -> Serve:
    headers = ray_token.get_auth_headers(os.environ)
    return Serve(panel.ray_dashboard, settings, headers=headers)


async def life(reader: JobReader, execution_id: str) -> Life:
    """Jobs of ours wait without a runner; what is none of ours lives as long as its runner."""
    try:
        job = await reader.job(execution_id)
    except SellerUnavailable:
        return "live"
    if job is not None:
        return "over" if job.state.ended else "live"
    return "live" if await has_runner(execution_id) else "lost"
