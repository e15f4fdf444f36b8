"""The execution's folder stands for Kodosumi's file systems: same calls, same answers."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from kodosumi.runner import files as kodosumi_files

from masumi_sumi.runtime import folder as ours
from masumi_sumi.runtime.folder import ExecutionFolder

PAIRS = [
    (kodosumi_files.AsyncFileSystem, ours.ExecutionFolder),
    (kodosumi_files.SyncFileSystem, ours.SyncExecutionFolder),
    (kodosumi_files.AsyncFileStream, ours.AsyncFile),
    (kodosumi_files.SyncFileStream, ours.SyncFile),
]


@pytest.fixture
def execution(tmp_path: Path) -> ExecutionFolder:
    root = tmp_path / "execution"
    (root / "in" / "sub").mkdir(parents=True)
    (root / "in" / "a.txt").write_bytes(b"a" * 100_000)
    (root / "in" / "sub" / "b.txt").write_bytes(b"b")
    (tmp_path / "secret").write_bytes(b"not theirs")
    return ExecutionFolder(root)


@pytest.mark.parametrize(("theirs", "mine"), PAIRS)
def test_all_that_kodosumi_s_have_is_there_in_the_same_way(theirs: type, mine: type) -> None:
    for name, call in inspect.getmembers(theirs, inspect.isfunction):
        if name != "__init__" and (name.startswith("__") or not name.startswith("_")):
            own = getattr(mine, name)
            assert inspect.iscoroutinefunction(own) == inspect.iscoroutinefunction(call), name
            assert inspect.isasyncgenfunction(own) == inspect.isasyncgenfunction(call), name


async def test_files_are_listed_and_read_in_pieces(execution: ExecutionFolder) -> None:
    async with execution as fs:
        listed = await fs.ls("in/")
        async with fs.open("in/a.txt") as file:
            pieces = [chunk async for chunk in file.read()]
        whole = await fs.open("in/sub/b.txt").read_all()

    assert [(each["path"], each["size"]) for each in listed] == [
        ("in/a.txt", 100_000),
        ("in/sub/b.txt", 1),
    ]
    assert len(pieces) == 2
    assert b"".join(pieces) == b"a" * 100_000
    assert whole == b"b"


async def test_files_are_downloaded_to_a_folder_of_their_own(execution: ExecutionFolder) -> None:
    everything = [Path(copy) async for copy in execution.download("in")]
    below = [Path(copy) async for copy in execution.download("in/sub")]
    one = [Path(copy) for copy in execution.sync.download("in/a.txt")]

    assert [copy.name for copy in everything] == ["a.txt", "b.txt"]
    assert everything[1].parent.name == "sub"
    assert [copy.read_bytes() for copy in below] == [b"b"]
    assert [copy.name for copy in one] == ["a.txt"]


async def test_what_is_uploaded_is_listed_and_can_be_removed(
    execution: ExecutionFolder, tmp_path: Path
) -> None:
    result = tmp_path / "work" / "chart.png"
    result.parent.mkdir()
    result.write_bytes(b"png")

    assert await execution.upload(str(result.parent))
    assert [each["path"] for each in await execution.ls("out")] == ["out/chart.png"]
    assert await execution.remove("out/chart.png")
    with pytest.raises(FileNotFoundError):
        await execution.ls("out")


@pytest.mark.parametrize("path", ["in/none.txt", "in/../../secret", "out/a.txt"])
async def test_what_is_not_in_the_execution_is_not_found(
    execution: ExecutionFolder, path: str
) -> None:
    with pytest.raises(FileNotFoundError):
        await execution.open(path).read_all()
    with pytest.raises(FileNotFoundError):
        await execution.remove(path)


async def test_there_are_two_folders_only(execution: ExecutionFolder) -> None:
    with pytest.raises(ValueError, match="invalid root 'etc'"):
        await execution.ls("etc")
