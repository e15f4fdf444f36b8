"""What buyers of any make send to the flows of ``wares``, right and wrong, and how they hash it.

Nothing of ours is used: the hashes are taken a second time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

V1 = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "cd" * 32
V2 = "67ab0c92c4ac1610895a1c965ee50aba41a8f1513b15240723b3bd0b" + "cd" * 32


@dataclass(frozen=True)
class Ware:
    """How a flow is sold."""

    flow: str
    agent: str = ""
    source_type: str = ""
    source_index: int | None = None
    asks: bool = False
    demo: Any = None
    gateway: bool = False  # met through it, at its MIP-003 address

    @property
    def priced(self) -> bool:
        return bool(self.source_type)


DEMO = {
    "input": {"desk": "a folder", "word": "something", "land": [1], "size": [0]},
    "output": {"result": '"something"'},
}

WARES = {
    "free": Ware("/free", V1),
    "V1": Ware("/v1", V1, "Web3CardanoV1", demo=DEMO),
    "V2": Ware("/v2", V2, "Web3CardanoV2", source_index=0),
    "HITL": Ware("/asking", V1, "Web3CardanoV1", asks=True),
    "HITL through the gateway": Ware("/asking", V1, "Web3CardanoV1", asks=True, gateway=True),
}
ASKING = [name for name, ware in WARES.items() if ware.asks]

# Choices as positions, as the marketplace's form sends them; numbers and switches as JSON's.
INPUT = {
    "word": "something",
    "story": 'two\nlines and a "quote"',
    "count": 7,
    "volume": 40,
    "loud": False,
    "agree": True,
    "land": [1],
    "size": [0],
    "day": "2030-01-31",
    "hour": "09:30",
    "moment": "2030-01-31T09:30",
    "month": "2030-01",
    "week": "2030-W05",
    "paint": "#aabbcc",
    "secret": "password",
    "mail": "ada@example.com",
    "site": "https://example.com/a?b=c",
    "phone": "+1 555 0100",
    "query": "ümlaut",
    "version": "1.0",
}
ANSWER = {"length": 5, "unit": "cm", "size": [1]}


WRONG_VALUES: dict[str, Any] = {
    "desk": [7],
    "word": ["a"],
    "story": "a" * 501,
    "count": 11,
    "volume": 43,
    "loud": "perhaps",
    "agree": "I agree",
    "land": [2],
    "size": "Medium",
    "day": "31.01.2030",
    "hour": "25:00",
    "moment": "2030-01-31",
    "month": "2030-13",
    "week": "2030-W54",
    "paint": "red",
    "secret": "short",
    "mail": "ada",
    "site": "example",
    "papers": "no address",
}

WRONG_ANSWERS: dict[str, dict[str, Any]] = {
    "no number": {"length": "five"},
    "a required field is missing": {"unit": "cm"},
    "too large": {"length": 11},
    "an unknown field": {**ANSWER, "width": 1},
    "no such position": {**ANSWER, "size": [2]},
}


def digest(identifier: str, text: str) -> str:
    return hashlib.sha256(f"{identifier};{text}".encode()).hexdigest()


def canonical(value: Any) -> str:
    """RFC 8785 for what is sent here: keys of ASCII and whole numbers."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def schema_hash(schema: Any) -> str:
    return hashlib.sha256(canonical(schema).encode()).hexdigest()


def with_numbers(schema: Any) -> Any:
    """The schema as the marketplace keeps it: min and max are numbers."""
    if isinstance(schema, list):
        return [with_numbers(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("validation") in ("min", "max"):
        return {**schema, "value": int(schema["value"])}
    return {key: with_numbers(each) for key, each in schema.items()}


NAMINGS: dict[str, Callable[[dict[str, Any]], dict[str, str]]] = {
    "the schema's hash": lambda s: {"input_schema_hash": schema_hash(s["input_schema"])},
    "the hash with numbers": lambda s: {
        "input_schema_hash": schema_hash(with_numbers(s["input_schema"]))
    },
    "the list's hash": lambda s: {
        "input_schema_hash": schema_hash(s["input_schema"]["input_data"])
    },
    "the list's hash with numbers": lambda s: {
        "input_schema_hash": schema_hash(with_numbers(s["input_schema"]["input_data"]))
    },
    "the status id": lambda s: {"status_id": s["id"]},
    "the schema's hash in camel case": lambda s: {
        "inputSchemaHash": schema_hash(s["input_schema"])
    },
    "the status id in camel case": lambda s: {"statusId": s["id"]},
    "nothing": lambda s: {},
}
