"""Composes and sends the email of each kind of notice.

No email contains an officer's question, or any secret other than a link: email outside
the community can be read on its way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string

from engine.audit.models import Entry
from engine.email_backend import EverydayMessage, ServiceMessage
from engine.registry.models import Person, Proof
from onboarding import one_time_links, signed_links
from onboarding.models import (
    Application,
    Letter,
    LinkPurpose,
    Notice,
    NoticeKind,
    Signature,
    Sponsorship,
)
from onboarding.notices.audit_rules import NOTICE_RULES
from onboarding.notices.existing_organisations import find_existing_organisation
from onboarding.notices.recipients import owner_of

RESETS = {"person.second_factor_reset_requested", "person.second_factor_reset"}
MOST_RETURNS = 5  # links in one mail
# These go to members through the community. The others go to everyday addresses, which
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
    """Composes the notice and hands it to the mail queue.

    Raises MailError, InvalidAddressError, or ObjectDoesNotExist if the row that it is
    about is gone.
    """
    _WRITERS[NoticeKind(notice.kind)](notice)


def _apply(notice: Notice) -> None:
    """To the address typed on the start page: links to begin, and to return."""
    begun = Application.objects.of_applicant(notice.address)[:MOST_RETURNS]
    _send(
        notice,
        "Your application to join",
        start=_link(LinkPurpose.START, notice.address),
        returns=[(one, _return(one)) for one in begun],
        known=find_existing_organisation(notice.address),
    )


def _about_application(subject: str) -> Callable[[Notice], None]:
    """Returns a writer of an email to the applicant, with a link to return.

    `about` is an Application.
    """

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
    """To a vetting officer. `about` is an Application."""
    application = Application.objects.get(pk=notice.about)
    subject = f"Application {application.reference} is waiting"
    _send(notice, subject, application=application)


def _sponsor(notice: Notice) -> None:
    """To the sponsor, with a link to answer. `about` is a Sponsorship."""
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
    """To the signatory, with a link to sign. `about` is a Signature."""
    asked = Signature.objects.select_related("application").get(pk=notice.about)
    _send(
        notice,
        f"Please sign the terms for {asked.application.organisation_name}",
        signature=asked,
        application=asked.application,
        link=_link(LinkPurpose.SIGN, notice.address, asked.application, about=asked.pk),
    )


def _welcome(notice: Notice) -> None:
    """To a new administrator, with links to sign in and to the letter.

    `about` is a Person. The letter's link is included only if the letter holds a secret,
    and only for the applicant: everybody else finds the letter after signing in.
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
        own_letter=signed_links.absolute_url("onboarding:own_letter"),
        letter_days=signed_links.LETTER_LIFETIME.days,
    )


def _first_sign_in_again(notice: Notice) -> None:
    """To a person who has no password yet. `about` is a Person."""
    person = Person.objects.get(pk=notice.about)
    _send(
        notice,
        f"Your link to sign in to {_community()}",
        person=person,
        first_sign_in=_first_sign_in(person),
    )


def _sign_in_claim(notice: Notice) -> None:
    """To a mailbox in a member's domain that has no account yet."""
    token = signed_links.sign_in_claim_token(notice.address)
    _send(
        notice,
        f"Your directory sign-in to {_community()}",
        address=notice.address,
        link=signed_links.absolute_url("onboarding:sign_in_claim", token),
    )


def _has_sign_in(notice: Notice) -> None:
    """To a person who requested a sign-in but has one. `about` is a Person."""
    person = Person.objects.get(pk=notice.about)
    link = signed_links.absolute_url("account_login")
    _send(notice, f"Your sign-in to {_community()}", person=person, link=link)


def _new_letter(notice: Notice) -> None:
    """To an administrator, when a new letter is ready. `about` is a Letter."""
    letter = Letter.objects.select_related("application").get(pk=notice.about)
    _send(
        notice,
        f"A new letter for {letter.application.organisation_name}",
        application=letter.application,
        own_letter=signed_links.absolute_url("onboarding:own_letter"),
    )


def _change(notice: Notice) -> None:
    """To the recipients of an audit rule. `about` is an audit Entry."""
    entry = Entry.objects.get(pk=notice.about)
    known = {name: str(value) for name, value in entry.detail.items()}
    said = defaultdict(str, known | {"subject": entry.subject_name})
    rule = NOTICE_RULES[entry.event]
    _send(
        notice,
        rule.title.format_map(said),
        text=rule.text.format_map(said),
        entry=entry,
        takes_effect=_moment(known.get("effective_at", "")),
        shut_until=_moment(known.get("shut_until", "")),
        refuse=_refusal_link(entry, notice.address),
    )


def _refusal_link(entry: Entry, address: str) -> str:
    """Returns the owner's link to refuse what another person requested, or ""."""
    theirs = {one.address for one in owner_of(entry)} | {entry.detail.get("old")}
    if address not in theirs:
        return ""
    if entry.event == "person.address_change_requested":
        token = signed_links.address_change_token(int(entry.detail["change"]))
        return signed_links.absolute_url("account:refuse_by_link", token)
    if entry.event in RESETS and "reset" in entry.detail:
        token = signed_links.factor_reset_token(int(entry.detail["reset"]))
        return signed_links.absolute_url("own_factor:by_link", token)
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
    context["first_sign_in_days"] = signed_links.FIRST_SIGN_IN_LIFETIME.days
    context["kind"] = notice.kind
    body = render_to_string(f"onboarding/emails/{notice.kind}.txt", context)
    # Names come from strangers: a line break in one must not add a header field.
    kind = ServiceMessage if notice.kind in BY_MEMBERS_MAIL else EverydayMessage
    message = kind(" ".join(subject.split()), body, to=[notice.address])
    # If this process dies before the notice is marked as sent, the queue recognises the
    # next attempt by this key.
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
    token = one_time_links.create(
        purpose, address=address, application=application, about=about
    )
    page = {LinkPurpose.SPONSOR: "sponsor", LinkPurpose.SIGN: "sign"}.get(
        purpose, "link"
    )
    return signed_links.absolute_url(f"onboarding:{page}", token)


def _return(application: Application) -> str:
    return _link(LinkPurpose.RETURN, application.everyday_address, application)


def _first_sign_in(person: Person) -> str:
    token = signed_links.first_sign_in_token(person)
    return signed_links.absolute_url("onboarding:first_sign_in", token)


def _letter(letter: Letter) -> str:
    return signed_links.absolute_url(
        "onboarding:letter", signed_links.letter_token(letter)
    )
