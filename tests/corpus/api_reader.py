"""A program that reads messages by the API."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import requests

from tests.corpus.letter import RECIPIENT
from tests.corpus.observed import Observed, words_of
from tests.peers.postern import Postern

SECONDS = 60


class ApiReader:
    """A client with the demo's key, which opens the group mailbox."""

    def __init__(self, postern: Postern) -> None:
        self._base = f"{postern.web}/api/v1/"
        self._session = requests.Session()
        key = postern.demo["api"]["key"]
        self._session.headers["Authorization"] = f"Bearer {key}"

    def close(self) -> None:
        self._session.close()

    def ids(self) -> dict[str, int]:
        """Returns the number of each message in the mailbox by its Message-ID."""
        mailbox = next(
            one["id"]
            for one in self._get("mailboxes/").json()["results"]
            if one["address"] == RECIPIENT
        )
        return {one["message_id"]: one["id"] for one in self._listed(mailbox)}

    def _listed(self, mailbox: int) -> Iterator[dict[str, Any]]:
        path = f"messages/?mailbox={mailbox}&limit=200"
        while True:
            page = self._get(path).json()
            yield from page["results"]
            if page["next"] is None:
                return
            path = page["next"].partition("/api/v1/")[2]

    def read(self, message_id: int) -> Observed:
        """Reads the message, and downloads the files that it lists."""
        seen = Observed(pages=1)
        began = time.perf_counter()
        message = self._get(f"messages/{message_id}/").json()
        seen.slowest = time.perf_counter() - began
        seen.add_text(message["text"])
        seen.add_text(words_of(message["html"]))
        forms = [part for part in message["parts"] if part["alternative_to"]]
        for file in (*message["attachments"], *forms):
            data = self._get(f"messages/{message_id}/attachments/{file['path']}/")
            seen.add_file(data.content, file["name"])
        return seen

    def _get(self, path: str) -> requests.Response:
        answer = self._session.get(self._base + path, timeout=SECONDS)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text}"
        return answer
