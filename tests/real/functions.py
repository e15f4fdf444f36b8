"""Agents from functions: one app knows nothing of Kodosumi, the other is a ServeAPI."""

from __future__ import annotations

import time
from enum import Enum
from typing import Annotated, Literal

from fastapi import FastAPI
from kodosumi.core import ServeAPI, Tracer
from pydantic import BaseModel, Field, field_validator
from ray import serve

from masumi_sumi import File, Files, sumi
from tests.real.desk import Desk

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ab" * 32


class Tone(Enum):
    SHORT = "short"
    FRIENDLY = "friendly"


class Order(BaseModel):
    desk: str
    text: Annotated[str, Field(description="What to summarise", max_length=5000)]
    tone: Tone = Tone.SHORT
    topics: list[Literal["news", "sport"]] = []
    words: int = Field(100, ge=10, le=500)

    @field_validator("text")
    @classmethod
    def _in_time(cls, text: str) -> str:
        """True when it is ordered, no longer when it is worked on: a paid order stays accepted."""
        limit = text.removeprefix("before ").partition(":")[0]
        if limit.isdigit() and time.time() > int(limit):
            raise ValueError("is too late")
        return text

    @property
    def told(self) -> str:
        return f"{self.tone.value} {','.join(self.topics)} {self.words}: {self.text}"


class Papers(BaseModel):
    first: File
    others: Files = []


plain = FastAPI()
kodosumi = ServeAPI()


@sumi.flow(kodosumi, "/summary", agent_identifier=AGENT, network="Preprod")
@sumi.flow(plain, "/summary", agent_identifier=AGENT, network="Preprod")
async def summary(order: Order, tracer: Tracer) -> str:
    """Summarises a text."""
    Desk(order.desk).begin()
    await tracer.markdown("at work")
    if order.text == "fail":
        raise LookupError("no words")
    return order.told


@sumi.flow(kodosumi, "/blocking")
@sumi.flow(plain, "/blocking")
def blocking(order: Order, tracer: Tracer) -> Order:
    desk = Desk(order.desk)
    desk.begin()
    tracer.markdown_sync("at work, blocking")
    desk.gate_sync()
    return order


@sumi.flow(kodosumi, "/papers")
@sumi.flow(plain, "/papers")
async def papers(order: Papers, tracer: Tracer) -> str:
    async with await tracer.fs() as fs:
        found = [await fs.open(path).read_all() for path in (order.first, *order.others)]
    return b" ".join(found).decode()


@plain.get("/health")
async def health() -> str:
    return "the author's"


@serve.deployment
@sumi.ingress(plain)
class Plain:
    """All routes are the app's own."""


@serve.deployment
@serve.ingress(kodosumi)
class Kodosumi:
    """Knows nothing of its sale; the operator's builder wraps it."""


plain_app = Plain.bind()
kodosumi_app = Kodosumi.bind()
