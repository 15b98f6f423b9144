from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest
from django.core.cache import cache
from django.core.cache import caches as django_caches
from django.core.cache.backends.filebased import FileBasedCache
from pytest_django.fixtures import Settings
from redis import Redis as Client

from engine.caches import counting, file_cache
from engine.caches.file_cache import FileCache
from engine.caches.redis_cache import SharedCache
from engine.caches.redis_settings import redis_settings
from tests.peers.redis import Redis

THREADS = 12


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with Redis() as running:
        yield running


@pytest.fixture(autouse=True)
def _not_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SharedCache, "_unavailable_until", 0.0)


@pytest.fixture(params=["files", "redis"])
def shared(
    request: pytest.FixtureRequest,
    settings: Settings,
    tmp_path: Path,
    redis: Redis,
) -> None:
    """Each cache that processes share, in turn."""
    files = {
        "BACKEND": "engine.caches.file_cache.FileCache",
        "LOCATION": tmp_path / "cache",
    }
    settings.CACHES = {
        "default": files if request.param == "files" else redis_settings(redis.url)
    }
    cache.clear()


@pytest.mark.usefixtures("shared")
def test_twelve_threads_are_counted_as_one_would_be() -> None:
    with ThreadPoolExecutor(THREADS) as threads:
        counted = list(
            threads.map(lambda _: counting.count("calls", seconds=60), range(600))
        )

    assert sorted(count.number for count in counted) == list(range(1, 601))
    assert all(0 < count.seconds_left <= 60 for count in counted)


@pytest.mark.usefixtures("shared")
def test_one_of_twelve_threads_adds() -> None:
    with ThreadPoolExecutor(THREADS) as threads:
        for number in range(20):
            key = f"lock-{number}"
            won = list(threads.map(lambda _, key=key: cache.add(key, 1, 60), range(12)))
            assert won.count(True) == 1


def test_counting_moves_no_end(redis: Redis, settings: Settings) -> None:
    settings.CACHES = {"default": redis_settings(redis.url)}
    cache.clear()
    counting.count("calls", seconds=60)
    client = Client.from_url(redis.url)
    (key,) = client.keys("*calls")
    client.expire(key, 7)

    assert counting.count("calls", seconds=60).seconds_left <= 7


def test_while_redis_is_away_limits_are_local(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Redis() as redis:
        settings.CACHES = {"default": redis_settings(redis.url)}
        cache.set("what", "shared")
        for _ in range(3):
            counting.count("calls", seconds=60)
        redis.stop()

        alone = [counting.count("calls", seconds=60).number for _ in range(4)]
        cache.set("what", "local")
        assert cache.get("what") == "local"
        assert cache.get_many(["what"]) == {"what": "local"}
        assert not cache.add("what", "again")
        cache.delete("what")
        assert cache.get("what", "nothing") == "nothing"
        redis.start()
        monkeypatch.setattr(SharedCache, "_unavailable_until", 0.0)

        assert alone == [1, 2, 3, 4]
        assert counting.count("calls", seconds=60).number == 1
        assert len(Client.from_url(redis.url).keys("*calls")) == 1


def test_while_redis_is_away_a_count_outlives_many_others(settings: Settings) -> None:
    settings.CACHES = {"default": redis_settings("redis://127.0.0.1:1/0")}
    cache.clear()
    for _ in range(6):
        counting.count("calls", seconds=60)
    for number in range(400):
        counting.count(f"others-{number}", seconds=60)

    assert counting.count("calls", seconds=60).number == 7


@pytest.mark.usefixtures("shared")
@pytest.mark.parametrize("kept", [{"since": 1}, (1.0, 2, 3), "text"])
def test_what_an_earlier_version_kept_is_replaced(kept: object) -> None:
    cache.set("calls", kept)
    cache.set("others", 5)

    assert [counting.count("calls", seconds=60).number for _ in range(3)] == [1, 2, 3]
    # Redis itself was queried throughout.
    assert SharedCache._unavailable_until == 0.0
    assert cache.get("others") == 5


def test_a_list_under_the_name_of_a_count_is_replaced(
    redis: Redis, settings: Settings
) -> None:
    settings.CACHES = {"default": redis_settings(redis.url)}
    cache.clear()
    counting.count("calls", seconds=60)
    client = Client.from_url(redis.url)
    (key,) = client.keys("*calls")
    client.delete(key)
    client.rpush(key, "one")

    assert counting.count("calls", seconds=60).number == 1
    assert SharedCache._unavailable_until == 0.0


@pytest.fixture
def files(settings: Settings, tmp_path: Path) -> FileCache:
    settings.CACHES = {
        "default": {
            "BACKEND": "engine.caches.file_cache.FileCache",
            "LOCATION": tmp_path / "cache",
            "OPTIONS": {"MAX_ENTRIES": 30},
        }
    }
    return cast(FileCache, django_caches["default"])


def test_counting_in_files_does_not_list_them(
    files: FileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All counts of a host wait for one lock meanwhile."""
    monkeypatch.setattr(file_cache, "CULL_CHANCE", 10**9)

    def list_files(self: FileBasedCache) -> list[str]:
        raise AssertionError("The files are listed.")

    monkeypatch.setattr(FileBasedCache, "_list_cache_files", list_files)

    assert [counting.count("calls", seconds=60).number for _ in range(3)] == [1, 2, 3]
    assert cache.add("lock", 1, 60)
    cache.set("what", "kept", 60)
    assert cache.get("what") == "kept"


def test_files_are_looked_at_now_and_then(
    files: FileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_cache, "CULL_CHANCE", 5)

    for number in range(1_000):
        counting.count(f"calls-{number}", seconds=60)

    assert len(files._names()) < 300


def test_room_is_made_by_what_has_ended_and_then_by_what_ends_soonest(
    files: FileCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_cache, "CULL_CHANCE", 10**9)
    for number in range(10):
        cache.set(f"ended-{number}", 1, 60)
        cache.set(f"soon-{number}", 1, 3600 + number)
        cache.set(f"late-{number}", 1, 7200)
        cache.set(f"never-{number}", 1, None)
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + 1800)

    files.cull()

    # Of 40, with a limit of 30, 20 are kept.
    left = {key for name in ("ended", "soon", "late", "never") for key in kept(name)}
    assert left == {*all_of("late"), *all_of("never")}


def test_below_the_limit_nothing_is_culled(files: FileCache) -> None:
    for number in range(30):
        cache.set(f"what-{number}", 1, 60)

    files.cull()

    assert len(files._names()) == 30


def all_of(name: str) -> list[str]:
    return [f"{name}-{number}" for number in range(10)]


def kept(name: str) -> list[str]:
    return [key for key in all_of(name) if key in cache]


def test_redis_that_is_away_is_left_alone_for_a_while(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    ask = SharedCache._call_redis

    def counted(self: SharedCache, what: str, *args: object) -> object:
        asked.append(what)
        return ask(self, what, *args)

    monkeypatch.setattr(SharedCache, "_call_redis", counted)
    settings.CACHES = {"default": redis_settings("redis://127.0.0.1:1/0")}

    for _ in range(10):
        counting.count("calls", seconds=60)

    assert asked == ["count"]
