"""An app that knows nothing of its sale: two deployments, made by a builder with arguments."""

from __future__ import annotations

import os
from typing import Any

from fastapi import Request
from kodosumi.core import Launch, ServeAPI, Tracer, response
from kodosumi.core import forms as F
from ray import serve
from ray.serve.handle import DeploymentHandle

app = ServeAPI()


async def greet(inputs: dict[str, Any], tracer: Tracer) -> Any:
    await tracer.debug("greeting")
    return response.Markdown(f"{os.environ['GREETING']}, {inputs['name']}")


@app.enter(
    "/",
    model=F.Model(F.InputText(name="name", label="Name", required=True), F.Submit("Go")),
    summary="Greeter",
    description="Greets.",
    tags=["tests"],
)
async def start(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, greet, inputs=inputs)


@serve.deployment
class Words:
    def __init__(self, word: str) -> None:
        self._word = word

    def word(self) -> str:
        return self._word


@serve.deployment
@serve.ingress(app)
class Greeter:
    def __init__(self, words: DeploymentHandle, mark: str) -> None:
        self._words, self._mark = words, mark

    @app.get("/word")
    async def word(self) -> str:
        return await self._words.word.remote() + self._mark


def build(args: dict[str, str]) -> Any:
    return Greeter.bind(Words.bind(args["word"]), args["mark"])
