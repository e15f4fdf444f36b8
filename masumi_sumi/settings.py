"""What an operator can set, and nothing else: read once by ``compose``, handed on as values.

Every setting is an environment variable with the prefix ``SUMI_`` (or a line in ``.env``).
``KODO_MASUMI0`` to ``KODO_MASUMI9`` are read too, from the same places:
``KODO_MASUMI0="Preprod URL TOKEN [pay_by] [submit_by] [poll]"``, times in seconds.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from urllib.parse import urlsplit

import psutil
from dotenv import dotenv_values
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from masumi_sumi.errors import DeadlinesDoNotFit, NodeNotConfigured, SettingInvalid

Network = Literal["Preprod", "Mainnet"]
Port = Annotated[int, Field(ge=0, le=65535)]

SANDBOX_URL = "http://localhost:3001/api/v1"
SANDBOX_TOKEN = "sandbox"

NODE_MARGIN = 600.0
"""Seconds before submitResultTime that the hash must be at the node: the node itself stops
sending five minutes before it, and its queue needs a few more."""

NODE_SUBMIT_FLOOR = 900.0
"""Seconds that the node wants between the request and submitResultTime."""

PAY_BEFORE_SUBMIT = 300.0
"""Seconds that the node wants between payByTime and submitResultTime."""

PAY_BY_LEAST, PAY_BY_MOST = 60.0, 2 * 86_400.0
"""Seconds to pay. A lock takes a block or two, and a marketplace gives its user's money back for a
start that went wrong only after this time."""

AGENT_SEED = re.compile(r"[0-9a-fA-F]{64}")

RUNNER_BYTES = 300 * 2**20

_HOST_AND_PORT = re.compile(r"[A-Za-z0-9._-]+:\d{1,5}|\[[0-9A-Fa-f:.]+\]:\d{1,5}")

ENV_FILE = ".env"
HIDDEN = "(hidden)"


class NodeSettings(BaseModel):
    """A payment node of one network. All times in seconds, counted from the job's start."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    url: str
    token: SecretStr
    pay_by: float = Field(1800.0, gt=0, allow_inf_nan=False)
    submit_by: float | None = Field(None, gt=0, allow_inf_nan=False)
    poll: float = Field(2.0, ge=1.0, allow_inf_nan=False)

    @field_validator("url")
    @classmethod
    def _http(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("expected http(s)://HOST[:PORT]/api/v1")
        return value


class Deadlines(BaseModel):
    """Times of a job in seconds from its start; built only where they fit together."""

    model_config = ConfigDict(frozen=True)

    pay_by: float
    run: float
    lock: float
    submit_by: float

    @classmethod
    def fit(
        cls, what: str, *, pay_by: float, run: float, lock: float, submit_by: float | None
    ) -> Self:
        """Derive submit_by from its parts, or refuse one that is too early.

        Raises DeadlinesDoNotFit, with the numbers, when the parts need more time than given, and
        SettingInvalid for a time to pay that no buyer can keep, or that binds its money for days.
        """
        if not PAY_BY_LEAST <= pay_by <= PAY_BY_MOST:
            rule = f"expected {PAY_BY_LEAST:.0f} to {PAY_BY_MOST:.0f} seconds, as buyers need"
            raise SettingInvalid(f"pay_by of {what}", pay_by, rule)
        needed = max(pay_by + run + lock + NODE_MARGIN, NODE_SUBMIT_FLOOR + PAY_BEFORE_SUBMIT)
        if submit_by is not None and submit_by < needed:
            parts = f"pay {pay_by:.0f} + run {run:.0f} + locks {lock:.0f} + node {NODE_MARGIN:.0f}"
            raise DeadlinesDoNotFit(what, submit_by, needed, parts)
        return cls(pay_by=pay_by, run=run, lock=lock, submit_by=submit_by or needed)


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
    run_seconds: float = Field(3600.0, gt=0)
    lock_seconds: float = Field(10800.0, ge=0)
    start_timeout: float = Field(12.0, gt=0)
    buyer_user: str = ""
    file_bytes: int = Field(100 * 2**20, gt=0)
    file_seconds: float = Field(300.0, gt=0, allow_inf_nan=False)
    file_hosts: str = ""
    agent_key: SecretStr = SecretStr("")  # its seed, or the file that holds it

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
        given = _nodes_of(values.get("nodes"))
        lines = _nodes_in_lines(_kodo_lines({**dotenv_values(ENV_FILE), **os.environ}))
        return {**values, "nodes": {**lines, **given}}

    @field_validator("agent_key")
    @classmethod
    def _found_from_anywhere(cls, value: SecretStr) -> SecretStr:
        """Apps run in other folders than the one that a file was named in."""
        text = value.get_secret_value().strip()
        if not text or AGENT_SEED.fullmatch(text):
            return SecretStr(text)
        return SecretStr(str(Path(text).expanduser().absolute()))

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
        if value and not _is_address(value):
            raise ValueError("expected http(s)://HOST[:PORT][/PATH]")
        return value

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
    def runners_at_once(self) -> int:
        """The bound on running jobs; by default what half of the machine's memory holds."""
        if self.max_runners:
            return self.max_runners
        return max(2, psutil.virtual_memory().total // 2 // RUNNER_BYTES)

    @property
    def launches_at_once(self) -> int:
        """The bound on runners that are starting; by default twice the cores."""
        return self.max_launches or max(4, 2 * (os.cpu_count() or 1))

    def node(self, network: str) -> NodeSettings:
        """Raises NodeNotConfigured."""
        try:
            return self.nodes[network]
        except KeyError:
            raise NodeNotConfigured(network) from None

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


def parse_node_line(name: str, line: str) -> tuple[str, NodeSettings]:
    """``"Preprod URL TOKEN [pay_by] [submit_by] [poll]"`` as (network, node).

    Raises SettingInvalid, without the token in its message, when the line is not like that.
    """
    parts = line.split()
    rule = 'expected "NETWORK URL TOKEN [pay_by] [submit_by] [poll]"'
    if not 3 <= len(parts) <= 6:
        raise SettingInvalid(name, f"{len(parts)} words", rule)
    keys = ("pay_by", "submit_by", "poll")
    values = {"url": parts[1], "token": parts[2], **dict(zip(keys, parts[3:], strict=False))}
    try:
        return parts[0], NodeSettings.model_validate(values)
    except ValidationError as error:
        raise SettingInvalid(name, HIDDEN, f"{rule}: {_first(error)}") from None


def _nodes_in_lines(lines: Mapping[str, str]) -> dict[str, NodeSettings]:
    """By network. Raises SettingInvalid for a second node of one: nobody could tell which sells."""
    nodes: dict[str, NodeSettings] = {}
    named: dict[str, str] = {}
    for name, line in lines.items():
        network, node = parse_node_line(name, line)
        if network in nodes and nodes[network] != node:
            rule = f"{named[network]} names another node of {network}: leave one of them out"
            raise SettingInvalid(name, HIDDEN, rule)
        nodes[network], named[network] = node, name
    return nodes


def _words(listed: str) -> list[str]:
    return [each.strip() for each in listed.split(",") if each.strip()]


def _nodes_of(given: object) -> dict[str, object]:
    if given is None or given == "":
        return {}
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            rule = 'expected JSON like {"Preprod": {"url": "...", "token": "..."}}'
            raise SettingInvalid("SUMI_NODES", HIDDEN, rule) from None
    if not isinstance(given, dict):
        raise SettingInvalid("SUMI_NODES", type(given).__name__, "expected an object")
    return dict(given)


def _kodo_lines(environ: Mapping[str, str | None]) -> dict[str, str]:
    found = {name: environ.get(name) for name in (f"KODO_MASUMI{i}" for i in range(10))}
    return {name: line for name, line in found.items() if line}


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or half a bracket
        return False


def _refusal(error: ValidationError) -> SettingInvalid:
    """What is wrong with the first setting at fault; nodes hold tokens, so theirs stay hidden."""
    fault = error.errors(include_url=False)[0]
    name = str(fault["loc"][0]) if fault["loc"] else "settings"
    if name == "nodes":
        return SettingInvalid("SUMI_NODES", HIDDEN, _first(error))
    return SettingInvalid(f"SUMI_{name.upper()}", fault["input"], fault["msg"])


def _first(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
