from __future__ import annotations

from dataclasses import dataclass

import pytest

from engine.antivirus import policy
from engine.mail.errors import PermanentFailure


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
