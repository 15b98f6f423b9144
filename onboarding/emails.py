"""The words of every notice that onboarding sends: one function for each kind.

None of them tells what an officer asked, or holds a secret other than a link.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from engine.audit.models import Entry
from engine.backend import EverydayMessage, ServiceMessage
from engine.registry.models import Person, Proof
from onboarding import links, one_use
from onboarding.acquaintance import acquaintance
from onboarding.models import (
    Application,
    Letter,
    LinkPurpose,
    Notice,
    NoticeKind,
    Signature,
    Sponsorship,
)
from onboarding.notices.hearing import HEARINGS
from onboarding.notices.listeners import owner_of

RESETS = {"person.second_factor_reset_requested", "person.second_factor_reset"}
MOST_RETURNS = 5  # links in one mail
# To members, by the mail of the community. The others go to everyday addresses, which
# may be in a domain that has just joined and whose server is not connected yet.
BY_MEMBERS_MAIL = frozenset(
    {
        NoticeKind.TO_OFFICER,
        NoticeKind.ANSWERED,
        NoticeKind.SPONSOR,
        NoticeKind.SIGN_IN_CLAIM,
        NoticeKind.HAS_SIGN_IN,
        NoticeKind.CHANGE_INSIDE,
    }
)


def send(notice: Notice) -> None:
    """Compose the notice and hand it to the queue.

    Raises MailError, InvalidAddressError, or ObjectDoesNotExist where what it is
    about is gone.
    """
    _WRITERS[NoticeKind(notice.kind)](notice)


def _apply(notice: Notice) -> None:
    """To somebody who typed this address: begin, or return to what was begun."""
    begun = Application.objects.of_applicant(notice.address)[:MOST_RETURNS]
    _send(
        notice,
        "Your application to join",
        start=_link(LinkPurpose.START, notice.address),
        returns=[(one, _return(one)) for one in begun],
        known=acquaintance(notice.address),
    )


def _about_application(subject: str) -> Callable[[Notice], None]:
    """To the applicant, with a link to return by."""

    def write(notice: Notice) -> None:
        application = Application.objects.get(pk=notice.about)
        _send(
            notice,
            subject.format(reference=application.reference),
            application=application,
            link=_return(application),
        )

    return write


def _to_officer(notice: Notice) -> None:
    application = Application.objects.get(pk=notice.about)
    subject = f"Application {application.reference} is waiting"
    _send(notice, subject, application=application)


def _sponsor(notice: Notice) -> None:
    """To a member: will you vouch for this applicant?"""
    asked = Sponsorship.objects.select_related("application").get(pk=notice.about)
    _send(
        notice,
        f"{asked.application.organisation_name} names you as its sponsor",
        sponsorship=asked,
        application=asked.application,
        link=_link(
            LinkPurpose.SPONSOR, notice.address, asked.application, about=asked.pk
        ),
    )


def _sign(notice: Notice) -> None:
    """To whoever may sign for the organisation."""
    asked = Signature.objects.select_related("application").get(pk=notice.about)
    _send(
        notice,
        f"Please sign the terms for {asked.application.organisation_name}",
        signature=asked,
        application=asked.application,
        link=_link(LinkPurpose.SIGN, notice.address, asked.application, about=asked.pk),
    )


def _welcome(notice: Notice) -> None:
    """To a new administrator: you are in; sign in, and fetch the welcome letter.

    A link to the letter goes along only where the letter holds a secret, and only to
    whoever applied. Everybody else finds it after signing in.
    """
    person = Person.objects.select_related("organisation").get(pk=notice.about)
    letter = Letter.objects.filter(organisation=person.organisation).latest("id")
    application = letter.application
    is_secret = application.proof == Proof.CREDENTIAL
    is_applicant = application.administrator_id == person.pk
    _send(
        notice,
        f"{application.organisation_name} can now use {_community()}",
        application=application,
        person=person,
        first_sign_in=_first_sign_in(person),
        letter=_letter(letter) if is_secret and is_applicant else "",
        own_letter=links.absolute("onboarding:own_letter"),
        letter_days=links.LETTER_LIFETIME.days,
    )


def _first_sign_in_again(notice: Notice) -> None:
    person = Person.objects.get(pk=notice.about)
    _send(
        notice,
        f"Your link to sign in to {_community()}",
        person=person,
        first_sign_in=_first_sign_in(person),
    )


def _sign_in_claim(notice: Notice) -> None:
    """To a mailbox of a member whose reader we do not know yet."""
    token = links.sign_in_claim_token(notice.address)
    _send(
        notice,
        f"Your directory sign-in to {_community()}",
        address=notice.address,
        link=links.absolute("onboarding:sign_in_claim", token),
    )


def _has_sign_in(notice: Notice) -> None:
    """To somebody who asked for a sign-in and has one."""
    person = Person.objects.get(pk=notice.about)
    link = links.absolute("account_login")
    _send(notice, f"Your sign-in to {_community()}", person=person, link=link)


def _new_letter(notice: Notice) -> None:
    letter = Letter.objects.select_related("application").get(pk=notice.about)
    _send(
        notice,
        f"A new letter for {letter.application.organisation_name}",
        application=letter.application,
        own_letter=links.absolute("onboarding:own_letter"),
    )


def _change(notice: Notice) -> None:
    """To those who must hear of a change to an account or a way for mail."""
    entry = Entry.objects.get(pk=notice.about)
    known = {name: str(value) for name, value in entry.detail.items()}
    said = defaultdict(str, known | {"subject": entry.subject_name})
    hearing = HEARINGS[entry.event]
    _send(
        notice,
        hearing.title.format_map(said),
        words=hearing.words.format_map(said),
        entry=entry,
        takes_effect=_moment(known.get("effective_at", "")),
        shut_until=_moment(known.get("shut_until", "")),
        refuse=_refuse(entry, notice.address),
    )


def _refuse(entry: Entry, address: str) -> str:
    """The link by which the owner says no to what another asked for or did."""
    theirs = {one.address for one in owner_of(entry)} | {entry.detail.get("old")}
    if address not in theirs:
        return ""
    if entry.event == "person.address_change_requested":
        token = links.address_change_token(int(entry.detail["change"]))
        return links.absolute("account:refuse_by_link", token)
    if entry.event in RESETS and "reset" in entry.detail:
        token = links.factor_reset_token(int(entry.detail["reset"]))
        return links.absolute("own_factor:by_link", token)
    return ""


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


_WRITERS: dict[NoticeKind, Callable[[Notice], None]] = {
    NoticeKind.APPLY: _apply,
    NoticeKind.RECEIVED: _about_application("We have your application {reference}"),
    NoticeKind.TO_OFFICER: _to_officer,
    NoticeKind.SPONSOR: _sponsor,
    NoticeKind.SIGN: _sign,
    NoticeKind.SPONSOR_ANSWERED: _about_application(
        "Your sponsor has answered: application {reference}"
    ),
    NoticeKind.SIGNED: _about_application(
        "The terms are signed: application {reference}"
    ),
    NoticeKind.QUESTION: _about_application(
        "We have a question about your application {reference}"
    ),
    NoticeKind.ANSWERED: _to_officer,
    NoticeKind.REJECTED: _about_application(
        "Our decision on your application {reference}"
    ),
    NoticeKind.WELCOME: _welcome,
    NoticeKind.FIRST_SIGN_IN: _first_sign_in_again,
    NoticeKind.LETTER: _new_letter,
    NoticeKind.SIGN_IN_CLAIM: _sign_in_claim,
    NoticeKind.HAS_SIGN_IN: _has_sign_in,
    NoticeKind.CHANGE: _change,
    NoticeKind.CHANGE_INSIDE: _change,
}


def _send(notice: Notice, subject: str, **context: Any) -> None:
    context["community_name"] = _community()
    context["helpdesk_phone"] = settings.POSTERN.helpdesk_phone
    context["first_sign_in_days"] = links.FIRST_SIGN_IN_LIFETIME.days
    context["kind"] = notice.kind
    body = render_to_string(f"onboarding/emails/{notice.kind}.txt", context)
    # Names come from strangers: whatever they hold, a subject is one line.
    kind = ServiceMessage if notice.kind in BY_MEMBERS_MAIL else EverydayMessage
    message = kind(" ".join(subject.split()), body, to=[notice.address])
    # By which the queue knows it again where we died before we had noted it as sent.
    message.key = f"notice-{notice.pk}"
    message.send()


def _community() -> str:
    return str(settings.POSTERN.community_name)


def _link(
    purpose: LinkPurpose,
    address: str,
    application: Application | None = None,
    about: int = 0,
) -> str:
    token = one_use.make(purpose, address=address, application=application, about=about)
    page = {LinkPurpose.SPONSOR: "sponsor", LinkPurpose.SIGN: "sign"}.get(
        purpose, "link"
    )
    return links.absolute(f"onboarding:{page}", token)


def _return(application: Application) -> str:
    return _link(LinkPurpose.RETURN, application.everyday_address, application)


def _first_sign_in(person: Person) -> str:
    token = links.first_sign_in_token(person)
    return links.absolute("onboarding:first_sign_in", token)


def _letter(letter: Letter) -> str:
    return links.absolute("onboarding:letter", links.letter_token(letter))
