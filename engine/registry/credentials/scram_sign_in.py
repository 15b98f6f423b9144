"""Authenticates people by the proofs of SCRAM, tried against each of their app passwords."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from django.db.models import F

from engine.registry.credentials import authentication, scram_keys
from engine.registry.credentials.scram_exchange import ScramExchange
from engine.registry.credentials.sign_in_tally import SignInMethod, tally
from engine.registry.models import AppPassword

# App passwords that a proof is tried against: no more, so that nobody makes a sign-in slow,
# and the work for no fewer, so that the time does not say whether a name exists.
MOST_TRIED, LEAST_TRIED = 200, 10


@dataclass(frozen=True, slots=True)
class Proved:
    """The app password that a SCRAM proof was made with, and our signature in return."""

    app_password: AppPassword
    signature: bytes


def authenticate_person_by_proof(
    exchange: ScramExchange,
    *,
    peer: str = "",
    method: SignInMethod = SignInMethod.POP3,
) -> Proved | None:
    """Does what `authentication.authenticate_person` does, by the proof of a SCRAM exchange.

    The proof is tried against each app password of those who may sign in under the name.
    Raises TooManyAttemptsError.
    """
    key = authentication.key_of(exchange.username)
    was_known = partial(authentication.was_known_to_person, key)
    with authentication.throttle.attempt(key, peer, was_known=was_known) as attempt:
        proved = _find_by_proof(key, exchange)
        if proved is None:
            tally.failed(key, method, peer=peer)
            return None
        attempt.succeeded()
    authentication.record_sign_in(proved.app_password, method, peer)
    return proved


def _find_by_proof(key: str, exchange: ScramExchange) -> Proved | None:
    rows = authentication.app_passwords_of(key).exclude(scram="").distinct()
    latest = rows.order_by(F("last_used_at").desc(nulls_last=True), "-id")
    found = list(latest[:MOST_TRIED])
    proved = None
    for row in found:
        for keys in scram_keys.keys_of(row.scram):
            if signature := exchange.signature(keys):
                proved = Proved(row, signature)
    for _ in range(LEAST_TRIED - len(found)):
        for keys in scram_keys.keys_of(scram_keys.decoy()):
            exchange.signature(keys)
    return proved
