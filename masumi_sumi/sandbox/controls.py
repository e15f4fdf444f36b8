"""What one may do to a sandbox beside what its API offers: time, blocks, agents, faults, states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from masumi_sumi.sandbox.chain import Spoiled
from masumi_sumi.sandbox.clock import SECOND, iso
from masumi_sumi.sandbox.contract import STEPS, SUBMIT
from masumi_sumi.sandbox.errors import Invalid, Missing
from masumi_sumi.sandbox.faults import Fault, Faults
from masumi_sumi.sandbox.model import STATES, Fund, Row
from masumi_sumi.sandbox.node import Node
from masumi_sumi.sandbox.registry import Agent, Holder, Metadata, Pricing, PricingType, new_agent
from masumi_sumi.sandbox.source import PaymentSource, by_policy

ADA_10 = 10_000_000


class Controls:
    """Every method may be called from any thread; each is a turn of its own."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.faults = Faults()

    def advance(self, seconds: float) -> None:
        """Let time pass. Blocks, deadlines and automatic steps in it happen in their order."""
        self.node.advance(seconds)

    def mine(self, blocks: int = 1) -> None:
        """Blocks now, without time passing. A purchase is locked after two of them."""
        self.node.mine(blocks)

    def register(
        self,
        identifier: str | None = None,
        *,
        version: int = 1,
        name: str = "Sandbox Agent",
        url: str = "http://localhost:8000",
        pricing: PricingType = "Fixed",
        amount: int = ADA_10,
        unit: str = "",
        funds: Sequence[tuple[int, str]] | None = None,
        offers: Sequence[Pricing] | None = None,
        holder: Holder = "selling",
        metadata: Metadata = "valid",
        priced: bool = True,
        owner: str | None = None,
    ) -> str:
        """A confirmed agent, and its identifier.

        ``funds`` (amount, unit) is for prices of several assets; ``offers`` for V2 agents of
        several advertised sources; ``priced`` False leaves the pricing block out; ``owner`` is
        the token of the key that registered it. A given ``identifier`` says its version itself.
        """
        prices = funds if funds is not None else [(amount, unit)]
        price = Pricing(pricing, tuple(Fund.of(sum_, asset) for sum_, asset in prices))
        with self.node.turn() as now:
            source = self._source(identifier, version)
            agent: Agent = new_agent(
                now,
                identifier,
                source,
                name=name,
                api_base_url=url,
                pricing=price if not source.is_v2 and priced else None,
                offers=tuple(offers or (price,)) if source.is_v2 else (),
                holder=holder,
                metadata=metadata,
                owner=self.node.keys.id_of(owner) if owner is not None else None,
            )
            self.node.registry.add(agent)
        return agent.identifier

    def fail(
        self,
        method: str,
        path: str,
        status: int = 500,
        times: int | None = 1,
        message: str = "Internal Server Error",
    ) -> None:
        """Answer ``status`` without acting. ``path`` is a pattern such as ``/payment*``."""
        self.faults.add(Fault("fail", method, path, status, message, times=times))

    def lose(self, method: str, path: str, times: int | None = 1) -> None:
        """Act, then cut the connection without a word."""
        self.faults.add(Fault("lose", method, path, times=times))

    def delay(self, method: str, path: str, seconds: float, times: int | None = None) -> None:
        """Wait before acting."""
        self.faults.add(Fault("delay", method, path, seconds=seconds, times=times))

    def throttle(self, seconds: float) -> None:
        """Let each request take this long, one after the other, as a busy node does; 0 ends it."""
        self.faults.seconds_each = seconds

    def down(self) -> None:
        """Cut every connection without acting, until ``up``."""
        self.faults.is_down = True

    def up(self) -> None:
        self.faults.is_down = False

    def calm(self) -> None:
        """No faults any more."""
        self.faults.clear()
        with self.node.turn():
            self.node.chain.spoiled.clear()
            self.node.chain.lag = 0

    def requests(self) -> Mapping[str, int]:
        """Requests by ``METHOD /path`` since the last ``reset`` or ``forget_requests``."""
        return self.faults.requests()

    def forget_requests(self) -> None:
        self.faults.forget_requests()

    def pay(self, identifier: str, *, bad: bool = False) -> None:
        """A buyer of another node locks a payment's funds, or locks them wrongly."""
        with self.node.turn():
            self.node.chain.pay(self._row(identifier), bad=bad)

    def act(self, identifier: str, step: str, result_hash: str | None = None) -> None:
        """Somebody outside takes a contract step in the next block, as far as it is allowed."""
        if step not in STEPS:
            raise Invalid(f"step: expected one of {', '.join(STEPS)}")
        with self.node.turn():
            self.node.chain.act(self._row(identifier), step, result_hash)

    def force(
        self,
        identifier: str,
        state: str,
        result_hash: str | None = None,
        *,
        quietly: bool = False,
    ) -> None:
        """Both sides see the contract in ``state`` at once, whatever the rules say.

        ``quietly`` writes the state alone and leaves NextAction as it is, as a hand in the
        database would: the combined diff does not show that.
        """
        if state not in STATES:
            raise Invalid(f"state: expected one of {', '.join(STATES)}")
        with self.node.turn() as now:
            if not quietly:
                self.node.chain.force(self._row(identifier), state, result_hash, now)
                return
            for row in self.node.ledger.sides(identifier):
                self.node.ledger.save(row.changed(now, state=state))

    def spoil(
        self,
        step: str = SUBMIT,
        times: int = 1,
        note: str = "Submitting result failed: simulated",
        *,
        broadcast: bool = False,
    ) -> None:
        """The next sendings of a step fail: WaitingForManualAction with errorType Unknown.

        They fail before the broadcast, as with an empty wallet, or with ``broadcast`` behind it,
        where a Pending transaction has taken the place of the one before.
        """
        with self.node.turn():
            self.node.chain.spoiled[step] = Spoiled(times, note, broadcast)

    def roll_back(self, identifier: str) -> None:
        """The chain drops a payment's newest transaction; both sides are parked with a note."""
        with self.node.turn() as now:
            self.node.chain.roll_back(self._row(identifier).identifier, now)

    def lag(self, seconds: float) -> None:
        """Rows written by blocks carry a moment that is ``seconds`` too early, until 0 again.

        The real node does so when a transaction takes long; an exact diff cursor misses them.
        """
        with self.node.turn():
            self.node.chain.lag = round(seconds * SECOND)

    def reset(self) -> None:
        """No rows, agents, faults or counts; time is the machine's again; keys stay."""
        self.faults.clear()
        self.faults.forget_requests()
        self.node.reset()

    def state(self) -> dict[str, Any]:
        with self.node.turn() as now:
            rows = Counter(f"{row.side} {row.state}" for row in self.node.ledger)
            tip = self.node.chain.tip
            return {
                "now": iso(now),
                "offsetSeconds": self.node.clock.offset,
                "height": tip.height,
                "nextBlock": iso(tip.next_block),
                "mempool": len(tip.mempool),
                "unconfirmed": len(tip.unseen),
                "stopped": self.node.chain.stopped(),
                "rows": dict(sorted(rows.items())),
                "agents": len(self.node.registry.newest()),
                "down": self.faults.is_down,
                "faults": [
                    {
                        "kind": fault.kind,
                        "method": fault.method,
                        "path": fault.path,
                        "times": fault.times,
                    }
                    for fault in self.faults.pending()
                ],
            }

    def _source(self, identifier: str | None, version: int) -> PaymentSource:
        if identifier is None:
            return self.node.sources[version - 1]
        source = by_policy(self.node.sources, self.node.settings.network, identifier)
        if source is None:
            raise Missing("Network and policyId combination not supported")
        return source

    def _row(self, identifier: str) -> Row:
        sides = self.node.ledger.sides(identifier)
        if not sides:
            raise Missing("Payment not found")
        return sides[0]
