"""Tests that text is read in the charset that it is in, whatever it says."""

from __future__ import annotations

import codecs
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Page

from engine.mail.mime.charset import Decoded, decode, read
from engine.mail.mime.charset_names import CODECS, codec_of

TURKISH = (
    "A\u011f\u0131r \u015fifre i\u00e7in \u0131\u015f\u0131k g\u00f6sterilmi\u015f"
)
ICELANDIC = "Það er þörf á nýrri áætlun við höfnina, sagði ráðherra"
META = b'<meta http-equiv="Content-Type" content="text/html; charset=%s"><p>'
NAMES = [
    *("", "us-ascii", "utf-8", "iso-8859-1", "windows-1252", "iso-8859-9", "koi8-r"),
    *("iso-2022-jp", "shift_jis", "euc-jp", "gb2312", "big5", "euc-kr", "hz", "utf-7"),
    *("utf-16", "utf-32", "unknown"),
]
IN_BROWSERS = [
    *(f"windows-{number}" for number in range(1250, 1259) if number != 1255),
    *(f"iso-8859-{number}" for number in range(2, 17) if number not in (9, 11, 12)),
    *("windows-874", "koi8-r", "macintosh", "x-mac-cyrillic", "ibm866"),
]


class TestNames:
    @pytest.mark.parametrize(
        ("name", "codec"),
        [
            ("cp-850", "cp850"),
            ("IBM00858", "cp858"),
            ("x-mac-roman", "mac_roman"),
            ("windows-31j", "cp932"),
            ("x-sjis", "cp932"),
            ("utf8", "utf_8"),
            ('"utf-8";', "utf_8"),
            ("unicode-1-1-utf-8", "utf_8"),
            ("ansi_x3.4-1968", "ascii"),
            ("ISO8859-1", "cp1252"),
            ("iso-8859-8-i", "iso8859_8"),
            ("iso-8859-8-e", "iso8859_8"),
            ("ks_c_5601", "cp949"),
            ("ks_c_5601-1987", "cp949"),
            ("_iso-2022-jp$ESC", "iso2022_jp"),
            ("iso-2022-jp$SIO", "iso2022_jp"),
            ("csISO2022JP", "iso2022_jp"),
            ("x-windows-949", "cp949"),
            ("gb2312", "gb18030"),
            ("win-1251", "cp1251"),
            ("unicode-1-1-utf-7", "utf_7"),
            ("latin1", "cp1252"),
        ],
    )
    def test_names_that_programs_write_are_known(self, name: str, codec: str) -> None:
        assert codec_of(name) == codec

    @pytest.mark.parametrize(
        "name", ["", "unknown-8bit", "rot13", "idna", "hex", "zip"]
    )
    def test_what_is_no_charset_is_unknown(self, name: str) -> None:
        assert not codec_of(name)

    @pytest.mark.parametrize("codec", sorted(CODECS))
    def test_each_codec_is_known_by_its_own_name(self, codec: str) -> None:
        assert codec_of(codec)
        assert codec_of(codec.replace("_", "-").upper())


class TestToldWrongly:
    @pytest.mark.parametrize("name", ["", "us-ascii", "iso-8859-1", "windows-1252"])
    def test_utf_8_is_recognised(self, name: str) -> None:
        for text in (
            "Jäne",
            "Łódź, Paweł",
            "don’t \N{EN DASH} “no”",
            "Привет",
            "日本",
            "\U0001f600",
        ):
            assert read(text.encode(), name) == Decoded(
                text, is_guessed=name != "us-ascii"
            )

    @pytest.mark.parametrize(
        "name", ["", "us-ascii", "utf-8", "iso-8859-1", "x-unknown"]
    )
    def test_quotes_and_dashes_of_windows_are_read(self, name: str) -> None:
        assert (
            decode(b"\x93don\x92t\x94 \x96 J\xe4ne \x80", name)
            == "“don’t” \N{EN DASH} Jäne €"
        )

    def test_other_charsets_of_iso_have_them_too(self) -> None:
        assert decode(b"\x93\xb1\xb6\x94", "iso-8859-2") == "“ąś”"
        assert decode("don\x92t".encode(), "utf-8") == "don’t"

    @pytest.mark.parametrize("name", ["", "utf-8", "iso-8859-1", "iso-8859-9"])
    def test_turkish_is_recognised(self, name: str) -> None:
        assert decode(TURKISH.encode("cp1254"), name) == TURKISH

    @pytest.mark.parametrize("name", ["", "utf-8", "iso-8859-1"])
    @pytest.mark.parametrize("text", [ICELANDIC, "«CAFÉ»", "Þórður", "ÅÄÖ", "SÃO"])
    def test_what_is_latin_1_stays_so(self, name: str, text: str) -> None:
        assert decode(text.encode("cp1252"), name) == text

    def test_a_footer_in_another_charset_is_read(self) -> None:
        text = "Grüße aus Köln".encode() + b"\r\n-- \r\nF\xfcr alle"
        assert read(text, "utf-8") == Decoded(
            "Grüße aus Köln\r\n-- \r\nFür alle", is_guessed=True
        )

    def test_a_character_that_was_cut_is_no_other(self) -> None:
        text = "Grüße \N{EN DASH} “a”".encode()[:-1]
        assert read(text, "utf-8") == Decoded("Grüße \N{EN DASH} “a\ufffd", True, True)

    def test_japanese_without_a_charset_is_recognised(self) -> None:
        for name in ("", "us-ascii", "utf-8", "iso-8859-1"):
            assert decode(b"\x1b$BF|K\\\x1b(B", name) == "日本"
        assert decode("日本語です".encode("cp932"), "iso-2022-jp") == "日本語です"

    def test_utf_16_without_a_mark(self) -> None:
        assert decode("Jäne\n".encode("utf-16-be"), "utf-16") == "Jäne\n"
        assert decode("Jäne\n".encode("utf-16-le"), "utf-16") == "Jäne\n"
        assert decode("Jäne\n".encode(), "utf-16") == "Jäne\n"

    def test_octets_without_a_character_are_reported(self) -> None:
        assert read(b"a\x81", "windows-1252") == Decoded("a\ufffd", is_damaged=True)
        assert read(b"a\x1b$B!", "iso-2022-jp").is_damaged
        assert not read("aä\ufeff".encode(), "utf-8").is_damaged


class TestHtml:
    @pytest.mark.parametrize("name", ["", "us-ascii", "x-unknown"])
    @pytest.mark.parametrize(
        ("declared", "codec", "text"),
        [
            (b"windows-1251", "cp1251", "Привет"),
            (b"windows-1254", "cp1254", "İşte"),
            (b"utf-8", "utf-8", "Jäne"),
            (b"gb2312", "gb18030", "你好"),
        ],
    )
    def test_the_charset_may_be_told_in_the_page(
        self, name: str, declared: bytes, codec: str, text: str
    ) -> None:
        for start in (META % declared, b"<meta charset='%s'>" % declared):
            data = start + text.encode(codec)
            assert decode(data, name, is_html=True).endswith(text)
            assert read(data, name, is_html=True).is_guessed
            assert not decode(data, name).endswith(text) or declared == b"utf-8"

    def test_the_message_is_believed_first(self) -> None:
        data = META % b"windows-1251" + "Jäne".encode()
        assert decode(data, "utf-8", is_html=True).endswith("Jäne")
        assert decode(
            META % b"utf-8" + b"J\xe4ne", "iso-8859-1", is_html=True
        ).endswith("Jäne")

    def test_what_cannot_be_is_read_as_the_page_tells(self) -> None:
        data = META % b"windows-1254" + "“İşte”".encode("cp1254")
        for name in ("utf-8", "iso-8859-1"):
            assert decode(data, name, is_html=True).endswith("“İşte”")

    def test_a_page_that_says_utf_16_is_not(self) -> None:
        data = META % b"utf-16" + "Jäne".encode()
        assert decode(data, "", is_html=True).endswith("Jäne")

    @pytest.mark.parametrize("name", ["", "iso-8859-1", "windows-1251"])
    @pytest.mark.parametrize(
        ("mark", "codec"),
        [
            (codecs.BOM_UTF8, "utf-8"),
            (codecs.BOM_UTF16_LE, "utf-16-le"),
            (codecs.BOM_UTF16_BE, "utf-16-be"),
        ],
    )
    def test_a_byte_order_mark_counts_more(
        self, name: str, mark: bytes, codec: str
    ) -> None:
        assert decode(mark + "Jäne".encode(codec), name) == "Jäne"


class TestUtf7:
    def test_it_is_decoded(self) -> None:
        assert decode(b"J+AOQ-ne +AGE-", "utf-7") == "Jäne a"

    def test_it_has_no_surrogates(self) -> None:
        assert read(b"+2AA- +2D3eAA-", "utf-7") == Decoded(
            "\ufffd \U0001f600", is_damaged=True
        )

    def test_other_text_is_not_read_as_utf_7(self) -> None:
        assert decode(b"+ADw-", "us-ascii") == "+ADw-"
        assert decode(META % b"utf-7" + b"+ADw-", "", is_html=True).endswith("+ADw-")
        assert decode("Jäne +ADw-".encode(), "utf-7") == "Jäne +ADw-"


class TestBrowsers:
    """Compares each octet and pair of octets with what Chromium reads."""

    @staticmethod
    def in_browser(page: Page, name: str, data: bytes) -> list[str]:
        text: str = page.evaluate(
            "([name, data]) => new TextDecoder(name).decode("
            "Uint8Array.from(atob(data), one => one.charCodeAt(0)))",
            [name, b64encode(data).decode()],
        )
        return text.split("\n")

    def test_single_octets(self, page: Page) -> None:
        data = b"\n".join(bytes((code,)) for code in range(0x80, 0x100))
        for name in IN_BROWSERS:
            expected = self.in_browser(page, name, data)
            for ours, theirs in zip(
                decode(data, name).split("\n"), expected, strict=True
            ):
                assert ours == theirs or theirs == "\ufffd" or "\x7f" < theirs < "\xa0"

    @pytest.mark.parametrize("name", ["iso-2022-jp", "euc-jp"])
    def test_japanese_with_characters_of_vendors(self, page: Page, name: str) -> None:
        rows = range(0x21, 0x7F)
        if name == "euc-jp":
            lines = [bytes((r | 0x80, c | 0x80)) for r in rows for c in rows]
        else:
            lines = [b"\x1b$B%c%c\x1b(B" % (r, c) for r in rows for c in rows]
            lines += [b"\x1b(J\\~\x1b(B", b"\x1b(I%s\x1b(B" % bytes(range(0x21, 0x60))]
        data = b"\n".join(lines)
        assert decode(data, name).split("\n") == self.in_browser(page, name, data)

    @pytest.mark.parametrize("name", ["shift_jis", "euc-kr"])
    def test_pairs_of_octets(self, page: Page, name: str) -> None:
        leads = [*range(0x81, 0xA0), *range(0xE0, 0xFD)]
        trails = [*range(0x41, 0x5B), *range(0x61, 0x7B), *range(0x81, 0xFF)]
        data = b"\n".join(bytes((one, two)) for one in leads for two in trails)
        expected = self.in_browser(page, name, data)
        for ours, theirs in zip(decode(data, name).split("\n"), expected, strict=True):
            assert ours == theirs or "\ufffd" in theirs


class TestJapanese:
    def test_characters_of_vendors(self) -> None:
        assert decode(b"\x1b$B-!-j|b\x1b(B", "iso-2022-jp") == "①㈱髙"
        assert decode(b"\xad\xa1\xad\xea", "euc-jp") == "①㈱"

    def test_a_line_begins_in_ascii(self) -> None:
        assert decode(b"\x1b$BF|\nabc\x0e12\nabc", "iso-2022-jp") == "日\nabcｱｲ\nabc"

    @given(st.binary(max_size=60))
    def test_any_octets_are_accepted(self, data: bytes) -> None:
        for name in ("iso-2022-jp", "euc-jp"):
            decode(data.replace(b"$", b"\x1b$B").replace(b"(", b"\x1b(I"), name)


class TestProperties:
    @given(st.binary(max_size=200), st.sampled_from(NAMES), st.booleans())
    def test_any_octets_become_text_without_surrogates(
        self, data: bytes, name: str, is_html: bool
    ) -> None:
        read(data, name, is_html=is_html).text.encode()

    @pytest.mark.parametrize("codec", sorted(CODECS))
    def test_any_octets_become_text_in_each_codec(self, codec: str) -> None:
        pairs = (
            bytes((one, two, 10)) for one in range(256) for two in range(0, 256, 3)
        )
        decode(b"".join(pairs), codec).encode()

    @given(
        st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")))
    )
    def test_what_is_written_in_utf_8_is_read_back(self, text: str) -> None:
        assert decode(text.encode(), "utf-8") == text.removeprefix("\ufeff")

    @pytest.mark.parametrize(
        "codec",
        sorted(codec for codec in CODECS if codec_of(codec) == codec != "iso2022_jp"),
    )
    def test_what_is_written_in_each_codec_is_read_back(self, codec: str) -> None:
        """Each letter by itself, among others that nobody takes for UTF-8."""
        for code in range(0xA0, 0x3400):
            try:
                data = f" a{chr(code)}b ".encode(codec)
            except UnicodeEncodeError:
                continue
            assert decode(data, codec) == data.decode(codec), hex(code)

    @pytest.mark.parametrize(
        "unit",
        [
            b"\xff",
            b"\xe2\x80",
            b"a\xe9",
            b"\x1b$B",
            b"\x1b$B!",
            b"+2AA",
            b"~{",
            b"<meta ",
        ],
    )
    def test_long_octets_are_read_in_linear_time(self, unit: bytes) -> None:
        for name in NAMES:
            read(unit * (500_000 // len(unit)), name, is_html=True)
