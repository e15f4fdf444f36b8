"""Settings in, wired parts out: the only reader of settings.

``python -m masumi_sumi.compose supervisor`` makes sure that the Ray cluster at KODO_RAY_SERVER
has its supervisor.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Mapping
from contextlib import AbstractContextManager
from functools import cache, partial
from pathlib import Path
from typing import Any

from masumi_sumi import logs, ray_token
from masumi_sumi.clock import Clock, SystemClock
from masumi_sumi.db import database_url
from masumi_sumi.errors import ConfigurationError
from masumi_sumi.gateway_proof import APP_SECRET
from masumi_sumi.jobs.policy import Policy
from masumi_sumi.jobs.reconcile import Reconciler
from masumi_sumi.jobs.service import JobService
from masumi_sumi.jobs.starts import StartLimit
from masumi_sumi.jobs.store import SqlJobReader, SqlJobStore
from masumi_sumi.payments import statements
from masumi_sumi.payments.escrow import NodeEscrow
from masumi_sumi.payments.statements import Statement
from masumi_sumi.private_files import UMASK
from masumi_sumi.runtime import capture, cluster, supervisor
from masumi_sumi.runtime.agent import KodosumiAgent, flows_of
from masumi_sumi.runtime.downloads import Downloads, FileRules
from masumi_sumi.runtime.journal import ExecutionJournal
from masumi_sumi.runtime.launcher import RayLauncher
from masumi_sumi.runtime.near_reader import NearReader
from masumi_sumi.runtime.operators import BuyerUser
from masumi_sumi.runtime.supervision import RaySupervision
from masumi_sumi.secret_files import find_secrets, get_gateway_secret
from masumi_sumi.settings import Settings
from masumi_sumi.signing import AgentKey, Taken

_SECRETS_OF_KODOSUMI = ("KODO_SECRET_KEY", "KODO_ADMIN_PASSWORD", "KODOSUMI_API_KEY")

__all__ = [
    "AppParts",
    "GatewayParts",
    "NearReader",
    "app_parts",
    "flows_of",
    "gateway_parts",
    "settings",
    "start_supervisor",
]

log = logging.getLogger(__name__)

READY_TIMEOUT = 60.0
DAY = 86_400.0

BUILD_TIMEOUT = 600.0
"""Seconds that Ray itself gives the building of a runtime environment."""


@cache
def settings() -> Settings:
    """Raises ConfigurationError naming the setting."""
    return Settings()


class AppParts:
    """What the plugin needs inside an app's replica; opened when the first request comes."""

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        self.settings = settings
        self._clock = clock or SystemClock()
        self._since = self._clock.now()
        self._reader: SqlJobReader | None = None
        self._supervision = RaySupervision(settings.start_timeout, self._clock)

    def uptime(self) -> float:
        return self._clock.now() - self._since

    def public_key(self) -> str:
        """Return the key that answers are signed with, or an empty text. Raises SettingInvalid.

        The supervisor holds the key itself: an author's code could read what its replica knows.
        """
        if self.settings.agent_public_key:
            return self.settings.agent_public_key
        key = AgentKey.of(self.settings.agent_key.get_secret_value())
        return key.public_key if key else ""

    def statements(self) -> Mapping[str, Statement]:
        """Wallets' words for the key, by agent; of those for a key before it, none.

        Raises SettingInvalid.
        """
        public_key, file = self.public_key(), self._get_statements_file()
        if not public_key or file is None:
            return {}
        return statements.about(public_key, statements.kept(file))

    def _get_statements_file(self) -> Path | None:
        if self.settings.agent_statements:
            return Path(self.settings.agent_statements)
        key = Path(self.settings.agent_key.get_secret_value())
        return statements.file_of(key) if key.is_absolute() else None

    async def sign(self, taken: Taken, network: str) -> str:
        return await self._supervision.sign(taken, network, self.public_key())

    def app_url(self, root_path: str) -> str:
        return f"http://{self.settings.host}:{self.settings.serve_port}{root_path}"

    def agent(self, app: Any, api: Any, app_url: str) -> KodosumiAgent:
        downloads = Downloads(_file_rules(self.settings))
        return KodosumiAgent(app, api, app_url, downloads, self.settings.max_launch_bytes)

    def capture_launches(self) -> None:
        capture.install()

    def coming_from(self, origin: capture.Origin) -> AbstractContextManager[None]:
        return capture.coming_from(origin)

    async def service(self, agent: KodosumiAgent) -> JobService:
        supervision = self._supervision
        self._reader = await SqlJobReader.open(self.settings.database_url)
        reader = NearReader(self._reader, supervision)
        token = partial(secrets.token_hex, 8)
        timeout = self.settings.start_timeout
        starts = StartLimit(self.settings.max_starts)
        return JobService(agent, supervision, reader, self._clock, token, timeout, starts)

    async def aclose(self) -> None:
        if self._reader is not None:
            await self._reader.aclose()


def app_parts() -> AppParts:
    given = settings()
    logs.show()
    logs.hide_secrets(given.secret_values)
    parts = AppParts(given)
    os.environ.pop(APP_SECRET, None)  # what the author's code shows of its environment has it not
    return parts


class GatewayParts:
    """What the gateway needs beside the panel. ``aclose`` when it ends."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.clock = settings, SystemClock()
        self.master_secret = get_gateway_secret(settings)
        self._near, supervision = (
            SqlJobReader(database_url(settings.database_url)),
            RaySupervision(settings.start_timeout, self.clock),
        )
        self.jobs = NearReader(self._near, supervision)
        self.cancel = supervision.cancel

    async def aclose(self) -> None:
        await self._near.aclose()


def gateway_parts() -> GatewayParts:
    given = settings()
    parts = GatewayParts(given)
    _show_logs(given)
    return parts


def _show_logs(given: Settings) -> None:
    """Log without the secrets of the settings, of the data folder and of Kodosumi."""
    logs.show()
    kodosumi = {os.environ.get(name, "") for name in _SECRETS_OF_KODOSUMI}
    logs.hide_secrets(given.secret_values | find_secrets(given.data_dir) | kodosumi)
    key = Path(given.agent_key.get_secret_value())
    try:
        logs.hide_secrets([key.read_text().strip()] if key.is_absolute() else [])
    except (OSError, UnicodeDecodeError):  # what cannot be read cannot be logged either
        return


def _file_rules(given: Settings) -> FileRules:
    return FileRules(given.file_bytes, given.file_seconds, given.inner_file_hosts)


async def _build_works(given: Settings) -> supervisor.Works:
    _show_logs(given)
    clock = SystemClock()
    store = await SqlJobStore.open(given.database_url, clock)
    journal = ExecutionJournal(cluster.exec_dir(), clock)
    escrow = NodeEscrow(given.nodes, clock, open_timeout=given.start_timeout)
    policy = Policy(
        runners_at_once=given.runners_at_once,
        launches_at_once=given.launches_at_once,
        runners_per_app=given.max_runners_per_app,
        free_at_once=given.max_free_runners,
        free_queue=given.max_free_queue,
        free_run_seconds=given.free_run_seconds,
        launch_timeout=given.launch_timeout,
        build_timeout=max(given.launch_timeout, BUILD_TIMEOUT),
        result_form=given.result_hash,
        polls={network: node.poll for network, node in given.nodes.items()},
        start_timeout=given.start_timeout,
        openings_at_once=given.max_openings,
        unpaid_per_flow=given.max_unpaid_per_flow,
        unpaid_per_address=given.max_unpaid_per_address,
        keep_unpaid_seconds=given.keep_unpaid_days * DAY,
        keep_free_seconds=given.keep_free_days * DAY,
    )
    key = _find_agent_key(given)
    launcher = RayLauncher(journal, _file_rules(given))
    reconciler = Reconciler(store, escrow, launcher, journal, clock, policy)
    return supervisor.Works(
        store, reconciler, launcher, BuyerUser(given.buyer_user), clock.now, key
    )


def _find_agent_key(given: Settings) -> AgentKey | None:
    """Return the key, and None when it was lost since the start: results must go out without it."""
    try:
        return AgentKey.of(given.agent_key.get_secret_value())
    except ConfigurationError as error:
        log.error("answers are not signed any more", extra={"note": str(error)})
        return None


def start_supervisor(given: Settings) -> str:
    """The supervisor's process id, once it answers. Needs a connection to Ray."""
    return supervisor.ensure(partial(_build_works, given), READY_TIMEOUT)


def main() -> None:
    logs.show()
    given = settings()
    AgentKey.of(given.agent_key.get_secret_value())
    given.require_tokens()
    os.umask(UMASK)
    given.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.environ.get(ray_token.MODE) != "token":
        log.warning("Ray runs without a token: whoever reaches its ports can run code here")
    with cluster.connected():
        print(f"supervisor: pid {start_supervisor(given)}")


if __name__ == "__main__":
    main()
