"""An intruder who wants another person's mail and tries every way that pages offer."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

from django.core import mail
from django.db.models import F
from django.test import Client

from engine.registry.actions import recovery
from engine.registry.models import Person, RecoveryAddressChange
from onboarding.notices import tasks as notices
from tests import jobs
from tests.security.victim import SECRET_WORDS

OWN_ADDRESS = "intruder@evil.example"
NEW_PASSWORD = "three other random words"
LINK = re.compile(r"http://127\.0\.0\.1:8000(/\S+)")


@dataclass
class Intruder:
    """A signed-in visitor who controls an everyday address.

    `client` is signed in with the intruder's role, `browser` is not signed in.
    """

    client: Client
    victim: Person
    browser: Client = field(default_factory=Client)

    def try_everything(self) -> None:
        """Submits every form about the victim on the staff and organisation pages."""
        details = {"name": self.victim.name, "everyday_address": OWN_ADDRESS}
        asked = {"address": OWN_ADDRESS, "reason": "Forgot it"}
        for place in self._places():
            self.client.post(f"{place}edit/", details)
            self.client.post(f"{place}address/", asked)
            self.client.post(f"{place}second-factor/", {"reason": "Lost the phone"})
            self.client.post(f"{place}letter/")
            self.client.post(f"{place}sign-in/")
            self.client.post(f"{place}link/")
        self.agree_to_everything()

    def agree_to_everything(self) -> None:
        """Agrees to every pending recovery, as if this were the second person."""
        for pk in RecoveryAddressChange.objects.values_list("pk", flat=True):
            self._agree("address", pk)
        for pk in self.victim.factor_resets.values_list("pk", flat=True):
            self._agree("factor", pk)
        for pk in self.victim.recoveries.values_list("pk", flat=True):
            self._agree("mail", pk)

    def reads_the_mail(self, message_id: int) -> bool:
        """Follows every link sent to the intruder, signs in, and opens the message.

        Returns whether the victim's words were on the page.
        """
        jobs.run_queued()
        self._use_links()
        self.browser.post("/account/password/reset/", {"email": self.victim.address})
        jobs.run_queued()
        self._use_links()
        typed = {"login": self.victim.address, "password": NEW_PASSWORD}
        self.browser.post("/account/login/", typed)
        page = self.browser.get(f"/mail/messages/{message_id}/original/", follow=True)
        shown = self.browser.get(f"/mail/messages/{message_id}/", follow=True)
        return SECRET_WORDS in page.content.decode() + shown.content.decode()

    def _places(self) -> list[str]:
        found = [f"/admin/people/{self.victim.pk}/"]
        if self.victim.organisation_id:
            organisation = self.victim.organisation_id
            found.append(f"/organisation/{organisation}/people/{self.victim.pk}/")
        return found

    def _agree(self, kind: str, pk: int) -> None:
        reason = {"reason": "It is them"}
        self.client.post(f"/admin/people/recovery/{kind}/{pk}/agree/", reason)
        self.client.post(
            f"/organisation/{self.victim.organisation_id}/people/recovery/"
            f"{kind}/{pk}/agree/",
            reason,
        )

    def _use_links(self) -> None:
        for message in mail.outbox:
            if message.to != [OWN_ADDRESS]:
                continue
            for path in LINK.findall(message.body):
                self._use(path)

    def _use(self, path: str) -> None:
        if "password/reset/key" in path:
            page = self.browser.get(path, follow=True)
            typed = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
            self.browser.post(page.request["PATH_INFO"], typed)
        elif "first-sign-in" in path:
            self.browser.post(path, {"password": NEW_PASSWORD})


def pass_a_day() -> None:
    """Moves changes back by 25 hours, and applies those that are due."""
    RecoveryAddressChange.objects.update(
        effective_at=F("effective_at") - timedelta(hours=25),
        applied_at=F("applied_at") - timedelta(hours=25),
    )
    recovery.apply_due_changes()


def deliver_notices() -> set[str]:
    """Sends the notices that are due, and returns the addresses that they went to."""
    jobs.run_queued()
    mail.outbox.clear()
    notices.send_and_tidy()
    jobs.run_queued()
    with suppress(IndexError):
        return {message.to[0] for message in mail.outbox}
    return set()
