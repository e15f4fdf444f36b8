from __future__ import annotations

import asyncio
import logging
import string
from dataclasses import dataclass, field

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire_node import client, row, success

from masumi_sumi.clock import ManualClock
from masumi_sumi.errors import NodeFailed, NodeUnreadable
from masumi_sumi.jobs.model import PaymentView
from masumi_sumi.jobs.ports import Changes, Cursor
from masumi_sumi.payments.follower import Follower
from masumi_sumi.payments.wire import Changed, epoch, iso


@dataclass
class Diff:
    """A node's table in the order of its diff; rows of open transactions are not in it yet.

    ``ahead`` is by how many seconds the node's clock differs from ours.
    """

    clock: ManualClock
    rows: dict[str, str] = field(default_factory=dict)
    requests: list[tuple[str, str, int]] = field(default_factory=list)
    broken: bool = False
    ahead: float = 0.0

    def change(self, row_id: str, ago: float = 0.0) -> Cursor:
        """A row becomes visible, stamped some seconds ago (never before its last stamp)."""
        stamp = max(iso(self.clock.now() + self.ahead - ago), self.rows.get(row_id, ""))
        self.rows[row_id] = stamp
        return Cursor(stamp, row_id)

    def page(self, since: str, row_id: str, limit: int) -> list[Cursor]:
        ordered = sorted((stamp, name) for name, stamp in self.rows.items())
        return [Cursor(*mark) for mark in ordered if mark >= (since, row_id)][:limit]

    async def read(self, since: str, row_id: str, limit: int) -> list[Changed]:
        self.requests.append((since, row_id, limit))
        if self.broken:
            raise NodeFailed("GET /payment/diff", 500)
        return [Changed(mark, view_of(mark)) for mark in self.page(since, row_id, limit)]

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """The same over the wire."""
        asked = request.url.params
        marks = self.page(asked["lastUpdate"], asked.get("cursorId", ""), int(asked["limit"]))
        stamp = "nextActionOrOnChainStateOrResultLastChangedAt"
        rows = [row(id=m.row_id, blockchainIdentifier="ab", **{stamp: m.changed_at}) for m in marks]
        return success({"Payments": rows})


def view_of(mark: Cursor) -> PaymentView:
    return PaymentView(
        "ab" + mark.row_id, None, "None", row_id=mark.row_id, changed_at=mark.changed_at
    )


def told(changes: Changes) -> list[Cursor]:
    return [Cursor(view.changed_at, view.row_id) for view in changes.views]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def diff(clock: ManualClock) -> Diff:
    return Diff(clock)


@pytest.fixture
def follower(diff: Diff, clock: ManualClock) -> Follower:
    return Follower(diff.read, clock)


async def test_the_first_call_reaches_back_an_hour_and_no_further(
    diff: Diff, clock: ManualClock, follower: Follower
) -> None:
    diff.change("years-ago", ago=7200)
    recent = diff.change("before-the-first-poll", ago=1800)

    assert told(await follower.changes(None)) == [recent]


async def test_the_first_call_settles_where_to_go_on_even_when_nothing_changed(
    diff: Diff, clock: ManualClock, follower: Follower
) -> None:
    first = await follower.changes(None)
    clock.advance(86400)
    diff.change("opened-while-nobody-polled", ago=80000)

    later = await Follower(diff.read, clock).changes(first.cursor)

    assert [mark.row_id for mark in told(later)] == ["opened-while-nobody-polled"]


async def test_every_change_is_told_once(
    diff: Diff, clock: ManualClock, follower: Follower
) -> None:
    cursor, seen, changed = None, [], []
    for turn in range(40):
        changed.append(diff.change(f"row-{turn % 7}"))
        answer = await follower.changes(cursor)
        cursor, seen = answer.cursor, seen + told(answer)
        clock.advance(2)

    assert seen == changed


async def test_a_poll_is_one_request(diff: Diff, clock: ManualClock, follower: Follower) -> None:
    cursor = None
    for turn in range(30):
        diff.change(f"row-{turn}")
        cursor = (await follower.changes(cursor)).cursor
        clock.advance(2)

    assert len(diff.requests) == 30
    assert sum(1 for _, row_id, _ in diff.requests if not row_id) <= 7


@pytest.mark.parametrize("ahead", [-1800.0, 0.0, 7200.0])
async def test_what_only_waits_costs_one_page_a_poll(
    ahead: float, diff: Diff, clock: ManualClock, follower: Follower
) -> None:
    diff.ahead = ahead
    for n in range(1000):
        diff.change(f"row-{n:04}", ago=n / 50)
    cursor = (await follower.changes(None)).cursor
    for _ in range(60):
        clock.advance(2)
        cursor = (await follower.changes(cursor)).cursor
    diff.requests.clear()

    for _ in range(30):
        clock.advance(2)
        cursor = (await follower.changes(cursor)).cursor

    assert len(diff.requests) == 30


async def test_a_row_that_shows_up_late_is_found_by_the_next_sweep(
    diff: Diff, clock: ManualClock, follower: Follower
) -> None:
    diff.change("on-time")
    cursor = (await follower.changes(None)).cursor
    clock.advance(2)
    late = diff.change("late", ago=30)
    found = []
    for _ in range(5):
        answer = await follower.changes(cursor)
        cursor, found = answer.cursor, found + told(answer)
        clock.advance(2)

    assert found == [late]


@pytest.mark.parametrize("count", [99, 100, 101, 199, 250, 1000])
async def test_many_changes_at_once_all_come_once(
    count: int, diff: Diff, clock: ManualClock, follower: Follower
) -> None:
    cursor = (await follower.changes(None)).cursor
    clock.advance(1)
    for n in range(count):
        diff.change(f"row-{n:04}", ago=n / 2000)

    answer = await follower.changes(cursor)
    again = await follower.changes(answer.cursor)

    assert sorted(told(answer), key=lambda m: m.row_id) == [
        Cursor(stamp, name) for name, stamp in sorted(diff.rows.items())
    ]
    assert told(again) == []


async def test_rows_of_one_timestamp_are_not_lost_where_a_page_ends(
    diff: Diff, follower: Follower
) -> None:
    for n in range(350):
        diff.change(f"row-{n:04}")

    assert len(told(await follower.changes(None))) == 350


async def test_more_than_one_call_gives_comes_with_the_next(diff: Diff, clock: ManualClock) -> None:
    follower = Follower(diff.read, clock, limit=10, at_once=25)
    for n in range(100):
        diff.change(f"row-{n:04}")
    cursor, seen, sizes = None, [], []
    for _ in range(6):
        answer = await follower.changes(cursor)
        cursor, seen = answer.cursor, seen + told(answer)
        sizes.append(len(answer.views))
        clock.advance(60)

    assert sorted(mark.row_id for mark in seen) == sorted(diff.rows)
    assert max(sizes) <= 35


async def test_a_node_whose_pages_stand_still_is_not_asked_for_ever(clock: ManualClock) -> None:
    async def stuck(since: str, row_id: str, limit: int) -> list[Changed]:
        mark = Cursor(iso(clock.now()), "a")
        return [Changed(mark, view_of(mark))] * limit

    with pytest.raises(NodeUnreadable, match="do not move on"):
        await Follower(stuck, clock).changes(None)


async def test_a_new_process_goes_on_from_the_stored_cursor(
    diff: Diff, clock: ManualClock, follower: Follower
) -> None:
    diff.change("before")
    stored = (await follower.changes(None)).cursor
    clock.advance(500)
    during = diff.change("while-down", ago=400)
    late = diff.change("committed-late", ago=500 + 25)

    answer = await Follower(diff.read, clock).changes(stored)

    assert {during, late} <= set(told(answer))


async def test_a_new_process_tells_a_busy_minute_whole_before_it_goes_on(
    diff: Diff, clock: ManualClock
) -> None:
    for n in range(100):
        diff.change(f"row-{n:03}", ago=50 - n / 2)
    stored = diff.change("the-last-one-stored")

    answer = await Follower(diff.read, clock, limit=10, at_once=25).changes(stored)

    assert len(answer.views) == 101


async def test_an_answer_that_was_lost_is_given_again(
    diff: Diff, clock: ManualClock, follower: Follower
) -> None:
    cursor = (await follower.changes(None)).cursor
    clock.advance(1)
    changed = diff.change("row")
    await follower.changes(cursor)
    clock.advance(1)

    assert told(await follower.changes(cursor)) == [changed]


async def test_a_late_row_is_given_again_when_its_answer_was_lost(
    diff: Diff, clock: ManualClock, follower: Follower
) -> None:
    diff.change("newest")
    cursor = (await follower.changes(None)).cursor
    clock.advance(11)
    late = diff.change("late", ago=30)
    lost = await follower.changes(cursor)
    assert told(lost) == [late]
    clock.advance(2)

    assert late in told(await follower.changes(cursor))


async def test_a_failed_poll_changes_nothing(
    diff: Diff, clock: ManualClock, follower: Follower
) -> None:
    diff.change("newest")
    cursor = (await follower.changes(None)).cursor
    clock.advance(11)
    late = diff.change("late", ago=30)
    diff.broken = True
    with pytest.raises(NodeFailed):
        await follower.changes(cursor)
    diff.broken = False

    assert told(await follower.changes(cursor)) == [late]


async def test_quiet_hours_do_not_move_the_cursor_backwards(
    diff: Diff, clock: ManualClock, follower: Follower
) -> None:
    cursor = (await follower.changes(None)).cursor
    settled = cursor
    for _ in range(10):
        clock.advance(3600)
        cursor = (await follower.changes(cursor)).cursor

    assert cursor == settled


async def test_a_clock_that_jumps_back_does_not_stop_the_sweeps(
    diff: Diff, clock: ManualClock, follower: Follower
) -> None:
    diff.change("newest")
    cursor = (await follower.changes(None)).cursor
    diff.change("late", ago=20)
    clock.advance(-7200)

    assert [mark.row_id for mark in told(await follower.changes(cursor))] == ["late"]


async def test_memory_stays_flat(diff: Diff, clock: ManualClock) -> None:
    follower = Follower(diff.read, clock, remembered=500)
    cursor = None
    for turn in range(60):
        for n in range(20):
            diff.change(f"row-{turn}-{n}")
        cursor = (await follower.changes(cursor)).cursor
        clock.advance(1)

    assert len(follower._told) <= 500
    clock.advance(1000)
    diff.change("much-later")
    for _ in range(3):
        cursor = (await follower.changes(cursor)).cursor
    assert len(follower._told) <= 2


async def test_an_unreadable_row_is_logged_once_and_passed_over(
    clock: ManualClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    marks = [Cursor(iso(clock.now()), name) for name in "abc"]

    async def read(since: str, row_id: str, limit: int) -> list[Changed]:
        return [Changed(m, None if m.row_id == "b" else view_of(m), "NextAction") for m in marks]

    follower = Follower(read, clock)
    answer = await follower.changes(None)
    clock.advance(20)
    await follower.changes(answer.cursor)

    assert [mark.row_id for mark in told(answer)] == ["a", "c"]
    assert len(caplog.records) == 1


async def test_the_same_holds_over_the_wire(diff: Diff, clock: ManualClock) -> None:
    node = client(diff.answer)

    async def read(since: str, row_id: str, limit: int) -> list[Changed]:
        return await node.changed("Preprod", "Web3CardanoV1", since, row_id, limit)

    follower = Follower(read, clock)
    for n in range(250):
        diff.change(f"row-{n:03}", ago=n % 3)
    answer = await follower.changes(None)
    clock.advance(11)
    late = diff.change("late", ago=40)

    assert len(told(answer)) == 250
    assert told(await follower.changes(answer.cursor)) == [late]


STEPS = st.one_of(
    st.tuples(st.just("change"), st.sampled_from(string.ascii_lowercase), st.floats(0, 30)),
    st.tuples(st.just("burst"), st.integers(1, 40), st.floats(0, 30)),
    st.tuples(st.just("wait"), st.floats(0, 15), st.none()),
    st.tuples(st.just("sleep"), st.floats(15, 5000), st.none()),
    st.tuples(st.sampled_from(["poll", "lost", "broken", "restart"]), st.none(), st.none()),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STEPS, max_size=40), st.sampled_from([0.0, -1800.0, 7200.0]))
def test_whatever_happens_every_last_change_of_a_row_is_told(
    steps: list[tuple], ahead: float
) -> None:
    asyncio.run(_follow(steps, ahead))


async def _follow(steps: list[tuple], ahead: float) -> None:
    clock = ManualClock()
    diff = Diff(clock, ahead=ahead)
    follower = Follower(diff.read, clock, limit=7, at_once=18)
    cursor, processed = (await follower.changes(None)).cursor, set()
    for number, (step, what, ago) in enumerate(steps):
        if step == "change":
            diff.change(what, ago)
        elif step == "burst":
            for n in range(what):
                diff.change(f"burst-{number}-{n}", ago)
        elif step in ("wait", "sleep"):
            clock.advance(what)
        elif step == "restart":
            follower = Follower(diff.read, clock, limit=7, at_once=18)
        elif step == "broken":
            diff.broken = True
            with pytest.raises(NodeFailed):
                await follower.changes(cursor)
            diff.broken = False
        else:
            answer = await follower.changes(cursor)
            if step == "poll":
                cursor = answer.cursor
                processed.update(told(answer))
    rounds = 3 + len(diff.rows) // 7
    for _ in range(rounds):
        clock.advance(10)
        answer = await follower.changes(cursor)
        cursor = answer.cursor
        processed.update(told(answer))
    missing = {Cursor(stamp, name) for name, stamp in diff.rows.items()} - processed
    assert not missing
    assert epoch(cursor.changed_at) <= clock.now() + max(0.0, ahead)
