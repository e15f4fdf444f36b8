"""The payment node that a buyer pays through: named, its network's own, or the sandbox here."""

from __future__ import annotations

from urllib.parse import urlsplit

from masumi_sumi.buyer import Purchases
from masumi_sumi.cli.environment import reachable, sandbox_url
from masumi_sumi.cli.ports import is_open
from masumi_sumi.errors import SettingInvalid
from masumi_sumi.settings import SANDBOX_TOKEN, NodeSettings, Settings


def client(
    settings: Settings, network: str, url: str | None, token: str | None
) -> Purchases | None:
    """Raises SettingInvalid for a node whose key is unknown; a key goes to its own node only."""
    known = settings.nodes.get(network) or _sandbox(settings, network)
    if url is None and known is None:
        return None
    if url is None and known is not None:
        return Purchases(known.url, token or known.token)
    own = known is not None and _same_place(known.url, url or "")
    key = token or (known.token if known is not None and own else None)
    if key is None:
        raise SettingInvalid("--token", "nothing", "a node needs the key of its buyer")
    return Purchases(url or "", key)


def same_client(
    settings: Settings, network: str, kept: str, url: str | None, token: str | None
) -> Purchases | None:
    """That of the node which was at ``kept``; a login in its URL is not kept, but set anew."""
    if not kept:
        return None
    known = settings.nodes.get(network)
    if url is None and known is not None and Purchases(known.url, known.token).url == kept:
        return Purchases(known.url, token or known.token)
    return client(settings, network, url or kept, token)


def _sandbox(settings: Settings, network: str) -> NodeSettings | None:
    if network != "Preprod" or not is_open(settings.sandbox_port, reachable(settings.host)):
        return None
    given = {"url": sandbox_url(settings), "token": SANDBOX_TOKEN}
    return NodeSettings.model_validate(given)


def _same_place(one: str, other: str) -> bool:
    return urlsplit(one.rstrip("/")) == urlsplit(other.rstrip("/"))
