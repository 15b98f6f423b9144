from __future__ import annotations

import re

from engine.registry.credentials import generated_secrets
from engine.registry.models import ApiKey, Person
from tests.portal.conftest import SignIn

AT = "/admin/api-keys/"


def test_operator_makes_a_key_of_the_community_and_revokes_it(
    signed_in: SignIn, olive: Person
) -> None:
    client = signed_in(olive, second_factor=True)
    form = {"name": "Reports", "scopes": ["queue:read"], "days": "30"}

    made = client.post(f"{AT}add/", form).content.decode()

    key = ApiKey.objects.get()
    secret = re.findall("<code>([^<]+)</code>", made)[0]
    assert (key.organisation, generated_secrets.digest(secret)) == (None, key.digest)
    assert "Reports" in client.get(AT).content.decode()
    client.post(f"{AT}{key.pk}/revoke/")
    key.refresh_from_db()
    assert key.revoked_at


def test_other_staff_make_none(
    signed_in: SignIn, vera: Person, hugh: Person, alice: Person
) -> None:
    for visitor, refusals in ((vera, (302, 403)), (hugh, (302, 403)), (alice, (404,))):
        client = signed_in(visitor, second_factor=True)
        assert client.get(f"{AT}add/").status_code in refusals
        client.post(f"{AT}add/", {"name": "x", "scopes": ["queue:read"], "days": "1"})
    assert not ApiKey.objects.exists()
