"""Markdown from anywhere becomes HTML that can do nothing but be read."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.answering.rendering import sanitise, to_html
from service.domain import Citation

CITED = [
    Citation(1, "07/tips.md", "Tips", "Keys", "keys", "/read/07/tips#keys", "Give every key a version", 7, 7),
    Citation(2, "07/缓存.md", "缓存", "锁", "锁", "/read/07/%E7%BC%93%E5%AD%98#%E9%94%81", "Only one caller", 13, 13),
]

ATTACKS = [
    "<script>alert(1)</script>",
    "<SCRIPT SRC=//evil.example/x.js></SCRIPT>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "<iframe src=javascript:alert(1)></iframe>",
    "<body onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    '<a href="java\nscript:alert(1)">x</a>',
    "<div style='background:url(javascript:alert(1))'>x</div>",
    "<math><mtext></mtext><mglyph><style><img src=x onerror=alert(1)></style></mglyph></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<details open ontoggle=alert(1)>x</details>",
    "<input autofocus onfocus=alert(1)>",
    "<form action=javascript:alert(1)><button>x</button></form>",
    "<meta http-equiv=refresh content='0;url=javascript:alert(1)'>",
    "<base href='https://evil.example/'>",
    "<object data='data:text/html,<script>alert(1)</script>'></object>",
    "<!--><img src=x onerror=alert(1)-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java&#x0A;script:alert(1))",
    "[x](vbscript:msgbox(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](file:///etc/passwd)",
    "<javascript:alert(1)>",
    "![x](javascript:alert(1))",
    '![x" onerror="alert(1)](https://evil.example/x.png)',
    '[x](https://ok.example "t" onclick=alert(1) ")',
    "[x]: javascript:alert(1)\n\n[x]",
    "```html\n<script>alert(1)</script>\n```",
    '```"><script>alert(1)</script>\nx\n```',
    '```python" onmouseover="alert(1)\nx\n```',
    "`<script>alert(1)</script>`",
    "| <script>alert(1)</script> | b |\n|---|---|\n| <img src=x onerror=alert(1)> | [x](javascript:alert(1)) |",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\\<script>alert(1)\\</script>",
    "x\0<scr\0ipt>alert(1)</script>",
]
_ALLOWED_TAGS = frozenset(
    "p br hr h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code em strong s del a"
    " table thead tbody tr th td span div sup".split()
)  # fmt: skip
_ALLOWED_ATTRIBUTES = frozenset({"class", "href", "title", "data-citation", "style", "start", "rel"})


class _Elements(HTMLParser):
    """Every tag with its attributes, as a browser's tokenizer sees them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def _scheme(url: str) -> str:
    """The scheme that a browser would see: it skips control characters and does not decode percent signs."""
    found = re.match(r"([a-z][a-z0-9+.-]*):", re.sub(r"[\0-\x20]", "", url), re.IGNORECASE)
    return found[1].lower() if found else ""


def _assert_harmless(html: str) -> None:
    for tag, attributes in _Elements(html).found:
        assert tag in _ALLOWED_TAGS
        assert attributes.keys() <= _ALLOWED_ATTRIBUTES
        assert _scheme(attributes.get("href") or "") in ("", "http", "https")
        assert re.fullmatch(r"(text-align: ?\w+;?)?", attributes.get("style") or "")


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_rendered_harmless(attack: str) -> None:
    """No script, handler, frame or foreign scheme survives, wherever in an answer it stands."""
    for markdown in (attack, f"Before.\n\n{attack}\n\nAfter [1].", f"- {attack}", f"> {attack}", f"# {attack}"):
        _assert_harmless(to_html(markdown, CITED))


@pytest.mark.parametrize("attack", ATTACKS)
def test_html_is_sanitised_whoever_made_it(attack: str) -> None:
    """The sanitiser alone lets nothing dangerous through either, should a rule of the renderer ever change."""
    _assert_harmless(sanitise(attack))
    _assert_harmless(sanitise(f"<p>{attack}</p>"))


@given(st.text(alphabet="<>/\"'=[]()!`~*_#&;:| \n-1axonjs{}\\", max_size=80))
@settings(max_examples=100)
def test_no_text_at_all_becomes_dangerous(text: str) -> None:
    """Whatever the punctuation, only harmless elements come out."""
    _assert_harmless(to_html(text, CITED))


def test_raw_html_is_shown_as_text() -> None:
    """A tag in the Markdown is something to read, not something to render."""
    assert to_html("Use <b>bold</b>.") == "<p>Use &lt;b&gt;bold&lt;/b&gt;.</p>\n"


def test_links_open_without_a_way_back() -> None:
    """A link outside gets rel=noopener noreferrer, and text in it stays text."""
    html = to_html("[the *docs*](https://example.org/a?b=1&c=2)")
    assert (
        html == '<p><a href="https://example.org/a?b=1&amp;c=2" rel="noopener noreferrer">the <em>docs</em></a></p>\n'
    )


def test_pictures_are_not_loaded() -> None:
    """An image would call a foreign server when an answer is read: none is rendered."""
    assert "<img" not in to_html("![logo](https://evil.example/pixel.png)")


def test_a_marker_links_to_its_citation() -> None:
    """`[n]` leads to the place of citation n and carries its number for the page."""
    html = to_html("Give every key a version [1], and only one fills it [2].", CITED)
    links = [attributes for tag, attributes in _Elements(html).found if tag == "a"]
    assert [link["href"] for link in links] == [cited.url for cited in CITED]
    assert [link["data-citation"] for link in links] == ["1", "2"]
    assert {link["class"] for link in links} == {"cite"}


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("See [7].", "<p>See [7].</p>\n"),
        ("See [123].", "<p>See [123].</p>\n"),
        (r"See \[1].", "<p>See [1].</p>\n"),
        ("See [ 1 ].", "<p>See [ 1 ].</p>\n"),
        ("See `a[1]`.", "<p>See <code>a[1]</code>.</p>\n"),
        ("    a[1]", '<pre class="highlight"><code>a[1]\n</code></pre>\n'),
        ("```\na[1]\n```", '<pre class="highlight"><code>a[1]\n</code></pre>\n'),
    ],
)
def test_what_is_no_marker_is_left_as_it_is(markdown: str, shown: str) -> None:
    """Unknown numbers, escaped brackets and brackets in code are text."""
    assert to_html(markdown, CITED) == shown


def test_markers_work_in_lists_tables_and_emphasis() -> None:
    """A marker is one wherever prose may stand."""
    html = to_html("- **item [1]**\n\n| a | b |\n|---|--:|\n| x [1] | y [2] |\n", CITED)
    assert html.count('class="cite"') == 3
    assert "<table>" in html
    assert '<td style="text-align:right">' in html


def test_without_citations_nothing_is_a_marker() -> None:
    """An answer without citations shows brackets as they were written."""
    assert to_html("x [1]") == "<p>x [1]</p>\n"


def test_code_is_highlighted_and_stays_itself() -> None:
    """A fence with a known language gets Pygments' classes; without the tags it is the code as written."""
    code = 'async def f(x: list[int]) -> str:\n    return f"<{x[1]}>" if x and x[0] < 2 else "&"'
    html = to_html(f"```python\n{code}\n```", CITED)
    assert '<pre class="highlight"><code class="language-python">' in html
    assert '<span class="k">async</span>' in html
    text = re.sub(r"<[^>]+>", "", html).strip().replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    assert text.replace("&amp;", "&").replace("&#39;", "'") == code


def test_code_in_an_unknown_language_is_escaped() -> None:
    """A fence in no known language is shown as plain code, escaped."""
    html = to_html("```nonesuch\n<b> & [1]\n```", CITED)
    assert "&lt;b&gt; &amp; [1]" in html
    assert "<b>" not in html


def test_an_answer_cannot_define_links_for_its_markers() -> None:
    """A reference definition in the text does not turn an unknown marker into a link."""
    assert "<a" not in to_html("[2]: http://evil.example\n\nsee [2]")
