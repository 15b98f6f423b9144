from __future__ import annotations

import io
import json
import logging
import re
from logging.config import dictConfig

import pytest
import structlog

from engine.observability import message_log
from portal.configuration import logging_setup


@pytest.fixture
def log_output(monkeypatch: pytest.MonkeyPatch):
    """Captures the log as the environment would configure it."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    text = io.StringIO()

    def start(*, is_production: bool) -> io.StringIO:
        dictConfig(logging_setup.configure(is_production=is_production))
        [handler] = [one for one in root.handlers if type(one) is logging.StreamHandler]
        handler.setStream(text)
        return text

    yield start
    root.handlers[:], root.level = before
    logging_setup.configure(is_production=False)


def test_production_writes_one_document_a_line(log_output) -> None:
    text = log_output(is_production=True)

    structlog.stdlib.get_logger("postern.mail").info("accepted", reference="A1")
    logging.getLogger("django.request").warning(
        "Not found: %s", "/x", extra={"request": 1}
    )

    ours, djangos = map(json.loads, text.getvalue().splitlines())
    assert (ours["event"], ours["reference"], ours["level"]) == (
        "accepted",
        "A1",
        "info",
    )
    assert ours["timestamp"].endswith("Z")
    assert djangos["event"] == "Not found: /x"
    assert djangos["logger"] == "django.request"
    assert "request" not in djangos


def test_a_fault_is_one_document_without_the_values_of_variables(log_output) -> None:
    text = log_output(is_production=True)
    secret = "kept to itself"
    try:
        raise ValueError(len(secret))
    except ValueError:
        logging.getLogger("engine").exception("it failed")

    [line] = text.getvalue().splitlines()
    assert "ValueError: 14" in json.loads(line)["exception"]
    assert secret not in line


def test_a_line_end_in_a_value_makes_no_second_line(log_output) -> None:
    text = log_output(is_production=True)

    structlog.stdlib.get_logger("postern.mail").info("refused", sender='a\n{"b": 1}')

    assert len(text.getvalue().splitlines()) == 1


def test_development_writes_lines_to_read(log_output) -> None:
    text = log_output(is_production=False)

    structlog.stdlib.get_logger("postern.mail").info("accepted", reference="A1")

    assert "accepted" in text.getvalue()
    assert "reference=A1" in text.getvalue()


def test_development_shows_a_value_with_spaces_or_line_ends_in_quotes(
    log_output,
) -> None:
    text = log_output(is_production=False)

    structlog.stdlib.get_logger("postern.mail").info(
        "refused", sender="a\nb", reply="550 No", size=7
    )

    [line] = text.getvalue().splitlines()
    assert line.endswith("reply='550 No' sender='a\\nb' size=7")


def test_development_shows_where_a_fault_happened(log_output) -> None:
    text = log_output(is_production=False)
    try:
        raise ValueError("it")
    except ValueError:
        logging.getLogger("engine").exception("it failed")

    assert "it failed" in text.getvalue()
    assert "Traceback" in text.getvalue()


@pytest.mark.parametrize("is_production", [True, False])
def test_the_lines_of_messages_look_like_all_others(
    log_output, is_production: bool
) -> None:
    text = log_output(is_production=is_production)
    facts = {"reference": "A1", "source": "receive", "sender": "a@b.example"}

    structlog.stdlib.get_logger("postern.mail").info(
        "accepted", **facts, recipient="c@b.example", size=7
    )
    message_log.accepted(**facts, recipients=["c@b.example"], size=7)

    structlogs, ours = (
        re.sub(r"[0-9T:.-]{26,}Z", "", line) for line in text.getvalue().splitlines()
    )
    if is_production:
        structlogs, ours = json.loads(structlogs), json.loads(ours)
    assert ours == structlogs
