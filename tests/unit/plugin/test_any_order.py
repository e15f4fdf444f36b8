"""Any JSON against a model of every type: the function's own instance, or a 400 by name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Annotated, Any, Literal
from uuid import UUID

import pytest
from anything import answers_to, anything
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import AnyUrl, BaseModel, EmailStr, Field, HttpUrl, SecretStr

from masumi_sumi import File, Files
from masumi_sumi.errors import BodyUnreadable
from masumi_sumi.flows import Form, model_form
from masumi_sumi.hashing import canonical_json
from masumi_sumi.plugin import sumi
from masumi_sumi.runtime.spec import unpack

if TYPE_CHECKING:
    from sold_app import Shop

quick = settings(
    max_examples=20, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


class Words(BaseModel):
    word: Annotated[str, Field(min_length=2, max_length=9, pattern="^[a-z ]*$")] = "none"
    story: Annotated[str, Field(max_length=900)] = ""
    mail: EmailStr | None = None
    site: HttpUrl | None = None
    any_: AnyUrl = AnyUrl("a:b")
    secret: SecretStr = SecretStr("")
    hushed: Annotated[SecretStr, Field(min_length=3)] | None = None
    key: UUID | None = None


class Numbers(BaseModel):
    count: int
    small: Annotated[int, Field(ge=-3, lt=9)] = 0
    even: Annotated[int, Field(multiple_of=2, gt=2)] = 4
    share: float | None = None
    part: Annotated[float, Field(gt=0, le=1, multiple_of=0.25)] = 0.5
    price: Decimal = Decimal("0.10")
    fine: Annotated[Decimal, Field(max_digits=5, decimal_places=2, ge=0)] | None = None
    exact: Annotated[int, Field(strict=True)] | None = None


class Moments(BaseModel):
    day: date | None = None
    since: Annotated[date, Field(ge=date(2020, 1, 1), lt=date(2031, 1, 1))] = date(2030, 1, 1)
    hour: time | None = None
    early: Annotated[time, Field(le=time(9, 30))] = time(9)
    at: datetime | None = None
    later: Annotated[datetime, Field(gt=datetime.fromisoformat("2020-01-01T00:00"))] | None = None


class Choices(BaseModel):
    color: Color
    size: Size | None = None
    tone: Literal["loud", 2, True] = 2
    agreed: bool = False
    sure: bool | None = None
    colors: set[Color] = set()
    sizes: Annotated[list[Size], Field(min_length=1, max_length=1)] = [Size.SMALL]
    both: frozenset[Literal["a", "b"]] | None = None


class Papers(BaseModel):
    one: File | None = None
    more: Files = []


MODELS = (Words, Numbers, Moments, Choices, Papers)


@pytest.fixture(scope="module", params=MODELS, ids=lambda model: model.__name__)
def model(request: pytest.FixtureRequest) -> type[BaseModel]:
    found: type[BaseModel] = request.param
    return found


@pytest.fixture
def sold(model: type[BaseModel], shop: Callable[..., Shop], online: Callable[[Shop], Shop]) -> Shop:
    def work(order: Any) -> str:
        return "done"

    work.__annotations__["order"] = model
    app = FastAPI()
    sumi.flow(app, "/work")(work)
    return online(shop(api=app))


def travels(value: Any) -> bool:
    try:
        canonical_json(value)
    except BodyUnreadable:
        return False
    return True


def orders(form: Form) -> st.SearchStrategy[dict[str, Any]]:
    """Of what JSON can carry: the rest is refused as a whole."""
    drawn = answers_to(form.fields) | st.dictionaries(st.just("stranger"), anything, max_size=1)
    return drawn.map(lambda sent: {name: told for name, told in sent.items() if travels(told)})


@quick
@given(st.data())
def test_any_json_becomes_the_functions_instance_or_a_400_that_names_the_field(
    sold: Shop, model: type[BaseModel], data: Any
) -> None:
    form = model_form(model).form
    sent = data.draw(orders(form))

    asyncio.run(check(sold, model, sent))


async def check(sold: Shop, model: type[BaseModel], sent: dict[str, Any]) -> None:
    """Without what is refused, the rest is taken."""
    sold.desk.jobs.clear()
    sold.desk.launches.clear()
    answer = await sold.start("/work", input_data=sent)
    if answer.status_code == 400:
        refused = answer.json()["errors"]
        assert refused
        assert set(refused) <= {*sent, *model.model_fields}
        assert not sold.desk.jobs
        left = {name: value for name, value in sent.items() if name not in refused}
        if left != sent:
            await check(sold, model, left)
        return
    assert answer.status_code == 200, answer.text
    [launch] = sold.desk.launches.values()
    order = unpack(launch.spec)["inputs"]
    assert type(order) is model
    for name, value in order:
        assert_own(model, name, value)


def assert_own(model: type[BaseModel], name: str, value: Any) -> None:
    """The value is one that the model's own type holds, without any reading of texts."""
    typed = model.__pydantic_validator__
    found = typed.validate_assignment(model.model_construct(), name, value, strict=True)
    assert getattr(found, name) == value
