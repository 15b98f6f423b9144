from __future__ import annotations

import base64
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.conf import settings
from django.test import Client, RequestFactory
from django.utils import timezone

from api.auth.bearer import bears_valid_key
from engine.audit.models import SignInTally
from engine.registry.credentials import generated_secrets
from engine.registry.credentials.sign_in_tally import tally
from engine.registry.models import ApiKey, Organisation, Person
from engine.registry.scopes import Scope
from tests import factories
from tests.api.conftest import SECRET, Api, Key

PROBLEM = "application/problem+json"
TOKEN = "/api/v1/oauth/token/"


def test_nobody_is_asked_for_a_key(anonymous: Api, db: None) -> None:
    response = anonymous("GET", "/organisations/")

    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")
    assert response["Content-Type"] == PROBLEM
    assert response.json()["type"].endswith("/api/problems#unauthenticated")


def test_made_up_key_is_refused(db: None) -> None:
    response = Api(generated_secrets.new_secret())("GET", "/organisations/")

    assert response.status_code == 401
    assert "not known" in response.json()["detail"]


def test_key_without_the_scope_is_told_which(
    key: Key, northfield: Organisation
) -> None:
    response = key(northfield, Scope.READ_PEOPLE)("GET", "/organisations/")

    assert response.status_code == 403
    assert response.json()["detail"] == "The key lacks the scope organisations:read."


def test_neighbour_does_not_exist(
    key: Key, northfield: Organisation, harbour: Organisation
) -> None:
    call = key(northfield)

    listed = call("GET", "/organisations/").json()["results"]

    assert [one["id"] for one in listed] == [northfield.pk]
    assert call("GET", f"/organisations/{harbour.pk}/").status_code == 404
    change = call("PATCH", f"/organisations/{harbour.pk}/", {"town": "Hull"})
    assert change.status_code == 404


def test_community_key_sees_everybody(
    key: Key, northfield: Organisation, harbour: Organisation
) -> None:
    listed = key(None)("GET", "/organisations/").json()["results"]

    assert {one["id"] for one in listed} == {northfield.pk, harbour.pk}


def test_session_of_a_browser_opens_nothing(client: Client, bob: Person) -> None:
    client.force_login(bob, "allauth.account.auth_backends.AuthenticationBackend")

    assert client.get("/api/v1/organisations/").status_code == 401


def take_token(client_id: str, secret: str, **body: str) -> dict[str, object]:
    pair = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
    response = Client().post(
        TOKEN,
        urlencode({"grant_type": "client_credentials", **body}),
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": f"Basic {pair}"},
    )
    return {"status": response.status_code, **response.json()}


@pytest.fixture
def case_system(northfield: Organisation) -> ApiKey:
    return factories.make_api_key(
        northfield,
        generated_secrets.digest(SECRET),
        "organisations:read",
        "people:read",
        client_id="casesystem",
    )


def test_key_is_exchanged_for_a_token(case_system: ApiKey) -> None:
    answer = take_token("casesystem", SECRET)

    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 3600
    assert answer["scope"] == "organisations:read people:read"
    call = Api(str(answer["access_token"]))
    assert call("GET", "/organisations/").status_code == 200


def test_token_may_do_less_than_its_key(case_system: ApiKey) -> None:
    answer = take_token("casesystem", SECRET, scope="people:read")

    call = Api(str(answer["access_token"]))

    assert call("GET", "/organisations/").status_code == 403


@pytest.mark.parametrize(
    ("client_id", "secret", "body", "error"),
    [
        ("casesystem", "wrong", {}, "invalid_client"),
        ("another", SECRET, {}, "invalid_client"),
        ("casesystem", SECRET, {"scope": "audit:read"}, "invalid_scope"),
        ("casesystem", SECRET, {"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_nothing_else_is_exchanged(
    case_system: ApiKey, client_id: str, secret: str, body: dict, error: str
) -> None:
    answer = take_token(client_id, secret, **body)

    assert answer["error"] == error
    assert answer["status"] in (400, 401)


def test_holder_of_a_key_is_not_locked_out_by_guesses(case_system: ApiKey) -> None:
    guesses = [take_token("casesystem", f"guess-{n}") for n in range(30)]

    assert {one["status"] for one in guesses} == {401}
    assert Api("guess")("GET", "/people/").status_code == 401
    assert Api(SECRET)("GET", "/people/").status_code == 200


def test_token_ends_after_an_hour(case_system: ApiKey) -> None:
    call = Api(str(take_token("casesystem", SECRET)["access_token"]))

    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert call("GET", "/organisations/").status_code == 401


def test_token_ends_with_its_key(case_system: ApiKey) -> None:
    call = Api(str(take_token("casesystem", SECRET)["access_token"]))

    ApiKey.objects.update(revoked_at=timezone.now())

    assert call("GET", "/organisations/").status_code == 401


def test_too_many_calls_are_told_when_to_come_back(
    key: Key, northfield: Organisation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings.POSTERN, "api_calls_a_minute", 2)
    call = key(northfield)

    answers = [call("GET", "/organisations/") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert {answer["RateLimit-Limit"] for answer in answers} == {"2"}
    assert all(0 < int(answer["RateLimit-Reset"]) <= 60 for answer in answers)
    assert 0 < int(answers[2]["Retry-After"]) <= 60
    assert answers[2]["Content-Type"] == PROBLEM


@pytest.mark.parametrize(
    ("header", "bears"),
    [
        (f"Bearer {SECRET}", True),
        (f"bearer  {SECRET}", True),
        (f"Basic {SECRET}", False),
        (SECRET, False),
        ("Bearer of-something-else", False),
        ("Bearer", False),
        ("", False),
    ],
)
def test_a_large_body_is_read_only_from_a_caller_with_a_key(
    case_system: ApiKey, header: str, bears: bool
) -> None:
    tally.flush()
    SignInTally.objects.all().delete()
    request = RequestFactory().post("/", headers={"Authorization": header})

    assert bears_valid_key(request) is bears
    # The request itself is counted, not the look ahead.
    tally.flush()
    assert not SignInTally.objects.exists()
    case_system.refresh_from_db()
    assert case_system.last_used_at is None


@pytest.mark.parametrize("scheme", ["Basic", "Token", ""])
def test_a_key_is_not_accepted_under_another_scheme(
    case_system: ApiKey, scheme: str
) -> None:
    answer = Client().get(
        "/api/v1/people/", headers={"Authorization": f"{scheme} {SECRET}"}
    )

    assert answer.status_code == 401
    assert "not known" not in answer.json()["detail"]


def test_a_token_loses_the_scopes_that_its_key_loses(case_system: ApiKey) -> None:
    call = Api(str(take_token("casesystem", SECRET)["access_token"]))

    ApiKey.objects.update(scopes=["people:read"])

    assert call("GET", "/organisations/").status_code == 403
    assert call("GET", "/people/").status_code == 200


@pytest.mark.parametrize(
    "credentials",
    [
        "Basic casesystem",
        "Basic " + base64.b64encode(b"\xff\xfe:secret").decode(),
        "Bearer " + base64.b64encode(f"casesystem:{SECRET}".encode()).decode(),
        "",
    ],
    ids=["not base64", "not text", "another scheme", "none"],
)
def test_credentials_that_cannot_be_read_are_refused(
    case_system: ApiKey, credentials: str
) -> None:
    answer = Client().post(
        TOKEN,
        "grant_type=client_credentials",
        content_type="application/x-www-form-urlencoded",
        headers={"Authorization": credentials},
    )

    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"


def test_credentials_may_come_in_the_body(case_system: ApiKey) -> None:
    answer = Client().post(
        TOKEN,
        f"grant_type=client_credentials&client_id=casesystem&client_secret={SECRET}",
        content_type="application/x-www-form-urlencoded",
    )

    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("DELETE", "/organisations/", 405), ("GET", "/nothing/", 404)],
)
def test_what_is_not_there_is_a_problem_too(
    key: Key, northfield: Organisation, method: str, path: str, status: int
) -> None:
    response = key(northfield)(method, path)

    assert response.status_code == status
