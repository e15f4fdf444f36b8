"""What a flow asks and answers, between Kodosumi's panel and a buyer's JSON. Pure."""

from masumi_sumi.flows.attachments import (
    Attachment,
    accepts,
    attachments,
    required_files,
    without_files,
)
from masumi_sumi.flows.demos import DEMO_RULE, is_demo
from masumi_sumi.flows.descriptions import form_elements
from masumi_sumi.flows.designs import schema_elements
from masumi_sumi.flows.disguise import disguised, undisguised
from masumi_sumi.flows.elements import read_form
from masumi_sumi.flows.failures import UNTOLD, error_text
from masumi_sumi.flows.files import File, Files
from masumi_sumi.flows.forms import Choice, Field, Form, Note
from masumi_sumi.flows.groups import Group, grouped, groups_schema, parted
from masumi_sumi.flows.kinds import Kind
from masumi_sumi.flows.models import ModelForm, model_form
from masumi_sumi.flows.results import NO_RESULT, result_text, result_value
from masumi_sumi.flows.scales import Limit, Scale
from masumi_sumi.flows.schema import mip003_schema, schema_hashes, sumi_schema
from masumi_sumi.flows.sizes import body_bytes_of
from masumi_sumi.flows.submission import submitted

__all__ = [
    "DEMO_RULE",
    "NO_RESULT",
    "UNTOLD",
    "Attachment",
    "Choice",
    "Field",
    "File",
    "Files",
    "Form",
    "Group",
    "Kind",
    "Limit",
    "ModelForm",
    "Note",
    "Scale",
    "accepts",
    "attachments",
    "body_bytes_of",
    "disguised",
    "error_text",
    "form_elements",
    "grouped",
    "groups_schema",
    "is_demo",
    "mip003_schema",
    "model_form",
    "parted",
    "read_form",
    "required_files",
    "result_text",
    "result_value",
    "schema_elements",
    "schema_hashes",
    "submitted",
    "sumi_schema",
    "undisguised",
    "without_files",
]
