"""The payment node, and what a wallet signed."""

from __future__ import annotations

from collections.abc import Sequence

from masumi_sumi.errors.tree import SumiError


class NodeError(SumiError):
    """The payment node did not do what was asked, or its answer does not hold."""


class NodeUnreachable(NodeError):
    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url, self.reason = url, reason

    def __str__(self) -> str:
        return f"payment node {self.url} gave no answer: {self.reason}"


class NodeFailed(NodeError):
    def __init__(self, call: str, status: int) -> None:
        super().__init__(call, status)
        self.call, self.status = call, status

    def __str__(self) -> str:
        return f"payment node failed on {self.call} with status {self.status}"


class NodeUnreadable(NodeError):
    def __init__(self, call: str, reason: str) -> None:
        super().__init__(call, reason)
        self.call, self.reason = call, reason

    def __str__(self) -> str:
        return f"payment node answered {self.call} with something unreadable: {self.reason}"


class NodeRefused(NodeError):
    """4xx: the node did nothing. ``message`` is the node's own sentence."""

    def __init__(self, call: str, status: int, message: str) -> None:
        super().__init__(call, status, message)
        self.call, self.status, self.message = call, status, message

    def __str__(self) -> str:
        return f"payment node refused {self.call} ({self.status}): {self.message}"


class NodeUnauthorized(NodeRefused):
    """401: no such key, too little permission, or a network the key may not use."""


class NodeForbidden(NodeRefused):
    """403: the row belongs to another key."""


class NodeNotFound(NodeRefused):
    """404: no such row, or a row in another state than the call needs. Look again."""


class NodeConflict(NodeRefused):
    """409: exists already, or changed concurrently."""


class RecoveryUnsafe(NodeError):
    """Recovery of a parked payment could detach it from its transaction; it was not called.

    ``note`` is the node's own, ``reason`` says what speaks against recovery.
    """

    def __init__(self, blockchain_identifier: str, note: str, reason: str) -> None:
        super().__init__(blockchain_identifier, note, reason)
        self.blockchain_identifier, self.note, self.reason = blockchain_identifier, note, reason

    @property
    def advice(self) -> str:
        return (
            "remove the cause at the node (an empty selling wallet?), then set the payment's next "
            "action back to SubmitResultRequested in the node's database, or update the node; do "
            "not use the recovery of a released node: it can lose the payment"
        )

    def __str__(self) -> str:
        payment = f"{self.blockchain_identifier[:16]}…"
        return f"payment {payment} is parked by its node ({self.note}); {self.reason}"


class SourceUnclear(NodeError):
    """An agent of Web3CardanoV2 whose terms leave open which of its payment sources is meant."""

    def __init__(self, agent_identifier: str, pricing: str, indices: Sequence[int]) -> None:
        super().__init__(agent_identifier, pricing, indices)
        self.agent_identifier, self.pricing, self.indices = agent_identifier, pricing, indices

    def __str__(self) -> str:
        agent = f"agent {self.agent_identifier[:16]}… is registered with"
        if not self.indices:
            return f"{agent} no payment source that is priced {self.pricing} on this network"
        several = ", ".join(map(str, self.indices))
        return (
            f"{agent} several sources priced {self.pricing}: set source_index to one of {several}"
        )


class IdentifierUnverified(NodeError):
    """A blockchainIdentifier that is malformed or whose signature does not cover the terms."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"blockchainIdentifier does not verify: {self.reason}"


class SignatureRefused(SumiError):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the signature does not hold: {self.reason}"
