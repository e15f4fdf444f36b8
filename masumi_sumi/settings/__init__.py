"""What an operator can set, and nothing else: read once by ``compose``, handed on as values.

Every setting is an environment variable with the prefix ``SUMI_`` (or a line in ``.env``).
``KODO_MASUMI0`` to ``KODO_MASUMI9`` are read too, from the same places:
``KODO_MASUMI0="Preprod URL TOKEN [pay_by] [submit_by] [poll]"``, times in seconds.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import unquote, urlsplit

import psutil
from dotenv import dotenv_values
from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from masumi_sumi.errors import NodeNotConfigured, SettingInvalid
from masumi_sumi.settings.addresses import is_http_url, parse_proxies, parse_public_url
from masumi_sumi.settings.deadlines import NODE_MARGIN, Deadlines
from masumi_sumi.settings.nodes import (
    HIDDEN,
    SANDBOX_TOKEN,
    SANDBOX_URL,
    Network,
    NodeSettings,
    first_fault,
    kodo_lines,
    nodes_in_lines,
    nodes_of,
    parse_node_line,
)

__all__ = [
    "AGENT_SEED",
    "ENV_FILE",
    "MAX_LAUNCH_BYTES",
    "NODE_MARGIN",
    "SANDBOX_TOKEN",
    "SANDBOX_URL",
    "Deadlines",
    "Network",
    "NodeSettings",
    "Settings",
    "parse_node_line",
]

Port = Annotated[int, Field(ge=0, le=65535)]

AGENT_SEED = re.compile(r"[0-9a-fA-F]{64}")

RUNNER_BYTES = 300 * 2**20

MAX_LAUNCH_BYTES = 16 * 2**20

_HOST_AND_PORT = re.compile(r"[A-Za-z0-9._-]+:\d{1,5}|\[[0-9A-Fa-f:.]+\]:\d{1,5}")

ENV_FILE = ".env"


class Settings(BaseSettings):
    """All settings, validated. Paths are absolute; times in seconds."""

    model_config = SettingsConfigDict(
        env_prefix="SUMI_",
        env_file=ENV_FILE,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    data_dir: Path = Path("data")
    database_url: str = Field("", repr=False)  # it may hold a password
    expose_database_url: str = Field("", repr=False)
    serve_config: Path = Path("serve_config.yaml")
    boot_timeout: float = Field(1800.0, gt=0, allow_inf_nan=False)
    nodes: Annotated[dict[str, NodeSettings], NoDecode] = {}
    result_hash: Literal["escaped", "raw"] = "escaped"
    max_runners: int = Field(0, ge=0)
    max_launches: int = Field(0, ge=0)
    max_openings: int = Field(4, gt=0)
    max_unpaid_per_flow: int = Field(100, gt=0)
    max_unpaid_per_address: int = Field(20, gt=0)
    max_starts: int = Field(32, ge=1)
    max_runners_per_app: int = Field(0, ge=0)
    max_free_runners: int = Field(0, ge=0)
    max_free_queue: int = Field(100, ge=1)
    free_run_seconds: float = Field(3600.0, gt=0, allow_inf_nan=False)
    launch_timeout: float = Field(120.0, gt=0, allow_inf_nan=False)
    run_seconds: float = Field(3600.0, gt=0)
    lock_seconds: float = Field(10800.0, ge=0)
    start_timeout: float = Field(12.0, gt=0)
    max_launch_bytes: int = Field(MAX_LAUNCH_BYTES, gt=0)
    keep_unpaid_days: float = Field(7.0, ge=1, allow_inf_nan=False)
    keep_free_days: float = Field(30.0, ge=1, allow_inf_nan=False)
    buyer_user: str = ""
    file_bytes: int = Field(100 * 2**20, gt=0)
    file_seconds: float = Field(300.0, gt=0, allow_inf_nan=False)
    file_hosts: str = ""
    agent_key: SecretStr = SecretStr("")  # its seed, or the file that holds it
    agent_public_key: str = ""  # all that an app knows of that key
    agent_statements: str = ""  # the file with wallets' statements for it
    gateway_secret: SecretStr = SecretStr("")  # the master secret; only the gateway knows it
    app_secret: SecretStr = SecretStr("")  # derived for one app; only its replicas know it
    allow_direct_launch: bool = False  # whether Kodosumi's panel may start flows without a proof
    public_url: str = ""  # where buyers reach the gateway
    trusted_proxies: str = ""  # addresses or networks whose forwarded headers are believed

    body_bytes: int = Field(2**20, gt=0)
    body_seconds: float = Field(10.0, gt=0, allow_inf_nan=False)
    upload_bytes: int = Field(8 * 2**20, gt=0)

    host: str = "127.0.0.1"
    panel: str = ""
    panel_port: Port = 3370
    serve_port: Port = 8005
    sandbox_port: Port = 3001
    ray_port: Port = 6379
    dashboard_port: Port = 8265
    ray_cpus: int = Field(0, ge=0)

    def __init__(self, **values: Any) -> None:
        """Raises ConfigurationError naming the setting, and never with a token in it."""
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _refusal(error) from None

    @model_validator(mode="before")
    @classmethod
    def _read_nodes(cls, values: dict[str, object]) -> dict[str, object]:
        given = nodes_of(values.get("nodes"))
        lines = nodes_in_lines(kodo_lines({**dotenv_values(ENV_FILE), **os.environ}))
        return {**values, "nodes": {**lines, **given}}

    @field_validator("agent_key")
    @classmethod
    def _found_from_anywhere(cls, value: SecretStr) -> SecretStr:
        """Apps run in other folders than the one that a file was named in."""
        text = value.get_secret_value().strip()
        if not text or AGENT_SEED.fullmatch(text):
            return SecretStr(text)
        return SecretStr(str(Path(text).expanduser().absolute()))

    @field_validator("agent_public_key")
    @classmethod
    def _check_public_key(cls, value: str) -> str:
        if value and not AGENT_SEED.fullmatch(value):
            raise ValueError("expected 64 hexadecimal digits")
        return value.lower()

    @model_validator(mode="after")
    def _settle(self) -> Self:
        settled = {"data_dir": self.data_dir.resolve()}
        object.__setattr__(self, "serve_config", self.serve_config.absolute())
        for name, file in (("database_url", "sumi.db"), ("expose_database_url", "exposes.db")):
            if not getattr(self, name):
                url = f"sqlite+aiosqlite:///{settled['data_dir'] / file}"
                object.__setattr__(self, name, url)
        object.__setattr__(self, "data_dir", settled["data_dir"])
        for network, node in self.nodes.items():
            if network not in get_args(Network):
                raise SettingInvalid("SUMI_NODES", network, "a network is Preprod or Mainnet")
            self.deadlines(network, f"network {network}", node=node)
        return self

    @field_validator("panel")
    @classmethod
    def _address_of_panel(cls, value: str) -> str:
        if value and not is_http_url(value):
            raise ValueError("expected http(s)://HOST[:PORT][/PATH]")
        return value

    @field_validator("public_url")
    @classmethod
    def _parse_public_url(cls, value: str) -> str:
        return parse_public_url(value)

    @field_validator("trusted_proxies")
    @classmethod
    def _parse_trusted_proxies(cls, value: str) -> str:
        return ",".join(parse_proxies(value))

    @field_validator("file_hosts")
    @classmethod
    def _hosts_with_ports(cls, value: str) -> str:
        if not all(_HOST_AND_PORT.fullmatch(each) for each in _words(value)):
            raise ValueError("expected HOST:PORT, several separated by commas")
        return value

    @property
    def inner_file_hosts(self) -> frozenset[str]:
        """``host:port`` of servers that buyers' files may come from, wherever they stand."""
        return frozenset(each.lower() for each in _words(self.file_hosts))

    @property
    def proxy_networks(self) -> list[str]:
        """Addresses and networks whose forwarded headers are believed."""
        return _words(self.trusted_proxies)

    @property
    def runners_at_once(self) -> int:
        """The bound on running jobs; by default what half of the machine's memory holds."""
        if self.max_runners:
            return self.max_runners
        return max(2, psutil.virtual_memory().total // 2 // RUNNER_BYTES)

    @property
    def launches_at_once(self) -> int:
        """The bound on runners that are starting; by default twice the cores."""
        return self.max_launches or max(4, 2 * (os.cpu_count() or 1))

    @property
    def secret_values(self) -> frozenset[str]:
        """All that a log must not show: tokens, keys, and passwords of databases."""
        held = (self.agent_key, self.gateway_secret, self.app_secret)
        found = {each.get_secret_value() for each in held}
        found |= {node.token.get_secret_value() for node in self.nodes.values()}
        for url in (self.database_url, self.expose_database_url):
            found.add(_password_of(url))
        return frozenset(found - {""})

    def node(self, network: str) -> NodeSettings:
        """Raises NodeNotConfigured."""
        try:
            return self.nodes[network]
        except KeyError:
            raise NodeNotConfigured(network) from None

    def require_tokens(self) -> None:
        """Raises SettingInvalid where a node has no token, as in the settings of an app."""
        for network, node in self.nodes.items():
            if not node.token.get_secret_value():
                raise SettingInvalid("SUMI_NODES", HIDDEN, f"the node of {network} has no token")

    def deadlines(
        self,
        network: str,
        what: str,
        *,
        node: NodeSettings | None = None,
        pay_by: float | None = None,
        run: float | None = None,
        lock: float | None = None,
        submit_by: float | None = None,
    ) -> Deadlines:
        """Deadlines of a flow: its own terms over the node's over the defaults."""
        node = node or self.nodes.get(network)
        return Deadlines.fit(
            what,
            pay_by=pay_by or (node.pay_by if node else 1800.0),
            run=run or self.run_seconds,
            lock=self.lock_seconds if lock is None else lock,
            submit_by=submit_by or (node.submit_by if node else None),
        )


def _password_of(url: str) -> str:
    try:
        return unquote(urlsplit(url).password or "")
    except ValueError:
        return ""


def _words(listed: str) -> list[str]:
    return [each.strip() for each in listed.split(",") if each.strip()]


def _refusal(error: ValidationError) -> SettingInvalid:
    """What is wrong with the first setting at fault; nodes hold tokens, so theirs stay hidden."""
    fault = error.errors(include_url=False)[0]
    name = str(fault["loc"][0]) if fault["loc"] else "settings"
    if name == "nodes":
        return SettingInvalid("SUMI_NODES", HIDDEN, first_fault(error))
    return SettingInvalid(f"SUMI_{name.upper()}", fault["input"], fault["msg"])
