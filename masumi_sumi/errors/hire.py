"""A hire, as its buyer sees it."""

from __future__ import annotations

from masumi_sumi.errors.tree import SumiError


class BuyerError(SumiError):
    """A hire went wrong, or was refused by its own buyer before it could."""


class AgentError(BuyerError):
    """An agent's endpoint did not do what was asked. ``call`` is method and path."""


class AgentUnreachable(AgentError):
    def __init__(self, call: str, reason: str) -> None:
        super().__init__(call, reason)
        self.call, self.reason = call, reason

    def __str__(self) -> str:
        return f"the agent gave no answer to {self.call}: {self.reason}"


class AgentFailed(AgentError):
    def __init__(self, call: str, status: int) -> None:
        super().__init__(call, status)
        self.call, self.status = call, status

    def __str__(self) -> str:
        return f"the agent failed on {self.call} with status {self.status}"


class AgentUnreadable(AgentError):
    def __init__(self, call: str, reason: str) -> None:
        super().__init__(call, reason)
        self.call, self.reason = call, reason

    def __str__(self) -> str:
        return f"the agent answered {self.call} with something that is not MIP-003: {self.reason}"


class AgentRefused(AgentError):
    """``detail`` is the agent's own sentence, in one printable line."""

    def __init__(self, call: str, status: int, detail: str) -> None:
        super().__init__(call, status, detail)
        self.call, self.status, self.detail = call, status, detail

    def __str__(self) -> str:
        return f"the agent refused {self.call} ({self.status}): {self.detail}"


class OfferUnavailable(BuyerError):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the agent cannot be hired now: {self.reason}"


class TermsRefused(BuyerError):
    """``term`` names what does not hold: agent, purchaser, input hash, signature, times, ..."""

    def __init__(self, term: str, reason: str) -> None:
        super().__init__(term, reason)
        self.term, self.reason = term, reason

    def __str__(self) -> str:
        return f"the seller's terms are refused ({self.term}): {self.reason}; nothing was paid"


class PurchaseFailed(BuyerError):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the purchase failed: {self.reason}"


class PurchaseUnsettled(BuyerError):
    """Look again with the identifier before anything is bought a second time."""

    def __init__(self, blockchain_identifier: str, reason: str) -> None:
        super().__init__(blockchain_identifier, reason)
        self.blockchain_identifier, self.reason = blockchain_identifier, reason

    def __str__(self) -> str:
        return f"it is not known whether the payment node buys: {self.reason}"


class SellerFailed(BuyerError):
    """The agent's job ended without a result, or its deadline passed."""

    def __init__(self, job_id: str, reason: str) -> None:
        super().__init__(job_id, reason)
        self.job_id, self.reason = job_id, reason

    def __str__(self) -> str:
        return f"job {self.job_id} brought no result: {self.reason}"


class AnswerUnverified(BuyerError):
    def __init__(self, job_id: str, reason: str) -> None:
        super().__init__(job_id, reason)
        self.job_id, self.reason = job_id, reason

    def __str__(self) -> str:
        return f"the answer to job {self.job_id} does not verify: {self.reason}"


class ResultUnverified(BuyerError):
    def __init__(self, job_id: str, reason: str) -> None:
        super().__init__(job_id, reason)
        self.job_id, self.reason = job_id, reason

    def __str__(self) -> str:
        return f"the result of job {self.job_id} does not verify: {self.reason}"


class HireUnresumable(BuyerError):
    """A hire that was interrupted cannot be taken up; what was paid may be asked back."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the hire cannot be taken up: {self.reason}"


class RefundImpossible(BuyerError):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"no refund can be asked for: {self.reason}"
