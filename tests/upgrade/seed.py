"""Creates the drill's community. Runs with the models of whichever version is extracted.

Firm sends to Bob, whose mailbox is hosted and forwards everything to Joe, and to Joe, whose
server is the next hop.
"""

from __future__ import annotations

import sys

import django

django.setup()

from django.utils import timezone  # noqa: E402

from engine.registry import credentials  # noqa: E402
from engine.registry.models import (  # noqa: E402
    AccountType,
    Connection,
    ConnectionCredential,
    Domain,
    Mailbox,
    MailboxKind,
    Organisation,
    OrganisationStatus,
    Person,
    Proof,
)
from engine.storage.models import Rule  # noqa: E402

# Moved since the first version that served.
digest = getattr(credentials, "digest", None)
if digest is None:
    from engine.registry.credentials import generated_secrets

    digest = generated_secrets.digest

SECRET, HOP_PORT = sys.argv[1], int(sys.argv[2])


def organisation(name: str, domain: str, account_type: AccountType) -> Organisation:
    made = Organisation.objects.create(
        name=name,
        kind="law_firm",
        account_type=account_type,
        status=OrganisationStatus.ACTIVE,
        town="Leeds",
    )
    suffix = "" if account_type == AccountType.WEBMAIL else ".secure.example"
    Domain.objects.create(
        organisation=made,
        member_domain=domain,
        community_domain=domain + suffix,
        verified_at=timezone.now(),
    )
    return made


northfield = organisation(
    "Northfield", "northfield.secure.example", AccountType.WEBMAIL
)
firm = organisation("Firm", "firm.example", AccountType.SMTP)
harbour = organisation("Harbour", "harbour.example", AccountType.SMTP)
bob = Person.objects.create_user(
    "bob@northfield.secure.example",
    "correct horse",
    name="Bob",
    organisation=northfield,
)
mailbox = Mailbox.objects.create(
    address=bob.address,
    name="Bob",
    kind=MailboxKind.PERSONAL,
    organisation=northfield,
    owner=bob,
)
Rule.objects.create(
    mailbox=mailbox,
    position=1,
    name="Away",
    forward_to="joe@harbour.example.secure.example",
)
hop = {"proof": Proof.CREDENTIAL, "next_hop_host": "127.0.0.1"}
ours = Connection.objects.create(organisation=firm, **hop)
ConnectionCredential.objects.create(
    connection=ours, username="firm", digest=digest(SECRET)
)
Connection.objects.create(
    organisation=harbour,
    **hop,
    next_hop_port=HOP_PORT,
    next_hop_tls_name="mail.harbour.example",
)
