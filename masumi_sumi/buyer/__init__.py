"""A buyer of agents who pays for nothing that does not verify.

async with AgentClient(url) as agent, Purchases(node_url, token) as node:
    buyer = Buyer(agent, node, limits=Limits(max_price={"": 10_000_000}))
    offer = await buyer.offer()
    hire = await buyer.hire(offer, {"name": "Ada"})  # verified, not paid
    async for event in hire.run(ask):  # pays, answers, verifies; the last one is Proven
        print(event)

``hire.record()``, kept before ``run``, is what ``buyer.resume`` takes the hire up from when the
process died: nothing is paid twice.
"""

from masumi_sumi.buyer.agent import BOUNDS, AgentClient, Bounds
from masumi_sumi.buyer.buyer import Buyer, Offer
from masumi_sumi.buyer.cautions import Caution
from masumi_sumi.buyer.events import (
    Answered,
    Asked,
    Bought,
    Delivered,
    Event,
    Locked,
    Moved,
    Proven,
    Refunding,
    Troubled,
)
from masumi_sumi.buyer.hire import Hire
from masumi_sumi.buyer.purchases import PurchaseOrder, Purchases
from masumi_sumi.buyer.talk import Ask
from masumi_sumi.buyer.terms import Limits, Terms
from masumi_sumi.buyer.watch import Pace, World
from masumi_sumi.flows.questions import Form, Question, Type, read_schema
from masumi_sumi.payments.registration import Registration

__all__ = [
    "BOUNDS",
    "AgentClient",
    "Answered",
    "Ask",
    "Asked",
    "Bought",
    "Bounds",
    "Buyer",
    "Caution",
    "Delivered",
    "Event",
    "Form",
    "Hire",
    "Limits",
    "Locked",
    "Moved",
    "Offer",
    "Pace",
    "Proven",
    "PurchaseOrder",
    "Purchases",
    "Question",
    "Refunding",
    "Registration",
    "Terms",
    "Troubled",
    "Type",
    "World",
    "read_schema",
]
