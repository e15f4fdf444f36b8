"""What our endpoints take and answer, as OpenAPI 3.1 documents: pure data, made for each asker."""

from masumi_sumi.faces.openapi.flow import flow_document
from masumi_sumi.faces.openapi.gateway import mip003_document, sumi_document

__all__ = ["flow_document", "mip003_document", "sumi_document"]
