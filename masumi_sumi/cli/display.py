"""What ``up`` shows to people: a line for what is ready, a spinner for what is not yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress as Spinners
from rich.progress import SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text

from masumi_sumi.cli.error_log import tell_error
from masumi_sumi.cli.stack import Progress, Stack
from masumi_sumi.settings import NodeSettings

_TASKS = {"flows": "listing the flows in the panel"}
_WITHOUT = "the apps serve without it; the next `masumi-sumi up` tries it again"


class Display:
    """A context in which it can be called with each Progress, from any thread."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
        self._spinners = Spinners(*columns, console=console, transient=True)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._spinners.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._spinners.stop()

    def __call__(self, progress: Progress) -> None:
        if progress.what in ("starting", "ending"):
            words = escape(f"{progress.what} {progress.name}")
            self._tasks[progress.name] = self._spinners.add_task(words, total=None)
            return
        if (task := self._tasks.pop(progress.name, None)) is not None:
            self._spinners.remove_task(task)
        if progress.error is not None:
            what = _TASKS.get(progress.name, progress.name)
            self._line(f"{progress.what}: {what}", progress.seconds)
            for words in (tell_error(progress.error), _WITHOUT):
                self._console.print(Text(f"  {words}"), soft_wrap=True)
            return
        url = f" {progress.url}" if progress.url else ""
        self._line(f"{progress.what}: {progress.name}{url}", progress.seconds)

    @staticmethod
    @contextmanager
    def spinner(console: Console, words: str) -> Iterator[None]:
        """Shown while it lasts, where somebody looks."""
        if not console.is_terminal:
            yield
            return
        with console.status(words):
            yield

    def _line(self, words: str, seconds: float) -> None:
        line = Text(words).append(f" ({seconds:.1f} s)", style="dim")
        self._console.print(line, soft_wrap=True)


def summarize(console: Console, stack: Stack, seconds: float) -> None:
    """Where everything is, and how to end it."""
    lines = [f"[bold]all ready[/bold] in {seconds:.0f} s"]
    if "panel" in stack.parts:
        name, password = stack.panel_login
        shown = password if stack.has_new_password else "(masumi-sumi login shows it)"
        lines.append(f"panel    {stack.urls['panel']}  login {name} / {shown}")
    if "sandbox" in stack.parts:
        token = stack.settings.nodes["Preprod"].token.get_secret_value()
        lines.append(f"sandbox  {stack.urls['sandbox']}  token {token}")
    lines += [f"node     {network}  {node.url}" for network, node in _real_nodes(stack)]
    lines += [f"app      {stack.urls[name]}" for name in stack.applications]
    lines.append(f"logs     {stack.log('').parent}")
    lines.append("Ctrl-C ends it all")
    for line in lines:
        console.print(line, soft_wrap=True, highlight=False)


def _real_nodes(stack: Stack) -> list[tuple[str, NodeSettings]]:
    return [] if "sandbox" in stack.parts else list(stack.settings.nodes.items())
