"""A stranger on this machine or its network, without the cluster's token, at every port of it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import httpx
import psutil
import pytest
from ray.serve.generated import serve_pb2, serve_pb2_grpc
from shop import Shop

from masumi_sumi.cli.stack import Stack

CONNECT = "import ray, sys; ray.init(address=sys.argv[1]); print('connected')"


def get_processes(stack: Stack) -> list[psutil.Process]:
    """All processes of the stack that live."""
    parts = [psutil.Process(pid) for pid in stack.pids.values()]
    return [*parts, *(child for part in parts for child in part.children(recursive=True))]


def get_listening(process: psutil.Process) -> Iterator[tuple[str, int]]:
    try:
        for connection in process.connections("inet"):
            if connection.status == psutil.CONN_LISTEN:
                yield connection.laddr.ip.removeprefix("::ffff:"), connection.laddr.port
    except psutil.NoSuchProcess:
        return


def is_replica(process: psutil.Process) -> bool:
    try:
        return process.name().startswith("ray::ServeRepl")
    except psutil.NoSuchProcess:
        return False


def test_nothing_listens_beyond_loopback(stack: Stack, shop: Shop) -> None:
    processes = get_processes(stack)
    found = {(process.name(), *place) for process in processes for place in get_listening(process)}

    assert any(is_replica(process) for process in processes)
    assert len(found) > 10
    assert {address for _, address, _ in found} <= {"127.0.0.1", "::1"}, found


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/version"),
        ("GET", "/api/serve/applications/"),
        ("PUT", "/api/serve/applications/"),
        ("DELETE", "/api/serve/applications/"),
        ("GET", "/api/v0/actors"),
        ("GET", "/api/jobs/"),
        ("POST", "/api/jobs/"),
        ("GET", "/api/v0/logs/file?node_id=x&filename=raylet.out"),
        ("GET", "/nodes?view=summary"),
    ],
)
@pytest.mark.parametrize("token", ["", "Bearer", "Bearer wrong", "Basic YWRtaW46YWRtaW4="])
def test_dashboard_without_the_token_refuses(
    stack: Stack, method: str, path: str, token: str
) -> None:
    headers = {"Authorization": token} if token else {}
    answer = httpx.request(
        method, stack.urls["ray"] + path, json={"entrypoint": "id"}, headers=headers
    )

    assert answer.status_code in (401, 403), answer.text


def test_driver_without_the_token_does_not_connect(stack: Stack, tmp_path: Path) -> None:
    """Ray's own protocol and its client's, with a wrong token and with none."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("RAY_AUTH")}
    token = tmp_path / "token"
    token.write_text("wrong")
    started = [
        subprocess.Popen(
            [sys.executable, "-c", CONNECT, address],
            env={**kept, "RAY_AUTH_MODE": mode, "RAY_AUTH_TOKEN_PATH": str(token)},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for address in (stack.environment["KODO_RAY_SERVER"], f"ray://{_ray_client(stack)}")
        for mode in ("token", "disabled")
    ]

    end = time.monotonic() + 15
    assert [_get_output(driver, end) for driver in started] == [""] * 4


def _get_output(driver: subprocess.Popen[str], end: float) -> str:
    """Return what it printed until ``end``. One that still asks then is still refused."""
    try:
        return driver.communicate(timeout=max(0.1, end - time.monotonic()))[0]
    except subprocess.TimeoutExpired:
        driver.kill()
        return driver.communicate()[0]


def test_port_of_a_replica_unpickles_nothing_without_the_token(
    stack: Stack, shop: Shop, tmp_path: Path
) -> None:
    mark = tmp_path / "ran"
    ports = [
        port
        for process in get_processes(stack)
        if is_replica(process)
        for _, port in get_listening(process)
    ]
    assert ports
    request = serve_pb2.ASGIRequest(
        pickled_request_metadata=pickle.dumps(_Touch(str(mark))),
        request_args=pickle.dumps(_Touch(str(mark))),
    )
    refused = 0
    for port in ports:
        for metadata in ((), (("authorization", "Bearer wrong"),)):
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = serve_pb2_grpc.ASGIServiceStub(channel)
                with pytest.raises(grpc.RpcError) as caught:
                    stub.HandleRequest(request, metadata=metadata, timeout=10)
                refused += caught.value.code() is grpc.StatusCode.UNAUTHENTICATED

    assert refused >= 2
    assert not mark.exists()


class _Touch:
    """Creates a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __reduce__(self) -> object:
        return open, (self._path, "w")


def _ray_client(stack: Stack) -> str:
    words = psutil.Process(stack.pids["ray"]).cmdline()
    option = next(word for word in words if word.startswith("--ray-client-server-port"))
    _, _, port = option.partition("=")
    return f"127.0.0.1:{port or words[words.index(option) + 1]}"
