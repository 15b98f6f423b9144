"""A passkey in software (WebAuthn level 2, §6.1); tests set its counter."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.test import Client
from django.urls import reverse
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

HOST = "testserver"
ID = b"a passkey in software"
PRESENT_AND_VERIFIED = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


class Passkey:
    """A passkey of a person, as if they had added it on the page."""

    def __init__(self, person: Any) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._person = person
        public = ES256.from_cryptography_key(self._key.public_key())
        made = AuthenticatorData.create(
            sha256(HOST.encode()).digest(),
            PRESENT_AND_VERIFIED | AuthenticatorData.FLAG.AT,
            0,
            AttestedCredentialData.create(Aaguid.NONE, ID, public),
        )
        response = {
            "clientDataJSON": _client_data("webauthn.create", b"challenge"),
            "attestationObject": websafe_encode(
                AttestationObject.create("none", made, {})
            ),
        }
        credential = _credential(response)
        Authenticator.objects.create(
            user=person,
            type=Authenticator.Type.WEBAUTHN,
            data={"name": "Key", "credential": credential},
        )

    def sign_in(self, client: Client, *, count: int) -> bool:
        """Signs in with the passkey alone, as the sign-in page does."""
        path = reverse("mfa_login_webauthn")
        options = client.get(
            path, headers={"X-Requested-With": "XMLHttpRequest"}
        ).json()["request_options"]["publicKey"]
        client_data = _client_data("webauthn.get", websafe_decode(options["challenge"]))
        data = AuthenticatorData.create(
            sha256(HOST.encode()).digest(), PRESENT_AND_VERIFIED, count
        )
        signed = data + sha256(websafe_decode(client_data)).digest()
        handle = user_pk_to_url_str(self._person).encode()
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(self._key.sign(signed, ec.ECDSA(SHA256()))),
            "userHandle": websafe_encode(handle),
        }
        client.post(path, {"credential": json.dumps(_credential(response))})
        return "_auth_user_id" in client.session


def _client_data(kind: str, challenge: bytes) -> str:
    made = CollectedClientData.create(kind, challenge, f"http://{HOST}")
    return websafe_encode(made)


def _credential(response: dict[str, str]) -> dict[str, Any]:
    name = websafe_encode(ID)
    return {"id": name, "rawId": name, "type": "public-key", "response": response}
