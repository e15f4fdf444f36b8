"""Buyers' files, fetched from where strangers say, into the folder of a job.

The address that was checked is the address that is connected to; each redirect is a new check.
What stands behind a proxy of the environment is not reached: a proxy would choose the address.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx

from masumi_sumi.errors import FieldsInvalid, FileUnfetched
from masumi_sumi.flows import Attachment, accepts
from masumi_sumi.runtime.addresses import Resolve, UnknownHost, is_public, resolve

MOST_REDIRECTS = 5
PAUSES = (1.0, 5.0)
"""Seconds before a file is tried again whose server has a bad moment."""

_BAD_MOMENTS = frozenset({408, 425, 429, 500, 502, 503, 504})
_CHECK_SECONDS = 3.0
_TIMEOUT = httpx.Timeout(30.0, connect=10.0)
_CHUNK = 2**16
_HEADERS = {"accept": "*/*", "accept-encoding": "identity", "user-agent": "masumi-sumi"}
_NO_KEEPING = httpx.Limits(max_keepalive_connections=0)
"""A connection kept by address could serve another name behind it."""


@dataclass(frozen=True, slots=True)
class FileRules:
    """``most_bytes`` and ``seconds`` are for all files of a job; ``hosts`` are ``host:port`` of
    servers whose addresses need not be public.
    """

    most_bytes: int = 100 * 2**20
    seconds: float = 300.0
    hosts: frozenset[str] = frozenset()


class _Refused(Exception):
    """A file that will not come."""


class _BadMoment(_Refused):
    """A file that may come when it is asked for again."""


class Downloads:
    """``transport`` makes what carries the requests, by default the network."""

    def __init__(
        self,
        rules: FileRules,
        transport: Callable[[], httpx.AsyncBaseTransport] | None = None,
        resolve: Resolve = resolve,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._rules, self._resolve, self._pause = rules, resolve, pause
        self._transport = transport or (lambda: httpx.AsyncHTTPTransport(limits=_NO_KEEPING))

    # --- before a sale -------------------------------------------------------------------------

    async def check(self, files: Sequence[Attachment]) -> None:
        """Raises FieldsInvalid for hosts that do not exist or are not public; fetches nothing.

        What cannot be told in a moment is let pass: ``fetch`` decides.
        """
        reasons: dict[str, list[str]] = {}
        with suppress(TimeoutError):
            async with asyncio.timeout(_CHECK_SECONDS):
                for file in files:
                    await self._check(file, reasons)
        if reasons:
            raise FieldsInvalid(reasons)

    async def _check(self, file: Attachment, reasons: dict[str, list[str]]) -> None:
        try:
            await self._addresses(httpx.URL(file.url))
        except (httpx.InvalidURL, _Refused) as refusal:
            if not isinstance(refusal, _BadMoment):
                reasons.setdefault(file.field, []).append(str(refusal))

    # --- before a run --------------------------------------------------------------------------

    async def fetch(self, files: Sequence[Attachment], folder: Path) -> None:
        """All files into ``folder``, which holds nothing else then, or none.

        Raises FileUnfetched; OSError when they cannot be written.
        """
        coming = folder.with_name(f".{folder.name}")
        await asyncio.to_thread(_empty, coming)
        try:
            await self._fetch_all(files, coming)
            await asyncio.to_thread(_put, coming, folder)
        finally:
            await asyncio.to_thread(shutil.rmtree, coming, ignore_errors=True)

    async def _fetch_all(self, files: Sequence[Attachment], folder: Path) -> None:
        left, file = self._rules.most_bytes, files[0]
        try:
            async with asyncio.timeout(self._rules.seconds):
                for file in files:
                    left -= await self._insist(file, folder / file.name, left)
        except TimeoutError:
            reason = f"the files took longer than {self._rules.seconds:g} seconds"
            raise FileUnfetched(file.field, file.name, reason) from None
        except (_Refused, httpx.InvalidURL) as refusal:
            raise FileUnfetched(file.field, file.name, str(refusal)) from None

    async def _insist(self, file: Attachment, target: Path, most: int) -> int:
        for pause in PAUSES:
            try:
                return await self._fetch(file, target, most)
            except _BadMoment:
                await self._pause(pause)
        return await self._fetch(file, target, most)

    async def _fetch(self, file: Attachment, target: Path, most: int) -> int:
        url = httpx.URL(file.url)
        for _ in range(MOST_REDIRECTS + 1):
            async with self._answer(url) as response:
                if not response.has_redirect_location:
                    return await self._keep(response, file, target, most)
                url = _elsewhere(url, response.headers["location"])
        raise _Refused("its server redirects too often")

    @asynccontextmanager
    async def _answer(self, url: httpx.URL) -> AsyncIterator[httpx.Response]:
        addresses = await self._addresses(url)
        client = httpx.AsyncClient(
            transport=self._transport(), headers=_HEADERS, timeout=_TIMEOUT, trust_env=False
        )
        try:
            async with client:
                response = await _first_answer(client, url, addresses)
                try:
                    yield response
                finally:
                    await response.aclose()
        except httpx.TransportError as error:
            raise _BadMoment(f"its server gave no answer ({type(error).__name__})") from error

    async def _addresses(self, url: httpx.URL) -> list[str]:
        """The checked ones. All must be public: a host with an inner one, too, is not trusted."""
        if url.scheme not in ("http", "https") or not url.host:
            raise _Refused("its URL is not one of http or https")
        host = url.raw_host.decode("ascii")
        port = url.port or (443 if url.scheme == "https" else 80)
        try:
            found = await self._resolve(host, port)
        except UnknownHost:
            raise _Refused("its host is not known") from None
        except OSError:
            raise _BadMoment("its host cannot be looked up") from None
        named = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        if named in self._rules.hosts or (found and all(map(is_public, found))):
            return found
        raise _Refused("its host is not on the public internet")

    async def _keep(
        self, response: httpx.Response, file: Attachment, target: Path, most: int
    ) -> int:
        _check_head(response, file)
        length = response.headers.get("content-length", "")
        if length.isdecimal() and int(length) > most:
            raise self._too_large()
        size = 0
        with await asyncio.to_thread(target.open, "wb") as kept:
            async for chunk in response.aiter_raw(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise self._too_large()
                await asyncio.to_thread(kept.write, chunk)
        return size

    def _too_large(self) -> _Refused:
        return _Refused(f"the files have more than {self._rules.most_bytes} bytes")


async def _first_answer(
    client: httpx.AsyncClient, url: httpx.URL, addresses: list[str]
) -> httpx.Response:
    """From the first address that takes a connection; TLS still asks for the name."""
    host = url.netloc.decode("ascii")
    extensions = {"sni_hostname": url.raw_host.decode("ascii")}
    for address in addresses:
        request = client.build_request(
            "GET", url.copy_with(host=address), headers={"host": host}, extensions=extensions
        )
        try:
            return await client.send(request, stream=True)
        except (httpx.ConnectError, httpx.ConnectTimeout):
            if address == addresses[-1]:
                raise
    raise _BadMoment("its host has no address")


def _elsewhere(url: httpx.URL, location: str) -> httpx.URL:
    there = url.join(location)
    if there.userinfo or (url.scheme == "https" and there.scheme != "https"):
        raise _Refused("its server redirects to where it cannot be followed")
    return there


def _check_head(response: httpx.Response, file: Attachment) -> None:
    status, kind = response.status_code, response.headers.get("content-type", "")
    if status in _BAD_MOMENTS:
        raise _BadMoment(f"its server answered {status}")
    if status != 200:
        raise _Refused(f"its server answered {status}")
    if response.headers.get("content-encoding", "identity") != "identity":
        raise _Refused("its server sends it compressed, though asked not to")
    if not accepts(file.accept, file.name, kind):
        raise _Refused(f"it is not of the type {file.accept}")


def _empty(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)


def _put(coming: Path, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    coming.rename(folder)
