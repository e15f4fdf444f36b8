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
    │   │   ├── BodyTooLarge
    │   │   └── BodyTooSlow
    │   ├── IdentifierInvalid
    │   ├── UserInvalid
    │   └── ExposeInvalid         the operator corrects an expose
    │       ├── DocumentInvalid   its YAML, with line and column
    │       └── NameTaken
    ├── AccessRefused             the caller may not; nothing was started
    │   ├── LoginRequired
    │   └── DirectLaunchRefused
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
    │   ├── RecoveryUnsafe        recovery could lose the payment; it was not called
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
    │   ├── HireUnresumable           what was interrupted stays so
    │   └── RefundImpossible          there is nothing that a refund could be asked for
    ├── LaunchError               the agent's app did not launch as it must
    │   ├── HandlerFailed
    │   ├── NoLaunch
    │   └── LaunchEscaped
    ├── FileUnfetched             a buyer's file did not come: its job fails
    ├── SignatureRefused          an answer's signature that does not hold
    ├── SellerBusy                too many starts at once; nothing was started
    └── SellerUnavailable         try again later; nothing was started

Errors are built from facts (their ``args``), so they survive pickling between processes.
"""

from masumi_sumi.errors.configuration import (
    ConfigurationError,
    DeadlinesDoNotFit,
    FieldUnfit,
    FunctionUnfit,
    KeyExists,
    NodeNotConfigured,
    PortTaken,
    SettingInvalid,
    TermsIncomplete,
)
from masumi_sumi.errors.hire import (
    AgentError,
    AgentFailed,
    AgentRefused,
    AgentUnreachable,
    AgentUnreadable,
    AnswerUnverified,
    BuyerError,
    HireUnresumable,
    OfferUnavailable,
    PurchaseFailed,
    PurchaseUnsettled,
    RefundImpossible,
    ResultUnverified,
    SellerFailed,
    TermsRefused,
)
from masumi_sumi.errors.node import (
    IdentifierUnverified,
    NodeConflict,
    NodeError,
    NodeFailed,
    NodeForbidden,
    NodeNotFound,
    NodeRefused,
    NodeUnauthorized,
    NodeUnreachable,
    NodeUnreadable,
    RecoveryUnsafe,
    SignatureRefused,
    SourceUnclear,
)
from masumi_sumi.errors.requests import (
    AccessRefused,
    BodyTooLarge,
    BodyTooSlow,
    BodyUnreadable,
    BootRunning,
    Conflict,
    DirectLaunchRefused,
    DocumentInvalid,
    ExposeChanged,
    ExposeInvalid,
    FieldsInvalid,
    IdentifierInvalid,
    InputRefused,
    JobNotAwaitingInput,
    LockReleased,
    LoginRequired,
    NameTaken,
    NoDemo,
    NotFound,
    UnknownExpose,
    UnknownFlow,
    UnknownJob,
    UnknownLock,
    UserInvalid,
)
from masumi_sumi.errors.serving import (
    FlowsUnreadable,
    PanelError,
    ServeError,
    ServeRefused,
    ServeUnreachable,
)
from masumi_sumi.errors.tree import (
    SumiError,
)
from masumi_sumi.errors.work import (
    FileUnfetched,
    HandlerFailed,
    LaunchError,
    LaunchEscaped,
    NoLaunch,
    SellerBusy,
    SellerUnavailable,
)

__all__ = [
    "AccessRefused",
    "AgentError",
    "AgentFailed",
    "AgentRefused",
    "AgentUnreachable",
    "AgentUnreadable",
    "AnswerUnverified",
    "BodyTooLarge",
    "BodyTooSlow",
    "BodyUnreadable",
    "BootRunning",
    "BuyerError",
    "ConfigurationError",
    "Conflict",
    "DeadlinesDoNotFit",
    "DirectLaunchRefused",
    "DocumentInvalid",
    "ExposeChanged",
    "ExposeInvalid",
    "FieldUnfit",
    "FieldsInvalid",
    "FileUnfetched",
    "FlowsUnreadable",
    "FunctionUnfit",
    "HandlerFailed",
    "HireUnresumable",
    "IdentifierInvalid",
    "IdentifierUnverified",
    "InputRefused",
    "JobNotAwaitingInput",
    "KeyExists",
    "LaunchError",
    "LaunchEscaped",
    "LockReleased",
    "LoginRequired",
    "NameTaken",
    "NoDemo",
    "NoLaunch",
    "NodeConflict",
    "NodeError",
    "NodeFailed",
    "NodeForbidden",
    "NodeNotConfigured",
    "NodeNotFound",
    "NodeRefused",
    "NodeUnauthorized",
    "NodeUnreachable",
    "NodeUnreadable",
    "NotFound",
    "OfferUnavailable",
    "PanelError",
    "PortTaken",
    "PurchaseFailed",
    "PurchaseUnsettled",
    "RecoveryUnsafe",
    "RefundImpossible",
    "ResultUnverified",
    "SellerBusy",
    "SellerFailed",
    "SellerUnavailable",
    "ServeError",
    "ServeRefused",
    "ServeUnreachable",
    "SettingInvalid",
    "SignatureRefused",
    "SourceUnclear",
    "SumiError",
    "TermsIncomplete",
    "TermsRefused",
    "UnknownExpose",
    "UnknownFlow",
    "UnknownJob",
    "UnknownLock",
    "UserInvalid",
]
