"""A small graph of knowledge: asked for two things, it tells how one leads to the other."""

from __future__ import annotations

from collections import deque
from typing import Any

from fastapi import Request
from kodosumi.core import InputsError, Launch, ServeAPI, Tracer, response
from kodosumi.core import forms as F
from ray import serve

FACTS = [
    ("Kodosumi", "runs agents on", "Ray"),
    ("Kodosumi", "shows forms to", "Person"),
    ("Person", "hires", "Agent"),
    ("Sokosumi", "lists", "Agent"),
    ("Sokosumi", "sends input as", "MIP-003"),
    ("Agent", "speaks", "MIP-003"),
    ("Agent", "is paid through", "Masumi"),
    ("Masumi", "locks funds in", "Smart Contract"),
    ("Masumi", "hashes results as", "MIP-004"),
    ("Smart Contract", "lives on", "Cardano"),
    ("Ray", "is written in", "Python"),
]
THINGS = sorted({thing for source, _, target in FACTS for thing in (source, target)})
START, GOAL = "Kodosumi", "Cardano"

Step = tuple[str, str, str]

app = ServeAPI()


def journey(start: str, goal: str) -> list[Step] | None:
    """The fewest facts that lead from one thing to another; None if none do."""
    reached: dict[str, list[Step]] = {start: []}
    waiting = deque([start])
    while waiting and goal not in reached:
        here = waiting.popleft()
        for fact in FACTS:
            if fact[0] == here and fact[2] not in reached:
                reached[fact[2]] = [*reached[here], fact]
                waiting.append(fact[2])
    return reached.get(goal)


def known(word: str) -> str | None:
    """The thing as the graph writes it."""
    return next((thing for thing in THINGS if thing.lower() == word.strip().lower()), None)


async def work(inputs: dict[str, Any], tracer: Tracer) -> Any:
    start, goal = inputs["start"], inputs["goal"]
    await tracer.markdown(f"Looking among {len(FACTS)} facts.")
    steps = journey(start, goal)
    if steps is None:
        return response.Markdown(f"Nothing leads from **{start}** to **{goal}**.")
    lines = [f"{number}. {a} {verb} **{b}**" for number, (a, verb, b) in enumerate(steps, 1)]
    return response.Markdown([f"# From {start} to {goal}", "", *lines])


@app.enter(
    "/serve",
    model=F.Model(
        F.Markdown(f"# Knowledge Graph\nIt knows of {', '.join(THINGS)}."),
        F.InputText(name="start", label="From", value=START),
        F.InputText(name="goal", label="To", value=GOAL),
        F.Errors(),
        F.Submit("Find the way"),
        F.Cancel("Cancel"),
    ),
    summary="jKx Knowledge Graph",
    description="Finds how one thing leads to another in a graph of facts.",
    tags=["knowledge", "graph"],
    version="1.0.0",
    author="masumi_sumi",
)
async def serve_journey(inputs: dict[str, Any], request: Request) -> Any:
    error = InputsError()
    things = {}
    for name, default in (("start", START), ("goal", GOAL)):
        word = inputs.get(name) or default
        things[name] = known(word)
        if things[name] is None:
            error.add(**{name: f"{word} is not in the graph"})
    if error.has_errors():
        raise error
    return Launch(request, work, inputs=things)


@serve.deployment(ray_actor_options={"num_cpus": 0.1})
@serve.ingress(app)
class KnowledgeGraph:
    """All routes are the app's own."""


fast_app = KnowledgeGraph.bind()
