"""Reads each session from the database once, until it is saved or deleted.

Thirteen thousand requests read their session, which takes a quarter of their time. That
sessions expire and end is tested in tests/security.
"""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from portal.sessions.store import SessionStore


def use(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replaces the reading of sessions until the test has ended."""
    remembered: dict[str, bytes] = {}
    load, save, delete = SessionStore.load, SessionStore.save, SessionStore.delete

    def remember(session: SessionStore) -> dict[str, Any]:
        known = remembered.get(session.session_key)
        if known is None:
            facts = load(session)
            if session.person is not None:
                remembered[session.session_key] = pickle.dumps((session.person, facts))
            return facts
        session.person, facts = pickle.loads(known)
        return facts

    def forget_and_save(session: SessionStore, *args: Any, **options: Any) -> None:
        remembered.pop(session.session_key, None)
        save(session, *args, **options)

    def forget_and_delete(session: SessionStore, *args: Any) -> None:
        remembered.clear()
        delete(session, *args)

    monkeypatch.setattr(SessionStore, "load", remember)
    monkeypatch.setattr(SessionStore, "save", forget_and_save)
    monkeypatch.setattr(SessionStore, "delete", forget_and_delete)
