"""Tests that HTML becomes readable text, of which no visible word is missing."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.mail.reading import html_text
from engine.mail.reading.html_text import html_to_text, words_alone

TAGS = [
    *(
        "a",
        "b",
        "blockquote",
        "center",
        "custom",
        "dd",
        "div",
        "dl",
        "dt",
        "em",
        "font",
    ),
    *("form", "h2", "i", "li", "ol", "p", "pre", "q", "span", "table", "tbody", "td"),
    *("th", "tr", "tt", "u", "ul"),
]
HIDING = (
    'style="display:none"',
    "style='color:red; DISPLAY : none !important'",
    "hidden",
    'style="visibility:hidden"',
    'style="font-size:0"',
    'style="font-size: 0.0px"',
)


@st.composite
def markup_with_words(draw: st.DrawFn) -> tuple[str, list[str], list[str]]:
    """Draws HTML with the words that are seen in it and those that are not."""
    written: list[str] = []
    seen: list[str] = []
    hidden: list[str] = []
    for at in range(draw(st.integers(1, 25))):
        kind = draw(
            st.sampled_from(["open", "close", "word", "word", "hidden", "void"])
        )
        if kind == "open":
            written.append(f"<{draw(st.sampled_from(TAGS))}>")
        elif kind == "close":
            written.append(f"</{draw(st.sampled_from(TAGS))}>")
        elif kind == "word":
            seen.append(f"seen{at}.")
            written.append(f" seen{at}. ")
        elif kind == "hidden":
            hidden.append(f"hidden{at}.")
            how = draw(st.sampled_from(HIDING))
            written.append(f"<span {how}>hidden{at}.</span>")
        else:
            written.append(
                draw(st.sampled_from(["<br>", "<hr>", "<!-- x -->", "<img>"]))
            )
    return "".join(written), seen, hidden


class TestWords:
    @given(markup_with_words())
    def test_every_word_is_there_and_none_that_is_hidden(
        self, drawn: tuple[str, list[str], list[str]]
    ) -> None:
        markup, seen, hidden = drawn
        text = html_to_text(markup)
        expected = sorted(seen or hidden)
        assert sorted(re.findall(r"(?:seen|hidden)\d+\.", text)) == expected

    @given(st.text(max_size=300))
    def test_any_text_is_accepted(self, markup: str) -> None:
        html_to_text(markup)
        words_alone(markup)

    @given(st.text(alphabet="<>/!-\"'= abptrdl&;#\x00\ud800", max_size=80))
    def test_any_markup_is_accepted(self, markup: str) -> None:
        html_to_text(markup)
        words_alone(markup)

    @pytest.mark.parametrize("depth", [200, 300, 2_100, 50_000])
    @pytest.mark.parametrize("tag", ["div", "b", "table", "ul", "blockquote"])
    def test_depth_cuts_nothing(self, tag: str, depth: int) -> None:
        text = html_to_text(f"start {f'<{tag}>' * depth} the end")
        assert text.split()[0] == "start"
        assert text.split()[-2:] == ["the", "end"]

    def test_length_cuts_nothing(self) -> None:
        markup = "<p>word</p>" * (html_text.LAID_OUT_LENGTH // 11 + 1)
        assert html_to_text(f"{markup}<p>the end").endswith("\nthe end")

    @pytest.mark.parametrize(
        "markup",
        [
            "seen <a href='x>one</a> two",
            "seen <!-- one <p>two",
            'seen <p title="one</p> two',
            "<title>seen one two",
        ],
    )
    def test_what_is_never_closed_takes_nothing_in(self, markup: str) -> None:
        assert "two" in html_to_text(markup)

    def test_a_footer_behind_the_end_of_the_page_is_kept(self) -> None:
        markup = "<html><body>text</body></html><hr><p>footer <html><body>more</body>"
        text = html_to_text(markup)
        assert text.split("\n")[0] == "text"
        assert text.split()[-2:] == ["footer", "more"]

    def test_markup_that_is_text_is_kept(self) -> None:
        assert html_to_text("a < b and c > d <3 &lt;p&gt; &amp;") == (
            "a < b and c > d <3 <p> &"
        )
        assert html_to_text("<xmp><b>x</b></xmp>") == "<b>x</b>"

    def test_scripts_styles_titles_and_comments_are_not_text(self) -> None:
        assert html_to_text(
            "<title>t</title><style>p{}</style><script>s</script><p>seen<!-- c -->"
        ) == ("seen")

    def test_conditional_comments_are_read_as_browsers_do(self) -> None:
        assert html_to_text(
            "<!--[if mso]>Word<![endif]--><!--[if !mso]><!-->others<!--<![endif]-->"
            "<![if !supportLists]> all<![endif]>"
        ) == ("others all")


class TestHiding:
    @pytest.mark.parametrize("how", HIDING)
    def test_hidden_text_is_shown_where_nothing_else_is(self, how: str) -> None:
        assert html_to_text(f"<div {how}>only</div>") == "only"
        assert html_to_text(f"<div {how}>not</div>seen") == "seen"

    def test_an_element_may_be_seen_inside_one_without_size(self) -> None:
        assert html_to_text(
            '<div style="font-size:0"> a <p style="font-size:14px">seen'
            '<b style="font-size:1em"> too</b></p><table><td>table</table></div>'
        ).split() == ["seen", "too", "table"]
        assert html_to_text(
            '<p style="visibility:hidden">a<b style="visibility:visible">seen</b>'
        ) == ("seen")

    def test_the_last_or_important_declaration_counts(self) -> None:
        assert html_to_text('<p style="display:none;display:block">seen</p>x') == (
            "seen\n\nx"
        )
        assert html_to_text(
            '<p style="display:none!important;display:block">not</p>x'
        ) == ("x")

    def test_what_only_word_hides_is_shown(self) -> None:
        assert html_to_text('<p style="mso-hide:all">seen</p>') == "seen"

    def test_a_small_font_is_not_hidden(self) -> None:
        assert html_to_text('<p style="font-size:0.5px">a</p>') == "a"
        assert html_to_text('<p style="font-size:10px">a</p>') == "a"


class TestLinks:
    @pytest.mark.parametrize(
        ("link", "text"),
        [
            ('<a href="https://x.example/a">here</a>', "here <https://x.example/a>"),
            ('<a href="https://x.example/">https://x.example</a>', "https://x.example"),
            ('<a href="http://x.example/">x.example</a>', "x.example"),
            ('<a href="mailto:j@x.example?subject=a">j@x.example</a>', "j@x.example"),
            ('<a href="mailto:j@x.example">Jane</a>', "Jane <mailto:j@x.example>"),
            (
                '<a href="https://y.example">https://x.example</a>',
                "https://x.example <https://y.example>",
            ),
            (
                '<a href=" https://x.example/a\n b ">x</a>',
                "x <https://x.example/a%20b>",
            ),
            ('<a href="https://x.example/"><img src=a></a>', "<https://x.example/>"),
            (
                '<a href="https://x.example/"><img alt="A map"></a>',
                "[A map] <https://x.example/>",
            ),
            ('<a href="javascript:a()">x</a>', "x"),
            ('<a href="#top">x</a>', "x"),
            ('<a name="x">x</a>', "x"),
            (
                '<area alt="North" href="https://x.example/n">',
                "[North] <https://x.example/n>",
            ),
        ],
    )
    def test_a_target_is_told_once_where_the_words_differ(
        self, link: str, text: str
    ) -> None:
        assert html_to_text(f"<p>{link}") == text

    def test_words_behind_a_link_stand_apart(self) -> None:
        assert html_to_text('<a href="https://x.example">a</a>b, <i>c</i>') == (
            "a <https://x.example> b, c"
        )

    def test_a_link_around_a_block_stands_behind_its_words(self) -> None:
        assert html_to_text(
            '<a href="https://x.example"><div>Button</div></a><p>next'
        ) == ("Button <https://x.example>\n\nnext")


class TestLayout:
    @pytest.mark.parametrize(
        ("markup", "text"),
        [
            ("a\n <b> b</b>  c", "a b c"),
            ("<p>a</p><p>b</p>c", "a\n\nb\n\nc"),
            ("<div>a</div><div>b</div>c", "a\nb\nc"),
            ("a<br>b<br><br>c", "a\nb\n\nc"),
            ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
            ("<p class=MsoNormal>a</p><p class=MsoNormal>b</p>", "a\nb"),
            ('<p style="margin:0 0 0 1px">a</p><p style="margin-top:0">b</p>', "a\nb"),
            ("<h1>a</h1>b", "a\n\nb"),
            ("a<hr>b", "a\n--------------------\nb"),
            ("<pre>\n a\n\n  b</pre>", "\u0020a\n\n  b"),
            ('<div style="white-space: pre-wrap">a\n  b</div>', "a\n  b"),
            ("<ul><li>a<ul><li>b</ul><li><p>c</p><p>d", "- a\n  - b\n- c\n\n  d"),
            ("<ol start=9><li>a<li>b<br>c</ol>", "9. a\n10. b\n    c"),
            ("<ol><li value=4>a<ol><li>b</ol><li>c</ol>", "4. a\n   1. b\n5. c"),
            (
                "a<blockquote>b<blockquote>c</blockquote></blockquote>d",
                "a\n\n> b\n>\n>> c\n\nd",
            ),
            ("<dl><dt>a<dd>b</dl>", "a\n  b"),
            ("<table><tr><td>a<td>b<tr><td>c<td><p>d</table>", "a | b\nc | d"),
            ("<table><tr><td>a<td>&nbsp;<td>b</table>", "a | b"),
            ("<table border=1><tr><td>a<td><td>b</table>", "a |  | b"),
            ("<table><tr><th>a<th>b<tr><td><td>d</table>", "a | b\n | d"),
            ("<table><tr><td>a<br>b<td>c</table>d", "a\nb\nc\n\nd"),
            (
                "<blockquote><table><tr><td>a<td>b<tr><td>c</table></blockquote>",
                "> a | b\n> c",
            ),
            (
                '<img alt="A  map"><img alt="\N{SLIGHTLY SMILING FACE}"><img>',
                "[A map]\N{SLIGHTLY SMILING FACE}",
            ),
            ('<input value="Go"><input type="hidden" value="x">', "Go"),
        ],
    )
    def test_markup_is_laid_out(self, markup: str, text: str) -> None:
        assert html_to_text(markup) == text

    def test_long_cells_stand_below_each_other(self) -> None:
        long = "word " * 50
        assert html_to_text(f"<table><tr><td>{long}<td>{long}</table>") == (
            f"{long.strip()}\n{long.strip()}"
        )


class TestTime:
    @pytest.mark.parametrize(
        "unit",
        [
            "<ul><li>x",
            "<ul><li>x</li></ul>",
            "<table><tr><td>x",
            "<table><tr><td>x</td></tr></table>",
            "<table><tr><td>" * 400 + "x<br>" * 2_000 + "</table>" * 400,
            "<ul><li>" * 900 + "x<br>" * 2_000 + "</ul>" * 900,
            "<blockquote>" * 900 + "x<br>" * 2_000 + "</blockquote>" * 900,
            '<a href="https://x.example">x',
            "<p hidden>x",
            '<p style="' + "font-size:0;" * 100 + '">x',
            "<!--",
            "<style>",
            "<a '",
            "<",
        ],
    )
    def test_half_a_megabyte_is_laid_out_in_seconds(self, unit: str) -> None:
        started = time.perf_counter()
        html_to_text(unit * (500_000 // len(unit)))
        assert time.perf_counter() - started < 8
