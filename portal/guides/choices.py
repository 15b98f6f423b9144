"""How guides are sorted: what they are about, for whom, and for which account."""

from __future__ import annotations

from django.db import models

from engine.registry.models import AccountType


class Topic(models.TextChoices):
    """What a guide is about, in the order of the list of guides."""

    JOINING = "joining", "Join the community"
    SIGNING_IN = "signing_in", "Sign in and stay safe"
    MAIL = "mail", "Read and write mail"
    PEOPLE = "people", "Find people and work in teams"
    PROGRAMS = "programs", "Mail programs and phones"
    CONNECTING = "connecting", "Connect your own mail"
    TRACING = "tracing", "When something goes wrong"
    ADMINISTERING = "administering", "Look after your organisation"


class Audience(models.TextChoices):
    """For whom a guide is written."""

    EVERYONE = "everyone", "Everybody"
    APPLICANTS = "applicants", "Organisations that want to join"
    ADMINISTRATORS = "administrators", "Organisation administrators"
    TECHNICIANS = "technicians", "IT departments"


class Account(models.TextChoices):
    """What a reader may work with: guides can say different things to each."""

    WEBMAIL = "webmail", "Webmail"
    MICROSOFT_365 = "microsoft", "Microsoft 365"
    GOOGLE = "google", "Google Workspace"
    OWN_SERVER = "server", "Your own mail server"
    PHONE = "phone", "A phone"


# Which account a member of an organisation has, where its type leaves no doubt.
ACCOUNT_OF_TYPE = {
    AccountType.WEBMAIL: Account.WEBMAIL,
    AccountType.SMTP: Account.OWN_SERVER,
    AccountType.TRUSTED_DOMAIN: Account.OWN_SERVER,
}
