# ruff: noqa: RUF001, RUF002 - the marks are those that people know from the panel's boot stream
"""What happens during a boot, a refresh or a shutdown: facts for code, ``line()`` for people.

▶ a step begins   • something is tried   → what came of it   ✓ a step is done   ✔ all is done
ℹ good to know    ⚠ one thing failed, the others go on       ✗ it ends here
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """``words`` is the line with the event's own fields in braces; ``ends`` marks the last one."""

    words: ClassVar[str]
    ends: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class BootStarted(Event):
    at: float
    words = "ℹ Boot started at {at}"


@dataclass(frozen=True, slots=True)
class RefreshStarted(Event):
    name: str
    at: float
    words = "ℹ Refreshing expose '{name}' at {at}"


@dataclass(frozen=True, slots=True)
class DeployStarted(Event):
    words = "▶ [DEPLOY] Starting Ray Serve deployment"


@dataclass(frozen=True, slots=True)
class RedeployStarted(Event):
    name: str
    words = "▶ [DEPLOY] Redeploying expose '{name}'; the others keep serving"


@dataclass(frozen=True, slots=True)
class ConfigLoaded(Event):
    file: str
    words = "  • [{file}] Loading global configuration → OK"


@dataclass(frozen=True, slots=True)
class Prepared(Event):
    name: str
    route: str
    words = "  • [{name}] Prepared deployment config → route={route}"


@dataclass(frozen=True, slots=True)
class Skipped(Event):
    """``why``: disabled, or no bootstrap."""

    name: str
    why: str
    words = "ℹ [{name}] Skipping ({why})"


@dataclass(frozen=True, slots=True)
class Merged(Event):
    """``kept`` applications on Ray Serve are none of our exposes, or not concerned."""

    url: str
    kept: int
    words = "  • [{url}] Created merged deployment config"


@dataclass(frozen=True, slots=True)
class Sending(Event):
    applications: int
    words = "  • [serve] Running serve deploy ({applications} applications)"


@dataclass(frozen=True, slots=True)
class Sent(Event):
    words = "  serve deploy command → success"


@dataclass(frozen=True, slots=True)
class Initiated(Event):
    applications: int
    words = "✓ Deployment initiated ({applications} applications)"


@dataclass(frozen=True, slots=True)
class WaitStarted(Event):
    timeout: float
    words = "▶ [HEALTH] Waiting for deployments to complete (timeout: {timeout:.0f}s)"


@dataclass(frozen=True, slots=True)
class StatusSeen(Event):
    name: str
    status: str
    words = "  • [{name}] Status: {status}"


@dataclass(frozen=True, slots=True)
class Settled(Event):
    """``state`` is Ray's own word: RUNNING, DEPLOY_FAILED, UNHEALTHY, or TIMEOUT."""

    name: str
    state: str
    words = "  [{name}] Reached final state → {state}"


@dataclass(frozen=True, slots=True)
class AppFailed(Event):
    """One application failed, the others go on; ``message`` is Ray's own."""

    name: str
    message: str
    words = "⚠ [{name}] {message}"


@dataclass(frozen=True, slots=True)
class WaitEnded(Event):
    running: int
    failed: int
    words = "✓ All deployments complete ({running} running, {failed} failed)"


@dataclass(frozen=True, slots=True)
class FlowsStarted(Event):
    words = "▶ [RETRIEVE] Retrieving flows"


@dataclass(frozen=True, slots=True)
class FlowsFound(Event):
    name: str
    flows: int
    url: str
    words = "  • [{name}] GET {url} → {flows} flows"


@dataclass(frozen=True, slots=True)
class CardUnmatched(Event):
    """A card that says something of a flow that its app does not have."""

    name: str
    url: str
    words = "⚠ [{name}] No flow of this app is at {url}"


@dataclass(frozen=True, slots=True)
class SaleUnread(Event):
    """A flow that does not tell on what terms it is sold: its app's word opens it to nobody."""

    name: str
    path: str
    why: str
    words = "⚠ [{name}] GET openapi of flow {path} does not tell its terms: {why}"


@dataclass(frozen=True, slots=True)
class MetaUpdated(Event):
    name: str
    flow_stats: str
    words = "  [{name}] Updated meta → {flow_stats} flows alive"


@dataclass(frozen=True, slots=True)
class FlowsEnded(Event):
    flows: int
    applications: int
    words = "✓ Flows retrieved ({flows} flows of {applications} applications)"


@dataclass(frozen=True, slots=True)
class RegisterStarted(Event):
    words = "▶ [REGISTER] Registering flows with the panel"


@dataclass(frozen=True, slots=True)
class Registered(Event):
    flows: int
    words = "  Flow registry refreshed → {flows} flows"


@dataclass(frozen=True, slots=True)
class PanelFailed(Event):
    message: str
    words = "⚠ [panel] {message}"


@dataclass(frozen=True, slots=True)
class Booted(Event):
    """Failed exposes are named; the others run."""

    at: float
    seconds: float
    running: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    words = "✔ Boot completed at {at} (runtime: {seconds:.1f}s)"
    ends = True


@dataclass(frozen=True, slots=True)
class Refreshed(Event):
    name: str
    seconds: float
    running: bool
    words = "✔ Refresh of '{name}' completed (runtime: {seconds:.1f}s)"
    ends = True


@dataclass(frozen=True, slots=True)
class ShutdownStarted(Event):
    words = "▶ [DEPLOY] Shutting down Ray Serve"


@dataclass(frozen=True, slots=True)
class ShuttingDown(Event):
    words = "  • [serve] Running serve shutdown -y"


@dataclass(frozen=True, slots=True)
class ServeShutDown(Event):
    words = "  serve shutdown → success"


@dataclass(frozen=True, slots=True)
class UpdateStarted(Event):
    words = "▶ [UPDATE] Updating expose states"


@dataclass(frozen=True, slots=True)
class Clearing(Event):
    words = "  • [Clearing flow registry] PUT /flow/register"


@dataclass(frozen=True, slots=True)
class Cleared(Event):
    flows: int
    words = "  Flow registry refreshed → {flows} flows remaining"


@dataclass(frozen=True, slots=True)
class ShutDown(Event):
    words = "✔ Shutdown complete"
    ends = True


@dataclass(frozen=True, slots=True)
class Failed(Event):
    """The whole of it failed; ``what``: Boot, Refresh, Shutdown."""

    what: str
    message: str
    words = "✗ {what} failed: {message}"
    ends = True


def line(event: Event) -> str:
    """The event for people. Further lines of a long message are indented below the first."""
    said = event.words.format_map(_shown(event))
    return said.strip("\n").replace("\r", "").replace("\n", "\n    ")


def event_json(event: Event) -> dict[str, Any]:
    """The event for code: its kind and its facts."""
    return {"event": type(event).__name__, **_facts(event)}


def _facts(event: Event) -> dict[str, Any]:
    return {each.name: getattr(event, each.name) for each in fields(event)}


def _shown(event: Event) -> dict[str, Any]:
    facts = _facts(event)
    if "at" in facts:
        facts["at"] = datetime.fromtimestamp(facts["at"], UTC).strftime("%Y-%m-%d %H:%M:%S")
    return facts
