"""Whether the Ray of this data folder's stack answers, and in the version that is installed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from importlib import metadata

import httpx

from masumi_sumi import ray_token
from masumi_sumi.cli import record
from masumi_sumi.cli.findings import Finding
from masumi_sumi.cli.ports import LOOPBACK, is_open
from masumi_sumi.settings import Settings

SECONDS = 5.0


async def cluster(settings: Settings) -> AsyncIterator[Finding]:
    """Nothing where no stack is up and nobody has the dashboard's port."""
    stack = record.read(settings.data_dir)
    wanted = stack is not None and stack.owner.alive
    if not wanted and not is_open(settings.dashboard_port):
        return
    url = f"http://{LOOPBACK}:{settings.dashboard_port}"
    try:
        headers = ray_token.get_auth_headers(ray_token.get_token_environment(settings.data_dir))
        version = await _version(url, headers)
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        if wanted:
            words = f"the stack is up, but no Ray answers at {url} ({type(error).__name__})"
            advice = "set SUMI_DASHBOARD_PORT as `up` has it; or `down`, `up`, and see its log"
            yield Finding("Ray's cluster", "bad", words, advice)
        return
    yield of_version(url, version, metadata.version("ray"))
    yield await of_token(url)


def of_version(url: str, version: str, installed: str) -> Finding:
    if version == installed:
        return Finding("Ray's cluster", "good", f"{version} answers at {url}")
    words = f"{version} answers at {url}, and {installed} is installed here"
    return Finding("Ray's cluster", "bad", words, "masumi-sumi down, then up: both must be one")


async def of_token(url: str) -> Finding:
    """Whether Ray wants a token: who reaches one that does not runs code on this machine."""
    try:
        await _version(url, {})
    except httpx.HTTPStatusError as error:
        if error.response.status_code in (401, 403):
            return Finding("Ray's token", "good", f"without it {url} refuses")
        return Finding("Ray's token", "beware", f"{url} answers {error.response.status_code}")
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        return Finding("Ray's token", "beware", f"{url} did not say: {type(error).__name__}")
    advice = "start Ray with RAY_AUTH_MODE=token, as `up` does"
    return Finding("Ray's token", "bad", f"whoever reaches {url} can run code here", advice)


async def _version(url: str, headers: dict[str, str]) -> str:
    async with httpx.AsyncClient(trust_env=False, timeout=SECONDS) as http:
        answer = await http.get(f"{url}/api/version", headers=headers)
        answer.raise_for_status()
        return str(answer.json()["ray_version"])
