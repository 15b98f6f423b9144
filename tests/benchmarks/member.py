"""A member who sends from a given loopback address, by browser or by mail program."""

from __future__ import annotations

import http.client
import smtplib
import ssl
from dataclasses import dataclass, field
from urllib.parse import urlencode, urljoin, urlsplit

from lxml import html

TIMEOUT = 30.0  # seconds; a member who is not served by then counts as this slow


@dataclass
class Browser:
    """Requests pages and submits forms of the site, with cookies, on one connection."""

    port: int
    address: str
    # For a site that is served with TLS.
    context: ssl.SSLContext | None = None
    cookies: dict[str, str] = field(default_factory=dict)
    place: str = "/"

    def __post_init__(self) -> None:
        where = ("127.0.0.1", self.port)
        source = (self.address, 0)
        if self.context is None:
            self._connection = http.client.HTTPConnection(
                *where, timeout=TIMEOUT, source_address=source
            )
        else:
            self._connection = http.client.HTTPSConnection(
                *where, timeout=TIMEOUT, source_address=source, context=self.context
            )

    def close(self) -> None:
        self._connection.close()

    def get(self, path: str) -> html.HtmlElement:
        return self._ask("GET", path)

    def submit(
        self, form: html.FormElement, button: str = "", **fields: str
    ) -> html.HtmlElement:
        """Submits a form with these values by the button `name=value`."""
        typed = {name: value or "" for name, value in form.form_values()} | fields
        if button:
            name, _, value = button.partition("=")
            typed[name] = value
        return self._ask("POST", form.action or self.place, urlencode(typed))

    def send(self, form: html.FormElement, **fields: str) -> html.HtmlElement:
        """Submits the compose form, and confirms what it asks before it sends."""
        page = self.submit(form, "do=send", **fields)
        if page.xpath("//button[@value='send-anyway']"):
            page = self.submit(page.get_element_by_id("write"), "do=send-anyway")
        return page

    def _ask(self, method: str, path: str, body: str = "") -> html.HtmlElement:
        headers = {
            "Host": f"localhost:{self.port}",
            "Origin": f"{'https' if self.context else 'http'}://localhost:{self.port}",
            "Cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items()),
        }
        if body:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        self.place = urljoin(self.place, path)
        self._connection.request(method, self.place, body or None, headers)
        answer = self._connection.getresponse()
        page = answer.read()
        for cookie in answer.headers.get_all("Set-Cookie", []):
            name, _, rest = cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        if answer.status in (302, 303):
            return self._ask("GET", _path(answer.headers["Location"]))
        if answer.status != 200:
            raise ConnectionError(f"{self.place} answered {answer.status}")
        return html.document_fromstring(page.decode())


def _path(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def send_by_browser(
    port: int, person: dict[str, str], *, to: str, address: str
) -> None:
    """Signs in on the site, then writes and sends one message."""
    browser = Browser(port, address)
    try:
        page = browser.get("/account/login/")
        browser.submit(
            page.forms[_index(page, "login")],
            login=person["address"],
            password=person["password"],
        )
        page = browser.get("/mail/write/")
        form = page.get_element_by_id("write")
        said = browser.send(form, to=to, subject="Listing", text="At ten in court two.")
        if "Message sent" not in said.text_content():
            raise ConnectionError("the message was not sent")
    finally:
        browser.close()


def _index(page: html.HtmlElement, name: str) -> int:
    return next(n for n, form in enumerate(page.forms) if name in form.fields)


def send_by_program(
    port: int, person: dict[str, str], *, to: str, address: str, ca_file: str
) -> None:
    """Signs in to submission with an app password and sends one message."""
    context = ssl.create_default_context(cafile=ca_file)
    with smtplib.SMTP(
        "localhost", port, "member.example", TIMEOUT, source_address=(address, 0)
    ) as client:
        client.starttls(context=context)
        client.login(person["address"], person["app_password"])
        client.sendmail(
            person["address"],
            [to],
            f"From: <{person['address']}>\r\nTo: <{to}>\r\nSubject: Listing\r\n\r\n"
            "At ten in court two.\r\n",
        )
