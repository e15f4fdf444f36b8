"""Many jobs at once: none is lost, none runs twice."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from desk import Desk
from shop import Cluster, Shop, until


def test_two_jobs_run_at_the_same_time(shop: Shop, new_desk: Callable[[], Desk]) -> None:
    desks = [new_desk().hold(), new_desk().hold()]
    jobs = [shop.hire("/task", desk=str(desk.folder), word="side") for desk in desks]

    until(lambda: all(desk.begun for desk in desks), "both run")
    assert not any(desk.ended for desk in desks)
    for desk in desks:
        desk.let_go()

    assert {shop.result(job) for job in jobs} == {'**side** is "done"'}


def test_ten_hires_at_once_are_ten_jobs(
    shop: Shop, cluster: Cluster, new_desk: Callable[[], Desk]
) -> None:
    desks = [new_desk() for _ in range(10)]
    with ThreadPoolExecutor(len(desks)) as pool:
        jobs = list(
            pool.map(
                lambda each: shop.hire("/task", desk=str(each[1].folder), word=f"w{each[0]}"),
                enumerate(desks),
            )
        )

    results = [shop.result(job) for job in jobs]

    assert results == [f'**w{number}** is "done"' for number in range(10)]
    assert len({job.id for job in jobs}) == 10
    assert all(len(job.id) == 24 and int(job.id, 16) for job in jobs)
    assert all(len(desk.begun) == len(desk.ended) == 1 for desk in desks)
    for job in jobs:
        assert len(cluster.runners(job)) == 1
        cluster.wait_gone(job)
