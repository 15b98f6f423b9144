"""Generates the secrets of demo people, servers and systems, at random in each copy."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from engine.registry.actions import api_keys, connections, people
from engine.registry.credentials import generated_secrets
from engine.registry.models import (
    ApiKey,
    Connection,
    Mailbox,
    Organisation,
    Person,
    Proof,
)
from engine.registry.scopes import Scope
from portal.account.second_factor import policies

# Characters: four groups of four letters, 80 bits, short enough to type.
PASSWORD_LENGTH = 19


@dataclass(frozen=True)
class PersonSecrets:
    """A person's secrets; empty if not needed (no app password without a mailbox)."""

    password: str
    totp_secret: str = ""
    app_password: str = ""


@dataclass(frozen=True)
class ConnectionSecrets:
    """A connection's credential; empty if it is proved in another way."""

    username: str = ""
    password: str = ""


def for_person(person: Person) -> PersonSecrets:
    """Generates a person's secrets and ends the previous ones."""
    password = generated_secrets.new_secret()[:PASSWORD_LENGTH]
    people.set_password(person, password=password, by=None)
    return PersonSecrets(
        password, totp_secret=_second_factor(person), app_password=_app_password(person)
    )


def for_connection(connection: Connection) -> ConnectionSecrets:
    """Generates a connection's credential and revokes the previous ones."""
    if connection.proof != Proof.CREDENTIAL:
        return ConnectionSecrets()
    for earlier in connection.credentials.all():
        connections.revoke_credential(earlier, by=None)
    made, secret = connections.add_credential(connection, by=None)
    return ConnectionSecrets(made.username, secret)


def for_system(organisation: Organisation | None, kept: str) -> str:
    """Returns the API key `kept` if it is still valid, else a new one with all scopes."""
    known = ApiKey.objects.live().filter(organisation=organisation)
    if kept and known.filter(digest__in=generated_secrets.digests(kept)).exists():
        return kept
    scopes = [s for s in Scope if organisation is None or not s.is_community_wide]
    name = "Demo case management" if organisation else "Demo operations"
    return api_keys.add(organisation, name=name, scopes=scopes, by=None)[1]


def _second_factor(person: Person) -> str:
    if not policies.needs_second_factor(person):
        return ""
    Authenticator.objects.filter(user=person).delete()
    secret: str = generate_totp_secret()
    TOTP.activate(person, secret)
    return secret


def _app_password(person: Person) -> str:
    if not Mailbox.objects.filter(owner=person).exists():
        return ""
    for earlier in person.app_passwords.all():
        people.revoke_app_password(earlier, by=None)
    return people.add_app_password(person, name="Demo mail client", by=None)[1]
