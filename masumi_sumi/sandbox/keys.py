"""API keys: who may read, pay and administer, on which networks."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from masumi_sumi.sandbox.cuid import fixed_id
from masumi_sumi.sandbox.errors import Unauthorized
from masumi_sumi.sandbox.model import Fund

Permission = Literal["read", "pay", "admin"]
_SAYS: dict[Permission, str] = {
    "read": "Unauthorized, read access required",
    "pay": "Unauthorized, payment access required",
    "admin": "Unauthorized, admin access required",
}


@dataclass(frozen=True)
class SandboxKey:
    """One key of the node. Pay includes read, admin includes all.

    ``sources`` narrows the key to rows of these payment source types ("wallet scope").
    ``credits`` limits purchases to these sums; None means no limit.
    """

    token: str
    can_read: bool = True
    can_pay: bool = True
    can_admin: bool = False
    networks: tuple[str, ...] = ("Preprod",)
    sources: tuple[str, ...] | None = None
    credits: tuple[Fund, ...] | None = None

    @property
    def id(self) -> str:
        return fixed_id(f"key/{self.token}")

    def may(self, permission: Permission) -> bool:
        if self.can_admin:
            return True
        return {"read": self.can_read or self.can_pay, "pay": self.can_pay}.get(permission, False)

    def owns(self, owner: str) -> bool:
        return self.can_admin or owner == self.id

    def sees(self, source_type: str) -> bool:
        return self.can_admin or self.sources is None or source_type in self.sources

    def check_network(self, network: str) -> None:
        if not self.can_admin and network not in self.networks:
            raise Unauthorized("Unauthorized, network not allowed")

    def view(self, credits: Iterable[Fund]) -> dict[str, Any]:
        """The ``data`` of GET /api-key-status."""
        permission = "Admin" if self.can_admin else "ReadAndPay" if self.can_pay else "Read"
        return {
            "id": self.id,
            "token": "*****" + self.token[-4:],
            "permission": permission,
            "canRead": self.may("read"),
            "canPay": self.may("pay"),
            "canAdmin": self.can_admin,
            "usageLimited": self.credits is not None,
            "NetworkLimit": list(self.networks),
            "ChainIdLimit": [f"cardano:{network.lower()}" for network in self.networks],
            "RemainingUsageCredits": [
                {"amount": fund.amount, "unit": fund.unit} for fund in credits
            ],
            "status": "Active",
            "walletScopeEnabled": self.sources is not None,
            "WalletScopes": [{"paymentSourceType": source} for source in self.sources or ()],
        }


class KeyRing:
    def __init__(self, keys: Iterable[SandboxKey]) -> None:
        self._keys = {key.token: key for key in keys}

    def admit(self, token: str | None, permission: Permission) -> SandboxKey:
        """The key of a call, or Unauthorized."""
        if not token:
            raise Unauthorized("Unauthorized, no authentication token provided")
        key = self._keys.get(token)
        if key is None:
            raise Unauthorized("Unauthorized, invalid authentication token provided")
        if not key.may(permission):
            raise Unauthorized(_SAYS[permission])
        return key

    def id_of(self, token: str) -> str:
        return self._keys[token].id
