"""Named deployments: what an operator wants on Ray Serve, kept in a book and brought there.

    ExposeBook   ``await ExposeBook.open(url, clock)``; ``list()``, ``get(name)``,
                 ``save(draft, etag=None)``, ``delete(name)``; also ``found`` and ``looked`` for
                 who has seen an expose
    draft_of     a request's JSON body -> Draft; raises ExposeInvalid (DocumentInvalid has line and
                 column, NameTaken)
    expose_json  Expose -> the object that GET and POST /expose answer with
    Card         what a flow's YAML says: ``card_of(meta.data)``; ``flow_path(meta.url)`` is the
                 path inside the app

    Boot         ``boot(force=)``, ``refresh(name, force=)``, ``shutdown(force=)``: async iterators
                 of Event that raise BootRunning or UnknownExpose before their first event; they go
                 on when nobody follows. ``stream()`` follows what runs, or ran last, here.
                 ``status()`` -> BootStatus, ``running()``, ``health(name=None)`` -> [Expose],
                 ``aclose()``
    Serve        Ray Serve's REST API: ``Serve(dashboard_url, settings)``
    OpenApiFinder  finds an app's flows; a FlowFinder
    Panel        the port that tells the panel of flows; the gateway has the adapter
    line         Event -> the line(s) that people see; ``event_json`` for code
    status_json  BootStatus -> JSON

Who wires them: ``Boot(book, serve, OpenApiFinder(), panel, clock, timeout=settings.boot_timeout)``
with ``settings.expose_database_url`` for the book.
"""

from masumi_sumi.exposes.book import ExposeBook
from masumi_sumi.exposes.boot import Boot
from masumi_sumi.exposes.documents import Bootstrap, Card, bootstrap_of, card_of
from masumi_sumi.exposes.drafts import Draft, draft_of
from masumi_sumi.exposes.events import Event, event_json, line
from masumi_sumi.exposes.finder import OpenApiFinder
from masumi_sumi.exposes.model import (
    Expose,
    ExposeState,
    FlowMeta,
    FlowState,
    expose_json,
    flow_path,
)
from masumi_sumi.exposes.ports import FlowFinder, FoundFlow, Panel
from masumi_sumi.exposes.serve import Serve, ServeConfig
from masumi_sumi.exposes.turn import BootStatus, Outcome, status_json

__all__ = [
    "Boot",
    "BootStatus",
    "Bootstrap",
    "Card",
    "Draft",
    "Event",
    "Expose",
    "ExposeBook",
    "ExposeState",
    "FlowFinder",
    "FlowMeta",
    "FlowState",
    "FoundFlow",
    "OpenApiFinder",
    "Outcome",
    "Panel",
    "Serve",
    "ServeConfig",
    "bootstrap_of",
    "card_of",
    "draft_of",
    "event_json",
    "expose_json",
    "flow_path",
    "line",
    "status_json",
]
