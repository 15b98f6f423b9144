"""The token endpoint: every request is answered as RFC 6749 §5 says, never with 500."""

from __future__ import annotations

import base64

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from engine.registry.credentials import generated_secrets
from engine.registry.models import ApiKey, Organisation
from tests import factories
from tests.api.conftest import SECRET

TOKEN = "/api/v1/oauth/token"
FORM = "application/x-www-form-urlencoded"
GRANT = b"grant_type=client_credentials"
# RFC 6749 §5.2
ERRORS = {
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
}
IN_BODY = GRANT + f"&client_id=casesystem&client_secret={SECRET}".encode()

kinds = st.sampled_from(
    [FORM, f"{FORM}; charset=utf-16", "application/json", "", "\xff"]
)
FIELDS = [
    GRANT,
    b"grant_type=x",
    b"scope=",
    b"scope=%00",
    b"client_id=casesystem",
    b"client_secret=" + SECRET.encode(),
    b"client_secret=%ff",
    b"client=1",
]
bodies = st.binary(max_size=200) | st.lists(st.sampled_from(FIELDS), max_size=6).map(
    b"&".join
)
printable = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)
credentials = printable | st.binary(max_size=40).map(
    lambda raw: f"Basic {base64.b64encode(raw).decode()}"
)


@pytest.fixture
def case_system(northfield: Organisation) -> ApiKey:
    return factories.make_api_key(
        northfield,
        generated_secrets.digest(SECRET),
        "people:read",
        client_id="casesystem",
    )


@given(kind=kinds, body=bodies, authorization=credentials, query=printable)
@example(kind=FORM, body=IN_BODY, authorization="", query="")
@example(kind=FORM, body=IN_BODY, authorization="", query="a=%zz b")
@example(kind=FORM, body=GRANT + b"&" + GRANT, authorization="", query="")
@example(kind=FORM, body=GRANT, authorization="Basic \xe9", query="")
@example(kind="application/json", body=b"{}", authorization="", query="")
@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_any_request_is_answered_as_oauth_says(
    case_system: ApiKey, kind: str, body: bytes, authorization: str, query: str
) -> None:
    answer = Client().generic(
        "POST",
        TOKEN,
        body,
        content_type=kind,
        QUERY_STRING=query.encode().decode("latin-1"),
        HTTP_AUTHORIZATION=authorization,
        HTTP_ACCEPT="text/html",
    )

    assert answer["Content-Type"] == "application/json"
    assert "no-store" in answer["Cache-Control"]
    if answer.status_code != 200:
        assert answer.status_code in (400, 401)
        assert answer.json()["error"] in ERRORS
    assert answer.has_header("WWW-Authenticate") is (answer.status_code == 401)


@pytest.mark.parametrize(
    ("body", "authorization", "error"),
    [
        (IN_BODY + b"&scope=people:read&scope=people:read", "", "invalid_request"),
        (IN_BODY, "Basic Y2FzZXN5c3RlbTp4", "invalid_request"),
        (b"x" * (1024 * 1024 + 1), "", "invalid_request"),
        (b"&".join(b"a%d=1" % n for n in range(21)), "", "invalid_request"),
        (b"grant_type=", "", "invalid_request"),
        (b"grant_type=password", "", "unsupported_grant_type"),
        (GRANT, "", "invalid_client"),
        (GRANT + b"&client_secret=%00", "", "invalid_client"),
        (IN_BODY + b"&scope=audit:read", "", "invalid_scope"),
    ],
)
def test_what_is_wrong_has_its_code(
    case_system: ApiKey, body: bytes, authorization: str, error: str
) -> None:
    answer = Client().post(
        TOKEN, body, content_type=FORM, headers={"Authorization": authorization}
    )

    assert answer.json()["error"] == error


def test_credentials_in_the_address_count_for_nothing(case_system: ApiKey) -> None:
    answer = Client().post(
        f"{TOKEN}?client_id=casesystem&client_secret={SECRET}",
        GRANT,
        content_type=FORM,
    )

    assert answer.status_code == 401


def test_what_is_not_known_is_ignored(case_system: ApiKey) -> None:
    answer = Client().post(TOKEN, IN_BODY + b"&client=1&user=x", content_type=FORM)

    assert answer.status_code == 200
