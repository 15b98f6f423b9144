"""Guides in a browser: axe on each kind of page, keyboard, print, and playback."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from engine.registry.actions import roles
from engine.registry.models import RoleName
from onboarding.terms import publish_initial_terms
from portal.guides.bundled import loader
from portal.guides.models import Feedback, Guide
from portal.home.models import NoticeKind, ServiceNotice
from tests import factories
from tests.portal import screens, walks
from tests.portal.conftest import SignIn

DAY = timedelta(days=1)

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def check_screens(page: Page, url: str, *paths: str) -> None:
    assert [fault for path in paths for fault in screens.faults(page, url + path)] == []


def test_guides(page: Page, live_server, signed_in: SignIn) -> None:
    loader.load()
    publish_initial_terms()
    now = timezone.now()
    for kind, begins in ((NoticeKind.FAULT, now), (NoticeKind.WORK, now + DAY)):
        ServiceNotice.objects.create(
            kind=kind, title="Mail is slow", text="We work on it.", begins_at=begins
        )
    url = live_server.url
    check_screens(
        page,
        url,
        "/guides/",
        "/guides/write-and-send/",
        "/guides/message-refused/",
        "/guides/video-using-webmail/",
        "/guides/search/?q=password",
        "/guides/search/?q=zebra",
        *walks.VISITOR,
    )
    _find_and_answer_by_keyboard(page, url)
    _print_every_version(page, url)
    _play_from_a_chapter(page, url)
    _work_as_an_editor(page, url, signed_in)


def _find_and_answer_by_keyboard(page: Page, url: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(url + "/help/")
    page.get_by_label("Search the guides").focus()
    page.keyboard.type("second factor")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Set up a second factor").press("Enter")
    page.get_by_role("button", name="No", exact=True).press("Enter")
    expect(page.get_by_role("heading", name="Thank you")).to_be_visible()
    assert list(screens.faults_at_width(page, screens.WIDE)) == []
    page.get_by_label("What could be better?").fill("Show the button.")
    page.get_by_role("button", name="Send your comment").press("Enter")
    expect(page.get_by_role("heading", name="Thank you for")).to_be_visible()
    assert Feedback.objects.get().comment == "Show the button."


def _print_every_version(page: Page, url: str) -> None:
    page.goto(url + "/guides/write-and-send/?account=webmail")
    other = page.get_by_role("heading", name="Write in your usual mail program")
    expect(other).to_have_count(0)
    page.emulate_media(media="print")
    expect(other).to_be_visible()
    page.emulate_media(media="screen")


def _play_from_a_chapter(page: Page, url: str) -> None:
    page.goto(url + "/guides/video-using-webmail/")
    film = page.locator("video")
    assert film.get_attribute("autoplay") is None
    page.get_by_role("link", name="Send").click()
    page.wait_for_function(
        "() => { const v = document.querySelector('video');"
        " return v.currentTime > Number(document.querySelector("
        "'[data-second]').dataset.second) && v.readyState >= 2"
        " && v.textTracks[0].cues && v.textTracks[0].cues.length > 0; }"
    )
    assert film.evaluate("v => v.videoWidth") == 1280


def _work_as_an_editor(page: Page, url: str, signed_in: SignIn) -> None:
    edith = factories.make_person("edith@secure.example", name="Edith")
    roles.give_staff(edith, RoleName.GUIDE_EDITOR, by=None)
    cookie = signed_in(edith, second_factor=True).cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])
    check_screens(page, url, *walks.EDITOR)

    guide = Guide.objects.get(slug="signatures")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{url}/admin/pages/{guide.pk}/edit/")
    page.locator("#id_title").fill("Sign your messages")
    page.get_by_role("button", name="More actions").click()
    page.get_by_role("button", name="Publish").click()
    expect(page.get_by_text("has been published")).to_be_visible()

    page.goto(url + "/guides/signatures/")
    expect(page.get_by_role("heading", name="Sign your messages")).to_be_visible()
