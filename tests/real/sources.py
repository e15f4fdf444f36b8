"""An agent of the second generation, priced by its input."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from kodosumi.core import Launch, ServeAPI
from kodosumi.core import forms as F
from ray import serve

from masumi_sumi import sumi

AGENT = "67ab0c92c4ac1610895a1c965ee50aba41a8f1513b15240723b3bd0b" + "cd" * 32
ADA = 1_000_000

app = ServeAPI()


def by_count(inputs: dict[str, Any]) -> int:
    return int(inputs["count"]) * ADA


async def repeat(inputs: dict[str, Any]) -> str:
    return " ".join([inputs["word"]] * int(inputs["count"]))


@sumi(agent_identifier=AGENT, network="Preprod", price=by_count)
@app.enter(
    "/",
    model=F.Model(
        F.InputText(name="word", label="Word", required=True),
        F.InputNumber(name="count", label="Count", required=True, min_value=0),
        F.Submit("Go"),
    ),
    summary="Repeats for money",
)
async def start(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, repeat, inputs=inputs)


@serve.deployment
@sumi.ingress(app)
class Sources: ...


fast_app = Sources.bind()
