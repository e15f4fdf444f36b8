"""The smallest agents there are, for measuring what is around them."""

from __future__ import annotations

import asyncio
from typing import Any

from fastapi import Request
from kodosumi.core import Launch, ServeAPI
from kodosumi.core import forms as F
from ray import serve

from masumi_sumi import sumi

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "be" * 32

app = ServeAPI()


async def trivial(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"done": True}


async def idle(inputs: dict[str, Any]) -> dict[str, Any]:
    await asyncio.sleep(float(inputs["seconds"]))
    return {"slept": inputs["seconds"]}


@app.enter("/trivial", model=F.Model(F.Submit("Go")), summary="Does nothing")
async def start_trivial(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, trivial, inputs=inputs)


@app.enter("/idle", model=F.Model(F.InputText(name="seconds"), F.Submit("Go")), summary="Sleeps")
async def start_idle(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, idle, inputs=inputs)


@sumi(agent_identifier=AGENT, network="Preprod")
@app.enter(
    "/priced",
    model=F.Model(F.InputArea(name="text", required=False), F.Submit("Go")),
    summary="Does nothing, for money",
)
async def start_priced(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, trivial, inputs=inputs)


@serve.deployment
@sumi.ingress(app)
class Bench:
    """All routes are the app's own."""


fast_app = Bench.bind()
