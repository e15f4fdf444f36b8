"""The payment nodes of all networks behind the one port that jobs know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from masumi_sumi.clock import Clock
from masumi_sumi.errors import NodeNotConfigured
from masumi_sumi.jobs.model import PaymentFacts, PaymentOrder, PaymentView, SourceType
from masumi_sumi.jobs.ports import Changes, Cursor, Escrow
from masumi_sumi.payments.client import OPEN_TIMEOUT, NodeClient
from masumi_sumi.payments.follower import Follower
from masumi_sumi.settings import NodeSettings

Connect = Callable[[NodeSettings], NodeClient]


class NodeEscrow(Escrow):
    """Raises NodeNotConfigured for a network without a node.

    ``open_timeout`` is seconds for the whole of ``open``. ``connect`` makes the clients of a node:
    one opens payments, and another one, with connections of its own, follows them and submits
    results, so that no number of openings can starve it. The escrow closes what it made. One event
    loop per escrow.
    """

    def __init__(
        self,
        nodes: Mapping[str, NodeSettings],
        clock: Clock,
        *,
        open_timeout: float = OPEN_TIMEOUT,
        connect: Connect | None = None,
    ) -> None:
        connect = connect or partial(_connect, open_timeout=open_timeout)
        self._clients = {network: connect(node) for network, node in nodes.items()}
        self._openers = {network: connect(node) for network, node in nodes.items()}
        self._clock = clock
        self._followers: dict[tuple[str, SourceType], Follower] = {}

    def node(self, network: str) -> NodeClient:
        """The client itself, for what the port does not carry: health, key, refunds, recovery."""
        try:
            return self._clients[network]
        except KeyError:
            raise NodeNotConfigured(network) from None

    async def open(self, order: PaymentOrder, within: float | None = None) -> PaymentFacts:
        try:
            opener = self._openers[order.network]
        except KeyError:
            raise NodeNotConfigured(order.network) from None
        return await opener.open(order, within)

    async def look(self, network: str, blockchain_identifier: str) -> PaymentView | None:
        return await self.node(network).look(network, blockchain_identifier)

    async def changes(self, network: str, source: SourceType, cursor: Cursor | None) -> Changes:
        """One caller at a time for each (network, source)."""
        return await self._follower(network, source).changes(cursor)

    async def submit(self, network: str, blockchain_identifier: str, result_hash: str) -> None:
        await self.node(network).submit(network, blockchain_identifier, result_hash)

    async def resubmit(self, network: str, blockchain_identifier: str, result_hash: str) -> None:
        await self.node(network).resubmit(network, blockchain_identifier, result_hash)

    async def aclose(self) -> None:
        for client in (*self._openers.values(), *self._clients.values()):
            await client.aclose()

    def _follower(self, network: str, source: SourceType) -> Follower:
        key = (network, source)
        if key not in self._followers:
            read = partial(self.node(network).changed, network, source)
            self._followers[key] = Follower(read, self._clock)
        return self._followers[key]


def _connect(node: NodeSettings, open_timeout: float) -> NodeClient:
    return NodeClient(node.url, node.token, open_timeout=open_timeout)
