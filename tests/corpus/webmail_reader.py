"""A member at the webmail, who opens a message and follows every link that shows more."""

from __future__ import annotations

import re
import time
from base64 import b64decode
from email.message import EmailMessage
from urllib.parse import urldefrag, urljoin, urlsplit

import requests
from lxml import html

from tests.corpus.letter import Letter
from tests.corpus.observed import Observed, words_of
from tests.journeys.visitor import totp
from tests.peers.postern import Postern

SECONDS = 60
# Pages of one message and of what is inside it.
MOST_PAGES = 200
# What does not show the message, or is the whole of it unopened.
NOT_FOLLOWED = {
    *("original", "source", "print", "contact", "again"),
    *("reply", "reply-all", "forward"),
}
_DATA_URL = re.compile(r"^data:[\w/+.-]+;base64,(.+)$", re.DOTALL)


class WebmailReader:
    """A signed-in browser without scripts."""

    def __init__(self, postern: Postern, person: dict[str, str]) -> None:
        self._web = postern.web
        self._session = requests.Session()
        self._sign_in(person)

    def close(self) -> None:
        self._session.close()

    def read(self, message_id: int, letter: Letter) -> Observed:
        """Opens the message and everything that its pages lead to."""
        seen = Observed()
        waiting, known = [f"/mail/messages/{message_id}/"], set()
        while waiting:
            path = waiting.pop(0)
            if path in known:
                continue
            known.add(path)
            assert len(known) <= MOST_PAGES, f"{letter.name}: pages without end"
            waiting += self._open(path, message_id, seen)
        return seen

    def _open(self, path: str, message_id: int, seen: Observed) -> list[str]:
        began = time.perf_counter()
        answer = self._session.get(self._web + path, timeout=SECONDS)
        took = time.perf_counter() - began
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        if disposition := answer.headers.get("Content-Disposition", ""):
            seen.add_file(answer.content, _name_in(disposition))
            return []
        seen.pages += 1
        seen.slowest = max(seen.slowest, took)
        return self._look_at(answer.text, path, message_id, seen)

    def _look_at(
        self, page: str, path: str, message_id: int, seen: Observed
    ) -> list[str]:
        tree = html.fromstring(page)
        articles = tree.xpath("//article")
        shown = articles[0] if articles else tree
        seen.add_text(words_of(html.tostring(shown, encoding="unicode")))
        for source in shown.xpath(".//img/@src"):
            if found := _DATA_URL.match(source):
                seen.add_file(b64decode(found[1]), "")
        links = shown.xpath(".//a/@href | .//iframe/@src")
        return [
            target
            for link in links
            if (target := self._followed(urljoin(path, link), message_id))
        ]

    def _followed(self, link: str, message_id: int) -> str:
        """Returns a link's path and query if it shows more of the message."""
        parts = urlsplit(urldefrag(link).url)
        before, _, after = parts.path.partition(f"/mail/messages/{message_id}/")
        if before or parts.netloc or after.partition("/")[0] in NOT_FOLLOWED:
            return ""
        if not parts.path.startswith("/mail/messages/"):
            return ""
        return parts.path + (f"?{parts.query}" if parts.query else "")

    def _sign_in(self, person: dict[str, str]) -> None:
        answers = {"login": person["address"], "password": person["password"]}
        page = self._post("/account/login/", answers)
        if person["totp_secret"]:
            page = self._post(
                urlsplit(page.url).path, {"code": totp(person["totp_secret"])}
            )
        assert "login" not in page.url, page.url

    def _post(self, path: str, answers: dict[str, str]) -> requests.Response:
        url = self._web + path
        self._session.get(url, timeout=SECONDS)
        token = self._session.cookies.get("csrftoken", "")
        form = html.fromstring(self._session.get(url, timeout=SECONDS).content)
        [hidden] = form.xpath("//input[@name='csrfmiddlewaretoken']/@value")[:1]
        return self._session.post(
            url,
            data={**answers, "csrfmiddlewaretoken": hidden or token},
            headers={"Referer": url},
            timeout=SECONDS,
        )


def _name_in(disposition: str) -> str:
    """Returns the file name in a Content-Disposition field (RFC 6266)."""
    message = EmailMessage()
    message["Content-Disposition"] = disposition
    return message.get_filename() or ""
