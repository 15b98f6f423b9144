"""Writes var/demo.json: addresses, ports and secrets for using the demo community."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from engine.registry.connections.cloud_providers import PROVIDERS
from engine.registry.models import (
    AccountType,
    Connection,
    DistributionList,
    Grant,
    Kind,
    Mailbox,
    MailboxKind,
    Organisation,
    Person,
    Provider,
    RoleName,
)
from engine.secrets import state_folder
from portal.configuration.production_checks import DEMO_FILE
from portal.demo import community, credentials, dkim_keys
from portal.demo.credentials import ConnectionSecrets, PersonSecrets
from portal.demo.members import ORGANISATIONS

Facts = dict[str, Any]


def path() -> Path:
    """Returns the path of the file."""
    return settings.POSTERN.path(DEMO_FILE)


def write() -> Facts:
    """Rewrites the file and returns its content. Secrets in it stay valid."""
    known = json.loads(path().read_text()) if path().exists() else {}
    facts = _facts(known)
    state_folder.write_atomically(
        path(), json.dumps(facts, indent=1, ensure_ascii=False).encode()
    )
    return facts


def shown(file: Path | str) -> str:
    """Returns a path relative to the working directory if below it, else absolute."""
    here, whole = Path.cwd(), Path(file).absolute()
    return str(whole.relative_to(here) if whole.is_relative_to(here) else whole)


def _facts(known: Facts) -> Facts:
    posting = settings.POSTERN
    return {
        "web": posting.site_url,
        "admin": f"{posting.site_url}/admin/",
        "ca_file": shown(posting.tls_ca_file),
        "community_domain": posting.community_domain,
        "smtp": {
            "host": posting.smtp_host,
            "receive": posting.smtp_port,
            "submission": posting.submission_port,
            "submissions": posting.submissions_port,
        },
        "pop3": {
            "host": posting.smtp_host,
            "pop3": posting.pop3_port,
            "pop3s": posting.pop3s_port,
        },
        "api": {"base": f"{posting.site_url}/api/v1/", **_api_keys(known)},
        "organisations": list(_organisations(known)),
        "people": list(_people(known)),
        "group_mailboxes": list(_group_mailboxes()),
        "distribution_lists": list(_lists()),
    }


def _api_keys(known: Facts) -> Facts:
    """Returns a key of the first hosted member and a community key, with all scopes.

    Keys in the file stay valid.
    """
    kept = known.get("api", {})
    members = _demo_organisations().exclude(kind=Kind.OPERATOR)
    hosted = members.filter(account_type=AccountType.WEBMAIL).first()
    return {
        "key": credentials.for_system(hosted, str(kept.get("key", ""))),
        "organisation": str(hosted or ""),
        "community_key": credentials.for_system(
            None, str(kept.get("community_key", ""))
        ),
    }


def _demo_organisations() -> QuerySet[Organisation]:
    names = [demo.name for demo in ORGANISATIONS]
    return Organisation.objects.filter(name__in=names).order_by("id")


def _organisations(known: Facts) -> Iterator[Facts]:
    before = {item["name"]: item for item in known.get("organisations", [])}
    for organisation in _demo_organisations():
        domain = organisation.domains.first()
        connection = organisation.connections.first()
        yield {
            "name": organisation.name,
            "account_type": organisation.account_type,
            "member_domain": domain.member_domain if domain else "",
            "community_domain": domain.community_domain if domain else "",
            "connection": connection
            and _connection(connection, before.get(organisation.name)),
        }


def _connection(connection: Connection, known: Facts | None) -> Facts:
    held = (known or {}).get("connection")
    own = (
        ConnectionSecrets(held["username"], held["password"])
        if held
        else credentials.for_connection(connection)
    )
    hop = f"{connection.next_hop_host}:{connection.next_hop_port}"
    return {**asdict(own), "next_hop": hop, **_cloud(connection)}


def _cloud(connection: Connection) -> Facts:
    """Returns what a simulated provider needs: certificate, tenant and DKIM key."""
    domain = connection.organisation.domains.first()
    if not connection.provider or domain is None:
        return {}
    name = provider_certificate(Provider(connection.provider))
    return {
        "provider": connection.provider,
        "tenant_id": connection.tenant_id,
        "certificate_file": shown(settings.POSTERN.path("tls", f"{name}.pem")),
        "key_file": shown(settings.POSTERN.path("tls", f"{name}.key")),
        "dkim_selector": dkim_keys.SELECTOR,
        "dkim_key_file": shown(dkim_keys.key_file(domain.member_domain)),
    }


def provider_certificate(provider: Provider) -> str:
    """Returns a name in the certificate of the provider's servers."""
    return min(PROVIDERS[provider].certificate_names)


def _people(known: Facts) -> Iterator[Facts]:
    before = {item["address"]: item for item in known.get("people", [])}
    # Only the demo people: others who joined since must keep their secrets private.
    demo_people = Person.objects.filter(address__in=community.demo_addresses())
    for person in demo_people.select_related("organisation").order_by("id"):
        held = before.get(person.address)
        own = (
            PersonSecrets(held["password"], held["totp_secret"], held["app_password"])
            if held
            else credentials.for_person(person)
        )
        yield {
            "address": person.address,
            "name": person.name,
            "organisation": person.organisation.name if person.organisation else "",
            "role": _role(person),
            **asdict(own),
        }


def _role(person: Person) -> str:
    """Returns the staff role, or else the role in the organisation."""
    held = person.staff_roles.first() or person.organisation_roles.first()
    return held.role if held else RoleName.MEMBER


def _group_mailboxes() -> Iterator[Facts]:
    mailboxes = Mailbox.objects.filter(
        kind=MailboxKind.GROUP, organisation__in=_demo_organisations()
    )
    for mailbox in mailboxes.select_related("organisation"):
        yield {
            "address": mailbox.address,
            "organisation": mailbox.organisation.name,
            "members": [
                {"address": grant.person.address, "rights": _rights(grant)}
                for grant in mailbox.grants.select_related("person")
            ],
        }


def _rights(grant: Grant) -> list[str]:
    held = {"read": grant.can_read, "write": grant.can_write, "send": grant.can_send}
    return [right for right, is_held in held.items() if is_held]


def _lists() -> Iterator[Facts]:
    found = DistributionList.objects.filter(organisation__in=_demo_organisations())
    for item in found.select_related("organisation"):
        yield {
            "address": item.address,
            "organisation": item.organisation.name,
            "members": [member.address for member in item.members.all()],
            "posting": item.posting,
        }
