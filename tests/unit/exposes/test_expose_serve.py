"""Answers of Ray Serve and of apps that are not as they should be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from masumi_sumi.errors import FlowsUnreadable, ServeRefused, ServeUnreachable
from masumi_sumi.exposes import FoundFlow, OpenApiFinder, Serve, ServeConfig
from masumi_sumi.exposes.serve import App
from masumi_sumi.settings import Settings

CONFIG = ServeConfig("serve_config.yaml", {"http_options": {"host": "h", "port": 1}})

Answer = Callable[[httpx.Request], httpx.Response]


def always(*arguments: Any, **said: Any) -> Answer:
    return lambda request: httpx.Response(*arguments, **said)


def broken(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadTimeout("timed out", request=request)


def a_serve(answer: Answer, settings: Settings) -> Serve:
    return Serve("http://dashboard/", settings, transport=httpx.MockTransport(answer))


async def test_all_that_ray_says_of_an_application_is_told_once(settings: Settings) -> None:
    details = {
        "status": "DEPLOY_FAILED",
        "message": "first",
        "deployments": {"A": {"message": "second"}, "B": {"message": "first"}, "C": {}},
        "deployed_app_config": {"name": "a"},
    }
    serve = a_serve(always(200, json={"applications": {"a": details}}), settings)

    assert await serve.applications() == {
        "a": App("a", "DEPLOY_FAILED", "first\nsecond", {"name": "a"})
    }


@pytest.mark.parametrize(
    "answer",
    [
        broken,
        always(503, text="Failed to get a response from the controller"),
        always(200, text="<html>"),
        always(200, json=[]),
        always(200, json={"applications": {"a": None}}),
    ],
)
async def test_no_answer_is_another_thing_than_no(answer: Answer, settings: Settings) -> None:
    with pytest.raises(ServeUnreachable):
        await a_serve(answer, settings).applications()


@pytest.mark.parametrize("status", [400, 404, 500])
async def test_a_no_is_in_rays_own_words(status: int, settings: Settings) -> None:
    serve = a_serve(always(status, text="route_prefix /a is there twice"), settings)

    with pytest.raises(ServeRefused, match="route_prefix /a is there twice"):
        await serve.put(CONFIG, [{"name": "a"}])


@pytest.mark.parametrize(
    "answer",
    [
        broken,
        always(404),
        always(404, json={"detail": "Not Found"}),
        always(200, json={"hello": "world"}),
        always(200, json=[1]),
        always(200, text="x"),
    ],
)
async def test_a_proxy_that_does_not_answer_has_no_routes(
    answer: Answer, settings: Settings
) -> None:
    assert await a_serve(answer, settings).routes(CONFIG) == frozenset()


async def test_flows_are_the_get_routes_with_the_mark() -> None:
    told = {"summary": "Prime", "description": "Gaps.", "tags": ["b", "a"], "x-version": "1.0"}
    document = {
        "paths": {
            "/": {"get": {**told, "x-kodosumi": True, "deprecated": True, "x-organization": "We"}},
            "/-/lock": {"get": {"summary": "no"}},
            "/form": {"post": {"x-kodosumi": True}},
        }
    }

    def answer(request: httpx.Request) -> httpx.Response:
        told = request.url.path == "/prime/openapi.json"
        return httpx.Response(200, json=document) if told else httpx.Response(404)

    assert await OpenApiFinder(httpx.MockTransport(answer)).find("http://serve/prime/") == (
        FoundFlow("/", "Prime", "Gaps.", ("a", "b"), "", "We", "1.0", True),
    )


@pytest.mark.parametrize(
    "answer",
    [
        broken,
        always(302),
        always(404),
        always(500),
        always(200, text="<html>"),
        always(200, json=[]),
        always(200, json={"paths": {"/": []}}),
    ],
)
async def test_an_app_that_does_not_tell_its_flows_is_named(answer: Answer) -> None:
    finder = OpenApiFinder(httpx.MockTransport(answer))

    with pytest.raises(FlowsUnreadable, match=r"/a/openapi\.json does not tell its flows"):
        await finder.find("http://serve/a")
