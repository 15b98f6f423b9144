"""File names disguised with Unicode are refused, or shown as what they are."""

from __future__ import annotations

import random
import unicodedata

from engine.antivirus.attachments import policy, refused_kinds
from engine.antivirus.attachments.policy import File
from engine.mail.mime import file_names
from tests.security.names import SEED
from tests.security.unicode_data import DISGUISES, direction_controls, invisible

# File name endings, and whether opening such a file runs it.
ENDINGS = {
    "exe": True,
    "scr": True,
    "js": True,
    "lnk": True,
    "pdf.exe": True,
    "docx.vbs": True,
    "pdf": False,
    "docx": False,
    "txt": False,
}
HARMLESS = b"Good morning\r\n"


def generated(count: int = 500) -> list[tuple[str, str, bool]]:
    """Returns the same names each time: disguise, name, whether opening runs it."""
    chance = random.Random(SEED)
    found = []
    for _ in range(count):
        ending = chance.choice(sorted(ENDINGS))
        disguise = chance.choice(sorted(DISGUISES))
        name = DISGUISES[disguise](f"Bundle of papers.{ending}", chance)
        if chance.random() < 0.3:
            name = f"annexe{chance.choice(direction_controls())}fdp.{name}"
        found.append((disguise, name, ENDINGS[ending]))
    return found


def faults(name: str, *, starts: bool) -> list[str]:
    """Returns what is wrong with how the file is shown; nothing if refused."""
    carried = File(name, "application/octet-stream", HARMLESS)
    if not policy.can_carry([carried]):
        return [] if starts else ["a document is refused"]
    shown = file_names.canonical(name)
    found = []
    if file_names.endings([shown]) & refused_kinds.REFUSED_ENDINGS:
        found.append("starts something")
    if any(c in invisible() or c in direction_controls() for c in shown):
        found.append("holds what is not seen")
    # Without control characters, the end of the name is displayed last.
    if any(unicodedata.category(c) in ("Cc", "Cf") for c in shown):
        found.append("is not shown as it is")
    return found


def test_every_generated_name_of_a_file_is_refused_or_shown_for_what_it_is() -> None:
    names = generated(500)

    wrong = [
        (disguise, name, fault)
        for disguise, name, starts in names
        for fault in faults(name, starts=starts)
        if starts or fault != "a document is refused"
    ]
    refused = [
        name
        for _, name, starts in names
        if starts
        and not policy.can_carry([File(name, "application/octet-stream", HARMLESS)])
    ]

    assert len(names) == 500
    assert not wrong
    assert len(refused) > 200
