"""Steps that need one another, done side by side wherever they do not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from threading import Event


class Cancelled(Exception):
    """Raised inside a step when it is no longer wanted."""


@dataclass(frozen=True)
class Step:
    """``run`` blocks until the step is done. Needs that are not among the steps do not count."""

    name: str
    run: Callable[[], None]
    needs: tuple[str, ...] = ()


def perform(steps: Sequence[Step], cancelled: Event) -> None:
    """Do all steps. The first failure is raised at once; ``cancelled`` tells the others, and
    whoever is interrupted here sets it too."""
    done = {step.name: Event() for step in steps}

    def one(step: Step) -> None:
        for need in step.needs:
            while need in done and not done[need].wait(0.1):
                if cancelled.is_set():
                    raise Cancelled
        step.run()
        done[step.name].set()

    pool = ThreadPoolExecutor(max_workers=max(1, len(steps)))
    try:
        futures = [pool.submit(one, step) for step in steps]
        finished, _ = wait(futures, return_when=FIRST_EXCEPTION)
        for future in finished:
            future.result()
    except BaseException:
        cancelled.set()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
