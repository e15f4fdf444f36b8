"""Plain functions as flows: form, handler and routes from the model that a function takes.

The flows of a FastAPI app that knows nothing of Kodosumi are kept in a ServeAPI of our own beside
it, whose routes are the app's.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import FastAPI, Request
from kodosumi.const import KODOSUMI_BASE, KODOSUMI_USER
from kodosumi.core import InputsError, Launch, ServeAPI
from kodosumi.core import forms as F
from kodosumi.runner.tracer import Tracer
from kodosumi.serve import ANNONYMOUS_USER
from pydantic import BaseModel

from masumi_sumi.errors import FieldsInvalid, FunctionUnfit, SettingInvalid
from masumi_sumi.flows import ModelForm, model_form
from masumi_sumi.runtime.elements.own import Heading
from masumi_sumi.runtime.elements.panel import elements_of
from masumi_sumi.runtime.serving import BESIDE, serve_api_of

Work = Callable[..., Any]

READS = "__masumi_sumi_reads__"
"""Of a handler of ours: what makes the function's model of the handler's inputs."""


class FlowsBeside(ServeAPI):
    """Keeps the flows of a FastAPI app as Kodosumi keeps them; the app itself is not changed, but
    for the routes that it gets.
    """

    def __init__(self, host: FastAPI) -> None:
        self._host: FastAPI | None = None
        super().__init__(openapi_url=None)  # its own routes are of no use
        self._host = host

    @property
    def routes(self) -> Any:
        return self.router.routes if self._host is None else self._host.routes

    def add_api_route(self, *args: Any, **options: Any) -> None:
        if self._host is None:
            super().add_api_route(*args, **options)
        else:
            self._host.add_api_route(*args, **options)


def add_flow(app: Any, path: str, function: Work, about: Mapping[str, Any]) -> Any:
    """The handler, once the app has the flow. ``about`` is what Kodosumi's ``enter`` takes.

    Raises FunctionUnfit, FieldUnfit, SettingInvalid.
    """
    call = _Call.of(function)
    form = model_form(call.model)
    keeper = _keeper(app)
    _check_path(keeper, path)
    told = _told(function, about)
    heading = Heading(told["summary"], told["description"])
    model = F.Model(heading, *elements_of(form.form), F.Errors(), F.Submit("Start"))
    handler = _handler(keeper, form, call)
    setattr(handler, READS, form.read)
    return keeper.enter(path, model=model, **told)(handler)


def _keeper(app: Any) -> Any:
    if not isinstance(app, FastAPI):
        raise SettingInvalid("app", app, "expected a FastAPI app, or Kodosumi's ServeAPI")
    found = serve_api_of(app)
    if found is None:
        found = FlowsBeside(app)
        setattr(app.state, BESIDE, found)
    return found


def _check_path(keeper: Any, path: str) -> None:
    """A path that is served already would keep its old route, beside the new flow's terms."""
    taken = {getattr(route, "path", "").rstrip("/") for route in keeper.routes}
    if not path.startswith("/") or path.rstrip("/") in taken:
        rule = "expected a path that begins with / and that the app does not serve already"
        raise SettingInvalid("path", path, rule)


def _told(function: Work, about: Mapping[str, Any]) -> dict[str, Any]:
    """Where the author says nothing: the function's name, and its docstring."""
    named = function.__name__.strip("_").replace("_", " ")
    told = {
        "summary": named[:1].upper() + named[1:],
        "description": inspect.getdoc(function) or "",
    }
    return told | {name: value for name, value in about.items() if value is not None}


def _handler(keeper: Any, form: ModelForm, call: _Call) -> Work:
    async def start(inputs: dict[str, Any], request: Request) -> Any:
        try:
            order = form.read(inputs | await _typed_by_caller(request))
        except FieldsInvalid as error:
            refusal = InputsError()
            refusal.errors = {name: list(reasons) for name, reasons in error.fields.items()}
            raise refusal from error
        asked = _kodosumi_request(request, keeper)
        return Launch(asked, call.entry_point(), inputs=order, reference=start)

    return start


async def _typed_by_caller(request: Request) -> dict[str, Any]:
    """What a caller sent as JSON's own true, false or list: Kodosumi reads texts only."""
    try:
        sent = await request.json()
    except ValueError:
        return {}
    pairs = sent.items() if isinstance(sent, dict) else ()
    return {name: value for name, value in pairs if isinstance(value, bool | list)}


def _kodosumi_request(request: Request, keeper: Any) -> Request:
    """The request as a ServeAPI would have it: Kodosumi reads the caller and the flow from it."""
    found = Request({**request.scope, "app": keeper})
    found.state.user = request.headers.get(KODOSUMI_USER, ANNONYMOUS_USER)
    found.state.prefix = request.headers.get(KODOSUMI_BASE, "")
    return found


# --- the function ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Call:
    """How a function is called: with its model under ``order``, with a tracer if it takes one."""

    function: Work
    model: type[BaseModel]
    order: str
    tracer: str | None

    @classmethod
    def of(cls, function: Any) -> _Call:
        """Raises FunctionUnfit."""
        pieces = inspect.isasyncgenfunction(function) or inspect.isgeneratorfunction(function)
        if pieces or not inspect.isfunction(function):
            raise FunctionUnfit(str(function), "expected a function, async or not, that returns")
        parameters = inspect.signature(function).parameters.values()
        types = {each.name: _type_of(function, each) for each in parameters}
        orders = [name for name, type_ in types.items() if _is_model(type_)]
        tracers = [name for name, type_ in types.items() if type_ is Tracer]
        others = [
            each.name
            for each in parameters
            if each.name not in (*orders, *tracers) and each.default is each.empty
        ]
        named = function.__qualname__
        if len(orders) != 1 or len(tracers) > 1 or others:
            rule = "expected one pydantic model as its argument, and a Tracer if it wants one"
            raise FunctionUnfit(named, f"{rule}; it takes ({', '.join(types)})")
        if any(each.kind is each.POSITIONAL_ONLY for each in parameters):
            raise FunctionUnfit(named, "its arguments must be callable by name")
        return cls(function, types[orders[0]], orders[0], next(iter(tracers), None))

    def entry_point(self) -> partial[Any]:
        """What a runner runs. It travels by name: the function is imported from its module there,
        and the model comes as it was validated here, never to be refused once it is paid.
        """
        run = _run if inspect.iscoroutinefunction(self.function) else _run_blocking
        found: partial[Any] = partial(run, self.function, self.order, self.tracer)
        named = {"__module__": self.function.__module__, "__name__": self.function.__name__}
        found.__dict__.update(named)  # as Kodosumi tells an entry point
        return found


def _type_of(function: Any, parameter: inspect.Parameter) -> Any:
    if parameter.name == "tracer":
        return Tracer
    alone = {parameter.name: parameter.annotation}
    holder = type("Parameter", (), {"__annotations__": alone})
    try:
        return typing.get_type_hints(holder, function.__globals__)[parameter.name]
    except NameError as error:
        rule = f"the type of {parameter.name} must be known in its module: {error}"
        raise FunctionUnfit(function.__qualname__, rule) from error


def _is_model(type_: Any) -> bool:
    return inspect.isclass(type_) and issubclass(type_, BaseModel)


async def _run(function: Work, order: str, tracer_: str | None, inputs: Any, tracer: Any) -> Any:
    return await function(**_arguments(order, inputs, tracer_, tracer))


def _run_blocking(function: Work, order: str, tracer_: str | None, inputs: Any, tracer: Any) -> Any:
    return function(**_arguments(order, inputs, tracer_, tracer))


def _arguments(order: str, inputs: Any, tracer_: str | None, tracer: Any) -> dict[str, Any]:
    return {order: inputs} | ({tracer_: tracer} if tracer_ else {})
