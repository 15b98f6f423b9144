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
NO_AUDIENCE = Audience(0)
ASKER, MEMBERS = Audience.REQUESTER, Audience.MEMBERS
ALL = OWNER | OLD | ADMINISTRATORS


@dataclass(frozen=True)
class Rule:
    """The rule for one verb."""

    allowed: str
    notified: Audience = NO_AUDIENCE
    must_agree: str = "no one"
    events: tuple[str, ...] = ()


def without_notice(why: str) -> Rule:
    """A rule for a verb that gives no one access; `why` says so."""
    return Rule(allowed=why)


MANAGERS = "the organisation's administrators, operators, API keys"
PEOPLE = "administrator, helpdesk agent, operator"

REGISTRY = {
    "aliases.add": Rule("the system alone", ADMINISTRATORS, events=("alias.added",)),
    "aliases.remove": Rule(
        "the system alone", ADMINISTRATORS, events=("alias.removed",)
    ),
    "allowances.give": without_notice("only how much may be sent"),
    "allowances.end": without_notice("removes access"),
    "sending_stops.stop": without_notice("removes access: an operator's alone"),
    "sending_stops.stop_address": without_notice("removes access: an operator's alone"),
    "sending_stops.lift": without_notice(
        "gives back what an operator stopped, and no more"
    ),
    "api_keys.add": Rule(
        "administrator for their own organisation, operator for the community",
        ADMINISTRATORS,
        "a second administrator or staff, before it opens another person's mailbox",
        ("api_key.added",),
    ),
    "api_keys.agree": Rule(
        "no one: this is the second person's step",
        ADMINISTRATORS | MEMBERS,
        "not the creator; the owners of the mailboxes are notified, and can ask an "
        "administrator to revoke it: it is their organisation's system, which no single "
        "member can refuse",
        ("api_key.agreed",),
    ),
    "api_keys.revoke": without_notice("removes access"),
    "connections.add": Rule(MANAGERS, ADMINISTRATORS, events=("connection.added",)),
    "connections.edit": Rule(MANAGERS, ADMINISTRATORS, events=("connection.edited",)),
    "connections.set_cloud": Rule(
        MANAGERS, ADMINISTRATORS, events=("connection.edited",)
    ),
    "connections.suspend": without_notice("stops mail; queued messages are held"),
    "connections.resume": Rule(
        MANAGERS, ADMINISTRATORS, events=("connection.resumed",)
    ),
    "connections.add_credential": Rule(
        MANAGERS, ADMINISTRATORS, events=("connection.credential_added",)
    ),
    "connections.revoke_credential": without_notice("removes access"),
    "domains.add": Rule(MANAGERS, ADMINISTRATORS, events=("domain.added",)),
    "domains.verify": Rule(
        "operator, or DNS", ADMINISTRATORS, events=("domain.verified",)
    ),
    "domains.remove": Rule(MANAGERS, ADMINISTRATORS, events=("domain.removed",)),
    "mailboxes.add_group": Rule(MANAGERS, ADMINISTRATORS, events=("mailbox.added",)),
    "mailboxes.edit": without_notice("name, quota and directory"),
    "mailboxes.suspend": without_notice("stops mail; queued messages are held"),
    "mailboxes.resume": without_notice("for people who had rights before"),
    "mailboxes.grant": Rule(
        "the organisation's administrators and API keys; operators where no administrator "
        "is left",
        READERS | ADMINISTRATORS,
        "no one: a group mailbox belongs to its organisation; its readers are notified",
        ("mailbox.granted",),
    ),
    "mailboxes.revoke": without_notice("removes access"),
    "members.add": without_notice("the accounts are new and empty"),
    "people.add": without_notice("the account is new and empty"),
    "people.edit": without_notice(
        "name, job, phone, town and directory: nothing that gives access"
    ),
    "people.suspend": without_notice("removes access"),
    "people.resume": without_notice("with the same credentials as before"),
    "people.remove": without_notice("the account was never used, and is empty"),
    "people.set_password": without_notice("called only with the owner's own link"),
    "people.end_password": Rule(
        PEOPLE, OWNER | ADMINISTRATORS, events=("person.password_ended",)
    ),
    "people.add_app_password": without_notice("by the owner; sends its own notice"),
    "people.revoke_app_password": Rule(
        PEOPLE, OWNER, events=("person.app_password_revoked",)
    ),
    "sessions.end_sessions": Rule(
        f"{PEOPLE}, and the owner", OWNER, events=("person.sessions_ended",)
    ),
    "sessions.revoke": without_notice(
        "removes access, as part of verbs that send notices"
    ),
    "sessions.revoke_all_of": without_notice("removes access"),
    "recovery.change_own_address": Rule(
        "the owner, with a fresh second factor",
        OWNER | OLD,
        events=("person.address_changed_by_owner",),
    ),
    "recovery.request_address_change": Rule(
        f"{PEOPLE}, key with recovery:write; it waits",
        ALL,
        "no one within the delay; the owner can refuse, a second person can shorten it",
        ("person.address_change_requested",),
    ),
    "recovery.record_first_address": without_notice("records who entered it"),
    "recovery.record_first_addresses": without_notice("records who entered it"),
    "recovery.refuse_address_change": Rule(
        "the owner, the reader of their notice, or an administrator of the account",
        ALL | ASKER,
        events=("person.address_change_refused",),
    ),
    "recovery.confirm_address_change": Rule(
        "no one: this is the second person's step",
        ALL,
        "not the requester, nor the owner, nor a role given within the delay",
        ("person.address_change_confirmed",),
    ),
    "recovery.apply_due_change": Rule(
        "the clock: a scheduled job", ALL, events=("person.address_changed",)
    ),
    "recovery.apply_due_changes": Rule(
        "the clock: a scheduled job", ALL, events=("person.address_changed",)
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
        "no one: this is the second person's step",
        OWNER | ADMINISTRATORS,
        "not the person who arranged the recovery, nor the owner",
        ("person.mail_opened",),
    ),
    "roles.give": Rule(
        "administrator, key of the organisation with roles:write; operator where no "
        "administrator is left, of which all members are notified",
        OWNER | ADMINISTRATORS,
        "no one; the new holder cannot agree to anything before the delay has passed, and "
        "the giver to no key that they make",
        ("role.given",),
    ),
    "roles.take": Rule(
        "administrator, operator, key with roles:write",
        OWNER | ADMINISTRATORS,
        events=("role.taken",),
    ),
    "roles.give_staff": Rule(
        "operator, to others",
        OWNER | OPERATORS,
        "no one; the new holder cannot agree to anything before the delay has passed",
        ("staff_role.given",),
    ),
    "roles.take_staff": Rule(
        "operator", OWNER | OPERATORS, events=("staff_role.taken",)
    ),
    "lists.add": without_notice("members learn of it by the list's mail"),
    "lists.edit": without_notice("who may post"),
    "lists.suspend": without_notice("stops mail"),
    "lists.resume": without_notice("for people who were members before"),
    "lists.add_member": without_notice("only mail to the list"),
    "lists.add_members": without_notice("only mail to the list"),
    "lists.remove_member": without_notice("removes access"),
    "lists.add_poster": without_notice("who may post"),
    "lists.remove_poster": without_notice("removes access"),
    "organisations.add": without_notice("a new organisation has no mail"),
    "organisations.edit": without_notice(
        "name, kind, town and whether all need a factor"
    ),
    "organisations.activate": without_notice("after vetting has approved it"),
    "organisations.suspend": without_notice("removes access"),
    "organisations.resume": without_notice("with the same credentials as before"),
    "organisations.close": without_notice("removes access"),
    "connections.set_provider_networks": without_notice(
        "from the provider's own records"
    ),
    "signing_keys.replace": without_notice(
        "a signature proves facts, and gives no access"
    ),
    "mail_keys.check": without_notice("the domain's DNS has agreed"),
    "mail_keys.make_missing": without_notice("no key signs before it is published"),
    "mail_keys.promote": without_notice("the domain's DNS has agreed"),
    "mail_keys.replace_lost": without_notice("none signs before it is published"),
    "mail_keys.rotate": without_notice("an operator, to a key that the DNS has"),
    "webhooks.add": without_notice("receives references, never content"),
    "webhooks.edit": without_notice("receives references, never content"),
    "webhooks.rotate": without_notice(
        "the secret identifies the caller, and gives no access"
    ),
    "webhooks.remove": without_notice("removes access"),
}
ELSEWHERE = {
    "engine.incidents.rescans.start": without_notice(
        "an operator; withdraws what a scanner finds infected, and holders are notified"
    ),
    "engine.incidents.rescans.stop": without_notice("moves nothing"),
    "engine.incidents.withdrawals.ask": without_notice(
        "an operator; moves nothing, and the other operators are notified"
    ),
    "engine.incidents.withdrawals.ask_to_put_back": without_notice(
        "an operator; moves nothing, and the other operators are notified"
    ),
    "engine.incidents.withdrawals.ask_to_put_back_rescan": without_notice(
        "an operator; moves nothing, and the other operators are notified"
    ),
    "engine.incidents.withdrawals.agree": Rule(
        "no one: two operators beside the one who asked",
        must_agree="two operators; readers of what they had opened are notified when "
        "it is withdrawn",
    ),
    "engine.incidents.withdrawals.refuse": without_notice("moves nothing"),
    "portal.emergency_access.actions.ask": without_notice(
        "administrator, operator; opens nothing, and all who may approve are notified"
    ),
    "portal.emergency_access.actions.approve": Rule(
        "no one: this is the step of two others",
        must_agree="another administrator and an operator, or an administrator and a "
        "member of staff; not the requester, nor the owner, nor a role given within the "
        "delay; the owner is notified, at the end only where both say why",
    ),
    "portal.emergency_access.actions.refuse": without_notice("opens nothing"),
    "portal.emergency_access.actions.end": without_notice(
        "removes access; the owner, the reader and the approvers get the report"
    ),
    "portal.account_admin.actions.send_sign_in_link": Rule(
        f"{PEOPLE}, key with recovery:write; the link goes to the address in force",
        OWNER | ADMINISTRATORS,
        events=("person.password_ended",),
    ),
    "portal.account_admin.actions.reset_second_factor": Rule(
        "an administrator of the organisation; the mailbox is closed",
        OWNER | ADMINISTRATORS,
        "for staff a second member of staff, or an administrator; for a key somebody "
        "other than the one who made it",
        ("person.second_factor_reset", "person.second_factor_reset_requested"),
    ),
    "portal.account_admin.actions.agree_to_factor_reset": Rule(
        "no one: this is the second person's step",
        OWNER | ADMINISTRATORS,
        "not the requester, nor the owner, nor a role given within the delay",
        ("person.second_factor_reset",),
    ),
    "portal.account_admin.actions.stop_factor_reset": Rule(
        "the owner, the reader of their notice, or an administrator of the account",
        OWNER | ADMINISTRATORS | ASKER,
        events=("person.second_factor_reset_refused",),
    ),
    "portal.account_admin.actions.disown_factor_reset": Rule(
        "the owner, or the reader of their notice: it removes access",
        OWNER | ADMINISTRATORS | OPERATORS,
        events=("person.second_factor_reset_disowned",),
    ),
    "portal.sessions.actions.end_session": Rule(
        f"{PEOPLE}, and the owner", OWNER, events=("person.session_ended",)
    ),
    "portal.account.failed_sign_ins.note": Rule(
        "anyone whose sign-in fails",
        OWNER,
        events=("person.codes_failed", "person.sign_ins_failed"),
    ),
    "portal.account.actions.make_app_password": without_notice(
        "by the owner; sends its own notice"
    ),
    "onboarding.first_sign_in.letter_codes.issue": Rule(
        PEOPLE, ADMINISTRATORS, events=("person.first_letter_printed",)
    ),
    "onboarding.first_sign_in.letter_codes.redeem": Rule(
        "the reader of the letter; the account is empty, or its mailbox is closed",
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
        "administrator; all administrators are notified of the letter"
    ),
    "onboarding.first_sign_in.directory_sign_ins.give": without_notice(
        "to the address in force, without a password"
    ),
    "onboarding.first_sign_in.directory_sign_ins.answer_request": without_notice(
        "to the address that was typed"
    ),
    "onboarding.first_sign_in.directory_sign_ins.claim": without_notice(
        "the reader of the mailbox at that address"
    ),
    "onboarding.connecting.actions.share": Rule(
        MANAGERS, ADMINISTRATORS, events=("connection.link_made",)
    ),
    "onboarding.connecting.actions.open_link": Rule(
        "the reader of the link", ADMINISTRATORS, events=("connection.link_opened",)
    ),
    "onboarding.connecting.actions.show_tenant": Rule(
        MANAGERS, ADMINISTRATORS, events=("connection.tenant_shown",)
    ),
    "onboarding.connecting.actions.revoke_link": without_notice("removes access"),
    "onboarding.connecting.actions.find_link": without_notice("only reads"),
    "onboarding.connecting.actions.check_domain": without_notice("verifies by DNS"),
    "onboarding.connecting.actions.start_rehearsal": without_notice(
        "a message of our own"
    ),
    "engine.storage.rules.save": Rule(
        "a person who may write in the mailbox",
        READERS,
        events=("mailbox.forwarding_changed",),
    ),
    "engine.storage.rules.remove": Rule(
        "a person who may write in the mailbox",
        READERS,
        events=("mailbox.forwarding_changed",),
    ),
    "engine.storage.rules.swap": without_notice("only the order"),
    "engine.storage.exports.mailbox_export.start": Rule(
        "a person who may read the mailbox", READERS, events=("mailbox.exported",)
    ),
}
TABLE = {
    **{f"engine.registry.actions.{name}": rule for name, rule in REGISTRY.items()},
    **ELSEWHERE,
}
