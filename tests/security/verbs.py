"""Every verb that changes who gets access, who reads mail, or where mail goes.

For each: who may perform it alone, who is notified, and who must agree. A verb that is
missing here fails a test. `notified` are the audiences in onboarding.notices.audit_rules
for the events that the verb records.
"""

from __future__ import annotations

from dataclasses import dataclass

from onboarding.notices.audit_rules import Audience

OWNER, OLD = Audience.OWNER, Audience.OLD_ADDRESS
ADMINISTRATORS, OPERATORS = Audience.ADMINISTRATORS, Audience.OPERATORS
READERS = Audience.READERS
NOBODY = Audience(0)
ASKER, MEMBERS = Audience.REQUESTER, Audience.MEMBERS
ALL = OWNER | OLD | ADMINISTRATORS


@dataclass(frozen=True)
class Rule:
    """The rule for one verb."""

    allowed: str
    notified: Audience = NOBODY
    must_agree: str = "nobody"
    events: tuple[str, ...] = ()


def without_notice(why: str) -> Rule:
    """A rule for a verb that gives no one access, with the reason why no one is
    notified."""
    return Rule(allowed=why)


LOOKS_AFTER = "who looks after the organisation: administrator, operator, key"
PEOPLE = "administrator, helpdesk agent, operator"

REGISTRY = {
    "aliases.add": Rule("the system alone", ADMINISTRATORS, events=("alias.added",)),
    "aliases.remove": Rule(
        "the system alone", ADMINISTRATORS, events=("alias.removed",)
    ),
    "allowances.give": without_notice("how much may be sent, and nothing else"),
    "allowances.end": without_notice("takes away"),
    "api_keys.add": Rule(
        "administrator for their own organisation, operator for the community",
        ADMINISTRATORS,
        "a second administrator or staff, before it opens anybody else's mailbox",
        ("api_key.added",),
    ),
    "api_keys.agree": Rule(
        "nobody: it is the second person's part",
        ADMINISTRATORS | MEMBERS,
        "not the maker; those whose mailboxes it opens hear, and ask their administrator "
        "to end it: it is their organisation's system, and no one member's to refuse",
        ("api_key.agreed",),
    ),
    "api_keys.revoke": without_notice("takes away"),
    "connections.add": Rule(LOOKS_AFTER, ADMINISTRATORS, events=("connection.added",)),
    "connections.edit": Rule(
        LOOKS_AFTER, ADMINISTRATORS, events=("connection.edited",)
    ),
    "connections.set_cloud": Rule(
        LOOKS_AFTER, ADMINISTRATORS, events=("connection.edited",)
    ),
    "connections.suspend": without_notice("stops mail; what is queued is held"),
    "connections.resume": Rule(
        LOOKS_AFTER, ADMINISTRATORS, events=("connection.resumed",)
    ),
    "connections.add_credential": Rule(
        LOOKS_AFTER, ADMINISTRATORS, events=("connection.credential_added",)
    ),
    "connections.revoke_credential": without_notice("takes away"),
    "domains.add": Rule(LOOKS_AFTER, ADMINISTRATORS, events=("domain.added",)),
    "domains.verify": Rule(
        "operator, or the name system", ADMINISTRATORS, events=("domain.verified",)
    ),
    "domains.remove": Rule(LOOKS_AFTER, ADMINISTRATORS, events=("domain.removed",)),
    "mailboxes.add_group": Rule(LOOKS_AFTER, ADMINISTRATORS, events=("mailbox.added",)),
    "mailboxes.edit": without_notice("name, quota and directory"),
    "mailboxes.suspend": without_notice("stops mail; what is queued is held"),
    "mailboxes.resume": without_notice("for those who had rights before"),
    "mailboxes.grant": Rule(
        LOOKS_AFTER,
        READERS | ADMINISTRATORS,
        "nobody: a group mailbox is its organisation's, and its readers hear",
        ("mailbox.granted",),
    ),
    "mailboxes.revoke": without_notice("takes away"),
    "people.add": without_notice("the account is new and empty"),
    "people.edit": without_notice(
        "name, job, phone, town and directory: nothing that opens"
    ),
    "people.suspend": without_notice("takes away"),
    "people.resume": without_notice("with the ways in that were there before"),
    "people.set_password": without_notice("called with the owner's own link alone"),
    "people.end_password": Rule(
        PEOPLE, OWNER | ADMINISTRATORS, events=("person.password_ended",)
    ),
    "people.add_app_password": without_notice("the owner's; a notice leaves with it"),
    "people.revoke_app_password": Rule(
        PEOPLE, OWNER, events=("person.app_password_revoked",)
    ),
    "sessions.end_sessions": Rule(
        f"{PEOPLE}, and the owner", OWNER, events=("person.sessions_ended",)
    ),
    "sessions.revoke": without_notice(
        "takes away, as a part of others that are announced"
    ),
    "sessions.revoke_all_of": without_notice("takes away"),
    "recovery.change_own_address": Rule(
        "the owner, with a fresh second factor",
        OWNER | OLD,
        events=("person.address_changed_by_owner",),
    ),
    "recovery.request_address_change": Rule(
        f"{PEOPLE}, key with recovery:write; it waits",
        ALL,
        "nobody within the delay; the owner may refuse, a second person may shorten it",
        ("person.address_change_requested",),
    ),
    "recovery.record_first_address": without_notice("remembers who gave it"),
    "recovery.refuse_address_change": Rule(
        "the owner, the reader of their notice, or who looks after the account",
        ALL | ASKER,
        events=("person.address_change_refused",),
    ),
    "recovery.confirm_address_change": Rule(
        "nobody: it is the second person's part",
        ALL,
        "not who asked, nor the owner, nor a role of today",
        ("person.address_change_confirmed",),
    ),
    "recovery.apply_due_change": Rule(
        "the clock", ALL, events=("person.address_changed",)
    ),
    "recovery.apply_due_changes": Rule(
        "the clock", ALL, events=("person.address_changed",)
    ),
    "shut_mail.shut_after_recovery": Rule(
        "the reader of a link", OWNER | ADMINISTRATORS, events=("person.mail_shut",)
    ),
    "shut_mail.shut_after_letter": Rule(
        "the reader of a letter", OWNER | ADMINISTRATORS, events=("person.mail_shut",)
    ),
    "shut_mail.shut_after_factor_reset": Rule(
        "an administrator", OWNER | ADMINISTRATORS, events=("person.mail_shut",)
    ),
    "shut_mail.start_shut_period": Rule(
        "the person who signs in", OWNER | ADMINISTRATORS, events=("person.recovered",)
    ),
    "shut_mail.open_mail": Rule(
        "nobody: it is the second person's part",
        OWNER | ADMINISTRATORS,
        "not who caused the recovery, nor the owner",
        ("person.mail_opened",),
    ),
    "roles.give": Rule(
        "administrator, operator",
        OWNER | ADMINISTRATORS,
        "nobody; the role agrees to nothing before the delay has passed",
        ("role.given",),
    ),
    "roles.take": Rule(
        "administrator, operator", OWNER | ADMINISTRATORS, events=("role.taken",)
    ),
    "roles.give_staff": Rule(
        "operator, to others",
        OWNER | OPERATORS,
        "nobody; the role agrees to nothing before the delay has passed",
        ("staff_role.given",),
    ),
    "roles.take_staff": Rule(
        "operator", OWNER | OPERATORS, events=("staff_role.taken",)
    ),
    "lists.add": without_notice("members of a list are told by its mail"),
    "lists.edit": without_notice("who may post"),
    "lists.suspend": without_notice("stops mail"),
    "lists.resume": without_notice("for those who were members before"),
    "lists.add_member": without_notice("mail to the list alone"),
    "lists.add_members": without_notice("mail to the list alone"),
    "lists.remove_member": without_notice("takes away"),
    "lists.add_poster": without_notice("who may post"),
    "lists.remove_poster": without_notice("takes away"),
    "organisations.add": without_notice("a new organisation has nobody's mail"),
    "organisations.edit": without_notice(
        "name, kind, town and whether all need a factor"
    ),
    "organisations.activate": without_notice("what vetting has approved"),
    "organisations.suspend": without_notice("takes away"),
    "organisations.resume": without_notice("with the ways in that were there before"),
    "organisations.close": without_notice("takes away"),
    "connections.set_provider_networks": without_notice(
        "from the provider's own records"
    ),
    "webhooks.add": without_notice("is told references, never content"),
    "webhooks.edit": without_notice("is told references, never content"),
    "webhooks.rotate": without_notice("the secret shows who calls, and opens nothing"),
    "webhooks.remove": without_notice("takes away"),
}
ELSEWHERE = {
    "portal.account_admin.actions.send_sign_in_link": Rule(
        f"{PEOPLE}; the link goes to the address in force",
        OWNER | ADMINISTRATORS,
        events=("person.password_ended",),
    ),
    "portal.account_admin.actions.reset_second_factor": Rule(
        "an administrator of the organisation, and the mailbox stays shut",
        OWNER | ADMINISTRATORS,
        "for staff a second member of staff, or an administrator",
        ("person.second_factor_reset", "person.second_factor_reset_requested"),
    ),
    "portal.account_admin.actions.agree_to_factor_reset": Rule(
        "nobody: it is the second person's part",
        OWNER | ADMINISTRATORS,
        "not who asked, nor the owner, nor a role of today",
        ("person.second_factor_reset",),
    ),
    "portal.account_admin.actions.stop_factor_reset": Rule(
        "the owner, the reader of their notice, or who looks after the account",
        OWNER | ADMINISTRATORS | ASKER,
        events=("person.second_factor_reset_refused",),
    ),
    "portal.account_admin.actions.disown_factor_reset": Rule(
        "the owner, or the reader of their notice: it takes away",
        OWNER | ADMINISTRATORS | OPERATORS,
        events=("person.second_factor_reset_disowned",),
    ),
    "portal.sessions.actions.end_session": Rule(
        f"{PEOPLE}, and the owner", OWNER, events=("person.session_ended",)
    ),
    "portal.account.failed_sign_ins.note": Rule(
        "anybody who fails at signing in",
        OWNER,
        events=("person.codes_failed", "person.sign_ins_failed"),
    ),
    "portal.account.actions.make_app_password": without_notice(
        "the owner's; a notice leaves"
    ),
    "onboarding.first_sign_in.letter_codes.issue": Rule(
        PEOPLE, ADMINISTRATORS, events=("person.first_letter_printed",)
    ),
    "onboarding.first_sign_in.letter_codes.redeem": Rule(
        "the reader of the letter; the account is empty, or its mailbox is shut",
        OWNER | ADMINISTRATORS,
        events=("person.mail_shut",),
    ),
    "onboarding.first_sign_in.passwords.set_first_password": without_notice(
        "the owner, by a link"
    ),
    "onboarding.first_sign_in.passwords.resend_link": without_notice(
        "to the address in force, while there is no password"
    ),
    "onboarding.letters.welcome_letters.download": without_notice(
        "administrator; the audit trail names them"
    ),
    "onboarding.letters.welcome_letters.reissue": Rule(
        "administrator; all administrators are told of the letter"
    ),
    "onboarding.first_sign_in.directory_sign_ins.give": without_notice(
        "to the address in force, without a password"
    ),
    "onboarding.first_sign_in.directory_sign_ins.answer_request": without_notice(
        "to the address that was typed"
    ),
    "onboarding.first_sign_in.directory_sign_ins.claim": without_notice(
        "who reads the mailbox at the address"
    ),
    "onboarding.connecting.actions.share": Rule(
        LOOKS_AFTER, ADMINISTRATORS, events=("connection.link_made",)
    ),
    "onboarding.connecting.actions.open_link": Rule(
        "the reader of the link", ADMINISTRATORS, events=("connection.link_opened",)
    ),
    "onboarding.connecting.actions.show_tenant": Rule(
        LOOKS_AFTER, ADMINISTRATORS, events=("connection.tenant_shown",)
    ),
    "onboarding.connecting.actions.revoke_link": without_notice("takes away"),
    "onboarding.connecting.actions.find_link": without_notice("looks"),
    "onboarding.connecting.actions.check_domain": without_notice(
        "verifies by the name system"
    ),
    "onboarding.connecting.actions.start_rehearsal": without_notice(
        "a message of our own"
    ),
    "engine.storage.rules.save": Rule(
        "who may write in the mailbox", READERS, events=("mailbox.forwarding_changed",)
    ),
    "engine.storage.rules.remove": Rule(
        "who may write in the mailbox", READERS, events=("mailbox.forwarding_changed",)
    ),
    "engine.storage.rules.swap": without_notice("order alone"),
    "engine.storage.exports.mailbox_export.start": Rule(
        "who may read the mailbox", READERS, events=("mailbox.exported",)
    ),
}
TABLE = {
    **{f"engine.registry.actions.{name}": rule for name, rule in REGISTRY.items()},
    **ELSEWHERE,
}
