from __future__ import annotations

from django.db import connection
from django.test.utils import CaptureQueriesContext

from engine.database import clock
from engine.registry.models import Person
from engine.tls_reports import dns_record, incoming, report_format
from engine.tls_reports.models import Failure, Report
from portal.demo.dns_server import NameServer
from tests.portal.conftest import SignIn
from tests.tls_reports import YESTERDAY, message, packed, report

AT = "/admin/tls-reports/"


def arrive(number: int = 1) -> None:
    raw = message(packed(report(**{"report-id": f"r{number}"})))
    sender = "jane@firm.example.secure.example"
    incoming.take(raw, organisation_id=1, sender=sender, now=clock.now())


def test_operator_publishes_the_record_and_reads_what_failed(
    signed_in: SignIn, olive: Person, name_server: NameServer
) -> None:
    client = signed_in(olive, second_factor=True)
    page = client.get(AT).content.decode()
    assert "No report has arrived yet" in page
    assert "_smtp._tls.secure.example" in page
    assert "v=TLSRPTv1; rua=mailto:tls-reports@secure.example" in page
    page = client.post(f"{AT}check/", follow=True).content.decode()
    assert "No record was found at this name yet" in page
    name_server.add_text(dns_record.name(), dns_record.value())
    page = client.post(f"{AT}check/", follow=True).content.decode()
    assert "The record is there" in page
    arrive()

    page = client.get(AT).content.decode()

    assert f"{YESTERDAY:%d/%m/%Y}" in page
    assert "5,326" in page
    assert "jane@firm.example.secure.example" in page
    assert "Our certificate had expired" in page
    assert "Renew the certificate" in page
    assert "at most 303" in page
    link = f"{AT}{Report.objects.get().pk}/"
    assert f'href="{link}"' in page
    page = client.get(link).content.decode()
    assert "mx2.secure.example" in page
    assert "https://reports.firm.example/1" in page


def test_no_counts_of_a_member_break_the_page(signed_in: SignIn, olive: Person) -> None:
    arrive()
    kept = Report.objects.get()
    Failure.objects.bulk_create(
        Failure(report=kept, result_type="x", sessions=report_format.MOST_SESSIONS)
        for _ in range(2_000)
    )

    page = signed_in(olive, second_factor=True).get(AT)

    assert page.status_code == 200


def test_other_staff_and_members_see_none(
    signed_in: SignIn, vera: Person, hugh: Person, alice: Person
) -> None:
    for visitor in (vera, hugh, alice):
        client = signed_in(visitor, second_factor=True)
        assert client.get(AT).status_code in (302, 403, 404)
        assert client.post(f"{AT}check/").status_code in (302, 403, 404)


def test_the_queries_do_not_grow_with_the_reports(
    signed_in: SignIn, olive: Person
) -> None:
    client = signed_in(olive, second_factor=True)
    counts = []
    for number in range(3):
        arrive(number)
        client.get(AT)
        with CaptureQueriesContext(connection) as queries:
            client.get(AT)
        counts.append(len(queries))

    assert len(set(counts)) == 1
