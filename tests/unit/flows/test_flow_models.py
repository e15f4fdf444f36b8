"""A pydantic model as a form: what is asked, what is refused, and what comes back."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum, IntEnum
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mip003_buyers import assert_every_buyer_takes
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    EmailStr,
    Field,
    HttpUrl,
    PastDate,
    RootModel,
    SecretStr,
    create_model,
    field_validator,
)

from masumi_sumi.errors import FieldsInvalid, FieldUnfit
from masumi_sumi.flows import Field as Question
from masumi_sumi.flows import File, Files, Kind, ModelForm, mip003_schema, model_form, submitted


class Color(Enum):
    RED = "red"
    BLUE = "blue"


class Size(IntEnum):
    SMALL = 1
    LARGE = 2


moment = datetime.fromisoformat


def form_of(type_: Any, default: Any = ...) -> ModelForm:
    return model_form(create_model("Order", it=(type_, default)))


def asked(type_: Any, default: Any = ...) -> Question:
    [question] = form_of(type_, default).form.fields
    return question


def read(type_: Any, posted: dict[str, Any], default: Any = ...) -> Any:
    return form_of(type_, default).read(posted).it  # type: ignore[attr-defined]


# --- what is asked -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        (str, Kind.TEXT),
        (Annotated[str, Field(max_length=256)], Kind.TEXTAREA),
        (Annotated[str, Field(json_schema_extra={"format": "textarea"})], Kind.TEXTAREA),
        (UUID, Kind.TEXT),
        (int, Kind.NUMBER),
        (float, Kind.NUMBER),
        (Decimal, Kind.NUMBER),
        (bool, Kind.BOOLEAN),
        (bool | None, Kind.SELECT),
        (date, Kind.DATE),
        (PastDate, Kind.DATE),
        (time, Kind.TIME),
        (datetime, Kind.DATETIME),
        (EmailStr, Kind.EMAIL),
        (HttpUrl, Kind.URL),
        (SecretStr, Kind.PASSWORD),
        (Literal["a", "b"], Kind.SELECT),
        (Literal["a"], Kind.SELECT),
        (Color, Kind.SELECT),
        (list[Color], Kind.CHOICES),
        (set[Literal["a", "b"]], Kind.CHOICES),
        (File, Kind.FILE),
        (Files, Kind.FILE),
    ],
)
def test_a_type_is_asked_as_its_kind_with_or_without_none(type_: Any, kind: Kind):
    question = asked(type_)
    optional = asked(type_ | None, None)

    assert question.kind is optional.kind or type_ is bool
    assert question.kind is kind
    assert not optional.required
    assert_every_buyer_takes(mip003_schema(form_of(type_).form))


@pytest.mark.parametrize(
    ("type_", "told"),
    [
        (dict[str, int], "dict[str, int]"),
        (list[str], "list[str]"),
        (str | int, "str | int"),
        (bytes, "bytes"),
        (Path, "Path"),
        (BaseModel, "BaseModel"),
        (Any, "Any"),
        (tuple[int, int], "tuple[int, int]"),
        (type, "type"),
        (AwareDatetime, "AwareDatetime"),
        (Literal[Color.RED], "Literal"),
        (Literal["a", "a "], "Literal"),
        (Literal["1", 1], "Literal"),
        (Literal[""], "Literal"),
    ],
)
def test_what_no_form_can_ask_is_refused_by_field_and_type(type_: Any, told: str):
    with pytest.raises(FieldUnfit) as refused:
        model_form(create_model("Order", fine=(str, ...), it=(type_, ...)))

    assert str(refused.value).startswith("Order.it: ")
    assert told in refused.value.type
    assert refused.value.rule


def test_a_model_without_fields_of_its_own_is_refused():
    with pytest.raises(FieldUnfit, match="RootModel"):
        model_form(RootModel[str])


def test_a_questions_words_are_the_fields():
    said = Field(title="How long", description="In\n  words", examples=["100"])

    question = asked(Annotated[int, said])

    assert (question.label, question.description) == ("How long", "In words")
    assert question.placeholder == "100"
    assert asked(Color).label == "It"


@pytest.mark.parametrize(
    ("type_", "bounds"),
    [
        (Annotated[int, Field(ge=1, le=5)], ("1", "5")),
        (Annotated[int, Field(gt=1, lt=5)], ("2", "4")),
        (Annotated[int, Field(gt=1, ge=1)], ("2", None)),
        (Annotated[float, Field(gt=0.5, le=2)], ("0.5", "2")),
        (Annotated[Decimal, Field(ge=Decimal("0.1"))], ("0.1", None)),
        (
            Annotated[date, Field(ge=date(2030, 1, 1), lt=date(2031, 1, 1))],
            ("2030-01-01", "2030-12-31"),
        ),
        (Annotated[time, Field(ge=time(9), le=time(17, 30))], ("09:00:00", "17:30:00")),
        (Annotated[datetime, Field(gt=moment("2030-01-01T09:00"))], ("2030-01-01T09:00:00", None)),
        (Annotated[date, Field(ge=date(2030, 1, 1))] | None, ("2030-01-01", None)),
    ],
)
def test_bounds_are_the_types(type_: Any, bounds: tuple[str | None, str | None]):
    scale = asked(type_).scale

    assert (scale.low and scale.low.text, scale.high and scale.high.text) == bounds


@pytest.mark.parametrize(
    ("said", "step"),
    [
        ({}, 1),
        ({"multiple_of": 5}, 5),
        ({"multiple_of": 5, "ge": 10}, 5),
        ({"multiple_of": 5, "ge": 1}, 1),  # a browser would count 1, 6, 11
    ],
)
def test_steps_are_a_forms_where_a_form_counts_as_the_type(said: dict[str, int], step: int):
    assert asked(Annotated[int, Field(**said)]).scale.step == step
    assert asked(float).scale.step is None


@pytest.mark.parametrize(
    ("pattern", "shown"),
    [
        (r"^[A-Z]{2}\d+$", True),
        (r"^\w+$", False),  # letters of all languages for pydantic, of English for browsers
        ("[A-Z]", False),  # anywhere for pydantic, all of it for browsers
        ("^a|b$", False),
        ("^(a+)+$", False),  # could take Python for ever
    ],
)
def test_a_pattern_is_shown_where_all_read_it_alike_and_holds_in_any_case(
    pattern: str, shown: bool
):
    type_ = Annotated[str, Field(pattern=pattern)]

    assert (asked(type_).pattern is not None) is shown
    with pytest.raises(FieldsInvalid, match="it: "):
        read(type_, {"it": "!"})


@pytest.mark.parametrize(
    ("type_", "default", "shown"),
    [
        (str, "a", "a"),
        (int, 5, "5"),
        (float, 0.5, "0.5"),
        (Decimal, Decimal("1.50"), "1.50"),
        (bool, True, "on"),
        (Color, Color.BLUE, "blue"),
        (Size, Size.LARGE, "2"),
        (bool | None, False, "No"),
        (Color | None, None, ""),
        (list[Color], [Color.BLUE], '["blue"]'),
        (date, date(2030, 1, 2), "2030-01-02"),
        (datetime, moment("2030-01-02T03:04"), "2030-01-02T03:04"),
        (time, time(3, 4, 5), "03:04:05"),
        (HttpUrl, HttpUrl("https://a.b"), "https://a.b/"),
        (SecretStr, SecretStr("hidden"), ""),
    ],
)
def test_defaults_are_shown_and_come_back(type_: Any, default: Any, shown: str):
    found = form_of(type_, default)
    [question] = found.form.fields

    assert question.default == shown
    assert not question.required
    assert found.read(submitted(found.form, {})).it == default  # type: ignore[attr-defined]


def test_a_default_that_is_made_is_not_overwritten_by_what_the_form_shows():
    class Order(BaseModel):
        color: Color = Field(default_factory=lambda: Color.BLUE)
        key: UUID = Field(default_factory=uuid4)
        at: datetime = Field(default_factory=lambda: moment("2030-01-01T00:00"))
        words: str = Field(default_factory=lambda: "made")

    found = model_form(Order)

    order = found.read(submitted(found.form, {}))

    assert isinstance(order, Order)
    assert (order.color, order.at, order.words) == (Color.BLUE, moment("2030-01-01T00:00"), "made")


def test_a_choice_that_must_be_made_is_never_made_by_the_form():
    with pytest.raises(FieldsInvalid, match="it: is required"):
        submitted(form_of(Color).form, {})


def test_an_option_tells_its_default_where_a_buyer_can_see_it():
    [field] = mip003_schema(form_of(Color, Color.BLUE).form)["input_data"]

    assert field["data"]["placeholder"] == "blue"


# --- what comes back ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type_", "sent", "value"),
    [
        (int, "7", 7),
        (int, 7.0, 7),
        (int, "7e1", 70),
        (int, str(2**64 + 1), 2**64 + 1),
        (float, 0.1, 0.1),
        (Decimal, "0.10", Decimal("0.10")),
        (bool, True, True),
        (bool, "off", False),
        (bool | None, ["x"], None),
        (bool | None, "No", False),
        (Color, "blue", Color.BLUE),
        (Color, [0], Color.RED),
        (Size, "2", Size.LARGE),
        (Literal[1, "two"], "1", 1),
        (list[Size], [1, 0], [Size.SMALL, Size.LARGE]),
        (set[Color], ["blue"], {Color.BLUE}),
        (date, "2030-01-02", date(2030, 1, 2)),
        (datetime, "2030-01-02T03:04:05", moment("2030-01-02T03:04:05")),
        (time, "03:04", time(3, 4)),
        (HttpUrl, "https://a.b/c", HttpUrl("https://a.b/c")),
        (SecretStr, "hidden", SecretStr("hidden")),
        (str | None, "", None),
        (int | None, "", None),
    ],
)
def test_a_buyers_answer_becomes_the_value(type_: Any, sent: Any, value: Any):
    found = form_of(type_)
    if sent == ["x"]:
        sent = []

    order = found.read(submitted(found.form, {"it": sent}))

    assert order.it == value  # type: ignore[attr-defined]
    assert type(order.it) is type(value)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("type_", "default", "posted", "value"),
    [
        (str, "a", {"it": ""}, ""),
        (str | None, "a", {"it": ""}, None),
        (str | None, "a", {}, "a"),
        (int, 5, {"it": ""}, 5),
        (int | None, 5, {"it": ""}, None),
        (bool, True, {"it": False}, False),
        (list[Color], [Color.RED], {"it.red": False, "it.blue": True}, [Color.BLUE]),
        (list[Color], [Color.RED], {}, []),
        (File, "in/old", {"it": {"a.pdf"}}, "in/a.pdf"),
        (Files, [], {"it": {"b.pdf", "a.pdf"}}, ["in/a.pdf", "in/b.pdf"]),
        (Files | None, None, {"it": None}, None),
    ],
)
def test_what_the_panel_posts_becomes_the_value(
    type_: Any, default: Any, posted: dict[str, Any], value: Any
):
    assert read(type_, posted, default) == value


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        ([], "is required"),
        (["red", "blue", "green"], "must have at most 2 choices"),
        (["red", "red"], "must not name a choice twice"),
        (["black"], "must be one of: red, blue, green"),
    ],
)
def test_choices_are_counted_before_anything_is_paid(sent: list[str], reason: str):
    type_ = Annotated[list[Literal["red", "blue", "green"]], Field(min_length=1, max_length=2)]

    with pytest.raises(FieldsInvalid) as refused:
        submitted(form_of(type_).form, {"it": sent})

    assert refused.value.errors == {"it": [reason]}


def test_a_strict_model_takes_what_its_form_posts():
    class Order(BaseModel, strict=True, extra="forbid"):
        count: int
        day: date
        color: Color

    found = model_form(Order)

    order = found.read({"count": "5", "day": "2030-01-02", "color": "red"})

    assert order == Order(count=5, day=date(2030, 1, 2), color=Color.RED)


def test_what_a_model_says_of_all_its_fields_holds_for_each():
    class Order(BaseModel):
        model_config = ConfigDict(str_max_length=5, arbitrary_types_allowed=True)
        name: str

    class Odd(Order):
        thing: Question

    assert model_form(Order).form.fields[0].max_length == 5
    with pytest.raises(FieldUnfit, match=r"Odd.thing: Field"):
        model_form(Odd)


def test_an_alias_is_the_fields_name():
    class Order(BaseModel):
        from_: str = Field(alias="from")

    found = model_form(Order)

    assert [question.name for question in found.form.fields] == ["from"]
    assert found.read({"from": "here"}) == Order.model_validate({"from": "here"})
    with pytest.raises(FieldsInvalid, match="from: is required"):
        found.read({})


def test_every_field_at_fault_is_named_in_the_authors_words():
    class Order(BaseModel):
        name: str
        colors: list[Color]

        @field_validator("name")
        @classmethod
        def _known(cls, name: str) -> str:
            raise ValueError("nobody is called so")

        @field_validator("colors")
        @classmethod
        def _fitting(cls, colors: list[Color]) -> list[Color]:
            if not colors:
                raise AssertionError("a color is needed")
            return colors

    with pytest.raises(FieldsInvalid) as refused:
        model_form(Order).read({"name": "Ada"})

    assert refused.value.errors == {
        "name": ["nobody is called so"],
        "colors": ["a color is needed"],
    }


# --- any value ---------------------------------------------------------------------------------


class Anything(BaseModel):
    words: str = Field("", max_length=20)
    count: int = Field(0, ge=-5, le=500)
    share: float | None = None
    agreed: bool = False
    color: Color = Color.RED
    sizes: set[Size] = set()
    day: date | None = None
    at: datetime | None = None


clean = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=10)
moments = st.datetimes().map(lambda any_: any_.replace(microsecond=0))
orders = st.builds(
    Anything,
    words=clean,
    count=st.integers(-5, 500),
    share=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    agreed=st.booleans(),
    color=st.sampled_from(Color),
    sizes=st.sets(st.sampled_from(Size)),
    day=st.none() | st.dates(),
    at=st.none() | moments,
)
few = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@few
@given(orders)
def test_any_order_comes_through_the_form_as_it_was(order: Anything):
    found = model_form(Anything)
    sent = order.model_dump(mode="json")
    sent["sizes"] = [str(size) for size in sent["sizes"]]

    assert found.read(submitted(found.form, sent)) == order
