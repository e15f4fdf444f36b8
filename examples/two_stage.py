"""A service in two stages: it takes a name and a date, then asks its buyer for a greeting."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from fastapi import Request
from kodosumi.core import InputsError, Launch, ServeAPI, Tracer, response
from kodosumi.core import forms as F
from ray import serve

from masumi_sumi import sumi

AGENT = (
    "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77"
    "ee8e013e3f92bbd2aa41065577ac087a0d55ff96430087324c023b021267ca37"
)

app = ServeAPI()


def today() -> date:
    return datetime.now(UTC).date()


form = F.Model(
    F.Markdown("# Two-Stage Service\nTell me your name and a day to come."),
    F.Break(),
    F.InputText(name="name", label="Name", placeholder="Enter your name"),
    F.InputDate(
        name="date",
        label="Date",
        required=True,
        min_date=(today() + timedelta(days=1)).isoformat(),
    ),
    F.Errors(),
    F.Submit("Submit"),
    F.Cancel("Cancel"),
)


async def work(inputs: dict[str, Any], tracer: Tracer) -> Any:
    """Ask for a greeting, answer with a farewell."""
    await tracer.markdown(f"Waiting for a greeting, {inputs.get('name') or 'stranger'}.")
    greeting = await tracer.lock("greeting-lock", data={"name": inputs.get("name")})
    return response.Markdown(f"You say {greeting['greeting']}, I say **goodbye**.")


@sumi(agent_identifier=AGENT, network="Preprod")
@app.enter(
    "/",
    model=form,
    summary="Masumi Two-Stage Service",
    description="Two stages: your data first, a greeting from you later.",
    tags=["Masumi", "HITL"],
    version="1.0.0",
    author="masumi_sumi",
)
async def start(inputs: dict[str, Any], request: Request) -> Any:
    error = InputsError()
    day = inputs.get("date")
    if not day:
        error.add(date="Date is required")
    elif date.fromisoformat(day) <= today():
        error.add(date="Date must be in the future")
    if error.has_errors():
        raise error
    return Launch(request, work, inputs=inputs)


@app.lock("greeting-lock")
async def ask(data: dict[str, Any]) -> F.Model:
    return F.Model(
        F.Markdown("# Say hello"),
        F.InputText(
            name="greeting", label="Your Greeting", required=True, placeholder="Say hello..."
        ),
        F.Errors(),
        F.Submit("Submit"),
    )


@app.lease("greeting-lock")
async def answer(inputs: dict[str, Any]) -> dict[str, Any]:
    if not inputs.get("greeting"):
        error = InputsError()
        error.add(greeting="Please say something")
        raise error
    return {"greeting": inputs["greeting"]}


@serve.deployment
@sumi.ingress(app)
class TwoStage:
    """All routes are the app's own."""


fast_app = TwoStage.bind()
