"""Hostile shapes in messages that are read, printed and previewed: nothing comes of them."""

from __future__ import annotations

from email.message import EmailMessage
from email.policy import SMTP

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.urls import reverse
from playwright.sync_api import Page, Route
from pytest_django.live_server_helper import LiveServer

from engine.mail.composer import Attachment
from engine.registry.models import Person
from engine.storage.models import Message
from portal.webmail.rendering import message_html, parsed_message
from portal.webmail.rendering.html_sanitiser import SafeHtml, sanitise_html
from tests.peers.chromium import OpenPage
from tests.portal.webmail.conftest import compose_html, compose_message, store_message
from tests.portal.webmail.hostile_shapes import FILES
from tests.portal.webmail.rendering.test_written_html import SHAPES

# Without quotes, so that it fits where go() is.
RUN = "parent.postMessage(`owned`,`*`)"
# Loads each address in a frame like the page's own; several at a time.
LOADS = """async (addresses) => {
  window.heard = [];
  addEventListener("message", (event) => {
    if (event.data === "owned") heard.push(event.source === window ? "page" : "frame");
  });
  const like = document.querySelector("iframe.app-message__frame");
  const load = (address) => new Promise((done) => {
    const frame = like.cloneNode();
    frame.addEventListener("load", () => setTimeout(() => { frame.remove(); done(); }, 50));
    frame.src = address;
    document.body.append(frame);
  });
  const left = [...addresses];
  const line = async () => { while (left.length) await load(left.shift()); };
  await Promise.all(Array.from({ length: 12 }, line));
  return heard;
}"""
PREVIEWED = {"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"}


def written(shape: str) -> str:
    return shape.replace("go()", RUN)


def with_files() -> bytes:
    message = EmailMessage()
    message["From"] = "Jane <jane@firm.example.secure.example>"
    message["Subject"] = "Files"
    message.set_content("See the files.")
    for name, kind, octets in FILES:
        maintype, _, subtype = kind.partition(";")[0].partition("/")
        data = octets.replace(b"go()", RUN.encode())
        if maintype == "message":
            maintype, subtype = "application", "octet-stream"
        message.add_attachment(data, maintype=maintype, subtype=subtype, filename=name)
    return message.as_bytes(policy=SMTP)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_no_shape_runs_or_loads_or_leaves_its_frame(
    open_page: OpenPage,
    as_bob: Client,
    bob: Person,
    live_server: LiveServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without the sanitiser, the frame and the policy of its response alone must do."""
    monkeypatch.setattr(
        message_html, "sanitise_html", lambda markup, pictures: SafeHtml(markup, False)
    )
    shapes = [f"<div>before {written(shape)} after</div>" for shape in SHAPES]
    stored = [
        store_message(bob.mailbox, compose_html(shape, subject="Shape"))
        for shape in shapes
    ]
    files = store_message(bob.mailbox, with_files())
    page = open_page(base_url=live_server.url)
    session = as_bob.cookies["sessionid"].value
    page.context.add_cookies(
        [{"name": "sessionid", "value": session, "url": live_server.url}]
    )
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(body="<title>Elsewhere</title>", content_type="text/html")

    page.context.route("**://*.example/**", answer)
    first = reverse("webmail:read", args=[stored[0].pk])
    page.goto(first)
    addresses = [reverse("webmail:content", args=[one.pk]) for one in stored]
    addresses += previews(files)

    assert page.evaluate(LOADS, addresses) == []
    assert asked == [] and page.url == live_server.url + first
    assert len(page.context.pages) == 1
    for address in (
        reverse("webmail:read", args=[files.pk]),
        reverse("webmail:print", args=[stored[-1].pk]) + "?all=1",
    ):
        watch(page, address)
        assert page.evaluate("window.heard") == [] and asked == []


def watch(page: Page, address: str) -> None:
    """Opens a page, and notes what its frames post to it."""
    page.goto(address)
    page.evaluate("() => { window.heard ??= []; }")


def previews(message: Message) -> list[str]:
    files = parsed_message.parse_stored(message).all_files
    assert len(files) == len(FILES)
    return [reverse("webmail:preview", args=[message.pk, one.path]) for one in files]


RUNS = {"script", "iframe", "object", "embed", "form", "input", "link", "meta", "base"}


@pytest.mark.parametrize("shape", SHAPES)
def test_the_sanitiser_leaves_nothing_that_runs_or_loads(shape: str) -> None:
    cleaned = sanitise_html(f"<div>before {shape} after</div>", {}).html

    for element in BeautifulSoup(cleaned, "html.parser").find_all(True):
        assert element.name not in RUNS, cleaned
        for name, value in element.attrs.items():
            assert not name.startswith("on"), cleaned
            if name != "href":
                assert "e.example" not in str(value), cleaned
        target = element.get("href", "https:")
        assert target.startswith(("http:", "https:", "mailto:", "#", "//")), cleaned


@pytest.mark.django_db
def test_a_printed_page_has_shapes_as_text_alone(as_bob: Client, bob: Person) -> None:
    plain = store_message(bob.mailbox, compose_message(subject="x", text="x"))
    known = elements(as_bob, plain) | {"p", "a"}
    for at in range(0, len(SHAPES), 12):
        some = SHAPES[at : at + 12]
        one_line = " ".join("".join(some).split()).replace("\x00", "")
        text = compose_message(
            subject=one_line[:200].encode("ascii", "ignore").decode(),
            text="\n".join(some).replace("\x00", ""),
            attachments=[Attachment("x'><script>go().png", "image/png", b"x")],
        )
        html = compose_html("".join(f"<div>{shape}</div>" for shape in some))
        for raw in (text, html):
            assert elements(as_bob, store_message(bob.mailbox, raw)) <= known


def elements(client: Client, message: Message) -> set[str]:
    """Returns the elements of the printed page, and what any of its attributes run."""
    page = client.get(reverse("webmail:print", args=[message.pk]))
    soup = BeautifulSoup(page.content, "html.parser")
    found = {element.name for element in soup.find_all(True)}
    for element in soup.find_all(True):
        found |= {name for name in element.attrs if name.startswith("on")}
        if element.name in ("link", "a", "img"):
            target = element.get("href") or element.get("src") or ""
            # Addresses in the text are links.
            is_plain = element.name == "a" and target.lower().startswith("http")
            found |= set() if target.startswith("/") or is_plain else {target}
    return found


@pytest.mark.django_db
def test_a_preview_is_a_picture_or_a_pdf_whatever_a_file_is_called(
    as_bob: Client, bob: Person
) -> None:
    message = store_message(bob.mailbox, with_files())

    shown = [as_bob.get(address) for address in previews(message)]

    assert 6 <= sum(one.status_code == 200 for one in shown) < len(FILES)
    for one, (name, _, octets) in zip(shown, FILES, strict=True):
        assert one.status_code in (200, 404), name
        if one.status_code == 200:
            assert one["Content-Type"] in PREVIEWED, name
            assert one["X-Content-Type-Options"] == "nosniff"
            policy = one["Content-Security-Policy"]
            assert "default-src 'none'" in policy and "script-src" not in policy
            assert not octets.lstrip().startswith(b"<"), name
