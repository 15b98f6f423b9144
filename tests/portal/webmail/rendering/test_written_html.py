"""What the sanitiser leaves of hostile HTML in a message that somebody writes."""

from __future__ import annotations

import re

import pytest
from lxml import html as lxml_html

from portal.webmail.rendering import written_html
from tests.portal.webmail.hostile_shapes import MARKUP

OWN = {"/pictures/1/": "cid:one@x"}
# Shapes that ran scripts, loaded something or broke out of a page in some program.
SHAPES = [
    "<script>go()</script>",
    "<SCRIPT SRC=//e.example/x.js></SCRIPT>",
    "<scr<script>ipt>go()</scr</script>ipt>",
    "<img src=x onerror=go()>",
    "<img src=//e.example/p.png>",
    "<img src=http://e.example/p.png>",
    "<img srcset='//e.example/p.png 1x'>",
    "<img src='/pictures/2/'>",
    "<img src='/pictures/1/../../admin/'>",
    "<img src=' /pictures/1/' onload=go()>",
    "<img src='data:image/svg+xml,<svg onload=go()>'>",
    "<img src=data:image/png;base64,AAAA>",
    "<img src=cid:two@x>",
    "<img lowsrc=//e.example/p dynsrc=//e.example/p>",
    "<image href=//e.example/p.png>",
    "<picture><source srcset=//e.example/p><img></picture>",
    "<svg onload=go()><circle/></svg>",
    "<svg><script>go()</script></svg>",
    "<svg><a xlink:href='javascript:go()'><text>x</text></a></svg>",
    "<svg><style><img src=x onerror=go()></style></svg>",
    "<math><mtext><table><mglyph><style><img src=x onerror=go()></style></table></math>",
    "<math href='javascript:go()'>x</math>",
    "<a href='javascript:go()'>x</a>",
    "<a href='java\tscript:go()'>x</a>",
    "<a href='&#106;avascript:go()'>x</a>",
    "<a href=' \x01javascript:go()'>x</a>",
    "<a href='data:text/html,<script>go()</script>'>x</a>",
    "<a href='vbscript:go()'>x</a>",
    "<a href='//e.example/'>x</a>",
    "<a href='/admin/'>x</a>",
    "<a href='file:///etc/passwd'>x</a>",
    "<a href=https://e.example/ target=_top onclick=go() ping=//e.example/>x</a>",
    "<a name=write id=write>x</a>",
    "<div id=csrfmiddlewaretoken style='position:fixed;inset:0'>x</div>",
    "<div style=background:url(//e.example/p)>x</div>",
    '<p style="x:expression(go())">x</p>',
    "<style>@import '//e.example/x.css'</style>",
    "<link rel=stylesheet href=//e.example/x.css>",
    "<meta http-equiv=refresh content='0;url=//e.example/'>",
    "<base href=//e.example/>",
    "<iframe src=//e.example/></iframe>",
    "<iframe srcdoc='<script>go()</script>'></iframe>",
    "<object data=//e.example/></object><embed src=//e.example/>",
    "<video src=//e.example/ autoplay></video><audio src=//e.example/></audio>",
    "<form action=//e.example/><input name=q><button>x</button></form>",
    "<textarea></textarea><script>go()</script>",
    "<textarea></textarea></form><form action=//e.example/>",
    "<template><script>go()</script></template>",
    "<noscript><p title='</noscript><img src=x onerror=go()>'></noscript>",
    "<xmp><img src=x onerror=go()></xmp>",
    "<title><img src=x onerror=go()></title>",
    "<!--><img src=x onerror=go()>-->",
    "<![CDATA[<img src=x onerror=go()>]]>",
    "<?xml-stylesheet href='//e.example/x.css'?>",
    "</div></body></html><script>go()</script>",
    "<body onload=go() background=//e.example/p>x</body>",
    "<table background=//e.example/p><tr><td background=//e.example/p>x</table>",
    "<details open ontoggle=go()>x</details>",
    "<marquee onstart=go()>x</marquee>",
    "<x-unknown onfocus=go() tabindex=0 autofocus>x</x-unknown>",
    "<img alt='\"><script>go()</script>' src='/pictures/1/'>",
    "<b <script>go()</script>>x</b>",
    "<div data-quoted=\"1\" data-html='<script>'>x</div>",
    *MARKUP,
]
ATTRIBUTES = {
    "a": {"href", "rel"},
    "div": {"data-quoted", "data-signature"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "ol": {"start"},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_but_formatting_is_left(shape: str) -> None:
    cleaned = written_html.sanitise(f"<div>before {shape} after</div>", OWN)

    root = lxml_html.fromstring(f"<main>{cleaned}</main>")
    for element in root.iterdescendants():
        assert element.tag in written_html.TAGS, cleaned
        assert set(element.attrib) <= ATTRIBUTES.get(str(element.tag), set()), cleaned
        assert re.match(r"https?://|mailto:", element.get("href", "mailto:")), cleaned
        assert element.get("src", "cid:one@x") == "cid:one@x", cleaned
    assert "e.example" not in re.sub(r"https://e\.example/|&[^;]*;", "", cleaned)
    # A second pass changes nothing: what is stored is read as it was written.
    again = written_html.stored(written_html.document(cleaned))
    assert again == cleaned


def test_all_shapes_together_leave_the_words_around_them() -> None:
    page = "".join(f"<p>word{at} {shape}</p>" for at, shape in enumerate(SHAPES[:8]))

    text = written_html.as_text(written_html.sanitise(page, OWN))

    assert all(f"word{at}" in text for at in range(2))


def test_plain_text_and_back_is_the_same() -> None:
    text = "Dear <Jane> & co,\n\n  See https://court.example/a?b=1&c=2.\n\n-- \nBob"

    html = written_html.from_text(text)

    assert '<a href="https://court.example/a?b=1&amp;c=2">' in html
    assert "&lt;Jane&gt;" in html
    assert written_html.as_text(html).replace("  See", "See") == text.replace(
        "  See", "See"
    )
