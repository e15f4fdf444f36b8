"""Agents that the real tests hire: many flows in one app, to spare replicas."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
import types
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from kodosumi.core import InputsError, Launch, ServeAPI, Tracer, response
from kodosumi.core import forms as F
from pydantic import BaseModel
from ray import serve

from masumi_sumi import sumi
from tests.real.desk import Desk

AGENT = "7e8bdaf2b2b919a3a4b94002cafb50086c0c845fe535d07a77ab7f77" + "ab" * 32

app = ServeAPI()


def form(*names: str) -> F.Model:
    fields = [F.InputText(name=name, label=name.title()) for name in names]
    return F.Model(*fields, F.Submit("Go"))


# --- work: async code, marked at its desk --------------------------------------------------------


FAILURES = {
    "fail": ValueError("the word was fail"),
    "exit": SystemExit(3),
    "cancel": asyncio.CancelledError("given up"),
}


async def work(inputs: dict[str, Any], tracer: Tracer) -> Any:
    desk = Desk(inputs["desk"])
    desk.begin()
    print("out loud")
    await tracer.markdown("at work")
    await desk.gate()
    if inputs["word"] in FAILURES:
        raise FAILURES[inputs["word"]]
    desk.end()
    return response.Markdown(f'**{inputs.get("word")}** is "done"')


@app.enter("/task", model=form("desk", "word"), summary="Work", version="1.0.0", author="tests")
async def start_work(inputs: dict[str, Any], request: Request) -> Any:
    if inputs.get("word") == "wrong":
        error = InputsError()
        error.add(word="is wrong")
        raise error
    return Launch(request, work, inputs=inputs)


@sumi(agent_identifier=AGENT, network="Preprod")
@app.enter("/sale", model=form("desk", "word"), summary="Sale")
def start_sale(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, work, inputs=inputs)


@sumi(agent_identifier=AGENT, network="Preprod", pay_by=60)
@app.enter("/hasty", model=form("desk", "word"), summary="Pay within a minute")
def start_hasty(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, work, inputs=inputs)


@sumi(repeats=1)
@app.enter("/again", model=form("desk", "word"), summary="May run twice")
def start_again(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, work, inputs=inputs)


@app.enter("/named", model=form("desk", "word"), summary="Entry point as text")
def start_named(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, "tests.real.agents:work", inputs=inputs)


# --- what an author's code can see ---------------------------------------------------------------


def show_environment(inputs: dict[str, Any]) -> dict[str, Any]:
    """Where the work runs, and where its handler ran."""
    command = Path("/proc/self/cmdline").read_text()
    return {"runner": dict(os.environ), "command": command, "replica": inputs["replica"]}


@app.enter("/environment", model=form("word"), summary="All that it finds in its environment")
async def start_environment(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, show_environment, inputs={"replica": dict(os.environ)})


# --- other kinds of code -------------------------------------------------------------------------


def work_blocking(inputs: dict[str, Any], tracer: Tracer) -> str:
    desk = Desk(inputs["desk"])
    desk.begin()
    tracer.markdown_sync("at work, blocking")
    desk.gate_sync()
    desk.end()
    return f"{inputs['word']}, from a thread"


@app.get("/blocking/demo", include_in_schema=False)
async def show_page() -> HTMLResponse:
    """A page of the author's own, where MIP-003 has an endpoint."""
    page = HTMLResponse("<script>alert(document.cookie)</script>")
    page.set_cookie("kodosumi_jwt", "stolen")
    return page


@app.enter("/blocking", model=form("desk", "word"), summary="Blocking code")
def start_blocking(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, work_blocking, inputs=inputs)


class Order(BaseModel):
    word: str
    times: int = 2


async def work_on_order(inputs: Order) -> Order:
    return Order(word=inputs.word * inputs.times)


@app.enter("/order", model=form("word"), summary="Pydantic in and out")
async def start_order(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, work_on_order, inputs=Order(word=inputs["word"]))


@sumi(agent_identifier=AGENT, network="Preprod")
@app.enter("/line", model=form("word"), summary="Is paid, and asks one thing")
async def start_line(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, work_on_order, inputs=Order(word=inputs["word"]))


RESULTS: dict[str, Any] = {
    "markdown": response.Markdown("# Title"),
    "html": response.HTML("<b>bold</b>"),
    "text": response.Text("plain\ntext"),
    "str": 'a "word"',
    "dict": {"b": 1, "a": ["x", None]},
    "list": [response.Markdown("one"), response.Text("two")],
    "none": None,
}


async def give(inputs: dict[str, Any]) -> Any:
    return RESULTS[inputs["kind"]]


@app.enter("/results", model=form("kind"), summary="Results of every type")
async def start_results(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, give, inputs=inputs)


class CrewOutput(BaseModel):
    raw: str


class Crew:
    """Looks like a crew of CrewAI: agents, tasks, callbacks, ``kickoff_async``."""

    def __init__(self, name: str) -> None:
        self.name = name
        poet = types.SimpleNamespace(role="poet", goal="rhyme", backstory="none", tools=[])
        task = types.SimpleNamespace(
            name="write", description="a line", expected_output="a rhyme", agent=poet, tools=[]
        )
        self.agents, self.tasks = [poet], [task]

    def kickoff(self, inputs: dict[str, Any]) -> Any:
        raise NotImplementedError

    async def kickoff_async(self, inputs: dict[str, Any]) -> CrewOutput:
        return CrewOutput(raw=f"{self.name} rhymes {inputs['word']}")


crew = Crew("crew")


class CrewFactory:
    is_crew_class = True

    def crew(self) -> Crew:
        return Crew("crew class")


@app.enter("/crew", model=form("word"), summary="A crew")
async def start_crew(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, crew, inputs=inputs)


@app.enter("/crew-class", model=form("word"), summary="A decorated crew class")
async def start_crew_class(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, CrewFactory, inputs=inputs)


# --- files -------------------------------------------------------------------------------------


def told(folder: Path, names: list[str]) -> str:
    lines = [f"{n} {hashlib.sha256((folder / n).read_bytes()).hexdigest()}" for n in names]
    return "\n".join(lines)


async def read_files(inputs: dict[str, Any], tracer: Tracer) -> str:
    async with await tracer.fs() as fs:
        copies = [Path(copy) async for copy in fs.download("in")]
    return told(copies[0].parent, sorted(inputs["docs"]))


def read_files_blocking(inputs: dict[str, Any], tracer: Tracer) -> str:
    with tracer.fs_sync() as fs:
        copies = [Path(copy) for copy in fs.download("in")]
        answer = copies[0].with_name("answer.txt")
        answer.write_text("done")
        fs.upload(str(answer))
    return told(copies[0].parent, sorted(inputs["docs"]))


READING = {"async": read_files, "blocking": read_files_blocking}
file_form = F.Model(
    F.InputFiles(name="docs", label="Documents", required=True, multiple=True),
    F.InputText(name="how", label="How"),
    F.Submit("Go"),
)


@app.enter("/files", model=file_form, summary="Reads files")
async def start_files(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, READING[inputs["how"]], inputs=inputs)


@sumi(agent_identifier=AGENT, network="Preprod")
@app.enter("/paid-files", model=file_form, summary="Is paid, and reads files")
async def start_paid_files(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, READING[inputs["how"]], inputs=inputs)


# --- questions to the buyer ----------------------------------------------------------------------


async def ask_one(inputs: dict[str, Any], tracer: Tracer) -> Any:
    Desk(inputs["desk"]).begin()
    answer = await tracer.lock("color", data={"about": inputs["word"]})
    return f"{inputs['word']} is {answer['color']}"


async def ask_two(inputs: dict[str, Any], tracer: Tracer) -> Any:
    color, size = await asyncio.gather(tracer.lock("color"), tracer.lock("size"))
    return f"{color['color']} and {size['size']}"


async def ask_briefly(inputs: dict[str, Any], tracer: Tracer) -> Any:
    try:
        await tracer.lock("color", timeout=0.5)
    except TimeoutError:
        if inputs["word"] == "raise":
            raise
        return "nobody answered"
    return "somebody answered"


ASKING = {"one": ask_one, "two": ask_two, "briefly": ask_briefly}


@sumi(repeats=1)
@app.enter("/ask", model=form("desk", "word", "how"), summary="Asks back")
async def start_ask(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, ASKING[inputs["how"]], inputs=inputs)


@sumi(agent_identifier=AGENT, network="Preprod")
@app.enter("/paid-ask", model=form("desk", "word"), summary="Is paid, and asks back")
async def start_paid_ask(inputs: dict[str, Any], request: Request) -> Any:
    return Launch(request, ask_one, inputs=inputs)


@app.lock("color")
async def color_form(data: dict[str, Any] | None) -> F.Model:
    about = (data or {}).get("about", "it")
    return F.Model(
        F.Markdown(f"What colour is {about}?"),
        F.InputText(name="color", label="Colour", required=True),
        F.Submit("Tell"),
    )


@app.lease("color")
async def color_answer(inputs: dict[str, Any]) -> dict[str, Any]:
    if inputs.get("color") == "loud":
        error = InputsError()
        error.add(color="is no colour")
        raise error
    return {"color": inputs["color"]}


@app.lock("size")
def size_form() -> F.Model:
    return F.Model(F.InputNumber(name="size", label="Size", required=True), F.Submit("Tell"))


# --- launches from where a sale's context is lost ------------------------------------------------


async def launch_in_thread(request: Any, inputs: dict[str, Any]) -> Any:
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(Launch(request, work, inputs=inputs)))
    thread.start()
    await asyncio.to_thread(thread.join)
    return found[0]


async def launch_in_executor(request: Any, inputs: dict[str, Any]) -> Any:
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(None, lambda: Launch(request, work, inputs=inputs))


async def launch_unknown(request: Any, inputs: dict[str, Any]) -> Any:
    stranger = types.SimpleNamespace(
        app=request.app, state=request.state, cookies={}, headers=request.headers
    )
    return await launch_in_executor(stranger, inputs)


async def launch_twice(request: Any, inputs: dict[str, Any]) -> Any:
    Launch(request, work, inputs=inputs)
    return Launch(request, work, inputs=inputs)


async def launch_never(request: Any, inputs: dict[str, Any]) -> Any:
    return {"no": "launch"}


ESCAPES = {
    "thread": launch_in_thread,
    "executor": launch_in_executor,
    "unknown": launch_unknown,
    "twice": launch_twice,
    "never": launch_never,
}


@app.enter("/escapes", model=form("desk", "how"), summary="Launches in odd places")
async def start_escaping(inputs: dict[str, Any], request: Request) -> Any:
    return await ESCAPES[inputs["how"]](request, inputs)


@serve.deployment
@sumi.ingress(app)
class Agents:
    """All routes are the app's own."""


fast_app = Agents.bind()
