"""Payment nodes as an operator names them: one of each network, as JSON or as lines."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from masumi_sumi.errors import SettingInvalid

Network = Literal["Preprod", "Mainnet"]

SANDBOX_URL = "http://localhost:3001/api/v1"
SANDBOX_TOKEN = "sandbox"

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


def nodes_of(given: object) -> dict[str, object]:
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


def kodo_lines(environ: Mapping[str, str | None]) -> dict[str, str]:
    found = {name: environ.get(name) for name in (f"KODO_MASUMI{i}" for i in range(10))}
    return {name: line for name, line in found.items() if line}


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
        raise SettingInvalid(name, HIDDEN, f"{rule}: {first_fault(error)}") from None


def nodes_in_lines(lines: Mapping[str, str]) -> dict[str, NodeSettings]:
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


def first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
