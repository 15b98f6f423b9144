"""Which audit events cause notices: changes to accounts, mailboxes and mail connections.

These notices come from a scan of the audit trail and not from the actions themselves. So
the people concerned are notified within a minute or two, whichever surface made the
change and whichever process died.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto


class Audience(Flag):
    """Who is notified. Flags can be combined."""

    OWNER = auto()  # the person, at the everyday address and in their own mailbox
    OLD_ADDRESS = auto()  # the everyday address before a change
    ADMINISTRATORS = auto()  # of the organisation; operators too if it has only one
    OPERATORS = auto()
    REQUESTER = auto()  # the person whose request was then refused
    MEMBERS = auto()  # all people of the organisation who have a mailbox
    READERS = auto()  # a mailbox's owner, or those who may read a group mailbox


@dataclass(frozen=True, slots=True)
class NoticeRule:
    """Who is notified of an event, and the text.

    `text` and `title` are format strings over the entry's details and `subject`. Actions
    of the system itself follow from something that was announced already, so they are
    announced only if `is_by_system`.
    """

    to: Audience
    text: str
    is_by_system: bool = False
    title: str = "A change to {subject}"


_EVERYBODY = Audience.OWNER | Audience.ADMINISTRATORS
_ALL_ADDRESSES = _EVERYBODY | Audience.OLD_ADDRESS
_THEIRS = Audience.OWNER | Audience.OLD_ADDRESS
_HOLDERS = Audience.READERS | Audience.ADMINISTRATORS

NOTICE_RULES: dict[str, NoticeRule] = {
    "person.address_change_requested": NoticeRule(
        _ALL_ADDRESSES, "Someone requested a new everyday address for {subject}."
    ),
    "person.address_change_refused": NoticeRule(
        _ALL_ADDRESSES | Audience.REQUESTER,
        "The change of the everyday address of {subject} was refused.",
        is_by_system=True,
    ),
    "person.address_change_confirmed": NoticeRule(
        _ALL_ADDRESSES,
        "A second person agreed to the change of the everyday address of {subject}. "
        "It has taken effect.",
    ),
    "person.address_changed": NoticeRule(
        _ALL_ADDRESSES,
        "The change of the everyday address of {subject} has taken effect.",
        is_by_system=True,
    ),
    "person.address_changed_by_owner": NoticeRule(
        _THEIRS, "The everyday address of {subject} was changed in their account."
    ),
    "person.address_set": NoticeRule(
        Audience.ADMINISTRATORS,
        "An everyday address was set for {subject}, whose account has not been used yet.",
    ),
    "person.first_letter_printed": NoticeRule(
        Audience.ADMINISTRATORS,
        "A letter for the first sign-in of {subject} was printed.",
    ),
    "person.second_factor_reset_requested": NoticeRule(
        _EVERYBODY,
        "A reset of the second factor of {subject} was requested. A second person must "
        "agree to it.",
    ),
    "person.second_factor_reset_refused": NoticeRule(
        _EVERYBODY | Audience.REQUESTER,
        "The reset of the second factor of {subject} was refused.",
        is_by_system=True,
    ),
    "person.second_factor_reset_disowned": NoticeRule(
        _EVERYBODY | Audience.OPERATORS,
        "{subject} says that the reset of their second factor was not theirs. They are "
        "signed out everywhere, their password no longer works, and the mailbox is "
        "locked. "
        "Find out who requested the reset before you restore anyone's access.",
        is_by_system=True,
    ),
    "person.second_factor_reset": NoticeRule(
        _EVERYBODY,
        "The second factor of {subject} was reset. Authenticator apps, passkeys and "
        "recovery codes that were set up no longer work.",
    ),
    "person.password_ended": NoticeRule(
        _EVERYBODY,
        "The password of {subject} no longer works. We sent a link to choose another.",
    ),
    "person.mail_shut": NoticeRule(
        _EVERYBODY,
        "The mailbox of {subject} is locked after a recovery of the account.",
        is_by_system=True,
    ),
    "person.recovered": NoticeRule(
        _EVERYBODY,
        "{subject} signed in for the first time after a recovery of the account. The "
        "mailbox stays locked for now.",
    ),
    "person.mail_opened": NoticeRule(
        _EVERYBODY,
        "A second person unlocked the mailbox of {subject} after a recovery.",
    ),
    "person.app_password_revoked": NoticeRule(
        Audience.OWNER, "An app password of {subject} was revoked."
    ),
    "person.session_ended": NoticeRule(
        Audience.OWNER, "A session of {subject} was ended: {browser}."
    ),
    "person.codes_failed": NoticeRule(
        Audience.OWNER,
        "The correct password of {subject} was entered, followed by {count} wrong codes "
        "within a day. None of these attempts got in. If it was not you, another person "
        "knows your password: change it now, sign out everywhere, and end your app "
        "passwords.",
        is_by_system=True,
        title="Another person may know the password of {subject}",
    ),
    "person.sign_ins_failed": NoticeRule(
        Audience.OWNER,
        "Signing in as {subject} failed {count} times within 15 minutes, and further "
        "attempts from the same place are refused for a while. None of these attempts got "
        "in. If it was not you, you do not need to do anything, but make sure that you "
        "have a second factor and a password that you use nowhere else.",
        is_by_system=True,
        title="Failed sign-ins as {subject}",
    ),
    "person.sessions_ended": NoticeRule(
        Audience.OWNER,
        "{subject} was signed out everywhere. Mail programs need a new app password "
        "if theirs was revoked.",
    ),
    "role.given": NoticeRule(_EVERYBODY, "{subject} was given a role: {role}."),
    "organisation.administrator_named": NoticeRule(
        Audience.MEMBERS | Audience.ADMINISTRATORS | Audience.OPERATORS,
        "{subject} had no active administrator, so a member of staff made "
        "{administrator} one. An administrator can give people rights to group "
        "mailboxes. If you did not expect this, call the helpdesk.",
        title="{subject} has a new administrator",
    ),
    "role.taken": NoticeRule(_EVERYBODY, "A role was taken from {subject}: {role}."),
    "staff_role.given": NoticeRule(
        Audience.OWNER | Audience.OPERATORS,
        "{subject} was given a staff role: {role}.",
    ),
    "staff_role.taken": NoticeRule(
        Audience.OWNER | Audience.OPERATORS,
        "A staff role was taken from {subject}: {role}.",
    ),
    "mailbox.added": NoticeRule(
        Audience.ADMINISTRATORS,
        "The group mailbox {subject} was created. It receives the mail for that "
        "address.",
    ),
    "mailbox.granted": NoticeRule(
        _HOLDERS, "Rights to the group mailbox {subject} were given to {person}."
    ),
    "mailbox.forwarding_changed": NoticeRule(
        Audience.READERS, "The forwarding rules of the mailbox {subject} were changed."
    ),
    "mailbox.exported": NoticeRule(
        Audience.READERS, "A copy of the mailbox {subject} was requested."
    ),
    "alias.added": NoticeRule(
        Audience.ADMINISTRATORS, "Mail for {address} now goes to {target}."
    ),
    "alias.removed": NoticeRule(
        Audience.ADMINISTRATORS, "Mail for {address} no longer goes to {target}."
    ),
    "api_key.added": NoticeRule(
        Audience.ADMINISTRATORS, "An API key was made: {subject}."
    ),
    "api_key.agreed": NoticeRule(
        Audience.ADMINISTRATORS | Audience.MEMBERS,
        "The API key {subject} can now open people's own mailboxes. Two people "
        "agreed to this. Your organisation's history records what it reads.",
    ),
    "connection.added": NoticeRule(
        Audience.ADMINISTRATORS, "A connection was added: {subject}."
    ),
    "connection.edited": NoticeRule(
        Audience.ADMINISTRATORS,
        "The connection {subject} was changed: how your server identifies itself, or "
        "the server that we deliver your mail to.",
    ),
    "connection.resumed": NoticeRule(
        Audience.ADMINISTRATORS, "The connection {subject} works again."
    ),
    "connection.credential_added": NoticeRule(
        Audience.ADMINISTRATORS, "A password was made for the connection {subject}."
    ),
    "connection.link_made": NoticeRule(
        Audience.ADMINISTRATORS,
        "A link with the values of the connection {subject} was made for {for}.",
    ),
    "connection.link_opened": NoticeRule(
        Audience.ADMINISTRATORS,
        "The secret of the connection {subject} was shown through the link for {for}.",
        is_by_system=True,
    ),
    "connection.tenant_shown": NoticeRule(
        Audience.ADMINISTRATORS, "The secret of the connection {subject} was shown."
    ),
    "domain.added": NoticeRule(
        Audience.ADMINISTRATORS, "The domain {subject} was added to your organisation."
    ),
    "domain.verified": NoticeRule(
        Audience.ADMINISTRATORS, "The domain {subject} was verified."
    ),
    "domain.removed": NoticeRule(
        Audience.ADMINISTRATORS, "The domain {subject} was removed."
    ),
}
