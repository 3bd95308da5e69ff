"""What people write is shown as they mean it, and does nothing else."""

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.web.markdown import excerpt, render

ALLOWED = {
    "a",
    "abbr",
    "blockquote",
    "br",
    "code",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "kbd",
    "li",
    "ol",
    "p",
    "pre",
    "section",
    "strong",
    "sub",
    "summary",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
}
ATTRIBUTES = {"href", "title", "rel", "class", "start", "align"}


def scheme_of(address: str) -> str:
    """Read the scheme as browsers do: blind to tabs, line breaks and what stands before."""
    scheme = re.match(r"([a-z][a-z0-9+.-]*):", re.sub(r"[\t\r\n]", "", address.lower()).strip("\x00 "))
    return scheme[1] if scheme else ""


class Reader(HTMLParser):
    """An independent reading of the result."""

    def __init__(self) -> None:
        super().__init__()
        self.wrong: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ALLOWED:
            self.wrong.append(tag)
        for name, value in attrs:
            if name not in ATTRIBUTES:
                self.wrong.append(f"{tag} {name}")
            if name == "href" and scheme_of(value or "") not in {"", "http", "https", "mailto"}:
                self.wrong.append(f"{tag} {value}")
            if name == "class" and value not in {"plain", "task-list-item"}:
                self.wrong.append(f"{tag} .{value}")


def faults(html: str) -> list[str]:
    reader = Reader()
    reader.feed(html)
    return reader.wrong


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<math><mi//xlink:href='data:x,<script>alert(1)</script>'>",
    "<iframe src=javascript:alert(1)>",
    "<object data=x>",
    "<embed src=x>",
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](java\tscript:alert(1))",
    "[a](java\nscript:alert(1))",
    "[a](&#106;avascript:alert(1))",
    "[a](data:text/html,<script>alert(1)</script>)",
    "[a](vbscript:x)",
    "[a](file:///etc/passwd)",
    "[a]: javascript:alert(1)\n\n[a]",
    "<javascript:alert(1)>",
    "![a](javascript:alert(1))",
    "![a](https://evil.example/beacon.png)",
    '![a](x "onerror=alert(1)")',
    '[a](x "\\" onmouseover=alert(1)")',
    "<a href=javascript:alert(1)>a</a>",
    "<a href=' javascript:alert(1)'>a</a>",
    "<div hx-get=/incidents/ hx-trigger=load>a</div>",
    "<div data-hx-get=/x>a</div>",
    "<button hx-post=/x>a</button>",
    "<div _='on load'>",
    "<div x-data='{}'>a</div>",
    "<div style='position:fixed;inset:0'>a</div>",
    "<style>*{display:none}</style>",
    "<link rel=stylesheet href=x>",
    "<base href=//evil.example>",
    "<meta http-equiv=refresh content='0;url=//evil'>",
    "<form action=//evil><input name=password></form>",
    "<input type=checkbox onclick=alert(1)>",
    "<input type=text name=csrfmiddlewaretoken>",
    "<textarea>",
    "<select>",
    "<video src=x onerror=alert(1)>",
    "<p id=htmx>a</p>",
    "<p name=main>a</p>",
    "<p class='btn btn--primary'>a</p>",
    "# Title {: onclick=alert(1)}",
    "a{: .btn }",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<template><script>alert(1)</script></template>",
    "<title><img src=x onerror=alert(1)></title>",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php x ?>",
    "<!DOCTYPE x>",
    "<!",
    "<![",
    "</p><script>alert(1)</script>",
    "```<script>\nalert(1)\n```",
    "``` {onload=x}\na\n```",
    "```html hl_lines='1'\n<b>\n```",
    "| <img src=x onerror=alert(1)> |\n|---|\n| <script>x</script> |",
    "> <script>alert(1)</script>",
    "- <script>alert(1)</script>",
    "[^1]\n\n[^1]: <script>alert(1)</script>",
    "\x02wzxhzdk:0\x03",
    "a\x00b<script>",
    "INC-1<script>alert(1)</script>",
    "[INC-1](javascript:alert(1))",
    "<details ontoggle=alert(1) open>a</details>",
    "<a href=//evil.example>a</a>",
    "<marquee onstart=alert(1)>",
    "<p onpointerenter=alert(1)>a</p>",
]


@pytest.mark.parametrize("text", ATTACKS)
def test_attacks_do_nothing(text: str) -> None:
    html = render(text)
    assert faults(html) == []
    assert "<script" not in html


@given(st.text(alphabet="[]()<>!`*_~#|-=\"'& \n\t:/ajvscriptonerx{}^1", max_size=200))
def test_whatever_is_typed_stays_inside_the_allow_list(text: str) -> None:
    assert faults(render(text)) == []


def test_an_ordinary_document_is_rendered() -> None:
    html = render(
        "## What we saw\n\nAnswers were **wrong**, see INC-12 and `INC-13`.\n\n- [x] done\n- [ ] to do\n\n"
        "| slice | share |\n|---|--:|\n| de | 31 % |\n\n```python\nprint(1)\n```\n\n~~old~~ [link](https://example.com)[^1]\n\n[^1]: A note."
    )
    for piece in (
        "<h2>What we saw</h2>",
        "<strong>wrong</strong>",
        '<a href="/incidents/12/">INC-12</a>',
        "<code>INC-13</code>",
        "☑",
        "☐",
        '<td align="right">31 %</td>',
        "<pre>",
        "print(1)",
        "<del>old</del>",
        'rel="noopener nofollow"',
        "A note.",
    ):
        assert piece in html, piece


def test_an_excerpt_is_one_line_without_marks() -> None:
    assert excerpt("# Title\n\n**Bold** and `code`") == "Title Bold and code"
    assert excerpt("word " * 100, longest=20) == "word word word…"


@pytest.mark.parametrize("before", ["\u2028", "\u00a0", "\u1680", "\u2029\u200b", "\ufeff", "\x01", " \u00a0 "])
def test_a_scheme_behind_signs_that_cannot_be_seen_is_no_link(before: str) -> None:
    for text in (f"[x](<{before}javascript:alert(1)>)", f'<a href="{before}JavaScript:alert(1)">x</a>'):
        assert "javascript" not in render(text).lower().partition("href=")[2], render(text)


def test_relative_links_stay() -> None:
    assert 'href="/incidents/1/"' in render("[x](/incidents/1/)")
    assert "href=" in render("[x](über/uns)")
