"""The pages of webmail stay light: what a browser loads for them, as it is served."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from posixpath import dirname, join, normpath

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse
from lxml import html

from engine.registry.models import Person
from engine.storage.models import FolderRole
from engine.storage.standard_folders import folder
from portal.ui import asset_collector
from portal.webmail.mailbox.message_list import PAGE_SIZE
from portal.webmail.models import WritingPreferences
from tests.portal.webmail.conftest import store_message

# Octets, compressed as in production: whitenoise does files, and
# portal.middleware.compression pages.
LIST_SCRIPTS = 60_000
COMPOSE_SCRIPTS = 120_000
LIST_FIRST_VIEW = 150_000

_IMPORT = re.compile(r"""(?:import|from)\s*\(?\s*["']([^"']+\.js)["']""")
_URL = re.compile(r"""url\(["']?([^"')]+\.woff2?)["']?\)""")

Read = Callable[[str], bytes]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    """Reads a static file by its path below STATIC_URL."""
    assets = tmp_path_factory.mktemp("assets") / "assets"
    asset_collector.collect(settings.BASE_DIR / "node_modules", assets)

    def found(path: str) -> bytes:
        own = finders.find(path)
        return Path(str(own) if own else assets / path).read_bytes()

    return found


@pytest.fixture
def inbox(as_bob: Client, bob: Person) -> bytes:
    """The page of a full folder."""
    for number in range(PAGE_SIZE + 1):
        store_message(bob.mailbox, subject=f"Listing of the hearing, part {number}")
    opened = folder(bob.mailbox, FolderRole.INBOX)
    return as_bob.get(reverse("webmail:folder", args=[opened.pk])).content


def test_scripts_of_the_list(inbox: bytes, read: Read) -> None:
    scripts = _scripts(inbox, read)

    assert "webmail/select_all.js" in scripts
    assert _weight(scripts, read) < LIST_SCRIPTS


def test_scripts_of_the_compose_page(as_bob: Client, bob: Person, read: Read) -> None:
    WritingPreferences.objects.create(person=bob, writes_rich_text=True)
    place = reverse("webmail:compose", args=[bob.mailbox.pk])
    scripts = _scripts(as_bob.get(place, follow=True).content, read)

    assert {"webmail/autosave.js", "editor/squire.js"} <= scripts
    assert _weight(scripts, read) < COMPOSE_SCRIPTS


def test_first_view_of_the_list(inbox: bytes, read: Read) -> None:
    styles = _paths(inbox, "//link[@rel='stylesheet']/@href")
    fonts = {
        normpath(join(dirname(style), name))
        for style in styles
        for name in _URL.findall(read(style).decode())
    }

    loaded = _scripts(inbox, read) | styles | fonts

    assert "webmail/webmail.css" in styles
    page = len(gzip.compress(inbox, mtime=0))
    assert page + _weight(loaded, read) < LIST_FIRST_VIEW


def _scripts(page: bytes, read: Read) -> set[str]:
    """Returns the files of all scripts of a page, with those that they import."""
    inline = " ".join(
        html.document_fromstring(page).xpath("//script[not(@src)]/text()")
    )
    waiting = [*_paths(page, "//script/@src"), *_imported(inline, "")]
    found: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += _imported(read(path).decode(), path)
    return found


def _imported(script: str, path: str) -> Iterator[str]:
    for name in _IMPORT.findall(script):
        yield _below_static(name) or normpath(join(dirname(path), name))


def _paths(page: bytes, where: str) -> set[str]:
    return {_below_static(url) for url in html.document_fromstring(page).xpath(where)}


def _below_static(url: str) -> str:
    return url.removeprefix(settings.STATIC_URL) if url.startswith("/") else ""


def _weight(paths: set[str], read: Read) -> int:
    return sum(len(gzip.compress(read(path), mtime=0)) for path in paths)
