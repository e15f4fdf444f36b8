"""Six forms that ask for everything a form can ask for, and answer that all is well.

Kodosumi's own elements are ``F.``; those it lacks are ``forms.``, and mix with them. A required
field stops a person's browser, but a program may post anything: so the handlers check again.
"""

from __future__ import annotations

from typing import Any

from fastapi import Request
from kodosumi.core import InputsError, Launch, ServeAPI, Tracer
from kodosumi.core import forms as F
from ray import serve

from masumi_sumi import forms

SHORTEST_PASSWORD = 8

app = ServeAPI()


async def work(inputs: dict[str, Any], tracer: Tracer) -> dict[str, bool]:
    """Tell what was filled in, never what it says: a form may hold a password."""
    filled = [name for name, value in inputs.items() if value]
    await tracer.markdown(f"Filled in: {', '.join(filled) or 'nothing'}.")
    return {"ok": True}


def missing(inputs: dict[str, Any], **labels: str) -> InputsError:
    """An error for each field, by name and label, that is left empty."""
    error = InputsError()
    for name, label in labels.items():
        if not inputs.get(name):
            error.add(**{name: f"{label} is required"})
    return error


def check_password(inputs: dict[str, Any], error: InputsError) -> None:
    password = inputs.get("password")
    if password and len(password) < SHORTEST_PASSWORD:
        error.add(password=f"Password must have at least {SHORTEST_PASSWORD} characters")


def launched(request: Request, inputs: dict[str, Any], error: InputsError) -> Any:
    if error.has_errors():
        raise error
    return Launch(request, work, inputs=inputs)


# --- Text --------------------------------------------------------------------------------------


@app.enter(
    "/text-inputs",
    model=F.Model(
        F.Markdown("# Text\nOne line or many, plain or in a format that the browser checks."),
        F.HR(),
        F.InputText(
            name="username",
            label="Username",
            required=True,
            placeholder="Enter your username (3-20 chars)",
            size=20,
        ),
        forms.InputPassword(
            name="password",
            label="Password",
            required=True,
            placeholder="Min 8 characters",
            min_length=SHORTEST_PASSWORD,
            max_length=100,
        ),
        forms.InputEmail(
            name="email", label="Email Address", required=True, placeholder="user@example.com"
        ),
        forms.InputUrl(name="website", label="Website URL", placeholder="https://example.com"),
        forms.InputTel(name="phone", label="Phone Number", placeholder="+1 (555) 010-0199"),
        forms.InputSearch(name="search", label="Search", placeholder="What are you looking for?"),
        F.InputArea(
            name="bio", label="Biography", placeholder="A few words", rows=4, max_length=500
        ),
        F.Errors(),
        F.Submit("Send"),
        F.Cancel("Cancel"),
    ),
    summary="Text Input Types Demo",
    description="Text, password, email, URL, phone, search and several lines.",
    tags=["demo", "forms"],
)
async def text_inputs(inputs: dict[str, Any], request: Request) -> Any:
    error = missing(inputs, username="Username", password="Password", email="Email")
    check_password(inputs, error)
    return launched(request, inputs, error)


# --- Numbers -----------------------------------------------------------------------------------


@app.enter(
    "/numeric-inputs",
    model=F.Model(
        F.Markdown("# Numbers\nTyped or slid."),
        F.HR(),
        F.InputNumber(name="age", label="Age", required=True, min_value=0, max_value=150),
        F.InputNumber(
            name="quantity", label="Quantity", required=True, min_value=1, max_value=100, step=1
        ),
        F.InputNumber(name="price", label="Price", placeholder="0.00", min_value=0, step=0.01),
        forms.DisplayText("Pull the sliders to where you want them.", label="Sliders"),
        forms.InputRange(name="volume", label="Volume", value=50, step=5),
        forms.InputRange(
            name="balance", label="Balance", value=0, min_value=-10, max_value=10, step=1
        ),
        F.Errors(),
        F.Submit("Send"),
        F.Cancel("Cancel"),
    ),
    summary="Numeric Input Types Demo",
    description="Numbers with bounds and steps, and sliders.",
    tags=["demo", "forms"],
)
async def numeric_inputs(inputs: dict[str, Any], request: Request) -> Any:
    return launched(request, inputs, missing(inputs, age="Age", quantity="Quantity"))


# --- Dates and times ---------------------------------------------------------------------------


@app.enter(
    "/datetime-inputs",
    model=F.Model(
        F.Markdown("# Dates and times\nAll as text: `2026-01-31`, `09:30`, `2026-01`, `2026-W05`."),
        F.HR(),
        F.InputDate(
            name="birth_date",
            label="Birth Date",
            required=True,
            min_date="1900-01-01",
            max_date="2025-12-31",
        ),
        F.InputTime(
            name="appointment",
            label="Appointment",
            required=True,
            min_time="09:00",
            max_time="17:00",
        ),
        F.InputDateTime(name="meeting", label="Meeting"),
        forms.InputMonth(name="expiry", label="Card Expiry", min_month="2024-01"),
        forms.InputWeek(name="vacation", label="Vacation Week"),
        F.Errors(),
        F.Submit("Send"),
        F.Cancel("Cancel"),
    ),
    summary="Date/Time Input Types Demo",
    description="Dates, times, both at once, months and weeks.",
    tags=["demo", "forms"],
)
async def datetime_inputs(inputs: dict[str, Any], request: Request) -> Any:
    error = missing(inputs, birth_date="Birth Date", appointment="Appointment")
    return launched(request, inputs, error)


# --- Choices -----------------------------------------------------------------------------------


@app.enter(
    "/selection-inputs",
    model=F.Model(
        F.Markdown("# Choices\nThe handler gets the name of an option; a buyer reads its label."),
        F.HR(),
        F.Checkbox(name="terms", label="Terms", option="I agree to the terms"),
        F.Checkbox(name="newsletter", label="Newsletter", option="Keep me posted", value=True),
        F.Select(
            name="country",
            label="Country",
            option=[
                F.InputOption(name="us", label="United States"),
                F.InputOption(name="uk", label="United Kingdom"),
                F.InputOption(name="de", label="Germany"),
            ],
            value="us",
        ),
        forms.InputRadio(
            name="size",
            label="Size",
            required=True,
            option=[
                F.InputOption(name="s", label="Small"),
                F.InputOption(name="m", label="Medium"),
                F.InputOption(name="l", label="Large"),
            ],
        ),
        forms.InputRadio(
            name="plan",
            label="Plan",
            option=[
                F.InputOption(name="free", label="Free"),
                F.InputOption(name="pro", label="Professional"),
            ],
            value="free",
        ),
        F.Errors(),
        F.Submit("Send"),
        F.Cancel("Cancel"),
    ),
    summary="Selection Input Types Demo",
    description="Boxes to check, lists and radio buttons.",
    tags=["demo", "forms"],
)
async def selection_inputs(inputs: dict[str, Any], request: Request) -> Any:
    return launched(request, inputs, missing(inputs, size="Size"))


# --- Colors, files, hidden fields --------------------------------------------------------------


@app.enter(
    "/special-inputs",
    model=F.Model(
        F.Markdown("# Special fields\nColors, files, and what nobody sees."),
        F.HR(),
        forms.InputColor(name="primary_color", label="Primary Color", value="#3498db"),
        forms.InputColor(name="secondary_color", label="Secondary Color", value="#e74c3c"),
        F.InputFiles(name="attachment", label="One File"),
        F.InputFiles(name="attachments", label="Many Files", multiple=True),
        forms.InputHidden(name="form_version", value="1.0"),
        F.Errors(),
        F.Submit("Send"),
        F.Cancel("Cancel"),
    ),
    summary="Special Input Types Demo",
    description="Colors, files and hidden fields.",
    tags=["demo", "forms"],
)
async def special_inputs(inputs: dict[str, Any], request: Request) -> Any:
    return launched(request, inputs, missing(inputs))


# --- All of it ---------------------------------------------------------------------------------


@app.enter(
    "/complete-form",
    model=F.Model(
        F.Markdown("# Registration\nFields with a * are required."),
        F.HR(),
        F.InputText(name="full_name", label="Full Name *", required=True, placeholder="Ada Miller"),
        forms.InputEmail(
            name="email", label="Email Address *", required=True, placeholder="ada@example.com"
        ),
        forms.InputPassword(
            name="password", label="Password *", required=True, min_length=SHORTEST_PASSWORD
        ),
        F.InputDate(name="birth_date", label="Date of Birth *", required=True),
        forms.InputTel(name="phone", label="Phone Number"),
        F.Select(
            name="country",
            label="Country",
            option=[
                F.InputOption(name="", label="Rather not say"),
                F.InputOption(name="us", label="United States"),
                F.InputOption(name="de", label="Germany"),
                F.InputOption(name="other", label="Elsewhere"),
            ],
        ),
        forms.InputRadio(
            name="plan",
            label="Plan *",
            required=True,
            option=[
                F.InputOption(name="free", label="Free"),
                F.InputOption(name="premium", label="Premium"),
            ],
            value="free",
        ),
        forms.InputColor(name="theme", label="Theme Color", value="#3498db"),
        forms.InputUrl(name="website", label="Website", placeholder="https://example.com"),
        F.InputArea(name="bio", label="About You", rows=3, max_length=300),
        F.Checkbox(name="terms", label="Agreement *", option="I agree to the terms of service"),
        forms.InputHidden(name="source", value="web_form"),
        F.Errors(),
        F.Submit("Create Account"),
        F.Cancel("Cancel"),
    ),
    summary="Complete Registration Form",
    description="A registration as it could be, with fields of most types.",
    tags=["demo", "forms"],
)
async def complete_form(inputs: dict[str, Any], request: Request) -> Any:
    error = missing(
        inputs,
        full_name="Full Name",
        email="Email",
        password="Password",
        birth_date="Date of Birth",
        plan="Plan",
    )
    check_password(inputs, error)
    if not inputs.get("terms"):
        error.add(terms="Please agree to the terms")
    return launched(request, inputs, error)


@serve.deployment(ray_actor_options={"num_cpus": 0.1})
@serve.ingress(app)
class FormElements:
    """All routes are the app's own."""


fast_app = FormElements.bind()
