"""What the doctor says of keys that nobody vouches for, and of a Ray that does not answer."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import psutil
import pytest
from serve_stand_in import serving
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from masumi_sumi.cli import record
from masumi_sumi.cli.cluster import cluster
from masumi_sumi.cli.findings import Finding
from masumi_sumi.cli.ports import free_ports
from masumi_sumi.cli.processes import Started
from masumi_sumi.cli.sold import Sold
from masumi_sumi.cli.vouched import unvouched
from masumi_sumi.payments.statements import Statement, file_of, keep
from masumi_sumi.sandbox.wallet import Wallet
from masumi_sumi.secret_files import get_secret_path
from masumi_sumi.settings import Settings
from masumi_sumi.signing import AgentKey

AGENT, OTHER = "7e8b" * 20, "7e8b" * 21
SOLD = [Sold("one", "Preprod", AGENT, "Fixed"), Sold("two", "Preprod", AGENT, "Fixed")]
WALLET = Wallet.derive("seed", "seller")
NOW = 1_790_000_000.0
YEAR = 365 * 24 * 3600


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    AgentKey.make(tmp_path / "agent.key")
    return Settings(data_dir=tmp_path, nodes={}, agent_key="agent.key")


def vouch(settings: Settings, agent: str, age: float = 0) -> None:
    """The wallet's word, so many seconds old."""
    file = Path(settings.agent_key.get_secret_value())
    key = AgentKey.of(str(file))
    assert key is not None
    data = {"publicKey": key.public_key, "walletVkey": WALLET.vkey}
    until = round((NOW - age + 180) * 1000)
    text = json.dumps({"action": "VerifyAndPublishAgent", "data": data, "validUntil": until})
    signature, cose_key = WALLET.sign(text.encode())
    word = Statement(signature=signature, key=cose_key, wallet_address=WALLET.address, text=text)
    keep(file_of(file), agent, word)


def test_an_agent_whose_key_nobody_vouches_for_is_told_once_with_the_command(settings: Settings):
    vouch(settings, OTHER)

    [finding] = unvouched(SOLD, settings, NOW)

    assert (finding.what, finding.verdict) == ("agent of two", "beware")
    assert f"masumi-sumi key publish {AGENT} --network Preprod" in finding.advice


@pytest.mark.parametrize(("age", "told"), [(0, []), (YEAR, []), (YEAR + 60, ["beware"])])
def test_a_word_is_good_for_a_year(settings: Settings, age: float, told: list[str]):
    vouch(settings, AGENT, age)

    assert [finding.verdict for finding in unvouched(SOLD, settings, NOW)] == told


def test_without_a_key_or_a_sale_nothing_is_to_be_vouched_for(settings: Settings):
    keyless = settings.model_copy(update={"agent_key": Settings(nodes={}).agent_key})

    assert list(unvouched(SOLD, keyless, NOW)) == []
    assert list(unvouched([], settings, NOW)) == []


def test_a_key_that_is_no_file_and_words_that_cannot_be_read_are_told(
    settings: Settings, tmp_path: Path
):
    seed = Settings(data_dir=tmp_path, nodes={}, agent_key="ab" * 32)
    file_of(tmp_path / "agent.key").write_text("[]")

    [inline] = unvouched(SOLD, seed, NOW)
    [spoiled] = unvouched(SOLD, settings, NOW)

    assert (inline.verdict, spoiled.verdict) == ("beware", "bad")
    assert "beside a file" in inline.words
    assert "ab" * 32 not in inline.words + inline.advice
    assert "statements" in spoiled.words


# --- Ray ---------------------------------------------------------------------------------------


@pytest.fixture
def up(tmp_path: Path) -> Callable[[int], Settings]:
    """The settings of a data folder whose stack is up: this process is its owner."""

    def up(port: int) -> Settings:
        owner = Started("up", os.getpid(), psutil.Process().create_time())
        record.write(tmp_path, record.Record(owner, tmp_path / "ray"))
        return Settings(data_dir=tmp_path, nodes={}, dashboard_port=port)

    return up


def a_dashboard(version: str, token: str = "") -> Starlette:
    """Stands for Ray's dashboard; with a token it refuses whoever does not send it."""

    def said(request: Request) -> JSONResponse:
        if token and request.headers.get("authorization") != f"Bearer {token}":
            return JSONResponse({"error": "no token"}, status_code=401)
        return JSONResponse({"version": "4", "ray_version": version, "ray_commit": "abc"})

    return Starlette(routes=[Route("/version", said)])


async def looked(settings: Settings) -> list[Finding]:
    return [finding async for finding in cluster(settings)]


@pytest.mark.parametrize(
    ("version", "verdict"), [(metadata.version("ray"), "good"), ("2.0.0", "bad")]
)
async def test_a_ray_that_answers_is_compared_with_the_installed_one(
    up: Callable[[int], Settings], version: str, verdict: str
):
    with serving({"/api": a_dashboard(version)}) as port:
        [finding, _] = await looked(up(port))

    assert finding.verdict == verdict
    assert finding.words.startswith(f"{version} answers at http://127.0.0.1:{port}")


async def test_a_ray_without_a_token_is_an_error(up: Callable[[int], Settings]):
    with serving({"/api": a_dashboard("2.0.0")}) as port:
        [_, finding] = await looked(up(port))

    assert (finding.what, finding.verdict) == ("Ray's token", "bad")
    assert "RAY_AUTH_MODE=token" in finding.advice


async def test_a_ray_that_refuses_without_its_token_is_good(
    up: Callable[[int], Settings], monkeypatch: pytest.MonkeyPatch
):
    version = metadata.version("ray")
    with serving({"/api": a_dashboard(version, "ray's own")}) as port:
        settings = up(port)
        path = get_secret_path(settings.data_dir, "ray-token")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("ray's own")
        of_version, of_token = await looked(settings)

    assert (of_version.verdict, of_token.verdict) == ("good", "good")
    assert of_token.what == "Ray's token"


async def test_a_stack_that_is_up_without_a_ray_is_bad(up: Callable[[int], Settings]):
    [port] = free_ports(1)

    began = time.monotonic()
    [finding] = await looked(up(port))

    assert finding.verdict == "bad"
    assert "SUMI_DASHBOARD_PORT" in finding.advice
    assert time.monotonic() - began < 5


async def test_where_no_stack_is_up_no_ray_is_missed(tmp_path: Path):
    [port] = free_ports(1)
    with serving({"/": Starlette()}) as taken:
        for each in (port, taken):
            settings = Settings(data_dir=tmp_path, nodes={}, dashboard_port=each)
            assert await looked(settings) == []
