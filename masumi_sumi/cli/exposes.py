"""``masumi-sumi expose``, ``boot``, ``shutdown``, ``refresh``: what operators say to the panel."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from masumi_sumi.cli.operator import Operator
    from masumi_sumi.exposes.declared import Change

PanelUrl = Annotated[str | None, typer.Option(help="Its address (SUMI_PANEL).", metavar="URL")]
Force = Annotated[bool, typer.Option("--force", help="Take over from one that died.")]
Name = Annotated[str, typer.Argument(help="The expose.")]

STYLES = {"created": "green", "changed": "yellow", "unchanged": "dim", "deleted": "red"}

app = typer.Typer(help="Named deployments of agents: see, declare, delete.", no_args_is_help=True)


@app.command()
def apply(
    file: Annotated[Path, typer.Option("--file", "-f", help="As examples/exposes.yaml.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete all others.")] = False,
    panel: PanelUrl = None,
) -> None:
    """Make the exposes be as FILE says; flows and fields that it does not name stay."""
    from masumi_sumi.exposes.declared import plan, read_exposes

    drafts = read_exposes(_read(file), file.name)
    with _operator(panel) as operator:
        changes = plan(drafts, operator.exposes(), prune=prune)
        for change in changes:
            if not dry_run:
                _carry_out(operator, change)
            _say(change, dry_run)
    if not dry_run and any(change.what != "unchanged" for change in changes):
        _console().print("`masumi-sumi boot`, or `refresh NAME`, puts it to work", highlight=False)


@app.command("list")
def list_all(panel: PanelUrl = None) -> None:
    """All exposes and their states."""
    from rich.table import Table
    from rich.text import Text

    from masumi_sumi.cli.escaping import escape_line

    with _operator(panel) as operator:
        exposes = operator.exposes()
    table = Table("NAME", "STATE", "FLOWS", "NETWORK", "NOTE", box=None, pad_edge=False)
    for each in exposes:
        known = ("name", "state", "flow_stats", "network")
        cells = [str(each[name] or "-") for name in known]
        table.add_row(*(Text(escape_line(cell)) for cell in (*cells, _note(each))))
    _console().print(table)


@app.command()
def show(name: Name, panel: PanelUrl = None) -> None:
    """One expose with its documents, and what was seen of it."""
    from masumi_sumi.exposes.declared import write_exposes

    with _operator(panel) as operator:
        expose = operator.expose(name)
    _plain(f"# {expose['state']}, flows {expose['flow_stats']}, updated {expose['updated']} UTC")
    for line in (expose.get("last_error") or "").splitlines():
        _plain(f"# {line}")
    _plain(write_exposes([expose]))


@app.command()
def delete(names: Annotated[list[str], typer.Argument()], panel: PanelUrl = None) -> None:
    """Delete exposes; the next boot takes their applications off Ray Serve."""
    with _operator(panel) as operator:
        for name in names:
            operator.delete(name)
            _plain(f"deleted: {name}")


@app.command()
def export(panel: PanelUrl = None) -> None:
    """All exposes as a file for `apply`, to standard output."""
    from masumi_sumi.exposes.declared import write_exposes

    with _operator(panel) as operator:
        print(write_exposes(operator.exposes()).rstrip("\n"))  # a file, to the letter


def boot(force: Force = False, panel: PanelUrl = None) -> None:
    """Bring all enabled exposes to Ray Serve."""
    with _operator(panel) as operator:
        _follow(operator.boot(force=force))


def shutdown(force: Force = False, panel: PanelUrl = None) -> None:
    """Take all applications off Ray Serve."""
    with _operator(panel) as operator:
        _follow(operator.shutdown(force=force))


def refresh(name: Name, force: Force = False, panel: PanelUrl = None) -> None:
    """Start one expose's application anew, as it is declared now; the others keep serving."""
    with _operator(panel) as operator:
        _follow(operator.refresh(name, force=force))


def _operator(named: str | None) -> Operator:
    import os

    from dotenv import dotenv_values

    from masumi_sumi.cli.foreground import load
    from masumi_sumi.cli.operator import Operator, panel_url
    from masumi_sumi.settings import ENV_FILE

    return Operator(panel_url(load(), named), os.environ, dotenv_values(ENV_FILE))


def _carry_out(operator: Operator, change: Change) -> None:
    if change.what == "deleted":
        operator.delete(change.name)
    elif change.body:
        operator.save(change.body)


def _say(change: Change, dry_run: bool) -> None:
    from rich.text import Text

    fields = f" ({', '.join(change.fields)})" if change.what == "changed" else ""
    would = " (dry run)" if dry_run and change.what != "unchanged" else ""
    words = Text(f"{change.what}: ", style=STYLES[change.what])
    _console().print(words + Text(f"{change.name}{fields}{would}"), soft_wrap=True)


def _note(expose: dict[str, Any]) -> str:
    if not expose["enabled"]:
        return "disabled"
    if expose.get("last_error"):
        return str(expose["last_error"]).strip().splitlines()[-1][:100]
    return "needs a boot" if expose["needs_reboot"] else ("stale" if expose["stale"] else "")


def _follow(lines: Iterable[str]) -> None:
    for line in lines:
        _plain(line)


def _plain(text: str) -> None:
    """Print what the panel says; an app's words in it steer nothing."""
    from masumi_sumi.cli.escaping import escape_text

    print(escape_text(text.rstrip("\n")), flush=True)


def _console() -> Console:
    from rich.console import Console

    return Console()


def _read(file: Path) -> str:
    from masumi_sumi.errors import SettingInvalid

    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingInvalid("--file", str(file), f"cannot be read: {error}") from error
