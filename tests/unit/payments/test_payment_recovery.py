"""The decision to have a payment recovered, against what the nodes do with it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from wire_node import row

from masumi_sumi.payments.recovery import RecoveryRow, refuse_recovery

STATES = ("FundsLocked", "RefundRequested", "Disputed")
LEFT_BEHIND = ("Pending", "FailedViaTimeout", "FailedViaManualReset", "RolledBack", "Unheard")


@dataclass(frozen=True)
class Case:
    """A parked payment, and the id of the transaction whose output the contract holds."""

    row: dict[str, Any]
    truth: str

    def parsed(self) -> RecoveryRow:
        return RecoveryRow.model_validate(self.row)

    def choice(self, *, keeps: bool) -> str | None:
        """The transaction that the node makes current: of the released one, or of the newer."""
        past = self.row["TransactionHistory"]
        for status in ("Confirmed", "Pending"):
            for old in past:
                if old["status"] == status and (old["txHash"] or not keeps):
                    return str(old["id"])
        current = self.row["CurrentTransaction"]
        return str(current["id"]) if keeps and current else None


def transaction(number: int, status: str, state: str | None, *, whole: bool = True) -> Any:
    told = f"{number:02x}" * 32 if whole else None
    return {"id": f"t{number}", "status": status, "txHash": told, "newOnChainState": state}


def a_case(chance: Random) -> Case:
    """Confirmed steps up to the state that is seen; then a step that failed, broadcast or not."""
    steps = chance.randint(1, len(STATES))
    confirmed = [transaction(n, "Confirmed", STATES[n]) for n in range(steps)]
    past = confirmed[:-1]
    current: Any = confirmed[-1]
    if chance.random() < 0.6:
        past, current = confirmed, transaction(90, chance.choice(LEFT_BEHIND), None)
    if chance.random() < 0.2:
        past = past[: chance.randint(0, len(past))]
    if chance.random() < 0.1:
        current = None
    noise = [
        transaction(50 + n, chance.choice(LEFT_BEHIND), None, whole=chance.random() < 0.7)
        for n in range(chance.choice((0, 0, 1, 2)))
    ]
    newest_first = [*noise, *reversed(past)] if chance.random() < 0.5 else [*reversed(past), *noise]
    note = chance.choice((None, "Submitting failed", "Rolled back transaction detected. Check"))
    told = row(
        onChainState=STATES[steps - 1],
        NextAction={
            "requestedAction": "WaitingForManualAction",
            "errorType": "Unknown",
            "errorNote": note,
            "resultHash": "ab" * 32,
        },
        CurrentTransaction=current,
        TransactionHistory=newest_first,
    )
    return Case(told, f"t{steps - 1}")


quick = settings(max_examples=400, deadline=None, database=None)


@quick
@given(st.randoms(use_true_random=True), st.booleans())
def test_recovery_is_called_only_where_the_node_comes_back_to_the_right_transaction(
    chance: Random, keeps: bool
) -> None:
    case = a_case(chance)

    if not refuse_recovery(case.parsed(), keeps_transaction=keeps):
        assert case.choice(keeps=keeps) == case.truth


@quick
@given(st.randoms(use_true_random=True))
def test_what_a_released_node_recovers_was_broadcast_and_not_rolled_back(chance: Random) -> None:
    case = a_case(chance)

    if not refuse_recovery(case.parsed()):
        assert case.row["CurrentTransaction"]["status"] not in ("Confirmed", "RolledBack")
        assert not (case.row["NextAction"]["errorNote"] or "").startswith("Rolled back")
        assert any(
            old["status"] == "Confirmed" and old["txHash"] for old in case.row["TransactionHistory"]
        )


def test_the_usual_failure_behind_the_broadcast_is_recovered() -> None:
    lock, pending = transaction(0, "Confirmed", "FundsLocked"), transaction(1, "Pending", None)
    usual = row(
        onChainState="FundsLocked",
        NextAction={"requestedAction": "WaitingForManualAction", "errorType": "Unknown"},
        CurrentTransaction=pending,
        TransactionHistory=[lock],
    )

    assert refuse_recovery(RecoveryRow.model_validate(usual)) == ""
