"""The payment sources of the sandbox: two contracts, on Preprod under their real addresses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from masumi_sumi.sandbox.address import script_address
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
_PREPROD = {
    V1: (
        "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77",
        "addr_test1wz7j4kmg2cs7yf92uat3ed4a3u97kr7axxr4avaz0lhwdsqukgwfm",
    ),
    V2: (
        "67ab0c92c4ac1610895a1c965ee50aba41a8f1513b15240723b3bd0b",
        "addr_test1wzs4e6wc95hkwezlccjw9mdvq0r0rsgx6zk34avptga3ftgn37w4g",
    ),
}


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


def sources_of(network: str, seed: str) -> tuple[PaymentSource, PaymentSource]:
    """V1 and V2; every wallet follows from the seed, so it survives a restart."""
    place = seed if network == "Preprod" else f"{seed}/{network}"
    admins = tuple(Wallet.derive(place, f"admin/{n}", network) for n in (1, 2, 3))
    v1 = PaymentSource(
        id=fixed_id(f"{place}/source/1"),
        network=network,
        type=V1,
        policy_id=_contract(network, V1)[0],
        contract_address=_contract(network, V1)[1],
        admin_signatures=None,
        fee_receiver=_fee_receiver(network, place),
        fee_permille=50,
        selling=Wallet.derive(place, "selling/1", network),
        purchasing=Wallet.derive(place, "purchasing/1", network),
        admins=admins,
    )
    v2 = replace(
        v1,
        id=fixed_id(f"{place}/source/2"),
        type=V2,
        policy_id=_contract(network, V2)[0],
        contract_address=_contract(network, V2)[1],
        admin_signatures=2,
        fee_receiver=None,
        fee_permille=0,
        selling=Wallet.derive(place, "selling/2", network),
        purchasing=Wallet.derive(place, "purchasing/2", network),
    )
    return v1, v2


def _contract(network: str, kind: str) -> tuple[str, str]:
    """Policy and address: the real ones on Preprod; elsewhere nobody else's, so that nothing that
    was made for the sandbox can be meant for the contract that holds money.
    """
    if network == "Preprod":
        return _PREPROD[kind]
    policy, script = (_made_up(f"{network}/{kind}/{what}") for what in ("policy", "script"))
    return policy.hex(), script_address(script, network)


def _made_up(name: str) -> bytes:
    return hashlib.blake2b(f"sandbox/{name}".encode(), digest_size=28).digest()


def _fee_receiver(network: str, seed: str) -> str:
    if network == "Preprod":
        return _FEE_RECEIVER
    return Wallet.derive(seed, "fees", network).address


def by_policy(
    sources: Iterable[PaymentSource], network: str, agent_identifier: str
) -> PaymentSource | None:
    policy = agent_identifier[:POLICY_LENGTH]
    found = (s for s in sources if s.network == network and s.policy_id == policy)
    return next(found, None)
