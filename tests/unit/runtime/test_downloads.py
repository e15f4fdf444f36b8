"""Strangers' files: whom we connect to, what is kept, and what is told when they do not come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import psutil
import pytest

from masumi_sumi.errors import FieldsInvalid, FileUnfetched
from masumi_sumi.flows import Attachment
from masumi_sumi.runtime.addresses import UnknownHost, is_public
from masumi_sumi.runtime.downloads import Downloads, FileRules

PUBLIC, OTHER, INNER = "93.184.215.14", "2606:2800:21f:cb07::1", "10.0.0.7"
HOSTS = {
    "files.test": [PUBLIC],
    "both.test": [OTHER, PUBLIC],
    "inner.test": [INNER],
    "mixed.test": [PUBLIC, INNER],
    "127.0.0.1": ["127.0.0.1"],
    "nowhere.test": [],
}

Answer = Callable[[httpx.Request], httpx.Response]


class World:
    """Names, servers and time; writes down where one connected to, and what was asked."""

    def __init__(self, **rules: Any) -> None:
        self.rules = FileRules(**rules)
        self.asked: list[httpx.Request] = []
        self.pauses: list[float] = []
        self.answer: Answer = lambda request: served()

    def downloads(self) -> Downloads:
        return Downloads(self.rules, self._transport, self._resolve, self._pause)

    async def fetch(self, folder: Path, *urls: str, accept: str = "") -> Path:
        files = [Attachment("doc", f"{n}.txt", url, accept) for n, url in enumerate(urls)]
        await self.downloads().fetch(files, folder / "in")
        return folder / "in"

    async def refusal(self, folder: Path, *urls: str, accept: str = "") -> str:
        with pytest.raises(FileUnfetched) as refused:
            await self.fetch(folder, *urls, accept=accept)
        assert not _names(folder)
        assert str(refused.value).startswith("doc: ")
        return refused.value.reason

    @property
    def hosts(self) -> list[str]:
        return [request.url.host for request in self.asked]

    def _transport(self) -> httpx.MockTransport:
        return httpx.MockTransport(self._serve)

    def _serve(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        return self.answer(request)

    async def _resolve(self, host: str, port: int) -> list[str]:
        if host == "slow.test":
            await asyncio.Event().wait()
        if host == "trouble.test":
            raise OSError("no resolver")
        if host not in HOSTS:
            raise UnknownHost(host)
        return HOSTS[host]

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


def served() -> httpx.Response:
    return httpx.Response(200, content=_hello())


async def _hello() -> AsyncIterator[bytes]:
    yield b"hello"


def _names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def redirects(*ways: tuple[str, str]) -> Answer:
    there = dict(ways)

    def answer(request: httpx.Request) -> httpx.Response:
        way = there.get(f"{request.headers['host']}{request.url.path}")
        return httpx.Response(302, headers={"location": way}) if way else served()

    return answer


async def test_the_checked_address_is_connected_to_under_the_host_s_own_name(
    tmp_path: Path,
) -> None:
    world = World()

    folder = await world.fetch(tmp_path, "https://files.test:8443/a.txt?token=1")

    [request] = world.asked
    assert str(request.url) == f"https://{PUBLIC}:8443/a.txt?token=1"
    assert request.headers["host"] == "files.test:8443"
    assert request.extensions["sni_hostname"] == "files.test"
    assert (folder / "0.txt").read_bytes() == b"hello"
    assert _names(tmp_path) == ["in"]


async def test_the_next_address_is_tried_where_one_takes_no_connection(tmp_path: Path) -> None:
    world = World()

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.host == OTHER:
            raise httpx.ConnectError("no way there")
        return served()

    world.answer = answer
    await world.fetch(tmp_path, "http://both.test/")

    assert world.hosts == [OTHER, PUBLIC]


@pytest.mark.parametrize(
    "url", ["http://inner.test/", "http://mixed.test/", "http://127.0.0.1/", "http://nowhere.test/"]
)
async def test_what_is_not_public_is_never_connected_to(tmp_path: Path, url: str) -> None:
    world = World()

    assert await world.refusal(tmp_path, url) == "its host is not on the public internet"
    assert not world.asked


async def test_an_operator_s_own_server_may_stand_inside_at_its_port_only(tmp_path: Path) -> None:
    world = World(hosts=frozenset({"inner.test:9000"}))

    await world.fetch(tmp_path, "http://inner.test:9000/a")

    assert world.hosts == [INNER]
    with pytest.raises(FileUnfetched, match="not on the public"):
        await world.fetch(tmp_path, "http://inner.test/a")


async def test_each_redirect_is_a_new_check(tmp_path: Path) -> None:
    world = World()
    world.answer = redirects(("files.test/a", "http://both.test/b"))
    await world.fetch(tmp_path / "fine", "http://files.test/a")
    assert world.hosts == [PUBLIC, OTHER]

    world.answer = redirects(("files.test/a", "http://inner.test/b"))
    (tmp_path / "bad").mkdir()
    told = await world.refusal(tmp_path / "bad", "http://files.test/a")
    assert told == "its host is not on the public internet"
    assert INNER not in world.hosts


@pytest.mark.parametrize(
    "way", ["http://files.test/b", "https://me:secret@files.test/b", "file:///etc/passwd"]
)
async def test_a_redirect_to_less_is_not_followed(tmp_path: Path, way: str) -> None:
    world = World()
    world.answer = redirects(("files.test/a", way))

    told = await world.refusal(tmp_path, "https://files.test/a")

    assert told == "its server redirects to where it cannot be followed"
    assert len(world.asked) == 1


async def test_redirects_end(tmp_path: Path) -> None:
    world = World()
    world.answer = redirects(("files.test/a", "/a"))

    assert await world.refusal(tmp_path, "http://files.test/a") == (
        "its server redirects too often"
    )
    assert len(world.asked) == 6


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield b"x" * 1000


async def test_too_many_bytes_are_not_taken_whatever_was_promised(tmp_path: Path) -> None:
    world = World(most_bytes=5000)
    too_many = "the files have more than 5000 bytes"

    world.answer = lambda request: httpx.Response(200, content=_endless())
    assert await world.refusal(tmp_path, "http://files.test/") == too_many
    world.answer = lambda request: httpx.Response(
        200, headers={"content-length": "5001"}, content=_never()
    )
    assert await world.refusal(tmp_path, "http://files.test/") == too_many


async def test_the_limit_is_for_all_files_together(tmp_path: Path) -> None:
    world = World(most_bytes=9)

    assert await world.refusal(tmp_path, "http://files.test/", "http://files.test/b") == (
        "the files have more than 9 bytes"
    )
    await World(most_bytes=10).fetch(tmp_path, "http://files.test/", "http://files.test/b")


async def _never() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


async def test_the_time_is_for_all_files_together(tmp_path: Path) -> None:
    world = World(seconds=0.01)
    world.answer = lambda request: httpx.Response(200, content=_never())

    assert await world.refusal(tmp_path, "http://files.test/") == (
        "the files took longer than 0.01 seconds"
    )


async def test_what_unpacks_to_more_than_it_is_stays_out(tmp_path: Path) -> None:
    world = World()
    world.answer = lambda request: httpx.Response(
        200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"")
    )

    told = await world.refusal(tmp_path, "http://files.test/")

    assert told == "its server sends it compressed, though asked not to"
    assert world.asked[0].headers["accept-encoding"] == "identity"


async def test_another_type_than_the_form_takes_is_refused(tmp_path: Path) -> None:
    world = World()
    world.answer = lambda request: httpx.Response(200, headers={"content-type": "text/html"})

    told = await world.refusal(tmp_path, "http://files.test/", accept="image/*")

    assert told == "it is not of the type image/*"


async def test_a_bad_moment_passes(tmp_path: Path) -> None:
    world = World()
    bad = [httpx.Response(503), httpx.ConnectTimeout("slow")]

    def answer(request: httpx.Request) -> httpx.Response:
        told = bad.pop(0) if bad else served()
        if isinstance(told, Exception):
            raise told
        return told

    world.answer = answer
    await world.fetch(tmp_path, "http://files.test/")

    assert world.pauses == [1.0, 5.0]


async def test_a_bad_hour_does_not(tmp_path: Path) -> None:
    world = World()
    world.answer = lambda request: httpx.Response(503)

    assert await world.refusal(tmp_path, "http://files.test/") == "its server answered 503"
    assert len(world.asked) == 3


async def test_a_no_is_asked_for_once(tmp_path: Path) -> None:
    world = World()
    world.answer = lambda request: httpx.Response(404)

    assert await world.refusal(tmp_path, "http://files.test/") == "its server answered 404"
    assert len(world.asked) == 1


async def test_a_second_run_has_its_own_files_only(tmp_path: Path) -> None:
    world = World()
    await world.fetch(tmp_path, "http://files.test/", "http://files.test/b")

    folder = await world.fetch(tmp_path, "http://files.test/")

    assert _names(folder) == ["0.txt"]


async def test_before_a_sale_hosts_are_looked_up_and_nothing_is_fetched() -> None:
    world = World()
    urls = ["http://files.test/", "http://gone.test/", "http://inner.test/", "http://trouble.test/"]
    files = [Attachment(f"f{n}", "a", url) for n, url in enumerate(urls)]

    with pytest.raises(FieldsInvalid) as refused:
        await world.downloads().check(files)

    assert refused.value.fields == {
        "f1": ["its host is not known"],
        "f2": ["its host is not on the public internet"],
    }
    assert not world.asked


async def test_a_slow_resolver_holds_no_sale_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("masumi_sumi.runtime.downloads._CHECK_SECONDS", 0.01)

    await World().downloads().check([Attachment("doc", "a", "http://slow.test/")])


ADDRESSES = {
    "93.184.215.14": True,
    "8.8.8.8": True,
    "2606:4700::1111": True,
    "0.0.0.0": False,
    "10.1.2.3": False,
    "100.64.0.1": False,
    "127.0.0.1": False,
    "169.254.169.254": False,
    "172.16.0.1": False,
    "192.168.1.1": False,
    "198.18.0.1": False,
    "203.0.113.5": False,
    "224.0.0.1": False,
    "240.0.0.1": False,
    "255.255.255.255": False,
    "::": False,
    "::1": False,
    "::ffff:8.8.8.8": False,
    "::ffff:127.0.0.1": False,
    "::7f00:1": False,
    "64:ff9b::7f00:1": False,
    "2002:7f00:1::": False,
    "2001:0:7f00:1::": False,
    "2001:db8::1": False,
    "fc00::1": False,
    "fe80::1": False,
    "fe80::1%eth0": False,
    "fec0::1": False,
    "ff02::1": False,
    "168.63.129.16": False,
    "localhost": False,
    "": False,
}


def test_the_machines_own_address_is_not_public_whatever_its_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ours = [SimpleNamespace(address="8.8.8.8"), SimpleNamespace(address="2a00:1450::5%eth0")]
    monkeypatch.setattr(psutil, "net_if_addrs", lambda: {"eth0": ours})

    assert not is_public("8.8.8.8")
    assert not is_public("2a00:1450::5")
    assert is_public("8.8.4.4")


@pytest.mark.parametrize(("address", "public"), ADDRESSES.items())
def test_only_the_open_internet_is_public(address: str, public: bool) -> None:
    assert is_public(address) is public
