"""Every call of the node as a table: what it needs, and which answer it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from masumi_sumi.sandbox import (
    forms,
    payments,
    purchases,
    queries,
    registrations,
    schema,
    signatures,
)
from masumi_sumi.sandbox.forms import Init, Purchase
from masumi_sumi.sandbox.keys import Permission, SandboxKey
from masumi_sumi.sandbox.ledger import Order
from masumi_sumi.sandbox.model import Row, Side
from masumi_sumi.sandbox.node import Node
from masumi_sumi.sandbox.schema import Field
from masumi_sumi.sandbox.views import row_view, source_view

Values = Mapping[str, Any]
Answer = Callable[[Node, SandboxKey, Values], dict[str, Any]]
Acted = Callable[[Node, SandboxKey, dict[str, Any]], Row]


@dataclass(frozen=True)
class Call:
    """``fields`` are read in the answer itself, after the key was admitted."""

    method: Literal["GET", "POST"]
    path: str
    permission: Permission
    answer: Answer
    fields: tuple[Field, ...] = ()


def _one(act: Acted, fields: tuple[Field, ...]) -> Answer:
    def answer(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
        row = act(node, key, schema.read(fields, values))
        return row_view(row, node.source_of(row))

    return answer


def _resolve(side: Side) -> Answer:
    def answer(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
        form = schema.read(forms.RESOLVE, values)
        row = queries.resolve(node, key, side, form)
        return row_view(row, node.source_of(row), history=form["includeHistory"])

    return answer


def _many(node: Node, side: Side, rows: list[Row], form: dict[str, Any]) -> dict[str, Any]:
    history = form["includeHistory"]
    views = [row_view(row, node.source_of(row), history=history) for row in rows]
    return {f"{side.capitalize()}s": views}


def _list(side: Side) -> Answer:
    def answer(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
        form = schema.read(forms.LIST, values)
        return _many(node, side, queries.listed(node, key, side, form), form)

    return answer


def _count(side: Side) -> Answer:
    def answer(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
        return {"total": queries.counted(node, key, side, schema.read(forms.LIST, values))}

    return answer


def _diff(side: Side, order: Order) -> Answer:
    def answer(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
        form = schema.read(forms.DIFF, values)
        return _many(node, side, queries.changed(node, key, side, order, form), form)

    return answer


def _start(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
    row = payments.start(node, key, Init.read(values))
    return row_view(row, node.source_of(row))


def _buy(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
    row = purchases.buy(node, key, Purchase.read(values))
    return row_view(row, node.source_of(row))


def _key_status(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
    return key.view(node.credit(key))


def _sources(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
    form = schema.read(forms.SOURCES, values)
    seen = [
        source_view(source, node.born)
        for source in reversed(node.sources)
        if key.can_admin or source.network in key.networks
    ]
    ids = [view["id"] for view in seen]
    cursor = form["cursorId"]
    first = 0 if cursor is None else ids.index(cursor) if cursor in ids else len(ids)
    return {"PaymentSources": seen[first : first + form["take"]]}


def _side(side: Side) -> tuple[Call, ...]:
    """The reading calls that payments and purchases have in common."""
    resolve = f"/{side}/resolve-blockchain-identifier"
    diff = f"/{side}/diff"
    state = f"{diff}/onchain-state-or-result"
    return (
        Call("GET", f"/{side}", "read", _list(side), forms.LIST),
        Call("GET", f"/{side}/count", "read", _count(side), forms.LIST),
        Call("GET", diff, "read", _diff(side, "changed_at"), forms.DIFF),
        Call("GET", f"{diff}/next-action", "read", _diff(side, "action_changed_at"), forms.DIFF),
        Call("GET", state, "read", _diff(side, "state_changed_at"), forms.DIFF),
        Call("POST", resolve, "read", _resolve(side), forms.RESOLVE),
    )


def _post(path: str, act: Acted, fields: tuple[Field, ...]) -> Call:
    return Call("POST", path, "pay", _one(act, fields), fields)


def _rail_readiness(node: Node, key: SandboxKey, values: Values) -> dict[str, Any]:
    return {}


SAFE_RECOVERY_CALL = Call("GET", "/rail-readiness", "read", _rail_readiness)
"""Of the development branch only, where recovery keeps a payment's transaction."""

CALLS: tuple[Call, ...] = (
    Call("GET", "/api-key-status", "read", _key_status),
    Call("GET", "/payment-source", "read", _sources, forms.SOURCES),
    *_side("payment"),
    Call("POST", "/payment", "pay", _start, forms.INIT),
    _post("/payment/submit-result", payments.submit_result, forms.SUBMIT),
    _post("/payment/authorize-refund", payments.authorize_refund, forms.ONE_ROW),
    _post("/payment/error-state-recovery", payments.recover, forms.RECOVER),
    *_side("purchase"),
    Call("POST", "/purchase", "pay", _buy, forms.PURCHASE),
    _post("/purchase/request-refund", purchases.request_refund, forms.ONE_ROW),
    _post("/purchase/cancel-refund-request", purchases.cancel_refund, forms.ONE_ROW),
    Call("GET", "/registry", "read", registrations.listed, forms.REGISTRY_LIST),
    Call("GET", "/registry/count", "read", registrations.counted, forms.REGISTRY_LIST),
    Call("GET", "/registry/agent-identifier", "read", registrations.on_chain, forms.ONE_AGENT),
    Call("POST", "/registry", "pay", registrations.register, forms.REGISTER),
    Call("POST", "/signature/sign/verifyAndPublishAgent", "pay", signatures.publish, forms.PUBLISH),
    Call("POST", "/signature/verify/reveal-data", "read", signatures.reveal, forms.REVEAL),
)
