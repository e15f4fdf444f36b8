"""Functions sold as flows: of a plain FastAPI app, and of a ServeAPI app."""

from __future__ import annotations

from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from kodosumi.core import ServeAPI, Tracer
from pydantic import BaseModel, Field, field_validator, model_validator

from masumi_sumi import File, Files, sumi

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ee" * 32


class Tone(Enum):
    SHORT = "short"
    FRIENDLY = "friendly"


class Order(BaseModel):
    text: Annotated[str, Field(description="What to summarise", max_length=5000)]
    tone: Tone = Tone.SHORT
    topics: list[Literal["news", "sport"]] = Field([], max_length=2)
    words: int = Field(100, ge=10, le=500)
    urgent: bool = False
    until: date | None = None

    @field_validator("text")
    @classmethod
    def _decent(cls, text: str) -> str:
        if "rude" in text:
            raise ValueError("must be decent")
        return text.strip()

    @model_validator(mode="after")
    def _possible(self) -> Order:
        if self.urgent and self.words > 200:
            raise ValueError("what is urgent must be short")
        return self


class Papers(BaseModel):
    first: File
    others: Files = []


def add_to(app: Any) -> Any:
    """The app with a flow of async code, which traces, and one of blocking code."""
    sumi.flow(app, "/summary", agent_identifier=AGENT, network="Preprod")(summary)
    sumi.flow(app, "/count", summary="Word count", tags=["words"], author="ada")(count)
    return app


async def summary(order: Order, tracer: Tracer) -> str:
    """Summarises a text."""
    return f"{order.tone.value}: {order.text}"


def count(order: Order) -> dict[str, int]:
    return {"words": len(order.text.split())}


async def read(order: Papers, tracer: Tracer) -> str:
    async with await tracer.fs() as fs:
        found = [await fs.open(path).read_all() for path in (order.first, *order.others)]
    return b" ".join(found).decode()


def plain() -> FastAPI:
    app = FastAPI(title="Knows nothing of Kodosumi")

    @app.get("/health")
    async def health() -> str:
        return "the author's"

    return add_to(app)


def kodosumi() -> ServeAPI:
    return add_to(ServeAPI())
