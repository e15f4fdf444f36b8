"""Check settings that hold addresses: of the gateway as buyers reach it, and of proxies."""

from __future__ import annotations

from ipaddress import ip_network
from urllib.parse import urlsplit

PUBLIC_URL_RULE = "expected http(s)://HOST[:PORT][/PATH] without user, query and fragment"
PROXIES_RULE = "expected IP addresses or networks (10.0.0.0/8), several separated by commas"


def is_http_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, or half a bracket
        return False


def parse_public_url(text: str) -> str:
    """Return the address without a slash at its end. Raises ValueError."""
    url = text.strip()
    if not url:
        return ""
    is_plain = url.isprintable() and not any(mark in url for mark in ' ?#@\\"<>')
    if not is_plain or not is_http_url(url):
        raise ValueError(PUBLIC_URL_RULE)
    return url.rstrip("/")


def parse_proxies(text: str) -> tuple[str, ...]:
    """Return addresses and networks, each in its usual spelling. Raises ValueError.

    All addresses at once are refused: everybody could then say who he is.
    """
    try:
        networks = [ip_network(word.strip()) for word in text.split(",") if word.strip()]
    except ValueError:
        raise ValueError(PROXIES_RULE) from None
    if any(network.prefixlen == 0 for network in networks):
        raise ValueError(f"{PROXIES_RULE}; name the proxies, not everybody")
    return tuple(
        str(network.network_address) if network.num_addresses == 1 else str(network)
        for network in networks
    )
