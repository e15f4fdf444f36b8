"""The payment sources of the sandbox: the two contracts of Preprod, with their real addresses."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from masumi_sumi.sandbox.cuid import fixed_id
from masumi_sumi.sandbox.wallet import Wallet

NETWORKS = ("Preprod", "Mainnet")
V1, V2 = "Web3CardanoV1", "Web3CardanoV2"
TYPES = (V1, V2)
POLICY_LENGTH = 56

_FEE_RECEIVER = (
    "addr_test1qqfuahzn3rpnlah2ctcdjxdfl4230ygdar00qxc32guetexyg7nun6hggw9g2gpnayzf22sksr0aqd"
    "gkdcvqpc2stwtqt4u496"
)


@dataclass(frozen=True)
class PaymentSource:
    id: str
    network: str
    type: str
    policy_id: str
    contract_address: str
    admin_signatures: int | None
    fee_receiver: str | None
    fee_permille: int
    selling: Wallet
    purchasing: Wallet
    admins: tuple[Wallet, ...]

    @property
    def is_v2(self) -> bool:
        return self.type == V2


def preprod_sources(seed: str) -> tuple[PaymentSource, PaymentSource]:
    """V1 and V2; every wallet follows from the seed, so it survives a restart."""
    admins = tuple(Wallet.derive(seed, f"admin/{n}") for n in (1, 2, 3))
    v1 = PaymentSource(
        id=fixed_id(f"{seed}/source/1"),
        network="Preprod",
        type=V1,
        policy_id="7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77",
        contract_address="addr_test1wz7j4kmg2cs7yf92uat3ed4a3u97kr7axxr4avaz0lhwdsqukgwfm",
        admin_signatures=None,
        fee_receiver=_FEE_RECEIVER,
        fee_permille=50,
        selling=Wallet.derive(seed, "selling/1"),
        purchasing=Wallet.derive(seed, "purchasing/1"),
        admins=admins,
    )
    v2 = PaymentSource(
        id=fixed_id(f"{seed}/source/2"),
        network="Preprod",
        type=V2,
        policy_id="67ab0c92c4ac1610895a1c965ee50aba41a8f1513b15240723b3bd0b",
        contract_address="addr_test1wzs4e6wc95hkwezlccjw9mdvq0r0rsgx6zk34avptga3ftgn37w4g",
        admin_signatures=2,
        fee_receiver=None,
        fee_permille=0,
        selling=Wallet.derive(seed, "selling/2"),
        purchasing=Wallet.derive(seed, "purchasing/2"),
        admins=admins,
    )
    return v1, v2


def by_policy(
    sources: Iterable[PaymentSource], network: str, agent_identifier: str
) -> PaymentSource | None:
    policy = agent_identifier[:POLICY_LENGTH]
    found = (s for s in sources if s.network == network and s.policy_id == policy)
    return next(found, None)
