"""Four flows that differ only in how they are sold, and ask and answer whatever can be.

Their form has every type of field, their result has all that the two forms of its hash differ by.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request
from kodosumi.core import Launch, ServeAPI, Tracer, response
from kodosumi.core import forms as F
from ray import serve

from masumi_sumi import forms, sumi
from tests.real.buyer_words import DEMO, V1, V2
from tests.real.desk import Desk

QUESTIONS = 8
"""How often the asking flow asks its buyer."""

app = ServeAPI()

sizes = [F.InputOption(name="s", label="Small"), F.InputOption(name="l", label="Large")]
lands = [F.InputOption(name="us", label="United States"), F.InputOption(name="de", label="Germany")]

everything = F.Model(
    F.Markdown("# All there is\nOne field of each type."),
    F.InputText(name="desk", label="Desk", required=True, placeholder="a folder"),
    F.InputText(name="word", label="Word", value="it"),
    F.InputArea(name="story", label="Story", placeholder="long", max_length=500),
    F.InputNumber(name="count", label="Count", value=3, min_value=0, max_value=10, step=1),
    forms.InputRange(name="volume", label="Volume", value=50, step=5),
    F.Checkbox(name="loud", label="Loud", option="Make it loud", value=True),
    forms.InputCheckbox(name="agree", option="I agree", label="Consent"),
    F.Select(name="land", label="Land", option=lands, value="us"),
    forms.InputRadio(name="size", label="Size", option=sizes, required=True),
    F.InputDate(name="day", label="Day", min_date="2020-01-01"),
    F.InputTime(name="hour", label="Hour"),
    F.InputDateTime(name="moment", label="Moment"),
    forms.InputMonth(name="month", label="Month"),
    forms.InputWeek(name="week", label="Week"),
    forms.InputColor(name="paint", label="Paint", value="#3498db"),
    forms.InputPassword(name="secret", label="Secret", min_length=8),
    forms.InputEmail(name="mail", label="Mail", placeholder="a@example.com"),
    forms.InputUrl(name="site", label="Site"),
    forms.InputTel(name="phone", label="Phone"),
    forms.InputSearch(name="query", label="Query"),
    F.InputFiles(name="papers", label="Papers", multiple=True),
    forms.InputHidden(name="version", value="1.0"),
    F.Submit("Go"),
    F.Cancel("No"),
)


async def work(inputs: dict[str, Any], tracer: Tracer) -> Any:
    desk = Desk(inputs["desk"])
    desk.begin()
    await desk.gate()
    if inputs["word"] == "fail":
        raise ValueError("the word was fail")
    return response.Text(f'"{inputs["word"]}"\n\tback\\slash, ümlaut ✓')


async def work_and_ask(inputs: dict[str, Any], tracer: Tracer) -> Any:
    done = await work(inputs, tracer)
    for number in range(QUESTIONS):
        await tracer.lock("measure", data={"number": number})
    return done


@sumi(agent_identifier=V1, network="Preprod", pricing="Free")
@app.enter("/free", model=everything, summary="Given away")
async def start_free(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, work, inputs=inputs)


@sumi(agent_identifier=V1, network="Preprod", demo=DEMO)
@app.enter("/v1", model=everything, summary="Sold by the first contract")
async def start_v1(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, work, inputs=inputs)


@sumi(agent_identifier=V2, network="Preprod", source_index=0)
@app.enter("/v2", model=everything, summary="Sold by the second contract")
async def start_v2(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, work, inputs=inputs)


@sumi(agent_identifier=V1, network="Preprod")
@app.enter("/asking", model=everything, summary="Sold, and asks back")
async def start_asking(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, work_and_ask, inputs=inputs)


@app.lock("measure")
async def measure(data: dict[str, Any]) -> F.Model:
    return F.Model(
        F.Markdown(f"# Question {data['number']}"),
        F.InputNumber(name="length", label="Length", min_value=1, max_value=10, required=True),
        F.InputText(name="unit", label="Unit"),
        forms.InputRadio(name="size", label="Size", option=sizes, value="s"),
        F.Submit("Tell"),
    )


@app.lease("measure")
async def measured(inputs: dict[str, Any]) -> dict[str, Any]:
    return inputs


@serve.deployment(ray_actor_options={"num_cpus": 0.1})
@sumi.ingress(app)
class Wares:
    """All routes are the app's own."""


fast_app = Wares.bind()
