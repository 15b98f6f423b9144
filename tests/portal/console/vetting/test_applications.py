from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django_q.models import OrmQ

from engine.registry.models import Person, RoleName
from onboarding.models import Application
from onboarding.provisioning import runner
from onboarding.status import Status, StepState
from tests import factories
from tests.portal.conftest import SignIn

VIEWS = ["index", "index_results", "inspect"]
ACTS = ["approve", "reject", "ask", "correct", "reopen", "take", "check_again", "retry"]
READERS = {
    RoleName.VETTING_OFFICER,
    RoleName.HELPDESK_AGENT,
    RoleName.OPERATOR,
    RoleName.AUDITOR,
}


def url(name: str, application: Application) -> str:
    args = [] if name.startswith("index") else [application.pk]
    return reverse(f"vetting:{name}", args=args)


@pytest.fixture
def staff_client(signed_in: SignIn, vera: Person) -> Client:
    return signed_in(vera, second_factor=True)


@pytest.fixture
def staff(signed_in: SignIn) -> Any:
    def sign_in(role: RoleName) -> Client:
        person = factories.make_person(f"{role}@secure.example")
        factories.make_staff(person, role)
        return signed_in(person, second_factor=True)

    return sign_in


@pytest.mark.parametrize(
    "role", [role for role in RoleName if role not in ("member", "administrator")]
)
def test_the_desk_opens_to_each_role_as_far_as_it_may(
    staff: Any, apply: Any, role: RoleName
) -> None:
    application = apply()
    client = staff(role)

    opened = {
        name: client.get(url(name, application)).status_code == 200 for name in VIEWS
    }
    for name in ("approve", "reject"):
        client.post(
            url(name, application),
            {"reason": "Yes.", "community_domain": application.community_domain},
        )

    application.refresh_from_db()
    assert opened == dict.fromkeys(VIEWS, role in READERS)
    is_officer = role == RoleName.VETTING_OFFICER
    assert (application.status != Status.SUBMITTED) == is_officer


@pytest.mark.parametrize("name", VIEWS + ACTS)
def test_the_desk_is_closed_to_an_administrator(
    signed_in: SignIn, alice: Person, apply: Any, name: str
) -> None:
    client = signed_in(alice, second_factor=True)

    response = client.post(url(name, apply()), {"reason": "Mine."})

    assert response.status_code == 404
    assert Application.objects.waiting().count() == 1


@pytest.mark.parametrize("name", VIEWS + ACTS)
def test_the_desk_is_closed_to_an_officer_without_a_second_factor(
    signed_in: SignIn, vera: Person, apply: Any, name: str
) -> None:
    response = signed_in(vera).post(url(name, apply()), {"reason": "Yes."})

    assert response.status_code == 302
    assert Application.objects.waiting().count() == 1


def test_those_that_wait_come_first(
    staff_client: Client, apply: Any, approve: Any, vera: Person
) -> None:
    oldest = apply(organisation_name="Oldest")
    decided = approve(oldest)
    apply(organisation_name="Second")
    apply(organisation_name="Third")

    names = [row.organisation_name for row in Application.objects.waiting_first()]
    text = staff_client.get(url("index", decided)).content.decode()

    assert names == ["Second", "Third", "Oldest"]
    assert text.index("Second") < text.index("Third") < text.index("Oldest")


def test_the_list_is_filtered_and_searched(staff_client: Client, apply: Any) -> None:
    firm = apply(organisation_name="Firm Solicitors")
    apply(organisation_name="Northfield", account_type="webmail")
    results = url("index_results", firm)

    filtered = staff_client.get(results, {"account_type": "webmail"}).content.decode()
    found = staff_client.get(results, {"q": "firm soli"}).content.decode()

    assert "Northfield" in filtered
    assert "Firm Solicitors" not in filtered
    assert "Firm Solicitors" in found
    assert "Northfield" not in found


def test_more_rows_take_no_more_queries(
    staff_client: Client, apply: Any, django_assert_num_queries: Any
) -> None:
    application = apply()
    staff_client.get(url("index", application))
    with CaptureQueriesContext(connection) as for_one:
        staff_client.get(url("index", application))
    for number in range(10):
        apply(organisation_name=f"Firm {number}")

    with django_assert_num_queries(len(for_one)):
        staff_client.get(url("index", application))


def test_the_page_shows_claims_and_what_was_found(
    staff_client: Client, apply: Any, firm: Any
) -> None:
    earlier = apply()
    application = apply(everyday_address="jane@elsewhere.example")

    text = staff_client.get(url("inspect", application)).content.decode()

    for shown in (
        "Practice manager",
        "mail.firm.example, port 25",
        "firm.example: Firm Solicitors",
        "Firm Solicitors in Leeds",
        earlier.reference,
        "No, in elsewhere.example",
    ):
        assert shown in text


def test_an_applicant_without_doubts_raises_none(
    staff_client: Client, apply: Any, fenland: Any
) -> None:
    text = staff_client.get(url("inspect", apply())).content.decode()

    assert "vetting-finding--doubt" not in text


def test_approving_starts_setting_up(staff_client: Client, apply: Any) -> None:
    application = apply()
    OrmQ.objects.all().delete()
    form = staff_client.get(url("approve", application)).content.decode()
    assert 'value="firm.example.secure.example"' in form

    done = staff_client.post(
        url("approve", application),
        {"reason": "On the register.", "community_domain": "firm.secure.example"},
        follow=True,
    )

    application.refresh_from_db()
    assert application.status == Status.APPROVED
    assert application.community_domain == "firm.secure.example"
    assert OrmQ.objects.count() == 1
    assert "is being set up" in done.content.decode()
    assert "Welcome letter" in done.content.decode()


def test_approving_without_a_reason_is_refused(
    staff_client: Client, apply: Any
) -> None:
    application = apply()

    response = staff_client.post(url("approve", application), {"reason": ""})

    assert "Give a reason for the decision" in response.content.decode()
    assert Application.objects.waiting().count() == 1


def test_approving_a_taken_domain_says_why_not(
    staff_client: Client, apply: Any, firm: Any
) -> None:
    application = apply()

    response = staff_client.post(
        url("approve", application),
        {"reason": "Yes.", "community_domain": application.community_domain},
    )

    assert "already belongs to Firm Solicitors" in response.content.decode()


def test_rejecting_tells_the_applicant(
    staff_client: Client, apply: Any, delivered_emails: Any
) -> None:
    application = apply()

    staff_client.post(url("reject", application), {"reason": "Not in justice."})

    application.refresh_from_db()
    assert application.status == Status.REJECTED
    assert "Not in justice." in delivered_emails()[-1].body


def test_whoever_recommends_is_not_asked_to_approve(
    staff_client: Client, apply: Any
) -> None:
    application = apply(organisation_name="Fen Police", kind="police", sponsor=None)
    staff_client.post(
        url("approve", application),
        {"reason": "Known.", "community_domain": application.community_domain},
    )

    text = staff_client.get(url("inspect", application)).content.decode()

    assert "another officer must approve it" in text
    assert url("approve", application) not in text
    assert url("reject", application) in text


def test_a_decided_application_is_not_decided_again(
    staff_client: Client, apply: Any, approve: Any
) -> None:
    application = approve(apply())

    response = staff_client.post(url("reject", application), {"reason": "No."})

    assert "approved, being set up" in response.content.decode()


def test_a_failed_step_is_shown_and_run_again(
    staff_client: Client, apply: Any, approve: Any
) -> None:
    application = approve(apply())
    OrmQ.objects.all().delete()
    application.steps.filter(key="letter").update(
        state=StepState.FAILED, attempts=2, problem="OSError: disk full"
    )
    text = staff_client.get(url("inspect", application)).content.decode()
    assert "OSError: disk full" in text
    assert "Run the remaining steps" in text

    staff_client.post(url("retry", application))

    assert OrmQ.objects.count() == 1
    assert staff_client.get(url("retry", application)).status_code == 405


def test_a_running_step_offers_no_second_run(
    staff_client: Client, apply: Any, approve: Any
) -> None:
    application = approve(apply())
    running = application.steps.filter(key="organisation")
    running.update(state=StepState.RUNNING, started_at=timezone.now())
    assert (
        "Run the remaining steps"
        not in staff_client.get(url("inspect", application)).content.decode()
    )

    running.update(started_at=timezone.now() - runner.LEASE - timedelta(seconds=1))

    assert (
        "Run the remaining steps"
        in staff_client.get(url("inspect", application)).content.decode()
    )


def test_the_menu_says_how_many_wait(staff_client: Client, apply: Any) -> None:
    application = apply()
    apply()

    assert (
        "Applications (2)"
        in staff_client.get(url("inspect", application)).content.decode()
    )


def test_a_draft_is_not_at_the_desk(staff_client: Client, db: None) -> None:
    draft = Application.objects.create(everyday_address="jane@firm.example")

    assert staff_client.get(url("inspect", draft)).status_code == 404
    assert staff_client.post(url("ask", draft), {"text": "Hello?"}).status_code == 404


def test_an_officer_takes_asks_and_corrects(
    staff_client: Client, apply: Any, vera: Person
) -> None:
    application = apply()

    staff_client.post(url("take", application))
    staff_client.post(url("ask", application), {"text": "Who is Ravi?"})
    form = staff_client.get(url("correct", application)).content.decode()
    assert 'value="mail.firm.example"' in form

    application.refresh_from_db()
    assert application.assigned_to == vera
    text = staff_client.get(url("inspect", application)).content.decode()
    assert "Who is Ravi?" in text
    assert "No answer yet" in text


def test_what_was_looked_up_is_shown_with_its_time_and_run_again(
    staff_client: Client, apply: Any
) -> None:
    application = apply()
    assert (
        "The checks are running"
        in staff_client.get(url("inspect", application)).content.decode()
    )
    application.checks.update(
        state="done", found="v=spf1 -all", checked_at=timezone.now()
    )

    text = staff_client.get(url("inspect", application)).content.decode()
    assert "v=spf1 -all" in text
    staff_client.post(url("check_again", application))

    assert application.checks.filter(state="running").count() == 4


def test_the_homes_counts_lead_to_those_that_wait(
    staff_client: Client, apply: Any, approve: Any
) -> None:
    apply(organisation_name="Plain Firm")
    approve(apply(organisation_name="Fen Police", kind="police", sponsor=None))

    home = staff_client.get("/admin/").content.decode()
    assert "?status=recommended" in home
    shown = staff_client.get(reverse("vetting:index"), {"status": "recommended"})

    assert "Fen Police" in shown.content.decode()
    assert "Plain Firm" not in shown.content.decode()
