"""Form elements that say all that MIP-003 knows, beside Kodosumi's own and in place of them.

``from masumi_sumi import forms``. They stand in Kodosumi's ``Model``, take the arguments of its
own elements, and give the handler what the browser posts. Every panel shows them; one whose
process called ``install()`` also keeps what was typed, and shows errors at the field.
"""

from masumi_sumi.runtime.elements.more import (
    Checkbox,
    InputArea,
    InputCheckbox,
    InputDate,
    InputDateTime,
    InputFiles,
    InputNumber,
    InputText,
    InputTime,
    Select,
)
from masumi_sumi.runtime.elements.own import (
    DisplayText,
    InputColor,
    InputEmail,
    InputHidden,
    InputMonth,
    InputPassword,
    InputRadio,
    InputRange,
    InputSearch,
    InputTel,
    InputUrl,
    InputWeek,
)
from masumi_sumi.runtime.elements.panel import from_schema, install

__all__ = [
    "Checkbox",
    "DisplayText",
    "InputArea",
    "InputCheckbox",
    "InputColor",
    "InputDate",
    "InputDateTime",
    "InputEmail",
    "InputFiles",
    "InputHidden",
    "InputMonth",
    "InputNumber",
    "InputPassword",
    "InputRadio",
    "InputRange",
    "InputSearch",
    "InputTel",
    "InputText",
    "InputTime",
    "InputUrl",
    "InputWeek",
    "Select",
    "from_schema",
    "install",
]
