from __future__ import annotations

import json
from io import StringIO

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management import call_command
from pytest_django.fixtures import Settings

from engine.audit.models import Entry
from engine.secrets import secret_keys
from engine.signing import canonical_json, keys
from engine.signing.models import CERTIFICATES, PUBLISHED, Purpose, SigningKey
from portal.console.operations import secret_key_rotation

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("purpose", list(Purpose))
def test_a_key_is_made_once_and_kept(purpose: Purpose) -> None:
    first = keys.current(purpose)

    assert keys.current(purpose) == first
    published = [one["id"] for one in keys.published()]
    assert published == ([first.key_id] if purpose in PUBLISHED else [])


def test_the_private_half_is_sealed_and_the_list_has_only_the_public_one() -> None:
    key = keys.current(Purpose.CERTIFICATE)
    private = keys.private_key(key)

    assert "PRIVATE" not in key.sealed_private_key
    assert "PRIVATE" not in json.dumps(keys.published())
    public = private.public_key().public_bytes(
        Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    )
    assert public.decode() == key.public_key


def test_a_document_key_comes_with_a_certificate_that_never_ends() -> None:
    key = keys.current(Purpose.CERTIFICATE_PDF)
    certificate = x509.load_pem_x509_certificate(key.certificate.encode())

    certificate.verify_directly_issued_by(certificate)
    assert certificate.not_valid_after_utc.year == 9999


def test_a_replaced_key_stays_published_and_verifies() -> None:
    earlier = keys.current(Purpose.CERTIFICATE)
    signature = canonical_json.sign({"a": 1}, keys.ed25519_key(earlier))
    said = StringIO()

    call_command("rotate_signing_key", stdout=said)

    current = keys.current(Purpose.CERTIFICATE)
    assert current != earlier
    assert current.key_id in said.getvalue()
    listed = {one["id"]: one for one in keys.published()}
    assert listed[earlier.key_id]["retired_at"]
    assert listed[earlier.key_id]["compromised_at"] is None
    assert listed[current.key_id]["retired_at"] is None
    public = listed[earlier.key_id]["public_key"]
    assert canonical_json.verifies({"a": 1}, signature, public)
    entries = Entry.objects.filter(event="signing_key.replaced")
    assert entries.count() == len(CERTIFICATES)


def test_a_compromised_key_says_so() -> None:
    earlier = keys.current(Purpose.CERTIFICATE)

    call_command(
        "rotate_signing_key", purpose="certificate", compromised=True, stdout=StringIO()
    )

    assert keys.published()[0]["compromised_at"]
    assert SigningKey.objects.get(pk=earlier.pk).retired_at


def test_a_change_of_the_secret_key_seals_it_again(settings: Settings) -> None:
    key = keys.current(Purpose.CERTIFICATE)
    private = keys.ed25519_key(key).private_bytes_raw()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another secret key, which is long enough for this"

    findings = {one.what: one for one in secret_key_rotation.rekey()}

    assert (findings["Signing keys"].total, findings["Signing keys"].earlier) == (1, [])
    settings.SECRET_KEY_FALLBACKS = []
    key.refresh_from_db()
    assert keys.ed25519_key(key).private_bytes_raw() == private


def test_a_key_that_another_secret_sealed_is_reported_and_can_be_replaced(
    settings: Settings,
) -> None:
    key = keys.current(Purpose.CERTIFICATE)
    settings.SECRET_KEY = "another secret key, which is long enough for this"

    with pytest.raises(secret_keys.UnknownKeyError):
        keys.private_key(key)
    findings = {one.what: one for one in secret_key_rotation.rekey()}
    assert findings["Signing keys"].earlier == [str(key)]
    assert keys.private_key(keys.replace(Purpose.CERTIFICATE))
