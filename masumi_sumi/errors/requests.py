"""What whoever asks corrects, what is not there, and what is no longer true."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from masumi_sumi.errors.tree import SumiError


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


class BodyTooLarge(BodyUnreadable):
    def __init__(self, largest: int) -> None:
        super().__init__("body", f"is larger than {largest} bytes")
        self.args = (largest,)


class BodyTooSlow(BodyUnreadable):
    def __init__(self, seconds: float) -> None:
        super().__init__("body", f"did not arrive within {seconds} seconds")
        self.args = (seconds,)


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


class UserInvalid(InputRefused):
    """Executions are kept in a folder of their user, so a user's name is no path."""

    def __init__(self, user: str) -> None:
        super().__init__(user)
        self.user = user

    def __str__(self) -> str:
        return f"user {self.user[:40]!r}: expected up to 128 letters, digits, '_' and '-'"


class AccessRefused(SumiError):
    """The caller may not do this at the app's own address; nothing was started."""


class LoginRequired(AccessRefused):
    def __init__(self, flow: str) -> None:
        super().__init__(flow)
        self.flow = flow

    def __str__(self) -> str:
        return f"flow {self.flow} asks for a login: log in at the gateway and start it there"


class DirectLaunchRefused(AccessRefused):
    """Kodosumi's own way of starting a flow, without the gateway's proof."""

    def __str__(self) -> str:
        return (
            "only the gateway may start this: hire it with start_job, or start it in the gateway's "
            "panel. In a closed network, SUMI_ALLOW_DIRECT_LAUNCH=true lets Kodosumi's own panel in"
        )


LONGEST_NAME = 100
"""Characters of a name that are repeated to whoever asked for what is not there."""


class NotFound(SumiError):
    KIND = "thing"

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name

    def __str__(self) -> str:
        shown = self.name if len(self.name) <= LONGEST_NAME else f"{self.name[:LONGEST_NAME]}…"
        return f"{self.KIND} {shown!r} not found"


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
