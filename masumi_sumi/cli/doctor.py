"""``masumi-sumi doctor``: looks at everything that a sale hangs on, and changes nothing."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args
from urllib.parse import urlsplit

import typer

from masumi_sumi.cli.findings import Finding, Verdict

if TYPE_CHECKING:
    import httpx

    from masumi_sumi.cli.exposed import Exposed
    from masumi_sumi.cli.served import Served
    from masumi_sumi.payments.wire import KeyStatus
    from masumi_sumi.settings import NodeSettings, Settings

NEEDED = (3, 12)
WATCHED = ("ray", "kodosumi")
STYLES: dict[Verdict, str] = {"good": "green", "beware": "yellow", "bad": "bold red"}


def doctor(
    json: Annotated[bool, typer.Option("--json", help="One JSON object per finding.")] = False,
) -> None:
    """Check Python, Ray, settings, ports, payment nodes, deadlines and registered agents.

    Says what to do for each finding.

    Ends with 0 when nothing is bad, and with 2 when something has to be corrected first.
    """
    findings = asyncio.run(_collect(json))
    raise typer.Exit(2 if any(found.verdict == "bad" for found in findings) else 0)


async def _collect(as_json: bool) -> list[Finding]:
    found: list[Finding] = []
    async for finding in findings():
        found.append(finding)
        _tell(finding, as_json)
    return found


async def findings() -> AsyncIterator[Finding]:
    """All that can be seen from here, in the order in which it should be put right."""
    from masumi_sumi.cli.cluster import cluster
    from masumi_sumi.cli.exposure import exposure
    from masumi_sumi.errors import SumiError
    from masumi_sumi.settings import Network, Settings

    yield python(sys.version_info[:3])
    for finding in packages():
        yield finding
    try:
        settings = Settings()
    except SumiError as error:
        yield Finding("settings", "bad", str(error), "correct the setting and look again")
        return
    yield Finding("settings", "good", f"data is kept in {settings.data_dir}")
    yield folder(settings.data_dir)
    for finding in exposure(settings):
        yield finding
    for finding in signing_key(settings.agent_key.get_secret_value()):
        yield finding
    for finding in ports(settings):
        yield finding
    async for finding in cluster(settings):
        yield finding
    for network in get_args(Network):
        async for finding in node(network, settings):
            yield finding
    async for finding in registered(settings):
        yield finding


def python(version: tuple[int, ...]) -> Finding:
    told = ".".join(map(str, version))
    if version >= NEEDED:
        return Finding("Python", "good", told)
    wanted = ".".join(map(str, NEEDED))
    return Finding("Python", "bad", told, f"make a virtual environment with Python {wanted}")


def packages() -> Iterator[Finding]:
    """The two that sell or break everything, against what this package itself requires."""
    from packaging.requirements import Requirement

    required = [Requirement(line) for line in metadata.requires("masumi-sumi") or ()]
    for requirement in required:
        if requirement.name in WATCHED:
            yield _package(requirement.name, str(requirement.specifier), requirement.specifier)


def _package(name: str, wanted: str, specifier: object) -> Finding:
    from packaging.specifiers import SpecifierSet

    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return Finding(name, "bad", "is not installed", f"pip install '{name}{wanted}'")
    if isinstance(specifier, SpecifierSet) and specifier.contains(version):
        return Finding(name, "good", version)
    return Finding(name, "bad", f"{version}, needed is {wanted}", f"pip install '{name}{wanted}'")


def folder(data_dir: Path) -> Finding:
    """Whether the data folder, or the one that it will be made in, can be written."""
    nearest = next(place for place in (data_dir, *data_dir.parents) if place.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return Finding("data folder", "good", f"{data_dir} can be written")
    return Finding(
        "data folder", "bad", f"{nearest} cannot be written", "chown it, or set SUMI_DATA_DIR"
    )


def signing_key(setting: str) -> Iterator[Finding]:
    """The key of SUMI_AGENT_KEY, where one is set: answers need not be signed."""
    from masumi_sumi.errors import SettingInvalid
    from masumi_sumi.signing import AgentKey

    what, make = "signing key", "correct SUMI_AGENT_KEY; masumi-sumi key new makes a key"
    try:
        key = AgentKey.of(setting)
    except SettingInvalid as error:
        yield Finding(what, "bad", str(error), make)
        return
    if key is None:
        return
    file = Path(setting)
    if file.is_absolute() and file.stat().st_mode & 0o077:
        yield Finding(what, "beware", "others than its owner can read it", f"chmod 600 {file}")
    else:
        yield Finding(what, "good", f"answers are signed, the public key is {key.public_key}")


def ports(settings: Settings) -> Iterator[Finding]:
    """A port is fine when it is free, or when a stack of this data folder has it."""
    from masumi_sumi.cli import record
    from masumi_sumi.cli.ports import LOOPBACK, PARTS, is_free

    stack = record.read(settings.data_dir)
    if stack is not None and stack.owner.alive:
        yield Finding("ports", "good", "the stack with this data folder is up and has them")
        return
    for part, fields in PARTS.items():
        host = LOOPBACK if part in ("ray", "sandbox") else settings.host
        for name, field in fields:
            port: int = getattr(settings, field)
            if is_free(port, host):
                yield Finding(f"port of {name}", "good", f"{port} is free")
            else:
                advice = f"stop what has it, or set SUMI_{field.upper()}"
                yield Finding(f"port of {name}", "beware", f"{port} is taken", advice)


async def node(network: str, settings: Settings) -> AsyncIterator[Finding]:
    """Reach, rights and deadlines of a network's payment node."""
    known = settings.nodes.get(network)
    if known is None:
        if network == "Preprod":
            advice = f"set SUMI_NODES to sell on {network}; `up` and `demo` bring a sandbox"
            yield Finding(f"node of {network}", "beware", "is not configured", advice)
        return
    for finding in find_plain_http(network, known.url):
        yield finding
    async for finding in _reach(network, known):
        yield finding
    yield _deadlines(network, settings)


def find_plain_http(network: str, url: str) -> Iterator[Finding]:
    """Tell of a node whose key goes over the net as it is; at loopback nobody listens in."""
    from masumi_sumi.payments.connection import is_here

    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:  # the look at the node tells of it
        return
    if parts.scheme != "http" or is_here(host):
        return
    words = f"{host} is asked over http://: whoever stands between reads its key"
    advice = "give the node an https:// address, and set it in SUMI_NODES"
    yield Finding(f"node of {network}", "beware", words, advice)


async def _reach(network: str, known: NodeSettings) -> AsyncIterator[Finding]:
    from masumi_sumi.errors import NodeUnauthorized, SumiError
    from masumi_sumi.payments.connection import NodeConnection

    what = f"node of {network}"
    try:
        async with NodeConnection(known.url, known.token, timeout=10.0) as connection:
            await connection.health()
            yield Finding(what, "good", f"{connection.url} is well")
            key = await connection.api_key_status()
            sources = await connection.payment_sources()
    except NodeUnauthorized as error:
        yield Finding(what, "bad", str(error), "the token is unknown there: correct SUMI_NODES")
        return
    except SumiError as error:
        yield Finding(what, "bad", str(error), "start the node, or correct its URL in SUMI_NODES")
        return
    for finding in rights(what, network, key):
        yield finding
    kinds = sorted(source.type for source in sources if source.network == network)
    if network not in key.networks and not key.can_admin:
        return  # what it may not see says nothing
    if kinds:
        yield Finding(what, "good", f"serves {', '.join(kinds)}")
    else:
        advice = f"add a payment source of {network} at the node"
        yield Finding(what, "bad", f"has no payment source of {network}", advice)


def rights(what: str, network: str, key: KeyStatus) -> Iterator[Finding]:
    """Whether a key can sell: a seller's calls need the right to pay, on its network."""
    if key.status != "Active":
        yield Finding(what, "bad", f"its key is {key.status}", "make a new key at the node")
    if not (key.can_pay or key.can_admin):
        advice = "give it the right to pay, which payments are opened with"
        yield Finding(what, "bad", "its key may only read", advice)
    elif network not in key.networks and not key.can_admin:
        allowed = ", ".join(key.networks) or "none"
        yield Finding(what, "bad", f"its key is for {allowed}", f"allow it {network}")
    elif key.can_admin:
        advice = "sell with a key that may pay and no more: this one can export wallets"
        yield Finding(what, "beware", "its key may do everything", advice)
    else:
        yield Finding(what, "good", "its key may pay")


def _deadlines(network: str, settings: Settings) -> Finding:
    """Settings that do not fit are refused when they are read; here are those that do."""
    from masumi_sumi.settings import NODE_MARGIN

    times = settings.deadlines(network, f"network {network}")
    words = (
        f"pay within {times.pay_by:.0f} s, run {times.run:.0f} s, questions {times.lock:.0f} s, "
        f"{NODE_MARGIN:.0f} s for the node: result within {times.submit_by:.0f} s"
    )
    return Finding(f"deadlines of {network}", "good", words)


async def registered(
    settings: Settings, http: httpx.AsyncClient | None = None
) -> AsyncIterator[Finding]:
    """All agents that are sold from here, by cards or by their apps, against their registries."""
    from masumi_sumi.cli.exposed import exposed
    from masumi_sumi.cli.registered import compared
    from masumi_sumi.cli.served import served
    from masumi_sumi.cli.sold import together, unlike
    from masumi_sumi.cli.vouched import unvouched

    cards = await asyncio.to_thread(exposed, settings)
    apps = await served(settings, cards.names)
    for finding in (*cards.findings, *apps.findings, *unlike(cards.sold, apps.flows)):
        yield finding
    sold = together(cards.sold, apps.flows)
    if not sold:
        free = f" ({len(apps.flows)} flows run free)" if apps.flows else ""
        words = f"none was found for sale{free}, so there is none to compare with a registry"
        yield Finding("agents", "good", words)
    async for finding in compared(sold, settings, http):
        yield finding
    for finding in unvouched(sold, settings, time.time()):
        yield finding
    async for finding in _unpaid_starts(cards, apps, settings):
        yield finding


async def _unpaid_starts(
    cards: Exposed, apps: Served, settings: Settings
) -> AsyncIterator[Finding]:
    """What a stranger can start here without paying; registered addresses are tried elsewhere."""
    from masumi_sumi.cli.exposed import answers, flows_with_login
    from masumi_sumi.cli.operator import panel_url
    from masumi_sumi.cli.unpaid_starts import Target, direct_launch, targets_of_app, try_to_steal

    for finding in direct_launch(settings):
        yield finding
    if not apps.flows:
        return
    panel = panel_url(settings, None)
    panel = panel if await asyncio.to_thread(answers, panel) else ""
    flows = {flow: sold is not None for flow, sold in apps.flows.items()}
    login = [
        Target(flow, f"{apps.url}/{flow}", login=True)
        for flow in flows_with_login(cards, apps.flows)
    ]
    targets = [*targets_of_app(apps.url, panel, flows), *login]
    async for finding in try_to_steal(targets, settings):
        yield finding


def _tell(finding: Finding, as_json: bool) -> None:
    if as_json:
        import json

        print(json.dumps(asdict(finding)), flush=True)
        return
    from rich.console import Console
    from rich.text import Text

    from masumi_sumi.cli.escaping import escape_line

    line = Text(f"{finding.verdict:<7}", style=STYLES[finding.verdict])
    line.append(f" {escape_line(f'{finding.what}: {finding.words}')}", style="default")
    if finding.advice:
        line.append(f"\n        {escape_line(finding.advice)}", style="cyan")
    Console().print(line, soft_wrap=True)
