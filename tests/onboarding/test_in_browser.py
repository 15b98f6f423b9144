"""Every page and state of an application: axe at two widths, and the keyboard alone.

With POSTERN_PICTURES set to a folder, a screenshot of each screen is saved there.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page, expect

from engine.registry.models import Person
from onboarding.letters import letter_files
from onboarding.models import Application, Letter
from onboarding.vetting import decisions
from tests.onboarding.conftest import link_in
from tests.onboarding.vetting.test_signatures import ANOTHER_SIGNATORY
from tests.portal import screens
from tests.portal.conftest import SignIn, signed_in

__all__ = ["signed_in"]
pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


class ScreenCheck:
    """Checks the current page at both widths."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.found: list[str] = []

    def check(self, name: str) -> None:
        for width in (screens.WIDE, screens.NARROW):
            self.page.set_viewport_size({"width": width, "height": 900})
            for fault in screens.faults_at_width(self.page, width):
                self.found.append(f"{name} at {width}: {fault}")
            if folder := os.environ.get("POSTERN_PICTURES"):
                path = Path(folder) / f"{name}-{width}.png"
                self.page.screenshot(path=path, full_page=True)
        self.page.set_viewport_size({"width": screens.WIDE, "height": 900})


def use_session(page: Page, client: Client, url: str) -> None:
    cookie = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.context.clear_cookies()
    page.context.add_cookies([{"name": "sessionid", "value": cookie, "url": url}])


def press(page: Page, name: str) -> None:
    """Presses a button by keyboard: focus, then Enter."""
    page.get_by_role("button", name=name, exact=True).first.press("Enter")


def follow(page: Page, name: str) -> None:
    page.get_by_role("link", name=name).first.press("Enter")


def fill(page: Page, **answers: str) -> None:
    for name, answer in answers.items():
        page.locator(f"[name={name}]").fill(answer)


def choose(page: Page, **answers: str) -> None:
    for name, answer in answers.items():
        page.locator(f"[name={name}][value={answer}]").press("Space")


def mail_to(mails: Any, address: str) -> Any:
    return [mail for mail in mails if mail.to == [address]][-1]


def test_an_applicant_by_keyboard(
    page: Page, live_server: Any, delivered_emails: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = ScreenCheck(page)
    page.goto(live_server.url + "/apply/")
    screen.check("start")
    press(page, "Start now")
    press(page, "Continue")
    screen.check("eligibility_error")
    choose(page, work="party")
    press(page, "Continue")
    screen.check("not_eligible")
    page.goto(live_server.url + "/apply/email/")
    press(page, "Send me a link")
    screen.check("email_error")
    fill(page, address="jane@firm.example")
    press(page, "Send me a link")
    screen.check("sent")

    link = live_server.url + link_in(
        mail_to(delivered_emails(), "jane@firm.example").body, "link"
    )
    page.goto(link)
    screen.check("link")
    press(page, "Continue")
    screen.check("tasks_new")
    follow(page, "Tell us about your organisation")
    press(page, "Save and continue")
    screen.check("organisation_error")
    fill(page, organisation_name="Firm Solicitors", town="Leeds")
    choose(page, kind="law_firm", is_sole_user="no")
    press(page, "Save and continue")
    follow(page, "Tell us about yourself")
    screen.check("applicant")
    fill(
        page,
        applicant_name="Jane Doe",
        applicant_job_title="Partner",
        applicant_phone="020 7946 0018",
    )
    press(page, "Save and continue")
    follow(page, "Name a second administrator")
    screen.check("second")
    fill(
        page,
        second_name="Ravi Shah",
        second_job_title="Partner",
        second_address="ravi@firm.example",
    )
    press(page, "Save and continue")
    Application.objects.get().checks.update(
        state="done", facts={"hosts": ["mail.firm.example"]}
    )
    follow(page, "Choose how you will connect")
    screen.check("account")
    choose(page, account_type="smtp")
    press(page, "Save and continue")
    screen.check("server")
    fill(page, member_domain="firm.example", next_hop_host="mail.firm.example")
    choose(page, proof="source")
    press(page, "Save and continue")
    fill(page, source_networks="0.0.0.0/0")
    press(page, "Save and continue")
    screen.check("source_error")
    fill(page, source_networks="192.0.2.0/28")
    press(page, "Save and continue")
    screen.check("tasks_some")
    follow(page, "Name your sponsor")
    screen.check("sponsor_named")
    fill(
        page,
        sponsor_name="Ruth Cole",
        sponsor_organisation="Fenland Police",
        sponsor_address="ruth@fenland.police.example",
    )
    press(page, "Save and continue")
    follow(page, "Sign the terms")
    screen.check("signer")
    choose(page, signer="me")
    press(page, "Save and continue")
    press(page, "Accept the terms")
    screen.check("terms_error")
    choose(page, agree="on")
    press(page, "Accept the terms")
    screen.check("tasks_done")
    press(page, "Check your answers")
    screen.check("check")
    press(page, "Confirm and apply")
    screen.check("confirmation")
    follow(page, "Follow your application")
    screen.check("progress")
    follow(page, "Name another sponsor")
    screen.check("other_sponsor")
    page.goto(live_server.url + "/apply/withdraw/")
    screen.check("withdraw")
    page.goto(link)
    screen.check("link_ended")

    assert screen.found == []


def come_back(page: Page, base: str, delivered_emails: Any) -> None:
    """Requests a link to return, and follows it."""
    page.goto(f"{base}/apply/email/")
    fill(page, address="jane@firm.example")
    press(page, "Send me a link")
    page.goto(
        base + link_in(mail_to(delivered_emails(), "jane@firm.example").body, "link")
    )
    press(page, "Continue")


def test_the_sponsor_the_signatory_and_the_desk(
    page: Page,
    live_server: Any,
    delivered_emails: Any,
    submit_application: Any,
    fenland: Any,
    vera: Person,
    alice: Person,
    signed_in: SignIn,
) -> None:
    screen = ScreenCheck(page)
    application = submit_application(signing=ANOTHER_SIGNATORY)
    mails = delivered_emails()
    sponsor = link_in(mail_to(mails, "ruth@fenland.police.example").body, "sponsor")
    page.goto(live_server.url + sponsor)
    choose(page, answer="decline")
    press(page, "Send your answer")
    screen.check("sponsor_error")
    fill(page, reason="Not known to us.")
    press(page, "Send your answer")
    screen.check("sponsor_done")
    page.goto(live_server.url + sponsor)
    screen.check("sponsor_over")
    come_back(page, live_server.url, delivered_emails)
    follow(page, "Name another signatory")
    press(page, "Ask this signatory")
    screen.check("other_signatory_error")
    sign = link_in(mail_to(mails, "mary@firm.example").body, "sign")
    page.goto(live_server.url + sign)
    screen.check("sign")
    choose(page, agree="on")
    press(page, "Sign the terms")
    screen.check("sign_done")

    decisions.ask_question(
        application, text="Who do you work with in Fenland?", by=vera
    )
    come_back(page, live_server.url, delivered_emails)
    expect(page.get_by_text("We have a question for you")).to_be_visible()
    screen.check("progress_queried")
    follow(page, "Answer")
    press(page, "Send your answer")
    screen.check("answer_error")
    fill(page, text="With the custody suite.")
    press(page, "Send your answer")
    screen.check("progress_answered")

    use_session(page, signed_in(vera, second_factor=True), live_server.url)
    for act in ("", "approve/", "reject/", "ask/", "correct/"):
        page.goto(f"{live_server.url}/admin/applications/{application.pk}/{act}")
        screen.check(f"desk_{act.strip('/') or 'inspect'}")
    page.goto(live_server.url + "/admin/applications/")
    screen.check("desk_list")

    Letter.objects.create(
        application=application,
        organisation=alice.organisation,
        file_name=letter_files.save(b"%PDF-", organisation_id=7),
    )
    use_session(page, signed_in(alice, second_factor=True), live_server.url)
    page.goto(live_server.url + "/apply/letter/")
    expect(page.get_by_role("button", name="Download the letter")).to_be_visible()
    screen.check("own_letter")

    assert screen.found == []
