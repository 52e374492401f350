"""Every kind of storage does the same: whole objects, and only if they are what was seen."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from handrail.storage.store import ABSENT, ChangedError, open_store


@pytest.fixture
def store(any_place):
    return open_store(any_place, Path(), "storage.registry")


def test_what_is_written_is_read_with_its_tag(store):
    assert store.read("live.json") is None
    tag = store.write("live.json", b"one")
    assert store.read("live.json") == (b"one", tag)


def test_only_what_is_absent_is_made(store):
    store.write("live.json", b"one", ABSENT)
    with pytest.raises(ChangedError):
        store.write("live.json", b"two", ABSENT)
    assert store.read("live.json")[0] == b"one"


def test_only_what_was_seen_is_replaced(store):
    seen = store.write("live.json", b"one")
    now = store.write("live.json", b"another", seen)
    with pytest.raises(ChangedError):
        store.write("live.json", b"lost", seen)
    assert store.read("live.json") == (b"another", now)


def test_what_is_gone_is_not_replaced(store):
    seen = store.write("live.json", b"one")
    store.delete("live.json")
    store.delete("live.json")
    with pytest.raises(ChangedError):
        store.write("live.json", b"lost", seen)
    assert store.read("live.json") is None


def test_of_many_writers_one_is_first(store):
    seen = store.write("live.json", b"at first")

    def write(number):
        try:
            store.write("live.json", b"by %d" % number, seen)
        except ChangedError:
            return None
        return number

    with ThreadPoolExecutor(8) as threads:
        won = [number for number in threads.map(write, range(16)) if number is not None]
    assert len(won) == 1
    assert store.read("live.json")[0] == b"by %d" % won[0]


def test_objects_are_listed_by_the_beginning_of_their_keys(store):
    for key in ("models/b/2", "models/a/1", "model.json", "other/x"):
        store.write(key, key.encode())
    found = store.entries("models/")
    assert [(entry.key, entry.size) for entry in found] == [("models/a/1", 10), ("models/b/2", 10)]
    assert len({entry.tag for entry in store.entries("")}) == 4
    assert all(entry.modified > 1.7e9 for entry in found)


def test_a_file_is_uploaded_once_and_downloaded_as_listed(store, tmp_path):
    path, content = tmp_path / "file", bytes(range(256)) * 5000
    path.write_bytes(content)
    store.upload(path, "rows/part 1.parquet")
    with pytest.raises(ChangedError):
        store.upload(path, "rows/part 1.parquet")
    (entry,) = store.entries("rows/")
    store.download(entry, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == content


def test_what_has_changed_since_it_was_listed_is_not_downloaded(store, tmp_path):
    store.write("rows", b"one")
    (entry,) = store.entries("rows")
    store.write("rows", b"another")
    with pytest.raises(ChangedError):
        store.download(entry, tmp_path / "copy")
    store.delete("rows")
    with pytest.raises(ChangedError):
        store.download(entry, tmp_path / "copy")
