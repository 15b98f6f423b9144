"""Whether a person may be sent or shown a way to their first sign-in."""

from __future__ import annotations

from engine.registry.credentials import account_recovery
from engine.registry.errors import PolicyError
from engine.registry.models import Organisation, Person
from onboarding.predicates import as_predicate


def check_can_set_first_password(person: Person) -> None:
    """Refuses if the account is closed or already has a password."""
    if not person.is_active:
        raise PolicyError("This account is closed. Contact the helpdesk.")
    if person.has_usable_password():
        raise PolicyError("A password has already been set. Sign in with it.")


def check_can_print_first_letter(person: Person) -> None:
    """Refuses a printed letter for an account in use, or if a link can be emailed.

    A letter can be read by others on its way, and its reader takes over the account.
    """
    check_can_set_first_password(person)
    if person.notice_address:
        raise PolicyError(
            f"{person.name} has an address that a link can be sent to. Send a link "
            "instead."
        )
    if not account_recovery.is_unused(person):
        raise PolicyError(
            "This account has been used already. Request an everyday address for it "
            "instead: its owner is then notified."
        )


def check_can_have_sign_in(organisation: Organisation | None) -> None:
    """Refuses a directory sign-in outside active organisations with their own people.

    People of a trusted domain use their own mail and have no accounts here.
    """
    if organisation is None:
        raise PolicyError("Only members of an organisation get a directory sign-in.")
    if organisation.is_trusted_domain:
        raise PolicyError(
            f"{organisation} is a trusted domain. Its people write from their own mail "
            "and have no sign-in to the directory."
        )
    if not organisation.is_active:
        raise PolicyError(f"{organisation} is not active.")


can_print_first_letter = as_predicate(check_can_print_first_letter)
can_have_sign_in = as_predicate(check_can_have_sign_in)
can_set_first_password = as_predicate(check_can_set_first_password)
