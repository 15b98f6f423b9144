"""`make lint` queries OSV for known vulnerabilities in the locked packages.

The server here answers as OSV documents POST /v1/querybatch: results in the order of
the queries, ids only, and a page token with each truncated result.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


class Source(HTTPServer):
    """A stand-in for OSV.

    It reports the advisories in `known`, one to a page, and counts its requests.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.known: dict[tuple[str, str], list[str]] = {}
        self.asked: list[dict[str, Any]] = []
        self.status = 200
        self.raw: bytes | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def result(self, query: dict[str, Any]) -> dict[str, Any]:
        package = query["package"]
        ids = self.known.get((package["ecosystem"], package["name"]), [])
        page = int(query.get("page_token", 0))
        if not ids:
            return {}
        result: dict[str, Any] = {
            "vulns": [{"id": ids[page], "modified": "2026-11-01T00:00:00Z"}]
        }
        if page + 1 < len(ids):
            result["next_page_token"] = str(page + 1)
        return result


class Answers(BaseHTTPRequestHandler):
    server: Source

    def do_GET(self) -> None:
        self._say(404, b"{}")

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        assert self.path == "/v1/querybatch"
        self.server.asked += asked["queries"]
        results = [self.server.result(query) for query in asked["queries"]]
        self._say(
            self.server.status,
            self.server.raw or json.dumps({"results": results}).encode(),
        )

    def _say(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def source() -> Iterator[Source]:
    with Source() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def audit(url: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ".ci/audit.py"],
        cwd=ROOT,
        env={**os.environ, "POSTERN_AUDIT_SOURCE": url, "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_everything_that_is_pinned_is_asked_for_once(source: Source) -> None:
    done = audit(source.url)

    assert (done.returncode, done.stderr) == (0, "")
    named = [(q["package"]["ecosystem"], q["package"]["name"]) for q in source.asked]
    assert {
        ("PyPI", "django"),
        ("PyPI", "wagtail"),
        ("PyPI", "pytest"),
        ("PyPI", "uv"),
        ("npm", "govuk-frontend"),
        ("npm", "@ministryofjustice/frontend"),
    } <= set(named)
    assert len(named) == len({*map(json.dumps, source.asked)})
    django = next(q for q in source.asked if q["package"]["name"] == "django")
    assert f"django=={django['version']} " in (ROOT / "requirements.lock").read_text()


def test_a_known_vulnerability_fails_and_is_named(source: Source) -> None:
    source.known = {
        ("PyPI", "django"): ["GHSA-one", "GHSA-two", "PYSEC-three"],
        ("npm", "govuk-frontend"): ["GHSA-four"],
    }

    done = audit(source.url)

    assert done.returncode == 1
    for named in ("GHSA-one", "GHSA-two", "PYSEC-three", "GHSA-four"):
        assert named in done.stderr
    assert "PyPI django" in done.stderr


@pytest.mark.parametrize("raw", [b"<html>", b"[]", b'{"results": []}'])
def test_a_source_that_answers_nonsense_is_no_clean_bill(
    source: Source, raw: bytes
) -> None:
    source.raw = raw

    assert audit(source.url).returncode == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://advisories.invalid"])
def test_no_source_is_no_fault_and_says_nothing(url: str) -> None:
    done = audit(url)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_source_that_is_out_of_order_is_no_fault(source: Source) -> None:
    source.status = 503

    done = audit(source.url)

    assert (done.returncode, done.stderr) == (0, "")


def test_a_source_that_is_silent_is_given_up() -> None:
    """The connection is accepted and never answered."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        done = audit(f"http://127.0.0.1:{silent.getsockname()[1]}")

    assert (done.returncode, done.stderr) == (0, "")


def test_make_lint_asks() -> None:
    assert "check python .ci/audit.py" in (ROOT / ".ci/lint").read_text()
