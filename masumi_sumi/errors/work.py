"""The author's app, its files, and the seller's own parts."""

from __future__ import annotations

from masumi_sumi.errors.tree import SumiError


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


class FileUnfetched(SumiError):
    """``reason`` tells the buyer what to mend; the URL, which may hold a token, is not told."""

    def __init__(self, field: str, name: str, reason: str) -> None:
        super().__init__(field, name, reason)
        self.field, self.name, self.reason = field, name, reason

    def __str__(self) -> str:
        return f"{self.field}: {self.name} could not be fetched: {self.reason}"


class SellerBusy(SumiError):
    """The seller takes no more starts at this moment; nothing was started.

    ``retry_after`` is the number of seconds after which a new attempt makes sense.
    """

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(reason, retry_after)
        self.reason, self.retry_after = reason, retry_after

    def __str__(self) -> str:
        return f"the seller is busy: {self.reason}; nothing was started, try again later"


class SellerUnavailable(SumiError):
    """The seller's side cannot take a job right now; nothing was started."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"the seller cannot take a job right now: {self.reason}"
