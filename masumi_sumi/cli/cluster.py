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


def of_version(url: str, version: str, installed: str) -> Finding:
    if version == installed:
        return Finding("Ray's cluster", "good", f"{version} answers at {url}")
    words = f"{version} answers at {url}, and {installed} is installed here"
    return Finding("Ray's cluster", "bad", words, "masumi-sumi down, then up: both must be one")


async def _version(url: str, headers: dict[str, str]) -> str:
    async with httpx.AsyncClient(trust_env=False, timeout=SECONDS) as http:
        answer = await http.get(f"{url}/api/version", headers=headers)
        answer.raise_for_status()
        return str(answer.json()["ray_version"])
