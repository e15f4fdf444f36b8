from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest
from sandbox_caller import Caller

from masumi_sumi.sandbox import Fund, Sandbox, SandboxKey

KEYS = (
    SandboxKey("pay"),
    SandboxKey("pay2"),
    SandboxKey("read", can_pay=False),
    SandboxKey("mainnet", networks=("Mainnet",)),
    SandboxKey("scoped", sources=("Web3CardanoV2",)),
    SandboxKey("limited", credits=(Fund("15000000", ""),)),
)


@pytest.fixture(scope="session")
def served() -> Iterator[Sandbox]:
    with Sandbox(keys=KEYS, frozen=True) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def client(served: Sandbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=served.url) as client:
        yield client


@pytest.fixture
def sandbox(served: Sandbox) -> Sandbox:
    """A served sandbox without rows or faults, whose time stands still."""
    served.reset()
    return served


@pytest.fixture
def as_key(sandbox: Sandbox, client: httpx.Client) -> Callable[[str | None], Caller]:
    return lambda token: Caller(sandbox, token, client)


@pytest.fixture
def pay(as_key: Callable[[str | None], Caller]) -> Caller:
    return as_key("pay")
