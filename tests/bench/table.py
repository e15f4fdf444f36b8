"""Rows of figures against their goals."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """``met`` is None where there is no goal for the figure by itself."""

    what: str
    figure: str
    goal: str = ""
    met: bool | None = None


def show(rows: list[Row]) -> None:
    table = Table(title="masumi_sumi against its goals", title_justify="left")
    for name in ("what", "figure", "goal", ""):
        table.add_column(name, overflow="fold")
    for row in rows:
        mark = {None: "", True: "[green]met[/]", False: "[red]not met[/]"}[row.met]
        table.add_row(row.what, row.figure, row.goal, mark)
    Console().print(table)
