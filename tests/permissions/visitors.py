"""Every kind of visitor that permissions.txt names."""

from __future__ import annotations

from engine.registry.models import (
    AccountType,
    Organisation,
    OrganisationStatus,
    Person,
    RoleName,
)
from tests import factories

STAFF = {
    "officer": RoleName.VETTING_OFFICER,
    "agent": RoleName.HELPDESK_AGENT,
    "operator": RoleName.OPERATOR,
    "editor": RoleName.GUIDE_EDITOR,
    "auditor": RoleName.AUDITOR,
}
# They resemble those above, and reach only the sign-in page or the second factor.
OUTSIDE = {
    "stranger",
    "suspended",
    "trusted",
    "departed",
    "operator-by-password",  # has an authenticator app
    "administrator-by-password",  # has none yet
}
ORGANISED = {"member", "administrator", "neighbour", "elsewhere"}
EVERYBODY = OUTSIDE | ORGANISED | set(STAFF)
# They need a second factor and have not confirmed it: every other page redirects to it.
HALF_SIGNED_IN = {"operator-by-password", "administrator-by-password"}
SHOWS_SECOND_FACTOR = EVERYBODY - OUTSIDE - {"member", "elsewhere"}

GROUPS = {
    "everybody": EVERYBODY - HALF_SIGNED_IN,
    "signed-in": ORGANISED | set(STAFF),
    "organised": ORGANISED,
    "staff": set(STAFF),
    "nobody": set(),
}


def create(northfield: Organisation, harbour: Organisation) -> dict[str, Person | None]:
    """Creates one person for each kind; None for a visitor without an account."""
    firm = factories.make_organisation(account_type=AccountType.SMTP)
    factories.make_domain(firm, "firm.example")
    police = factories.make_organisation(account_type=AccountType.TRUSTED_DOMAIN)
    factories.make_domain(police, "police.example")
    gone = factories.make_organisation(status=OrganisationStatus.SUSPENDED)
    factories.make_domain(gone, "gone.secure.example")
    found: dict[str, Person | None] = {
        "stranger": None,
        "member": _hosted("bob@northfield.secure.example", northfield),
        "administrator": _administrator("alice@northfield.secure.example", northfield),
        "neighbour": _administrator("charlie@harbour.secure.example", harbour),
        "elsewhere": factories.make_person("tom@firm.example.secure.example", firm),
        "suspended": _hosted("eve@northfield.secure.example", northfield),
        "trusted": factories.make_person("ruth@police.example", police),
        "departed": _hosted("ann@gone.secure.example", gone),
        "administrator-by-password": _administrator(
            "amy@northfield.secure.example", northfield
        ),
        "operator-by-password": _staff("otto@secure.example", RoleName.OPERATOR),
    }
    found |= {
        name: _staff(f"{name}@secure.example", role) for name, role in STAFF.items()
    }
    Person.objects.filter(pk=found["suspended"].pk).update(is_active=False)
    return found


def _hosted(address: str, organisation: Organisation) -> Person:
    person = factories.make_person(address, organisation)
    factories.make_mailbox(person)
    return person


def _administrator(address: str, organisation: Organisation) -> Person:
    person = _hosted(address, organisation)
    factories.make_administrator(person)
    return person


def _staff(address: str, role: RoleName) -> Person:
    person = factories.make_person(address)
    factories.make_staff(person, role)
    return person
