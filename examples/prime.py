"""The distribution of prime gaps, counted by many Ray tasks: one flow in plain code, one async."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import Any

import ray
from fastapi import Request
from kodosumi.core import Launch, ServeAPI, Tracer
from kodosumi.core import forms as F
from ray import serve

from examples import prime_gaps

START, END, TASKS = "0", "10000000", "200"
HIGHEST, MOST_TASKS = 100_000_000, 1_000
AT_ONCE = 4

sieve = ray.remote(num_cpus=0)(prime_gaps.sieve)  # so it never waits for a CPU that a job holds

app = ServeAPI()

form = F.Model(
    F.Markdown("""
    # Prime Gap Distribution

    How often is the next prime 2, 4, 6, ... numbers away? Name a range and the number of Ray
    tasks that share the work.
    """),
    F.Break(),
    F.InputText(name="start", label="Start", value=START),
    F.InputText(name="end", label="End", value=END),
    F.InputText(name="tasks", label="Tasks", value=TASKS),
    F.Submit("Submit"),
    F.Cancel("Cancel"),
)


def stretches(inputs: dict[str, Any]) -> list[tuple[int, int]]:
    """What each task sieves. Raises ValueError for what is no whole number or too much work."""
    start, end = int(inputs.get("start") or START), int(inputs.get("end") or END)
    tasks = int(inputs.get("tasks") or TASKS)
    if end > HIGHEST or tasks > MOST_TASKS:
        raise ValueError(f"at most {MOST_TASKS} tasks, and no number above {HIGHEST}")
    return prime_gaps.split(max(start, 0), end, tasks)


def work(inputs: dict[str, Any], tracer: Tracer) -> dict[int, int]:
    """Keep a few tasks under way, and take what is ready. Kodosumi runs this in a thread."""
    waiting = iter(stretches(inputs))
    running = [sieve.remote(*each) for each in islice(waiting, AT_ONCE)]
    found = []
    while running:
        (ready,), running = ray.wait(running)
        running += [sieve.remote(*each) for each in islice(waiting, 1)]
        found.append(ray.get(ready))
        tracer.debug_sync(f"{len(found)} tasks are done")
    return prime_gaps.joined(found)


async def work_async(inputs: dict[str, Any], tracer: Tracer) -> dict[int, int]:
    """The same with a few loops side by side, each waiting for one task at a time."""
    waiting = iter(stretches(inputs))
    found: list[prime_gaps.Stretch | None] = []

    async def take() -> None:
        for low, high in waiting:
            found.append(await sieve.remote(low, high))
            await tracer.debug(f"{len(found)} tasks are done")

    await asyncio.gather(*(take() for _ in range(AT_ONCE)))
    return prime_gaps.joined(found)


about: dict[str, Any] = {"tags": ["Test"], "version": "0.1.0", "author": "masumi_sumi"}


@app.enter(
    "/",
    model=form,
    summary="Prime Gap Distribution",
    description="This agent creates a prime gap distribution for a given range of numbers.",
    **about,
)
async def start(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, work, inputs=inputs)


@app.enter(
    "/async",
    model=form,
    summary="Prime Gap Distribution (async)",
    description="The same distribution, counted by asynchronous code.",
    **about,
)
async def start_async(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, work_async, inputs=inputs)


@serve.deployment(ray_actor_options={"num_cpus": 0.1})
@serve.ingress(app)
class PrimeDistribution:
    """All routes are the app's own."""


fast_app = PrimeDistribution.bind()
