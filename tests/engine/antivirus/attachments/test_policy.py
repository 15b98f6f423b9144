from __future__ import annotations

import base64
from email.message import EmailMessage

import pytest

from engine.antivirus.attachments import inspection, policy, refused_kinds
from engine.antivirus.attachments.policy import File
from engine.mail.errors import PermanentFailure
from engine.mail.message import split
from engine.mail.mime.part_walker import walk
from portal.configuration.environment import Environment
from tests.engine.antivirus import specimens


def named(name: str, content_type: str = "application/octet-stream") -> File:
    return File(name, content_type, b"x")


def accepts_message(raw: bytes) -> bool:
    return policy.can_carry(walk(*split(raw), strict=True))


def part(*fields: bytes, body: bytes = b"x") -> bytes:
    return b"\r\n".join([*fields, b"", body])


@pytest.mark.parametrize(
    "name",
    [
        "run.exe",
        "Invoice.PDF.EXE",
        "run.exe.",
        "run.exe . ",
        "run.js:stream",
        ".scr",
        "statement.pdf:run.exe",
        "setup.ISO",
        "view.SettingContent-ms",
        "shared.searchConnector-ms",
        "notes.one",
        "page.url",
        "disk.vhdx",
    ],
)
def test_program_by_name(name: str) -> None:
    with pytest.raises(PermanentFailure) as refused:
        policy.check_can_carry([named("a.pdf"), named(name)])

    assert refused.value.reply.code == 554
    assert refused.value.reply.enhanced == "5.7.1"
    assert "are not carried here" in refused.value.reply.text


@pytest.mark.parametrize(
    "field",
    [
        b"Content-Type: application/x-msdownload",
        b"Content-Type: Application/X-MSDownload (a comment)",
        b"Content-Type: (a (nested) comment) application/x-msdownload",
        b"Content-Type: application/(x)x-msdownload; name=photograph",
        b"Content-Type: application / x-msdownload",
        b"Content-Type:\r\n application/x-msdownload (;) ; charset=utf-8",
        b"Content-Type: message/partial; id=1; number=1; total=2",
    ],
)
def test_program_by_type(field: bytes) -> None:
    assert not accepts_message(part(field))


@pytest.mark.parametrize(
    "name", ["", "exe", "exe.pdf", "statement.docx", "papers.zip", "a.b.c", "….pdf"]
)
def test_document(name: str) -> None:
    assert policy.can_carry([named(name)])


@pytest.mark.parametrize(
    "fields",
    [
        (b'Content-Disposition: attachment; filename="a.pdf"',
         b'Content-Type: application/pdf; name="run.exe"'),
        (b'Content-Disposition: attachment; filename="run.exe"',
         b'Content-Type: application/pdf; name="a.pdf"'),
        (b"Content-Disposition: attachment; filename=a.pdf",
         b"Content-Disposition: attachment; filename=run.exe"),
        (b"Content-Type: application/pdf", b"Content-Type: application/x-msdownload"),
        (b"Content-Type: application/x-msdownload", b"Content-Type: application/pdf"),
        (b"Content-Type: text/plain", b"Content-Type: multipart/mixed; boundary=b"),
        (b"Content-Type: multipart/mixed; boundary=a; boundary=b",),
        (b"Content-Transfer-Encoding: 7bit", b"Content-Transfer-Encoding: base64"),
    ],
)  # fmt: skip
def test_the_strictest_of_several(fields: tuple[bytes, ...]) -> None:
    assert not accepts_message(part(*fields))


def test_what_is_said_twice_alike() -> None:
    field = b"Content-Type: application/pdf; name=a.pdf"

    assert accepts_message(part(field, field))


@pytest.mark.parametrize(
    "data",
    [
        specimens.program(),
        specimens.zipped_under({"papers/run.exe": b"x"}),
        specimens.zipped_under({"a.txt": specimens.program()}),
        specimens.zipped_under({"Letters.app/Contents/Info.plist": b"x"}),
        specimens.nested(specimens.program(), depth=5),
        specimens.zipped_under({"run.exe": b""}) + specimens.zipped(b"x"),
        specimens.zipped(specimens.program()) + specimens.zipped(b"x"),
        specimens.zipped(b"x")[:-2] + b"\x99\0" + specimens.zipped_under({"a.js": b""}),
        specimens.tarred(b"x", names=("run.exe",)),
        specimens.gzipped(specimens.tarred(specimens.program())),
        specimens.gzipped(b"x", name="run.exe"),
        part(b"Content-Type: application/octet-stream; name=run.exe"),
        part(b"MIME-Version: 1.0", b"Content-Type: application/octet-stream",
             b"Content-Disposition: attachment", body=specimens.program()),
        part(b"MIME-Version: 1.0", b"Content-Type: x/y; name=run.exe").replace(b"\r", b""),
        specimens.zipped_under({"kept.eml": part(b"Content-Type: x/y; name=run.exe")}),
    ],
    ids=[
        "a program",
        "named in a zip",
        "in a zip by its octets",
        "a folder that is a program",
        "five deep",
        "named in the first of two joined zips",
        "in the first of two joined zips",
        "named in a comment",
        "named in a tar",
        "in a compressed tar",
        "named by gzip",
        "named in a message",
        "in a message",
        "in a message with bare line feeds",
        "in a message in a zip",
    ],
)  # fmt: skip
def test_what_hides_behind_a_harmless_name(data: bytes) -> None:
    assert not policy.can_carry(
        [File("statement.bin", "application/octet-stream", data)]
    )


@pytest.mark.parametrize("kind", ["rfc822", "global", "news", "RFC822 (kept)"])
def test_in_attached_messages(kind: str) -> None:
    inner = part(b"Content-Type: application/pdf; name=run.exe")
    outer = part(b"Content-Type: message/" + kind.encode(), body=inner)

    assert not accepts_message(outer)
    assert not accepts_message(part(b"Content-Type: message/rfc822", body=outer))


@pytest.mark.parametrize(
    "body",
    [
        b"Hello\r\nbegin 644 run.exe\r\n#86)C\r\n`\r\nend\r\n",
        b"begin-base64 644 run.exe\r\nYWJj\r\n====\r\n",
        b"=ybegin line=128 size=3 name=run.exe\r\nabc\r\n=yend size=3\r\n",
        specimens.program(),
    ],
)
def test_a_file_that_is_taken_out_of_a_text(body: bytes) -> None:
    assert not accepts_message(part(b"Subject: x", body=body))
    assert not accepts_message(part(b"Content-Type: text/plain", body=body))


def test_encoding_with_a_comment() -> None:
    fields = [b"Content-Transfer-Encoding: base64 (as usual)", b"Content-Type: a/b"]

    assert not accepts_message(
        part(*fields, body=base64.b64encode(specimens.program()))
    )


@pytest.mark.parametrize(
    "body",
    [b"#!/bin/sh\nis what it should begin with", b"<html> is a tag", b"[Shell] sort"],
)
def test_words_that_look_like_a_script(body: bytes) -> None:
    assert accepts_message(part(b"Content-Type: text/plain", body=body))


@pytest.mark.parametrize(
    "text", [b"AA01 is attached.", b"070707 12345 is my number", b"EGGAR and others"]
)
def test_words_that_look_like_an_archive(text: bytes) -> None:
    assert accepts_message(part(b"Content-Type: text/plain", body=text + b"\r\n"))
    assert policy.can_carry([File("note.txt", "text/plain", text)])


def test_a_message_as_programs_write_it() -> None:
    made = EmailMessage()
    made["Subject"] = "Papers"
    made.set_content("Hello")
    made.add_alternative("<html><p>Hello</p></html>", subtype="html")
    made.add_attachment(
        specimens.zipped_under(
            {"[Content_Types].xml": b"x", "word/media/a.svg": b"<svg"}
        ),
        maintype="application",
        subtype="vnd.openxmlformats-officedocument.wordprocessingml.document",
        filename="Datganiad Siân (1).docx",
    )
    made.add_attachment(
        b"%PDF", maintype="application", subtype="pdf", filename="a.pdf"
    )

    assert accepts_message(made.as_bytes(policy=made.policy.clone(linesep="\r\n")))


def test_more_than_anybody_looks_into() -> None:
    data = specimens.nested(b"x", depth=inspection.MAX_DEPTH + 1)

    with pytest.raises(PermanentFailure, match="more files than can be looked into"):
        policy.check_can_carry([File("papers.zip", "application/zip", data)])


def test_too_many_names() -> None:
    with pytest.raises(PermanentFailure, match="too many names"):
        policy.check_can_carry(walk(b"Content-Type: a/b" + b"; name=a" * 999, b"x"))


# As Outlook and Gmail publish them, independently of our own table.
OUTLOOK = (
    "ade adp apk app appcontent-ms application appref-ms appx asp aspx asx bas bat bgi cab"
    " cdxml cer chm cmd cnt com cpl crt csh der diagcab exe fxp gadget grp hlp hpj hta htc"
    " img inf ins iso isp its jar jnlp js jse ksh library-ms lnk mad maf mag mam maq mar"
    " mas mat mau mav maw mcf mda mdb mde mdt mdw mdz msc mht mhtml msh msh1 msh2 mshxml"
    " msh1xml msh2xml msi msp mst msu ops osd pcd pif pl plg prf prg printerexport ps1"
    " ps1xml ps2 ps2xml psc1 psc2 psd1 psdm1 pssc pst py pyc pyo pyw pyz pyzw reg scf scr"
    " sct search-ms settingcontent-ms shb shs theme tmp udl url vb vbe vbp vbs vhd vhdx"
    " vsmacros vsw webpnp website ws wsb wsc wsf wsh xbap xll xnk"
)
GMAIL = (
    "ade adp apk appx appxbundle bat cab chm cmd com cpl diagcab diagcfg diagpkg dll dmg ex"
    " ex_ exe hta img ins iso isp jar jnlp js jse lib lnk mde mjs msc msi msix msixbundle"
    " msp mst nsh pif ps1 scr sct shb sys vb vbe vbs vhd vxd wsc wsf wsh xll"
)
ASKED = (
    "settingcontent-ms library-ms search-ms searchConnector-ms theme url website appref-ms"
    " diagcab iqy one onetoc2 onepkg wim vmdk webloc inetloc desktop rdp"
)
# Files that Windows 11, macOS, Android, iOS and Linux desktops open or mount on a
# double click.
OPENED = (
    "cab iso img udf deb rpm ar cpio cpgz pax zst tzst lz lzma lz4 z lzh lha arj ace sit"
    " sitx aar hqx uu zoo alz egg dmg sparseimage ipa apk xapk wim vhd vhdx"
)


@pytest.mark.parametrize(
    "listed",
    [OUTLOOK, GMAIL, ASKED, OPENED],
    ids=["outlook", "gmail", "more", "opened"],
)
def test_published_kinds(listed: str) -> None:
    assert [
        one for one in listed.split() if policy.can_carry([named(f"a.{one}")])
    ] == []


def test_every_type_stands_for_a_kind_that_is_known() -> None:
    known = (
        refused_kinds.REFUSED_ENDINGS
        | refused_kinds.ACTIVE_ENDINGS
        | refused_kinds.REFUSED_TYPES
    )

    assert set(refused_kinds.TYPES.values()) <= known


@pytest.fixture
def community(settings):
    def configure(**changed: object) -> None:
        settings.POSTERN = Environment(**(settings.POSTERN.model_dump() | changed))

    return configure


@pytest.mark.parametrize(
    ("part", "may"),
    [
        (named("letter.docm"), False),
        (named("LETTER.DOCM."), False),
        (named("hearing", "Video/MP4"), False),
        (named("hearing.mp4", "audio/mp4"), True),
        (named("disk.iso"), True),
        (named("disk.iso", "application/x-iso9660-image"), True),
        (File("disk.iso", "a/b", bytes(0x8001) + b"CD001"), True),
        (named("run.exe"), False),
        (named("letter.docx"), True),
    ],
)
def test_a_community_has_a_policy_of_its_own(community, part: File, may: bool) -> None:
    """It refuses documents with macros and videos, and accepts disk images."""
    community(attachments_refused=[".DocM", "video/*"], attachments_allowed=["iso"])

    assert policy.can_carry([part]) is may


PAGES = [
    named("page.html"),
    named("page.XHTML"),
    named("drawing.svg"),
    named("page", "text/html"),
    named("drawing", "image/svg+xml"),
    File("page.txt", "text/plain", b"<!doctype html><p>Hello"),
    File("pages.zip", "application/zip", specimens.zipped_under({"a.html": b"x"})),
]


@pytest.mark.parametrize("part", PAGES)
def test_pages_and_drawings_by_policy(community, part: File) -> None:
    assert policy.can_carry([part])

    community(attachments_active="refuse")

    assert not policy.can_carry([part])


def test_what_is_shown_as_a_message_is_no_page(community) -> None:
    community(attachments_active="refuse")
    document = specimens.zipped_under(
        {"word/media/a.svg": b"<svg", "b.html": b"<html>"}
    )

    assert accepts_message(part(b"Content-Type: text/html", body=b"<html><p>Hello"))
    assert policy.can_carry([File("letter.docx", "a/b", document)])


def test_what_is_warned_of() -> None:
    warned = [one.name for one in PAGES if policy.warns_of(one.name, one.octets)]

    assert warned == ["page.html", "page.XHTML", "drawing.svg", "page.txt"]
    assert not policy.warns_of("a.pdf", b"%PDF")
