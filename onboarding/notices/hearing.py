"""Who hears of what is done to ways into an account, a mailbox, or an organisation's mail.

Notices are found in the audit trail and not sent by the verbs: whatever surface a change
takes, and whatever process dies, those concerned hear of it within a minute or two.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Flag, auto


class Audience(Flag):
    """Those who hear. Several may be meant at once."""

    OWNER = auto()  # the person, outside the community and in their own mailbox
    OLD_ADDRESS = auto()  # the everyday address before a change
    ADMINISTRATORS = auto()  # of the organisation, and operators where one is alone
    OPERATORS = auto()
    ASKER = auto()  # who asked for what was then refused
    MEMBERS = auto()  # everybody of the organisation who has a mailbox
    READERS = auto()  # the owner of a mailbox, or who may read a group's


@dataclass(frozen=True, slots=True)
class Hearing:
    """Who hears of an event, and in which words.

    What the system does by itself on the way of something that was announced already
    is not announced again, unless `is_by_system`.
    """

    to: Audience
    words: str
    is_by_system: bool = False
    title: str = "A change to {subject}"


_EVERYBODY = Audience.OWNER | Audience.ADMINISTRATORS
_ALL_ADDRESSES = _EVERYBODY | Audience.OLD_ADDRESS
_THEIRS = Audience.OWNER | Audience.OLD_ADDRESS
_HOLDERS = Audience.READERS | Audience.ADMINISTRATORS

HEARINGS: dict[str, Hearing] = {
    "person.address_change_requested": Hearing(
        _ALL_ADDRESSES, "A change of the everyday address of {subject} was asked for."
    ),
    "person.address_change_refused": Hearing(
        _ALL_ADDRESSES | Audience.ASKER,
        "The change of the everyday address of {subject} was refused.",
        is_by_system=True,
    ),
    "person.address_change_confirmed": Hearing(
        _ALL_ADDRESSES,
        "A second person agreed to the change of the everyday address of {subject}. "
        "It is in force.",
    ),
    "person.address_changed": Hearing(
        _ALL_ADDRESSES,
        "The change of the everyday address of {subject} is now in force.",
        is_by_system=True,
    ),
    "person.address_changed_by_owner": Hearing(
        _THEIRS, "The everyday address of {subject} was changed in their account."
    ),
    "person.address_set": Hearing(
        Audience.ADMINISTRATORS,
        "An everyday address was set for {subject}, whose account nobody has used yet.",
    ),
    "person.first_letter_printed": Hearing(
        Audience.ADMINISTRATORS,
        "A letter for the first sign-in of {subject} was printed.",
    ),
    "person.second_factor_reset_requested": Hearing(
        _EVERYBODY,
        "A reset of the second factor of {subject} was asked for. It waits for a "
        "second person.",
    ),
    "person.second_factor_reset_refused": Hearing(
        _EVERYBODY | Audience.ASKER,
        "The reset of the second factor of {subject} was refused.",
        is_by_system=True,
    ),
    "person.second_factor_reset_disowned": Hearing(
        _EVERYBODY | Audience.OPERATORS,
        "{subject} says that the reset of their second factor was not theirs. They are "
        "signed out everywhere, their password has ended, and the mailbox is shut. Find "
        "out who asked for the reset before you help anybody in.",
        is_by_system=True,
    ),
    "person.second_factor_reset": Hearing(
        _EVERYBODY,
        "The second factor of {subject} was reset. Authenticator apps, passkeys and "
        "recovery codes that were set up no longer work.",
    ),
    "person.password_ended": Hearing(
        _EVERYBODY,
        "The password of {subject} was ended, and a link to choose another was sent.",
    ),
    "person.mail_shut": Hearing(
        _EVERYBODY,
        "The mailbox of {subject} is shut after a recovery of the account.",
        is_by_system=True,
    ),
    "person.recovered": Hearing(
        _EVERYBODY,
        "Somebody signed in as {subject} after a recovery of the account. The mailbox "
        "stays shut for now.",
    ),
    "person.mail_opened": Hearing(
        _EVERYBODY, "A second person opened the mailbox of {subject} after a recovery."
    ),
    "person.app_password_revoked": Hearing(
        Audience.OWNER, "An app password of {subject} was ended."
    ),
    "person.session_ended": Hearing(
        Audience.OWNER, "A session of {subject} was ended: {browser}."
    ),
    "person.codes_failed": Hearing(
        Audience.OWNER,
        "Somebody entered the right password of {subject}, and then {count} wrong codes "
        "within a day. They did not get in by them. If it was not you, your password "
        "is known to somebody: change it now, sign out everywhere, and end your app "
        "passwords.",
        is_by_system=True,
        title="Somebody knows the password of {subject}",
    ),
    "person.sign_ins_failed": Hearing(
        Audience.OWNER,
        "Signing in as {subject} failed {count} times within 15 minutes, and is refused "
        "for a while from there. None of these attempts got in. If it was not you, there "
        "is nothing that you must do: see that you have a second factor, and a password "
        "that you use nowhere else.",
        is_by_system=True,
        title="Failed sign-ins as {subject}",
    ),
    "person.sessions_ended": Hearing(
        Audience.OWNER,
        "{subject} was signed out everywhere. Mail programs whose app passwords ended "
        "with it need new ones.",
    ),
    "role.given": Hearing(_EVERYBODY, "{subject} was given a role: {role}."),
    "role.taken": Hearing(_EVERYBODY, "A role was taken from {subject}: {role}."),
    "staff_role.given": Hearing(
        Audience.OWNER | Audience.OPERATORS,
        "{subject} was given a role of staff: {role}.",
    ),
    "staff_role.taken": Hearing(
        Audience.OWNER | Audience.OPERATORS,
        "A role of staff was taken from {subject}: {role}.",
    ),
    "mailbox.added": Hearing(
        Audience.ADMINISTRATORS,
        "A group mailbox was made at {subject}. Mail for that address is kept in it.",
    ),
    "mailbox.granted": Hearing(
        _HOLDERS, "Rights to the group mailbox {subject} were given to {person}."
    ),
    "mailbox.forwarding_changed": Hearing(
        Audience.READERS, "A rule of the mailbox {subject} forwards mail otherwise now."
    ),
    "mailbox.exported": Hearing(
        Audience.READERS, "A copy of the mailbox {subject} was asked for."
    ),
    "alias.added": Hearing(
        Audience.ADMINISTRATORS, "Mail for {address} now goes to {target}."
    ),
    "alias.removed": Hearing(
        Audience.ADMINISTRATORS, "Mail for {address} no longer goes to {target}."
    ),
    "api_key.added": Hearing(
        Audience.ADMINISTRATORS, "An API key was made: {subject}."
    ),
    "api_key.agreed": Hearing(
        Audience.ADMINISTRATORS | Audience.MEMBERS,
        "The API key {subject} now opens people's own mailboxes, for a system of your "
        "organisation. Two people agreed to it. What it reads is in the history.",
    ),
    "connection.added": Hearing(
        Audience.ADMINISTRATORS, "A connection was added: {subject}."
    ),
    "connection.edited": Hearing(
        Audience.ADMINISTRATORS,
        "The connection {subject} was changed: how it proves itself, or the server "
        "that your mail goes to.",
    ),
    "connection.resumed": Hearing(
        Audience.ADMINISTRATORS, "The connection {subject} works again."
    ),
    "connection.credential_added": Hearing(
        Audience.ADMINISTRATORS, "A password was made for the connection {subject}."
    ),
    "connection.link_made": Hearing(
        Audience.ADMINISTRATORS,
        "A link with the values of the connection {subject} was made for {for}.",
    ),
    "connection.link_opened": Hearing(
        Audience.ADMINISTRATORS,
        "The secret of the connection {subject} was read by the link for {for}.",
        is_by_system=True,
    ),
    "connection.tenant_shown": Hearing(
        Audience.ADMINISTRATORS, "The secret of the connection {subject} was shown."
    ),
    "domain.added": Hearing(
        Audience.ADMINISTRATORS, "The domain {subject} was added to your organisation."
    ),
    "domain.verified": Hearing(
        Audience.ADMINISTRATORS, "The domain {subject} was verified."
    ),
    "domain.removed": Hearing(
        Audience.ADMINISTRATORS, "The domain {subject} was removed."
    ),
}
