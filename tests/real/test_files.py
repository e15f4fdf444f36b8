"""Buyers' files on a real stack: by URL from the buyer, as uploads to the author."""

from __future__ import annotations

import hashlib

from shelf import Shelf
from shop import Node, Panel, Shop, until

LARGE = bytes(range(256)) * 20_000


def told(*files: tuple[str, bytes]) -> str:
    return "\n".join(f"{name} {hashlib.sha256(content).hexdigest()}" for name, content in files)


def test_the_author_reads_the_files_as_if_they_had_been_uploaded(
    shop: Shop, panel: Panel, shelf: Shelf
) -> None:
    shelf.moved["/latest"] = shelf.put("/v2/large.bin", LARGE)
    urls = [shelf.put("/notes.txt", b"note"), f"http://{shelf.host}/latest"]

    job = shop.hire("/files", docs=urls, how="async")

    assert shop.result(job) == told(("latest", LARGE), ("notes.txt", b"note"))
    listed = panel.http.get(f"/files/{job.id}/in").json()
    assert [(each["path"], each["size"]) for each in listed] == [
        ("in/latest", len(LARGE)),
        ("in/notes.txt", 4),
    ]
    assert panel.http.get(f"/files/{job.id}/in/notes.txt").content == b"note"
    until(lambda: shop.statuses(job.id)[-1] == "finished", "the last event is there")
    assert [event.value["files"][0]["path"] for event in shop.kinds(job.id, "upload")] == [
        "in/latest"
    ]


def test_blocking_code_reads_them_too_and_leaves_files_of_its_own(
    shop: Shop, panel: Panel, shelf: Shelf
) -> None:
    job = shop.hire("/files", docs=shelf.put("/one.txt", b"one"), how="blocking")

    assert shop.result(job) == told(("one.txt", b"one"))
    assert panel.http.get(f"/files/{job.id}/out/answer.txt").content == b"done"


def test_nothing_is_fetched_for_a_job_that_is_not_paid_for(
    shop: Shop, node: Node, shelf: Shelf
) -> None:
    job = shop.hire("/paid-files", docs=shelf.put("/paid.txt", b"paid"), how="async")
    assert shop.status(job)["status"] == "awaiting_payment"
    assert "/paid.txt" not in shelf.asked

    node.buy(job)

    assert shop.result(job) == told(("paid.txt", b"paid"))
    assert shelf.asked.count("/paid.txt") == 1


def test_a_file_that_does_not_come_fails_the_job_by_name(shop: Shop, shelf: Shelf) -> None:
    job = shop.hire("/files", docs=f"http://{shelf.host}/nothing.txt?secret=1", how="async")

    assert shop.failure(job) == (
        "FileUnfetched: docs: nothing.txt could not be fetched: its server answered 404"
    )


def test_another_port_of_the_same_host_is_refused_at_the_start(shop: Shop) -> None:
    inner = f"http://127.0.0.1:{shop.stack.settings.dashboard_port}/api/version"

    answer = shop.ask_to_hire("/files", docs=inner, how="async")

    assert answer.status_code == 400
    assert answer.json()["errors"] == {"docs": ["its host is not on the public internet"]}
