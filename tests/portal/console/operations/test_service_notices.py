"""Service notices: published, shown to everyone, and ended."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from engine.audit.models import Entry
from engine.registry.models import Person
from portal.home.models import ServiceNotice
from tests.portal.conftest import SignIn

pytestmark = pytest.mark.django_db
AT = "/admin/notices/"
WORK = {
    "kind": "work",
    "title": "Webmail rests on Sunday",
    "text": "From seven to eight.\nPOP3 goes on.",
    "begins_at": "2030-01-06T07:00",
    "ends_at": "2030-01-06T08:00",
}


def shows_notice(client: Client, path: str) -> bool:
    return WORK["title"] in client.get(path).content.decode()


def test_notice_is_planned_shown_and_over(
    signed_in: SignIn, client: Client, olive: Person
) -> None:
    signed_in(olive, second_factor=True).post(f"{AT}add/", WORK)

    begins_at = ServiceNotice.objects.get().begins_at
    assert Entry.objects.filter(event="service_notice.published").exists()
    for minutes, planned_or_lately, now in ((-5, 1, 0), (5, 1, 1), (65, 1, 0)):
        with time_machine.travel(begins_at + timedelta(minutes=minutes), tick=False):
            assert shows_notice(client, "/status/") == planned_or_lately
            assert shows_notice(client, "/") == shows_notice(client, "/help/") == now


def test_notice_is_ended(signed_in: SignIn, client: Client, olive: Person) -> None:
    staff = signed_in(olive, second_factor=True)
    now = timezone.localtime().strftime("%Y-%m-%dT%H:%M")
    staff.post(f"{AT}add/", WORK | {"kind": "fault", "begins_at": now, "ends_at": ""})
    assert shows_notice(client, "/")

    for _ in range(2):
        staff.post(f"{AT}{ServiceNotice.objects.get().pk}/end/")

    assert not shows_notice(client, "/")
    assert "no problems" in client.get("/status/").content.decode()
    assert Entry.objects.filter(event="service_notice.ended").count() == 1
    assert "Ended" in staff.get(AT).content.decode()


def test_notice_that_ends_before_it_begins_is_refused(
    signed_in: SignIn, olive: Person
) -> None:
    answer = signed_in(olive, second_factor=True).post(
        f"{AT}add/", WORK | {"ends_at": "2030-01-06T06:00"}
    )

    assert "must end after it begins." in answer.content.decode()
    assert not ServiceNotice.objects.exists()


def test_words_are_words(signed_in: SignIn, client: Client, olive: Person) -> None:
    ServiceNotice.objects.create(kind="news", title="<b>x", text="<script>")

    shown = client.get("/").content.decode()

    assert "&lt;b&gt;x" in shown
    assert "<script>" not in shown.partition("<main")[2].partition("</main")[0]
