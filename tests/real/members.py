"""A flow that nobody sells: an expose of it without a network is for those who are logged in."""

from __future__ import annotations

from fastapi import FastAPI
from pydantic import BaseModel

from masumi_sumi import sumi
from tests.real.desk import Desk

app = FastAPI()


class Order(BaseModel):
    desk: str


@sumi.flow(app, "/")
async def work(order: Order) -> str:
    """Works for members."""
    Desk(order.desk).begin()
    return "done"


fast_app = sumi.bind(app)
