"""Writes the report that a domain asks for about one day (RFC 8460 §4)."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from django.conf import settings
from django.db.models import Count, QuerySet

from engine.mail.address import Address, InvalidAddressError
from engine.mail.composer import new_message_id
from engine.mail.dates import format_date
from engine.mail.role_addresses import TLS_REPORTS
from engine.signing.mail_keys import community_domain
from engine.tls_reports.models import ADDRESS_LENGTH, Session

CONTENT_TYPE = "application/tlsrpt+gzip"
# Addresses of one record that get reports.
MOST_ADDRESSES = 5
# Kinds of session that a report tells apart; the totals count all of a policy.
MOST_KINDS = 1_000

_VERSION = re.compile(r"v=TLSRPTv1\s*;")


def addresses(texts: Iterable[str]) -> list[str]:
    """Returns the URIs that a domain's TXT records name for reports (RFC 8460 §3).

    None where it has no such record, or several. Schemes beside mailto: and https: are
    left out, and so is what is not an address.
    """
    records = [text for text in texts if _VERSION.match(text)]
    if len(records) != 1:
        return []
    for field in records[0].split(";")[1:]:
        name, _, value = field.partition("=")
        if name.strip() == "rua":
            uris = (uri.strip() for uri in value.split(","))
            return [uri for uri in uris if _is_usable(uri)][:MOST_ADDRESSES]
    return []


def mail_address(uri: str) -> Address | None:
    """Returns the address of a mailto: URI, else None."""
    scheme, _, rest = uri.partition(":")
    if scheme.lower() != "mailto":
        return None
    try:
        return Address.parse(rest.partition("?")[0])
    except InvalidAddressError:
        return None


def _is_usable(uri: str) -> bool:
    if len(uri) > ADDRESS_LENGTH or not uri.isprintable():
        return False
    return uri.lower().startswith("https://") or mail_address(uri) is not None


@dataclass(frozen=True, slots=True)
class OutgoingReport:
    """The report about one domain and one day of UTC."""

    domain: str
    day: date
    packed: bytes
    """JSON, packed by gzip."""

    @property
    def report_id(self) -> str:
        """The same for the same domain and day."""
        return _report_id(self.domain, self.day)

    @property
    def file_name(self) -> str:
        """The name that RFC 8460 §5.1 asks for."""
        first, last = (int(one.timestamp()) for one in period(self.day))
        return f"{community_domain()}!{self.domain}!{first}!{last}.json.gz"

    def message(self, to: Address) -> bytes:
        """Returns the mail that brings it (§5.3), yet to be signed."""
        made = EmailMessage(policy=SMTP)
        sender = Address(TLS_REPORTS, community_domain())
        made["From"] = str(sender)
        made["To"] = str(to)
        made["Date"] = format_date(datetime.now(UTC))
        made["Message-ID"] = new_message_id(community_domain())
        made["Subject"] = (
            f"Report Domain: {self.domain} Submitter: {community_domain()} "
            f"Report-ID: <{self.report_id}>"
        )
        made["TLS-Report-Domain"] = self.domain
        made["TLS-Report-Submitter"] = community_domain()
        made["Auto-Submitted"] = "auto-generated"
        made.set_content(
            f"This is a report of TLS (RFC 8460) from {community_domain()} about "
            f"{self.domain} on {self.day}.\n"
        )
        kind, _, subtype = CONTENT_TYPE.partition("/")
        made.add_attachment(
            self.packed, maintype=kind, subtype=subtype, filename=self.file_name
        )
        made.replace_header("Content-Type", "multipart/report")
        made.set_param("report-type", "tlsrpt")
        return made.as_bytes()


def period(day: date) -> tuple[datetime, datetime]:
    """Returns the first and the last second of a day of UTC."""
    first = datetime.combine(day, time.min, UTC)
    return first, first + timedelta(hours=24) - timedelta(seconds=1)


def report_of(domain: str, day: date) -> OutgoingReport:
    """Returns the report of the sessions with a domain's hosts on that day."""
    first, last = period(day)
    content = {
        "organization-name": settings.POSTERN.community_name,
        "date-range": {
            "start-datetime": _moment(first),
            "end-datetime": _moment(last),
        },
        "contact-info": f"postmaster@{community_domain()}",
        "report-id": _report_id(domain, day),
        "policies": list(_policies(domain, sessions_of(domain, day))),
    }
    packed = gzip.compress(json.dumps(content).encode(), mtime=0)
    return OutgoingReport(domain, day, packed)


def sessions_of(domain: str, day: date) -> QuerySet[Session]:
    """Returns the sessions with a domain's hosts on that day."""
    first, last = period(day)
    until = last + timedelta(seconds=1)
    return Session.objects.filter(policy_domain=domain, at__gte=first, at__lt=until)


def _report_id(domain: str, day: date) -> str:
    return f"{day}.{domain}@{community_domain()}"


def _policies(domain: str, sessions: QuerySet[Session]) -> Iterator[dict[str, Any]]:
    kinds = (
        sessions.values("policy_type", "policy", "host", "result")
        .annotate(count=Count("pk"))
        .order_by("policy_type", "-count")[:MOST_KINDS]
    )
    by_policy: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for kind in kinds:
        key = kind["policy_type"], json.dumps(kind["policy"])
        by_policy.setdefault(key, []).append(dict(kind))
    for (policy_type, _), found in by_policy.items():
        failed = [kind for kind in found if kind["result"]]
        failures = sum(kind["count"] for kind in failed)
        in_all = sum(kind["count"] for kind in found)
        yield {
            "policy": {
                "policy-type": policy_type,
                "policy-string": found[0]["policy"],
                "policy-domain": domain,
                "mx-host": sorted({kind["host"] for kind in found}),
            },
            "summary": {
                "total-successful-session-count": in_all - failures,
                "total-failure-session-count": failures,
            },
            "failure-details": [
                {
                    "result-type": kind["result"],
                    "receiving-mx-hostname": kind["host"],
                    "failed-session-count": kind["count"],
                }
                for kind in failed
            ],
        }


def _moment(value: datetime) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%SZ")
