"""The topics and audiences of guides, and the kinds of account they distinguish."""

from __future__ import annotations

from django.db import models

from engine.registry.models import AccountType


class Topic(models.TextChoices):
    """The topics, in the order of the list of guides."""

    JOINING = "joining", "Join the community"
    SIGNING_IN = "signing_in", "Sign in and stay safe"
    MAIL = "mail", "Read and write mail"
    PEOPLE = "people", "Find people and work in teams"
    PROGRAMS = "programs", "Mail programs and phones"
    CONNECTING = "connecting", "Connect your own mail"
    TRACING = "tracing", "When something goes wrong"
    ADMINISTERING = "administering", "Look after your organisation"


class Audience(models.TextChoices):
    """The readers that a guide is written for."""

    EVERYONE = "everyone", "Everybody"
    APPLICANTS = "applicants", "Organisations that want to join"
    ADMINISTRATORS = "administrators", "Organisation administrators"
    TECHNICIANS = "technicians", "IT departments"


class Account(models.TextChoices):
    """The kinds of account for which guides have different steps."""

    WEBMAIL = "webmail", "Webmail"
    MICROSOFT_365 = "microsoft", "Microsoft 365"
    GOOGLE = "google", "Google Workspace"
    OWN_SERVER = "server", "Your own mail server"
    PHONE = "phone", "A phone"


# The kind of account of an organisation's members, where its type decides it.
ACCOUNT_OF_TYPE = {
    AccountType.WEBMAIL: Account.WEBMAIL,
    AccountType.SMTP: Account.OWN_SERVER,
    AccountType.TRUSTED_DOMAIN: Account.OWN_SERVER,
}
