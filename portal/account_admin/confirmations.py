"""The confirmed actions on another person's account, for both sets of pages.

Each is an action of the registry or of this room with the page that asks first. The
organisation's pages and the console place them under their own URLs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from engine.registry.actions import people
from engine.registry.actions import recovery as recovery_actions
from engine.registry.actions.sessions import end_sessions
from engine.registry.credentials import account_recovery
from engine.registry.models import AppPassword, Person
from portal.account_admin import actions, approvals, policies
from portal.account_admin.approval_texts import Answer
from portal.account_admin.approvals import Approval
from portal.account_admin.forms import NewAddressForm
from portal.sessions.actions import end_session
from portal.sessions.models import WebSession
from portal.ui.confirmation import Confirmation, ConfirmedAction
from portal.ui.forms import ReasonForm

IDENTITY_ADVICE = "First make sure that the request really comes from them."


def _describe_suspension(person: Person, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Suspend {person.name}",
        text="They are signed out everywhere, their app passwords end, and they can no "
        "longer sign in. Mail to and from them is held or refused until the account is "
        "resumed. Nothing is deleted.",
        button="Suspend",
        done=f"{person.name} is suspended.",
        caption=person.address,
        is_warning=True,
    )


def _describe_resumption(person: Person, by: Person) -> Confirmation:
    return Confirmation(
        title=f"Resume the account of {person.name}",
        text="They can sign in again, and mail that was held is delivered. Their mail "
        "programs need new app passwords.",
        button="Resume",
        done=f"{person.name} can use the service again.",
        caption=person.address,
    )


def _describe_link(person: Person, by: Person) -> Confirmation:
    address = person.notice_address or "their everyday address"
    return Confirmation(
        title=f"Send {person.name} a link to choose a new password",
        text="Their password and their app passwords stop working immediately, and they "
        f"are signed out everywhere. The link goes to {address}. {IDENTITY_ADVICE}",
        button="Send the link",
        done=f"A link is on its way to {person.name}.",
        caption=person.address,
        is_warning=True,
    )


def _describe_factor_reset(person: Person, by: Person) -> Confirmation:
    is_alone = policies.may_reset_alone(person, by=by)
    consequence = (
        "Their mailbox stays locked for a while after they sign in, unless another "
        "administrator or the helpdesk unlocks it."
        if is_alone
        else "The reset takes effect when a second person agrees: another member of "
        "staff, or an administrator of the organisation."
    )
    return Confirmation(
        title=f"Reset the second factor of {person.name}",
        text="Their authenticator apps, passkeys and recovery codes stop working. "
        f"{IDENTITY_ADVICE} They and the organisation's administrators are notified. "
        f"{consequence}",
        button="Reset the second factor" if is_alone else "Request the reset",
        done=f"The second factor of {person.name} has been reset."
        if is_alone
        else "The reset is requested. A second person must agree to it.",
        caption=person.address,
        is_warning=True,
    )


def _describe_address_change(person: Person, by: Person) -> Confirmation:
    current = (
        f"Links that open the account go to {person.everyday_address} now."
        if person.everyday_address
        else "The account has no everyday address."
    )
    hours = f"{account_recovery.recovery_delay().total_seconds() / 3600:.0f}"
    is_untouched = account_recovery.is_unused(person)
    text = (
        "The account has not been used yet, so the new address applies immediately."
        if is_untouched
        else "The owner and the organisation's administrators are notified immediately. "
        f"The change takes effect after {hours} hours unless the owner refuses it, or "
        "as soon as a second person agrees."
    )
    return Confirmation(
        title=f"Change the everyday address of {person.name}",
        text=f"{current} {text}",
        button="Request the change",
        done=f"The everyday address of {person.name} is set."
        if is_untouched
        else f"{person.name} and the administrators have been notified. The address "
        "changes when the time to refuse it has passed.",
        caption=person.address,
    )


def _describe_sign_out(person: Person, by: Person) -> Confirmation:
    return Confirmation(
        title=_("Sign %(name)s out everywhere") % {"name": person.name},
        text=_(
            "Every browser and every mail program is signed out immediately, and all app "
            "passwords end. The password and the second factor stay. We notify them."
        ),
        button=_("Sign out everywhere"),
        done=_("%(name)s is signed out everywhere.") % {"name": person.name},
        caption=person.address,
        is_warning=True,
    )


@dataclass(frozen=True, slots=True)
class OwnedRow:
    """A session or an app password, with the person whose it is."""

    person: Person
    row: Any


def _describe_session_end(found: OwnedRow, by: Person) -> Confirmation:
    session: WebSession = found.row
    names = {
        "browser": session.browser,
        "peer": session.peer,
        "name": found.person.name,
    }
    return Confirmation(
        title=_("End a session of %(name)s") % names,
        text=_("%(browser)s, from %(peer)s, has to sign in again. We notify %(name)s.")
        % names,
        button=_("End the session"),
        done=_("The session is ended."),
        caption=found.person.address,
        is_warning=True,
    )


def _describe_app_password_end(found: OwnedRow, by: Person) -> Confirmation:
    password: AppPassword = found.row
    names = {"app": password.name, "name": found.person.name}
    return Confirmation(
        title=_("End “%(app)s” of %(name)s") % names,
        text=_("The mail program that uses it is disconnected. We notify %(name)s.")
        % names,
        button=_("End the app password"),
        done=_("“%(app)s” can no longer be used to sign in.") % names,
        caption=found.person.address,
        is_warning=True,
    )


def _end_session(found: OwnedRow, *, reason: str, by: Person) -> None:
    end_session(found.row, reason=reason, by=by)


def _end_app_password(found: OwnedRow, *, reason: str, by: Person) -> None:
    people.revoke_app_password(found.row, reason=reason, by=by)


@dataclass(frozen=True, slots=True)
class AnsweredApproval:
    """A pending approval with the answer that its URL names."""

    approval: Approval
    answer: Answer


def find_answer(kind: str, pk: int, answer: str) -> AnsweredApproval:
    """Raises Http404 where no such approval is pending, or it takes no such answer."""
    return AnsweredApproval(approvals.find(kind, pk), approvals.answer_named(answer))


def may_answer(found: AnsweredApproval, *, by: Person) -> bool:
    """False where the account is a member of staff's that the visitor may not change."""
    person = found.approval.person
    return person is None or policies.may_change(person, by=by)


def _describe_answer(found: AnsweredApproval, by: Person) -> Confirmation:
    approval = found.approval
    texts = approval.texts(found.answer)
    asked = f"Requested by {approval.asked_by}." if approval.asked_by else ""
    return Confirmation(
        title=texts.title,
        text=" ".join(filter(None, (texts.text, asked, approval.reason))),
        button=texts.button,
        done=texts.done,
        caption=approval.person.address if approval.person else approval.name,
        is_warning=True,
    )


def _answer(found: AnsweredApproval, *, reason: str, by: Person) -> None:
    approvals.answer(found.approval, found.answer, reason=reason, by=by)


SUSPEND = ConfirmedAction(_describe_suspension, people.suspend, ReasonForm)
RESUME = ConfirmedAction(_describe_resumption, people.resume)
SEND_LINK = ConfirmedAction(_describe_link, actions.send_sign_in_link)
RESET_SECOND_FACTOR = ConfirmedAction(
    _describe_factor_reset, actions.reset_second_factor, ReasonForm
)
CHANGE_ADDRESS = ConfirmedAction(
    _describe_address_change, recovery_actions.request_address_change, NewAddressForm
)
SIGN_OUT_EVERYWHERE = ConfirmedAction(_describe_sign_out, end_sessions, ReasonForm)
END_SESSION = ConfirmedAction(_describe_session_end, _end_session, ReasonForm)
END_APP_PASSWORD = ConfirmedAction(
    _describe_app_password_end, _end_app_password, ReasonForm
)
ANSWER_APPROVAL = ConfirmedAction(_describe_answer, _answer, ReasonForm)
