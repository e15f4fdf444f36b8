"""Fifty strangers start jobs slowly; who asks for availability or a status does not wait."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from urllib.parse import urlsplit

import httpx
import pytest
from desk import Desk
from shop import EXPOSE, Hired, Node, Shop, until

STRANGERS = 50
PROMPT = 2.0
"""Seconds within which everything else is answered."""

WATCHED = 5.0
HALF_A_BODY = b'{"identifier_from_purchaser": "aaaaaaaaaaaaaaaaaaaa", "input_data": {"word": "'


@pytest.fixture
def slow_node(node: Node) -> Iterator[Node]:
    node.control("delay", method="POST", path="/payment", seconds=8)
    yield node
    node.control("calm")


@pytest.fixture
def known(shop: Shop, desk: Desk) -> Hired:
    """A job whose status is asked for; it was started before the strangers came."""
    return shop.hire("/sale", desk=str(desk.folder), word="known")


def measure(shop: Shop, bazaar: str, job: Hired) -> dict[str, float]:
    """The longest time in which each address answered, over some seconds."""
    urls = {
        "availability": f"{shop.url}/sale/availability",
        "status": f"{shop.url}/sale/status?job_id={job.id}",
        "unknown job": f"{shop.url}/sale/status?job_id={'0' * 24}",
        "gateway availability": f"{bazaar}/mip003/{EXPOSE}/sale/availability",
        "gateway status": f"{bazaar}/sumi/status/{job.id}",
        "gateway unknown job": f"{bazaar}/sumi/status/{'0' * 24}",
    }
    longest = dict.fromkeys(urls, 0.0)
    end = time.monotonic() + WATCHED
    with httpx.Client(timeout=30.0, trust_env=False) as client:
        while time.monotonic() < end:
            for name, url in urls.items():
                began = time.monotonic()
                assert client.get(url).status_code == (404 if "unknown" in name else 200), name
                longest[name] = max(longest[name], time.monotonic() - began)
    return longest


def slow_start(url: str, number: int, desk: Desk) -> httpx.Response:
    data = {"desk": str(desk.folder), "word": "slow"}
    body = {"identifier_from_purchaser": f"{number:020x}", "input_data": data}
    return httpx.post(f"{url}/start_job", json=body, timeout=60.0, trust_env=False)


@pytest.mark.parametrize("through", ["app", "gateway"])
def test_fifty_starts_at_a_slow_node_hold_up_nobody(
    shop: Shop, bazaar: str, slow_node: Node, known: Hired, desk: Desk, through: str
) -> None:
    url = f"{shop.url}/sale" if through == "app" else f"{bazaar}/mip003/{EXPOSE}/sale"
    slow_node.forget()
    with ThreadPoolExecutor(STRANGERS) as pool:
        starts = [pool.submit(slow_start, url, number, desk) for number in range(STRANGERS)]
        until(lambda: slow_node.requests("POST /payment") > 0, "the node is asked")
        longest = measure(shop, bazaar, known)
        answers = [start.result() for start in starts]

    assert max(longest.values()) < PROMPT, longest
    assert {answer.status_code for answer in answers} <= {200, 424, 429}
    for answer in answers:
        if answer.status_code == 429:
            assert int(answer.headers["retry-after"]) > 0
    assert desk.begun == []


@pytest.mark.parametrize("through", ["app", "gateway"])
def test_fifty_trickling_bodies_hold_up_nobody(
    shop: Shop, bazaar: str, known: Hired, through: str
) -> None:
    url = (
        f"{shop.url}/sale/start_job"
        if through == "app"
        else f"{bazaar}/mip003/{EXPOSE}/sale/start_job"
    )
    with ExitStack() as stack:
        sockets = [stack.enter_context(closing(trickle(url))) for _ in range(STRANGERS)]
        dripping = Dripping(sockets)
        stack.callback(dripping.stop)
        longest = measure(shop, bazaar, known)

    assert max(longest.values()) < PROMPT, longest


def trickle(url: str) -> socket.socket:
    """A connection that has announced a body, and sent some of it."""
    parts = urlsplit(url)
    connection = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=10.0)
    head = (
        f"POST {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
    )
    connection.sendall(head.encode() + HALF_A_BODY)
    return connection


class Dripping(threading.Thread):
    """A byte on each connection now and then, until it is stopped; the seller may hang up."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        super().__init__(daemon=True)
        self._sockets, self._end = sockets, threading.Event()
        self.start()

    def run(self) -> None:
        while not self._end.wait(0.5):
            for connection in self._sockets:
                self._drip(connection)

    def _drip(self, connection: socket.socket) -> None:
        try:
            connection.sendall(b"x")
        except OSError:
            return

    def stop(self) -> None:
        self._end.set()
        self.join(10.0)
