"""Which addresses a stranger's URL may lead to, and how a name becomes addresses."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import psutil

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""(host, port) -> addresses. Raises UnknownHost, or OSError where nothing can be told."""

_HOSTS_OWN = frozenset({"168.63.129.16"})
"""Public by their number, yet answered by the host under a machine in the cloud."""

_UNICAST = IPv6Network("2000::/3")
_TUNNELS = (IPv6Network("2001::/32"), IPv6Network("2002::/16"))
"""They carry an IPv4 address inside, which nobody has checked."""


class UnknownHost(Exception):
    """There is no such host."""


def is_public(address: str) -> bool:
    """Whether an address is one of the open internet's: unknown kinds are not."""
    try:
        given = ip_address(address)
    except ValueError:
        return False
    if str(given) in _HOSTS_OWN | _of_this_machine():
        return False
    return _is_public_6(given) if isinstance(given, IPv6Address) else _is_public_4(given)


def _of_this_machine() -> frozenset[str]:
    """A machine reaches its own public address past every firewall in front of it."""
    interfaces = psutil.net_if_addrs().values()
    return frozenset(each.address.partition("%")[0] for found in interfaces for each in found)


def _is_public_4(given: IPv4Address) -> bool:
    return given.is_global and not given.is_multicast and not given.is_reserved


def _is_public_6(given: IPv6Address) -> bool:
    """Mapped, translated and site-local addresses are outside of the range by themselves."""
    inside = given in _UNICAST and not any(given in tunnel for tunnel in _TUNNELS)
    return inside and given.is_global and not given.is_multicast


async def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host, in the order in which to try them."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        if error.errno in (socket.EAI_NONAME, socket.EAI_NODATA):
            raise UnknownHost(host) from error
        raise
    except UnicodeError as error:  # a name that no resolver takes
        raise UnknownHost(host) from error
    return list(dict.fromkeys(str(each[4][0]) for each in found))
