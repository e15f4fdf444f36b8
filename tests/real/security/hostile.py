"""An app whose author and buyers bring markup wherever a page of the panel shows a text."""

from __future__ import annotations

from typing import Any

from fastapi import Request
from kodosumi.core import InputsError, Launch, ServeAPI, Tracer, response
from kodosumi.core import forms as F
from ray import serve

from masumi_sumi import sumi
from tests.real.agents import AGENT
from tests.stand_ins.markup_attacks import ALL, ATTACKS

app = ServeAPI()
NAME = " ".join((ATTACKS[0], ATTACKS[3], *ATTACKS[6:8]))  # a title with all would fill the page
ABOUT: dict[str, Any] = {
    "summary": f"Hostile {NAME}",
    "description": f"Description {ALL}",
    "tags": [f"tag {attack}" for attack in ATTACKS],
    "version": f"1 {NAME}",
    "author": f"Author {ALL}",
    "organization": f"Organization {ALL}",
}


def all_elements() -> F.Model:
    """One of each element, with markup in each of its texts."""
    fields = [
        kind(f"{name} {ALL}", f"Label {ALL}", f"Value {ALL}", placeholder=f"Placeholder {ALL}")
        for name, kind in (
            ("text", F.InputText),
            ("number", F.InputNumber),
            ("date", F.InputDate),
            ("time", F.InputTime),
            ("datetime", F.InputDateTime),
            ("area", F.InputArea),
        )
    ]
    options = [F.InputOption(name=f"{ALL}{number}", label=ALL) for number in range(2)]
    return F.Model(
        F.Errors(),
        F.HTML(f"<h4>Heading</h4>{ALL}"),
        F.Markdown(f"# Title\n\n{ALL}"),
        *fields,
        F.Checkbox(f"box {ALL}", f"Option {ALL}", f"Label {ALL}"),
        F.Select(f"choice {ALL}", options, f"Label {ALL}"),
        F.InputText("word", "Word"),
        F.Action(f"action {ALL}", f"Value {ALL}", text=f"Act {ALL}"),
        F.Cancel(f"Back {ALL}"),
        F.Submit(f"Send {ALL}"),
    )


@app.enter("/", model=all_elements(), **ABOUT)
async def refuse(inputs: dict[str, Any], request: Request) -> Any:
    error = InputsError()
    error.flash(f"All of it {ALL}")
    error.add(word=f"Word {ALL}")
    raise error


def words(*names: str) -> F.Model:
    return F.Model(*(F.InputArea(name, name) for name in names), F.Submit("Go"))


async def say(inputs: dict[str, Any], tracer: Tracer) -> Any:
    """Let a buyer's word reach each kind of event, and the end as its form asks."""
    word = inputs["word"]
    print(word)
    await tracer.debug(word)
    await tracer.markdown(f"Markdown {word}")
    await tracer.html(f"<h4>HTML</h4>{word}")
    await tracer.text(f"Text {word}")
    await tracer.result({"key": f"Result {word}"})
    await tracer.action({f"{word}": word})
    if inputs["end"] == "error":
        raise ValueError(f"Error {word}")
    if inputs["end"] == "lock":
        return await tracer.lock("review", data={"word": word})
    return ENDS[inputs["end"]](f"End {word}")


ENDS: dict[str, Any] = {
    "html": response.HTML,
    "markdown": response.Markdown,
    "text": response.Text,
    "dict": lambda word: {"end": word},
}


@app.enter("/say", model=words("word", "end"), **ABOUT)
async def start_saying(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, say, inputs=inputs, **{key: ABOUT[key] for key in NAMED})


NAMED = ("summary", "description")


@sumi(agent_identifier=AGENT, network="Preprod")
@app.enter("/paid", model=words("word"), summary="Hostile and paid")
async def start_paid(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, say, inputs={**inputs, "end": "text"})


@app.lock("review")
async def review(data: dict[str, Any] | None) -> F.Model:
    word = (data or {}).get("word")
    return F.Model(
        F.HTML(f"<h4>Review</h4>{word}"), F.Markdown(f"Word: {word}"), *all_elements().children
    )


@app.lease("review")
async def accept(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"seen": sorted(inputs)}


@serve.deployment
@sumi.ingress(app)
class Hostile:
    """All routes are the app's own."""


fast_app = Hostile.bind()
