"""Keep the ports of Ray's workers at loopback. Ray imports this module first in each worker.

A replica of Ray Serve opens a gRPC port at all addresses, which no setting of Ray changes. The
port wants the cluster's token, but it unpickles what it is sent; so nobody beyond this machine
should reach it. Only a cluster whose node address is loopback may preload this module.
"""

from __future__ import annotations

from typing import Any

from ray._common import tls_utils

ALL_ADDRESSES, LOOPBACK = "[::]:", "127.0.0.1:"

_add_port: Any = tls_utils.add_port_to_grpc_server


def add_port_at_loopback(server: Any, address: str) -> Any:
    """Add the port as Ray does, at loopback instead of all addresses."""
    if address.startswith(ALL_ADDRESSES):
        address = LOOPBACK + address.removeprefix(ALL_ADDRESSES)
    return _add_port(server, address)


# Ray Serve imports the function by name, later than this module is imported.
tls_utils.add_port_to_grpc_server = add_port_at_loopback
