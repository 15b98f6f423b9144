from __future__ import annotations

from dataclasses import dataclass

import pytest

from engine.antivirus import policy
from engine.mail.errors import PermanentFailure
from portal.environment import Environment


@dataclass(frozen=True)
class Named:
    filename: str
    content_type: str = "application/octet-stream"


@pytest.mark.parametrize(
    "name",
    ["run.exe", "Invoice.PDF.EXE", "run.exe.", "run.exe . ", "run.js:stream", ".scr"],
)
def test_program_by_name(name: str) -> None:
    with pytest.raises(PermanentFailure) as refused:
        policy.check_can_carry([Named("a.pdf"), Named(name)])

    assert refused.value.reply.code == 554
    assert refused.value.reply.enhanced == "5.7.1"
    assert "are not carried here" in refused.value.reply.text


def test_program_by_type() -> None:
    part = Named("photograph", "Application/X-MSDownload")

    with pytest.raises(PermanentFailure, match="application/x-msdownload"):
        policy.check_can_carry([part])


@pytest.mark.parametrize(
    "name", ["", "exe", "exe.pdf", "statement.docx", "papers.zip", "a.b.c", "….pdf"]
)
def test_document(name: str) -> None:
    assert policy.can_carry([Named(name)])


def test_can_carry_program() -> None:
    assert not policy.can_carry([Named("run.exe")])


@pytest.fixture
def community(settings) -> None:
    """Refuses documents with macros and videos, and lets disk images travel."""
    kinds = {
        "attachments_refused": [".DocM", "video/*"],
        "attachments_allowed": ["iso"],
    }
    settings.POSTERN = Environment(**(settings.POSTERN.model_dump() | kinds))


@pytest.mark.usefixtures("community")
@pytest.mark.parametrize(
    ("part", "may"),
    [
        (Named("letter.docm"), False),
        (Named("LETTER.DOCM."), False),
        (Named("hearing", "Video/MP4"), False),
        (Named("hearing.mp4", "audio/mp4"), True),
        (Named("disk.iso"), True),
        (Named("run.exe"), False),
        (Named("letter.docx"), True),
    ],
)
def test_a_community_has_a_policy_of_its_own(part: Named, may: bool) -> None:
    assert policy.can_carry([part]) is may
