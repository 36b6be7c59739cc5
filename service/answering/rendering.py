"""Markdown -> HTML that is safe to show, whoever wrote the Markdown.

Raw HTML is not rendered, links go only to http(s) and to the service's own pages, and the result is sanitised once
more by nh3. `[n]` outside code becomes a link to its citation. The blocks of a chapter carry the lines of the file they
were written on (`data-lines="12-18"`), so that a page can mark what a citation quotes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

from service.domain import Chapter, Citation, CodeBlock

_MARKER = re.compile(r"\[(\d{1,2})\](?!\()")
_TAGS = frozenset(
    "p br hr h1 h2 h3 h4 h5 h6 ul ol li blockquote pre code em strong s del a"
    " table thead tbody tr th td span div sup".split()
)
_CHAPTER_TAGS = _TAGS | {"figure", "figcaption"}
_LANGUAGES = {"sql": "SQL", "toml": "TOML", "yaml": "YAML", "json": "JSON", "html": "HTML", "http": "HTTP", "text": ""}
_ATTRIBUTES = {
    **{f"h{level}": {"id"} for level in range(1, 7)},
    "*": {"class", "data-lines"},
    "a": {"href", "title", "data-citation"},
    "th": {"style"},
    "td": {"style"},
    "ol": {"start"},
    "code": {"class"},
    "pre": {"class", "data-code-check"},
}


def to_html(
    markdown: str, citations: Sequence[Citation] = (), code: Sequence[CodeBlock] = (), *, colours: bool = True
) -> str:
    """Render an answer; its code blocks, in their order, carry what their check found.

    Without `colours`, code is only escaped: while it is being written, colouring it at every word costs too much.
    """
    env: dict[str, Any] = {"citations": {citation.number: citation for citation in citations}, "colours": colours}
    parser = _parser()
    tokens = parser.parse(markdown, env)
    for number, fence in enumerate(token for token in tokens if token.type in ("fence", "code_block")):
        if number < len(code):
            fence.meta["code_check"] = code[number].code_check
    return sanitise(parser.renderer.render(tokens, parser.options, env))


def block_starts(markdown: str) -> list[int]:
    """The lines, counted from 0, on which the top-level blocks of a text begin."""
    opening = (token for token in _parser().parse(markdown, {}) if token.level == 0 and token.map)
    return sorted({token.map[0] for token in opening if token.map})


def chapter_html(chapter: Chapter) -> str:
    """Render a chapter; its headings carry the anchors that citations point to, its blocks their source lines."""
    body = "\n".join(chapter.text.split("\n")[chapter.body_line - 1 :])
    anchors = {heading.line - chapter.body_line: heading.anchor for heading in chapter.headings}
    tokens = _parser().parse(body, {})
    for token in tokens:
        if token.map and token.nesting >= 0 and token.type != "inline":
            token.attrSet("data-lines", f"{token.map[0] + chapter.body_line}-{token.map[1] + chapter.body_line - 1}")
        if token.type == "heading_open" and token.map and token.level == 0:
            token.attrSet("id", anchors.get(token.map[0], ""))
        if token.type == "fence":
            token.type, token.content = "html_block", _figure(token)
    return sanitise(_parser().renderer.render(tokens, _parser().options, {}), _CHAPTER_TAGS)


def sanitise(html: str, tags: frozenset[str] = _TAGS) -> str:
    """Keep only what an answer may contain."""
    return nh3.clean(
        html,
        tags=set(tags),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        url_schemes={"http", "https"},
        link_rel="noopener noreferrer",
        filter_style_properties={"text-align"},
    )


def _figure(fence: Token) -> str:
    """A code block under a line that says its language or file, and what the fence's other words say about it."""
    language, _, rest = fence.info.strip().partition(" ")
    parser = _parser()
    code = _fence(parser.renderer, [fence], 0, parser.options, {})
    words = rest.split()
    name = next((word for word in words if re.fullmatch(r"[\w./-]+\.\w+", word)), "")
    notes = [name or _LANGUAGES.get(language, language.capitalize())]
    if "wrong" in words:
        notes.append("wrong on purpose")
    if found := re.search(r"no-run: (.+)", rest):
        notes.append(found[1])
    caption = " · ".join(escapeHtml(note) for note in notes if note)
    kind = "code wrong" if "wrong" in words else "code"
    lines = fence.attrGet("data-lines")
    return f'<figure class="{kind}" data-lines="{lines}"><figcaption>{caption}</figcaption>{code}</figure>\n'


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "linkify": False})
    parser.add_render_rule("fence", _fence)
    parser.add_render_rule("code_block", _fence)
    parser.enable(["table", "strikethrough"])
    parser.disable(["image", "reference"])  # a definition in an answer would turn unknown markers into links
    parser.inline.ruler.before("link", "citation", _citation_rule)
    return parser


def _citation_rule(state: StateInline, silent: bool) -> bool:
    """Inline rule: `[3]` as a link to citation 3, if there is one."""
    found = _MARKER.match(state.src, state.pos)
    citation = state.env.get("citations", {}).get(int(found[1])) if found else None
    if found is None or citation is None:
        return False
    if not silent:
        opening: Token = state.push("link_open", "a", 1)
        opening.attrs = {"href": citation.url, "class": "cite", "data-citation": found[1]}
        state.push("text", "", 0).content = found[1]
        state.push("link_close", "a", -1)
    state.pos += len(found[0])
    return True


def _fence(_: RendererProtocol, tokens: Sequence[Token], at: int, __: OptionsDict, env: EnvType) -> str:
    """Render rule: a fence with its language, what its check found, and Pygments' class names."""
    fence = tokens[at]
    language = fence.info.strip().partition(" ")[0]
    marked = _highlighted(fence.content, language) if env.get("colours", True) else ""
    check = fence.meta.get("code_check", "")
    attributes = f' data-code-check="{check}"' if check else ""
    kind = f' class="language-{escapeHtml(language)}"' if language else ""
    return f'<pre class="highlight"{attributes}><code{kind}>{marked or escapeHtml(fence.content)}</code></pre>\n'


@lru_cache(maxsize=256)
def _highlighted(code: str, language: str) -> str:
    """Code with Pygments' class names; empty for an unknown language, which is then only escaped."""
    try:
        lexer = get_lexer_by_name(language, stripnl=False)
    except ClassNotFound:
        return ""
    return highlight(code, lexer, HtmlFormatter(nowrap=True))
