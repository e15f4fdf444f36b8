"""Everything that can go wrong, in one tree, worded for the person who must act.

    SumiError
    ├── ConfigurationError        the operator corrects a setting
    │   ├── SettingInvalid
    │   ├── DeadlinesDoNotFit
    │   ├── NodeNotConfigured
    │   ├── TermsIncomplete
    │   ├── FunctionUnfit         a function that no form can be made for
    │   ├── FieldUnfit            a field of its model that no form can ask for
    │   ├── PortTaken
    │   └── KeyExists             a key is never written over
    ├── InputRefused              the buyer corrects the request
    │   ├── FieldsInvalid
    │   ├── BodyUnreadable
    │   ├── IdentifierInvalid
    │   └── ExposeInvalid         the operator corrects an expose
    │       ├── DocumentInvalid   its YAML, with line and column
    │       └── NameTaken
    ├── NotFound
    │   ├── UnknownExpose
    │   ├── UnknownFlow
    │   ├── UnknownJob
    │   ├── UnknownLock
    │   └── NoDemo
    ├── Conflict                  true once, not true now
    │   ├── LockReleased
    │   ├── JobNotAwaitingInput
    │   ├── ExposeChanged
    │   └── BootRunning
    ├── ServeError                Ray Serve and the applications on it
    │   ├── ServeUnreachable      no answer: it may or may not have acted
    │   ├── ServeRefused          Ray's own words; it did nothing
    │   └── FlowsUnreadable       an application that does not tell its flows
    ├── PanelError                the panel did not take what it was told
    ├── NodeError                 the payment node
    │   ├── NodeUnreachable       no answer: it may or may not have acted
    │   ├── NodeFailed            5xx: it may or may not have acted
    │   ├── NodeUnreadable        an answer that is not the node's contract
    │   ├── NodeRefused           4xx: it did nothing
    │   │   ├── NodeUnauthorized
    │   │   ├── NodeForbidden
    │   │   ├── NodeNotFound
    │   │   └── NodeConflict
    │   ├── SourceUnclear         several payment sources of an agent fit, or none
    │   └── IdentifierUnverified  a blockchainIdentifier that does not hold
    ├── BuyerError                a hire, as its buyer sees it
    │   ├── AgentError                an endpoint of the agent
    │   │   ├── AgentUnreachable      no answer: it may or may not have acted
    │   │   ├── AgentFailed           5xx: it may or may not have acted
    │   │   ├── AgentUnreadable       an answer that is not MIP-003
    │   │   └── AgentRefused          4xx: it did nothing
    │   ├── OfferUnavailable          the agent takes no jobs, or none that can be paid here
    │   ├── TermsRefused              what the seller wants does not verify: nothing was paid
    │   ├── PurchaseFailed            the money did not get into the escrow
    │   ├── PurchaseUnsettled         it is not known whether the node buys
    │   ├── SellerFailed              no result came
    │   ├── AnswerUnverified          the agent took another answer than ours, or did not sign it
    │   ├── ResultUnverified          a result that is not the one on chain
    │   └── RefundImpossible          there is nothing that a refund could be asked for
    ├── LaunchError               the agent's app did not launch as it must
    │   ├── HandlerFailed
    │   ├── NoLaunch
    │   └── LaunchEscaped
    ├── FileUnfetched             a buyer's file did not come: its job fails
    ├── SignatureRefused          an answer's signature that does not hold
    └── SellerUnavailable         try again later; nothing was started

Errors are built from facts (their ``args``), so they survive pickling between processes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class SumiError(Exception):
    """Root of all errors of masumi_sumi."""


# --- configuration -----------------------------------------------------------------------------


class ConfigurationError(SumiError):
    """A setting stands in the way; the message names it and says what to do."""


class SettingInvalid(ConfigurationError):
    def __init__(self, name: str, value: object, rule: str) -> None:
        super().__init__(name, value, rule)
        self.name, self.value, self.rule = name, value, rule

    def __str__(self) -> str:
        return f"{self.name}={self.value!r} is not valid: {self.rule}"


class DeadlinesDoNotFit(ConfigurationError):
    """The times of a paid job contradict each other. All in seconds."""

    def __init__(self, what: str, submit_by: float, needed: float, sum_of: str) -> None:
        super().__init__(what, submit_by, needed, sum_of)
        self.what, self.submit_by, self.needed, self.sum_of = what, submit_by, needed, sum_of

    def __str__(self) -> str:
        return (
            f"deadlines of {self.what} do not fit: the result must be submitted "
            f"{self.submit_by:.0f} s after the start, but {self.needed:.0f} s are needed "
            f"({self.sum_of}). Raise submit_by to {self.needed:.0f} or lower its parts."
        )


class NodeNotConfigured(ConfigurationError):
    def __init__(self, network: str) -> None:
        super().__init__(network)
        self.network = network

    def __str__(self) -> str:
        return (
            f"no payment node is configured for network {self.network}: set "
            f'SUMI_NODES=\'{{"{self.network}": {{"url": "...", "token": "..."}}}}\' '
            f'or KODO_MASUMI0="{self.network} URL TOKEN"'
        )


class TermsIncomplete(ConfigurationError):
    """A flow is priced, but something that a sale needs is not set."""

    def __init__(self, flow: str, missing: str) -> None:
        super().__init__(flow, missing)
        self.flow, self.missing = flow, missing

    def __str__(self) -> str:
        return f"flow {self.flow} is for sale but has no {self.missing}"


class FunctionUnfit(ConfigurationError):
    def __init__(self, function: str, rule: str) -> None:
        super().__init__(function, rule)
        self.function, self.rule = function, rule

    def __str__(self) -> str:
        return f"function {self.function} cannot be a flow: {self.rule}"


class FieldUnfit(ConfigurationError):
    """``type`` is the field's annotation; ``rule`` says what would do instead."""

    def __init__(self, model: str, field: str, type: str, rule: str) -> None:
        super().__init__(model, field, type, rule)
        self.model, self.field, self.type, self.rule = model, field, type, rule

    def __str__(self) -> str:
        return f"{self.model}.{self.field}: {self.type} cannot be asked in a form: {self.rule}"


class PortTaken(ConfigurationError):
    def __init__(self, part: str, port: int, setting: str) -> None:
        super().__init__(part, port, setting)
        self.part, self.port, self.setting = part, port, setting

    def __str__(self) -> str:
        return (
            f"port {self.port} for {self.part} is taken by another process: "
            f"stop it or set {self.setting}"
        )


class KeyExists(ConfigurationError):
    def __init__(self, path: object) -> None:
        super().__init__(str(path))
        self.path = str(path)

    def __str__(self) -> str:
        return f"{self.path} is there already; a key is never written over: name another file"


# --- the buyer's input -------------------------------------------------------------------------


class InputRefused(SumiError):
    """The request cannot be accepted as it is; nothing was started."""

    @property
    def fields(self) -> Mapping[str, Sequence[str]]:
        """Reasons by field name; ``_global_`` for the request as a whole."""
        return {"_global_": [str(self)]}


class FieldsInvalid(InputRefused):
    """Values that break the form's rules, or that the author's own validation refused."""

    def __init__(self, errors: Mapping[str, Sequence[str]]) -> None:
        plain = {name: list(reasons) for name, reasons in errors.items()}
        super().__init__(plain)
        self.errors = plain

    @property
    def fields(self) -> Mapping[str, Sequence[str]]:
        return self.errors

    def __str__(self) -> str:
        return "; ".join(f"{name}: {', '.join(why)}" for name, why in self.errors.items() if why)


class BodyUnreadable(InputRefused):
    def __init__(self, field: str, reason: str) -> None:
        super().__init__(field, reason)
        self.field, self.reason = field, reason

    @property
    def fields(self) -> Mapping[str, Sequence[str]]:
        return {self.field: [self.reason]}

    def __str__(self) -> str:
        return f"{self.field}: {self.reason}"


class IdentifierInvalid(InputRefused):
    NAME = "identifier_from_purchaser"
    RULE = "must be 14 to 26 hexadecimal characters of even length"

    def __init__(self, identifier: object) -> None:
        super().__init__(identifier)
        self.identifier = identifier

    @property
    def fields(self) -> Mapping[str, Sequence[str]]:
        return {self.NAME: [self.RULE]}

    def __str__(self) -> str:
        return f"{self.NAME}: {self.RULE}"


class ExposeInvalid(InputRefused):
    def __init__(self, field: str, rule: str) -> None:
        super().__init__(field, rule)
        self.field, self.rule = field, rule

    @property
    def fields(self) -> Mapping[str, Sequence[str]]:
        return {self.field: [self.rule]}

    def __str__(self) -> str:
        return f"{self.field}: {self.rule}"


class DocumentInvalid(ExposeInvalid):
    """YAML that is broken or says what cannot be. ``line`` and ``column`` count from 1."""

    def __init__(self, field: str, rule: str, line: int, column: int) -> None:
        super().__init__(field, rule)
        self.args = (field, rule, line, column)
        self.line, self.column = line, column

    @property
    def fields(self) -> Mapping[str, Sequence[str]]:
        return {self.field: [f"line {self.line}, column {self.column}: {self.rule}"]}

    def __str__(self) -> str:
        return f"{self.field}: line {self.line}, column {self.column}: {self.rule}"


class NameTaken(ExposeInvalid):
    def __init__(self, name: str) -> None:
        super().__init__("name", f"another expose is named {name!r}")
        self.args = (name,)
        self.name = name


# --- not there ---------------------------------------------------------------------------------


class NotFound(SumiError):
    KIND = "thing"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        return f"{self.KIND} {self.name!r} not found"


class UnknownExpose(NotFound):
    KIND = "expose"


class UnknownFlow(NotFound):
    KIND = "flow"


class UnknownJob(NotFound):
    KIND = "job"


class UnknownLock(NotFound):
    KIND = "lock"


class NoDemo(NotFound):
    KIND = "demo of flow"


# --- no longer true ----------------------------------------------------------------------------


class Conflict(SumiError):
    """The request was right for another state of the job, or of the expose."""


class LockReleased(Conflict):
    def __init__(self, lock_id: str) -> None:
        super().__init__(lock_id)
        self.lock_id = lock_id

    def __str__(self) -> str:
        return f"lock {self.lock_id!r} is already answered or expired"


class JobNotAwaitingInput(Conflict):
    def __init__(self, job_id: str, status: str) -> None:
        super().__init__(job_id, status)
        self.job_id, self.status = job_id, status

    def __str__(self) -> str:
        return f"job {self.job_id!r} is {self.status} and waits for no input"


class ExposeChanged(Conflict):
    """``current`` is the etag it has now; empty when it is gone."""

    def __init__(self, name: str, current: str) -> None:
        super().__init__(name, current)
        self.name, self.current = name, current

    def __str__(self) -> str:
        what = "has been changed" if self.current else "is gone"
        return f"expose {self.name!r} {what} since it was read: read it again"


class BootRunning(Conflict):
    """``silent`` is for how many seconds its owner has given no sign of life."""

    def __init__(self, what: str, owner: str, silent: float, dead: bool) -> None:
        super().__init__(what, owner, silent, dead)
        self.what, self.owner, self.silent, self.dead = what, owner, silent, dead

    def __str__(self) -> str:
        if self.dead:
            return (
                f"{self.what} by {self.owner} gave no sign of life for {self.silent:.0f} s: "
                "use force=true to take over"
            )
        return f"{self.what} is in progress already ({self.owner}); nothing was changed"


# --- the payment node --------------------------------------------------------------------------


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


# --- the buyer ---------------------------------------------------------------------------------


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


class RefundImpossible(BuyerError):
    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"no refund can be asked for: {self.reason}"


# --- the launch --------------------------------------------------------------------------------


class LaunchError(SumiError):
    """The app's own handler did not end in one captured launch; nothing runs."""


class HandlerFailed(LaunchError):
    """The author's handler raised or answered an error; ``reason`` is one line, no traceback."""

    def __init__(self, flow: str, reason: str) -> None:
        super().__init__(flow, reason)
        self.flow, self.reason = flow, reason

    def __str__(self) -> str:
        return f"flow {self.flow} failed to start: {self.reason}"


class NoLaunch(LaunchError):
    def __init__(self, flow: str) -> None:
        super().__init__(flow)
        self.flow = flow

    def __str__(self) -> str:
        return f"flow {self.flow} returned without Launch(...)"


class LaunchEscaped(LaunchError):
    """Launch() was called where its request could not be told; it is refused, never unpaid."""

    def __str__(self) -> str:
        return (
            "Launch(...) was called for a sale outside the request's own context "
            "(a bare thread or run_in_executor). Call it in the handler itself, "
            "or through asyncio.to_thread."
        )


# --- files -------------------------------------------------------------------------------------


class FileUnfetched(SumiError):
    """``reason`` tells the buyer what to mend; the URL, which may hold a token, is not told."""

    def __init__(self, field: str, name: str, reason: str) -> None:
        super().__init__(field, name, reason)
        self.field, self.name, self.reason = field, name, reason

    def __str__(self) -> str:
        return f"{self.field}: {self.name} could not be fetched: {self.reason}"


# --- Ray Serve and the panel --------------------------------------------------------------------


class ServeError(SumiError):
    """Ray Serve, or an application on it, did not do what was asked."""


class ServeUnreachable(ServeError):
    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url, self.reason = url, reason

    def __str__(self) -> str:
        return f"Ray's dashboard {self.url} gave no answer: {self.reason}"


class ServeRefused(ServeError):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(status, message)
        self.status, self.message = status, message

    def __str__(self) -> str:
        return f"Ray Serve refused ({self.status}): {self.message}"


class FlowsUnreadable(ServeError):
    def __init__(self, url: str, reason: str) -> None:
        super().__init__(url, reason)
        self.url, self.reason = url, reason

    def __str__(self) -> str:
        return f"{self.url} does not tell its flows: {self.reason}"


class PanelError(SumiError):
    def __init__(self, call: str, reason: str) -> None:
        super().__init__(call, reason)
        self.call, self.reason = call, reason

    def __str__(self) -> str:
        return f"the panel refused {self.call}: {self.reason}"


class SellerUnavailable(SumiError):
    """The seller's side cannot take a job right now; nothing was started."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the seller cannot take a job right now: {self.reason}"
