"""What an agent says, parsed once: strict where money depends on it, in both spellings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from pydantic import ValidationError

from masumi_sumi.errors import AgentUnreadable
from masumi_sumi.flows.questions import Form, SchemaUnreadable, read_schema
from masumi_sumi.jobs.model import Amount, Times
from masumi_sumi.payments.statements import Statement
from masumi_sumi.payments.wire import MAX_IDENTIFIER, unit
from masumi_sumi.signing import PUBLIC_KEY

Status = Literal["awaiting_payment", "awaiting_input", "running", "completed", "failed"]

LONGEST_ID = 250
LONGEST_TEXT = 500
_MOST_AMOUNTS = 7
_MILLIS = re.compile(r"[1-9][0-9]{11,14}", re.ASCII)
_AMOUNT = re.compile(r"[0-9]{1,25}", re.ASCII)
_VKEY = re.compile(r"[0-9a-fA-F]{56}")

_START = "POST /start_job"


@dataclass(frozen=True, slots=True)
class Availability:
    """``agent_identifier`` is empty where the agent does not say it, and so is ``key``: what the
    answers to its questions are signed with, 64 hex digits. ``statement`` is its selling wallet's
    word for the key, not yet checked.
    """

    available: bool
    agent_identifier: str = ""
    message: str = ""
    key: str = ""
    statement: Statement | None = None


@dataclass(frozen=True, slots=True)
class Bill:
    """What a start_job asks to be paid, as the agent says it; nothing of it is checked yet."""

    blockchain_identifier: str
    seller_vkey: str
    times: Times
    agent_identifier: str = ""
    amounts: tuple[Amount, ...] = ()
    network: str = ""
    source_type: str = ""
    source_index: int | None = None
    seller_return_address: str | None = None


@dataclass(frozen=True, slots=True)
class Started:
    """``bill`` is None for a free job. Empty texts are things that the agent did not say."""

    job_id: str
    input_hash: str = ""
    identifier: str = ""
    bill: Bill | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """``form`` where it awaits input; ``failure`` is one printable line."""

    status: Status
    status_id: str = ""
    form: Form | None = None
    result: str | None = None
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the agent says of an answer that it took; empty is what it does not say."""

    input_hash: str
    signature: str = ""


def availability(body: Any) -> Availability:
    call = "GET /availability"
    answer = _object(call, body)
    if answer.get("type") != "masumi-agent":
        raise AgentUnreadable(call, "its type is not masumi-agent")
    agent = _text(call, answer, "agentIdentifier", "agent_identifier")
    available = answer.get("status") == "available"
    key = _text(call, answer, "provideInputKey")
    if key and not PUBLIC_KEY.fullmatch(key):
        raise AgentUnreadable(call, "its provideInputKey is not 64 hex digits")
    message = one_line(answer.get("message"))
    return Availability(available, agent, message, key, _statement(call, answer))


def _statement(call: str, answer: Mapping[str, Any]) -> Statement | None:
    said = answer.get("provideInputStatement")
    if said is None:
        return None
    try:
        return Statement.model_validate(said)
    except ValidationError as error:
        raise AgentUnreadable(call, "its provideInputStatement is no wallet's") from error


def schema(call: str, body: Any) -> Form:
    try:
        return read_schema(body)
    except SchemaUnreadable as error:
        raise AgentUnreadable(call, one_line(str(error))) from error


def started(body: Any) -> Started:
    """An answer that both asks for money and is unclear about it is unreadable."""
    answer = _object(_START, body)
    job_id = _text(_START, answer, "id", "job_id", "jobId")
    if not job_id or len(job_id) > LONGEST_ID or not job_id.isprintable():
        raise AgentUnreadable(_START, "it has no usable id of the job")
    return Started(
        job_id=job_id,
        input_hash=_text(_START, answer, "input_hash", "inputHash"),
        identifier=_text(_START, answer, "identifierFromPurchaser", "identifier_from_purchaser"),
        bill=_bill(answer),
    )


def standing(body: Any) -> Standing:
    call = "GET /status"
    answer = _object(call, body)
    status = answer.get("status")
    if status not in get_args(Status):
        raise AgentUnreadable(call, f"its status is {one_line(status) or 'missing'}")
    asked, result = answer.get("input_schema"), answer.get("result")
    if result is not None and not isinstance(result, str):
        raise AgentUnreadable(call, "its result is no text")
    if status == "completed" and not result:
        raise AgentUnreadable(call, "it is completed without a result")
    if status == "awaiting_input" and asked is None:
        raise AgentUnreadable(call, "it awaits input without an input_schema")
    return Standing(
        status=cast(Status, status),
        status_id=_text(call, answer, "id", "status_id"),
        form=schema(call, asked) if status == "awaiting_input" else None,
        result=result if status == "completed" else None,
        failure=one_line(answer.get("error") or answer.get("message")),
    )


def receipt(body: Any) -> Receipt:
    call = "POST /provide_input"
    answer = _object(call, body)
    digest = _text(call, answer, "input_hash", "inputHash")
    return Receipt(digest, _text(call, answer, "signature"))


def one_line(value: Any) -> str:
    """A stranger's words as one printable line of a bounded length."""
    if not isinstance(value, str):
        value = "" if value is None else str(value)[:LONGEST_TEXT]
    clean = "".join(char if char.isprintable() else " " for char in value[: 4 * LONGEST_TEXT])
    return " ".join(clean.split())[:LONGEST_TEXT]


def _bill(answer: Mapping[str, Any]) -> Bill | None:
    identifier = _text(_START, answer, "blockchainIdentifier", "blockchain_identifier")
    if not identifier or identifier.startswith("free"):
        return None
    if len(identifier) > MAX_IDENTIFIER:
        raise AgentUnreadable(_START, "its blockchainIdentifier is too long")
    vkey = _text(_START, answer, "sellerVKey", "sellerVkey", "seller_vkey")
    if not _VKEY.fullmatch(vkey):
        raise AgentUnreadable(_START, "its sellerVKey is not 56 hex digits")
    return Bill(
        blockchain_identifier=identifier,
        seller_vkey=vkey.lower(),
        times=Times(
            _millis(answer, "payByTime", "pay_by_time"),
            _millis(answer, "submitResultTime", "submit_result_time"),
            _millis(answer, "unlockTime", "unlock_time"),
            _millis(answer, "externalDisputeUnlockTime", "external_dispute_unlock_time"),
        ),
        agent_identifier=_text(_START, answer, "agentIdentifier", "agent_identifier"),
        amounts=_amounts(_first(_START, answer, "amounts", "Amounts", "RequestedFunds")),
        network=_text(_START, answer, "network"),
        source_type=_source_type(answer),
        source_index=_index(answer),
        seller_return_address=_text(_START, answer, "sellerReturnAddress") or None,
    )


def _millis(answer: Mapping[str, Any], *names: str) -> int:
    value = _first(_START, answer, *names)
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not _MILLIS.fullmatch(text):
        raise AgentUnreadable(_START, f"its {names[0]} is no time in epoch milliseconds")
    return int(text)


def _amounts(given: Any) -> tuple[Amount, ...]:
    if given is None:
        return ()
    if not isinstance(given, list) or len(given) > _MOST_AMOUNTS:
        raise AgentUnreadable(_START, "its amounts are no list of a few")
    return tuple(_amount(part) for part in given)


def _amount(part: Any) -> Amount:
    part = _object(_START, part)
    amount, name = part.get("amount"), part.get("unit")
    text = str(amount) if isinstance(amount, int | str) and not isinstance(amount, bool) else ""
    if not _AMOUNT.fullmatch(text) or not isinstance(name, str) or len(name) > LONGEST_ID:
        raise AgentUnreadable(_START, "one of its amounts has no amount and unit")
    return Amount(text, unit(name))


def _source_type(answer: Mapping[str, Any]) -> str:
    named = _text(_START, answer, "paymentSourceType", "payment_source_type")
    return "" if named == "None" else named


def _index(answer: Mapping[str, Any]) -> int | None:
    index = _first(_START, answer, "supportedPaymentSourceIndex", "supported_payment_source_index")
    if index is None:
        return None
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index <= 24:
        raise AgentUnreadable(_START, "its supportedPaymentSourceIndex is not 0 to 24")
    return index


def _object(call: str, body: Any) -> Mapping[str, Any]:
    if not isinstance(body, Mapping):
        raise AgentUnreadable(call, "it is no JSON object")
    return body


def _first(call: str, answer: Mapping[str, Any], *names: str) -> Any:
    """The value under one of the spellings; two that disagree are no answer."""
    found = [answer[name] for name in names if answer.get(name) is not None]
    if any(value != found[0] for value in found):
        raise AgentUnreadable(call, f"its {' and '.join(names[:2])} contradict each other")
    return found[0] if found else None


def _text(call: str, answer: Mapping[str, Any], *names: str) -> str:
    value = _first(call, answer, *names)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise AgentUnreadable(call, f"its {names[0]} is no text")
    return value
