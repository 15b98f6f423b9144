from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.core.cache import cache
from pytest_django.fixtures import Settings
from redis import Redis as Client

from engine import caches
from engine.caches import SharedCache
from tests.peers.redis import Redis

THREADS = 12


@pytest.fixture(scope="module")
def redis() -> Iterator[Redis]:
    with Redis() as running:
        yield running


@pytest.fixture(autouse=True)
def _not_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SharedCache, "_away_until", 0.0)


@pytest.fixture(params=["files", "redis"])
def shared(
    request: pytest.FixtureRequest,
    settings: Settings,
    tmp_path: Path,
    redis: Redis,
) -> None:
    """Either cache that processes share."""
    files = {"BACKEND": "engine.caches.FileCache", "LOCATION": tmp_path / "cache"}
    settings.CACHES = {
        "default": files
        if request.param == "files"
        else caches.redis_settings(redis.url)
    }
    cache.clear()


@pytest.mark.usefixtures("shared")
def test_twelve_threads_are_counted_as_one_would_be() -> None:
    with ThreadPoolExecutor(THREADS) as threads:
        counted = list(
            threads.map(lambda _: caches.count("calls", seconds=60), range(600))
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
    settings.CACHES = {"default": caches.redis_settings(redis.url)}
    cache.clear()
    caches.count("calls", seconds=60)
    client = Client.from_url(redis.url)
    (key,) = client.keys("*calls")
    client.expire(key, 7)

    assert caches.count("calls", seconds=60).seconds_left <= 7


def test_while_redis_is_away_limits_are_local(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Redis() as redis:
        settings.CACHES = {"default": caches.redis_settings(redis.url)}
        cache.set("what", "shared")
        for _ in range(3):
            caches.count("calls", seconds=60)
        redis.stop()

        alone = [caches.count("calls", seconds=60).number for _ in range(4)]
        cache.set("what", "local")
        assert cache.get("what") == "local"
        assert cache.get_many(["what"]) == {"what": "local"}
        assert not cache.add("what", "again")
        cache.delete("what")
        assert cache.get("what", "nothing") == "nothing"
        redis.start()
        monkeypatch.setattr(SharedCache, "_away_until", 0.0)

        assert alone == [1, 2, 3, 4]
        assert caches.count("calls", seconds=60).number == 1
        assert len(Client.from_url(redis.url).keys("*calls")) == 1


def test_redis_that_is_away_is_left_alone_for_a_while(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    ask = SharedCache._ask_redis

    def counted(self: SharedCache, what: str, *args: object) -> object:
        asked.append(what)
        return ask(self, what, *args)

    monkeypatch.setattr(SharedCache, "_ask_redis", counted)
    settings.CACHES = {"default": caches.redis_settings("redis://127.0.0.1:1/0")}

    for _ in range(10):
        caches.count("calls", seconds=60)

    assert asked == ["count"]
