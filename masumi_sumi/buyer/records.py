"""All that a hire can be taken up from after its process died. It holds no token of a node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from masumi_sumi import hashing
from masumi_sumi.buyer.terms import Terms
from masumi_sumi.errors import HireUnresumable


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """``terms`` were verified when the job was started; None for a free one. ``bought``: the node
    took the purchase. ``deadline`` and ``vouched_at`` in epoch seconds.
    """

    version: Literal[1] = 1
    agent_url: str
    node_url: str
    network: str
    job_id: str
    identifier: str
    input_data: Mapping[str, Any]
    input_hash: str
    terms: Terms | None
    deadline: float
    key: str = ""
    vouched_at: float | None = None
    bought: bool = False

    def taken(self) -> Record:
        return replace(self, bought=True)


_RECORD = TypeAdapter(Record)


def written(record: Record) -> dict[str, Any]:
    """As JSON would have it."""
    found: dict[str, Any] = _RECORD.dump_python(record, mode="json")
    return found


def read(given: object) -> Record:
    """Raises HireUnresumable for what was not written here, or was changed."""
    try:
        record = _RECORD.validate_python(given)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, fault["loc"]))
        raise HireUnresumable(f"its record cannot be read: {place}: {fault['msg']}") from error
    _check_whole(record)
    return record


def _check_whole(record: Record) -> None:
    if hashing.input_hash(record.identifier, record.input_data) != record.input_hash:
        raise HireUnresumable("its record contradicts itself: the input has another hash")
    order = record.terms.order if record.terms else None
    if order is None:
        return
    kept = (record.network, record.identifier, record.input_hash)
    if (order.network, order.purchaser_id, order.input_hash) != kept:
        raise HireUnresumable("its record contradicts itself: the terms are of another hire")
