"""Reads Markdown into headings and blocks with their source lines.

CommonMark by markdown-it-py, so that fences (also `~~~` and nested ones), setext headings, tables and HTML are seen as
what they are. The inline rules stay off: a chapter is cut on blocks, and they take half of the time.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import takewhile
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingest.dialects import to_commonmark
from ingest.sentences import comments_of, rows_of, sentences_of
from service.domain import Block, BlockKind, Heading

_PARSER = MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"])
_CODE = r"(?<!`)(?P<marks>`+)(?!`).*?(?<!`)(?P=marks)(?!`)"  # a code span, or a fence inside a list item
_REFERENCE_LINK = re.compile(
    _CODE + r"|(?<![!\w`\]])\[(?P<text>(?:`[^`\n]+`|[^\[\]\n])++)\]\[(?P<id>[^\[\]\n]*)\]", re.DOTALL
)
_COMMENT = re.compile(_CODE + r"|(?P<comment><!--.*?-->)", re.DOTALL)
_HEADING_ID = re.compile(r"\s*\{\s*#([\w.:-]+)[^}]*\}\s*$")
_INLINE_MARKUP = re.compile(
    r"!?\[([^\]]*)\]\([^)]*\)|(`+)(.+?)\2|<[^>]+>|\*{1,3}(?!\s)|(?<!\s)\*{1,3}|(?<!\w)(_{1,3})(?=\S)(.+?)(?<=\S)\4(?!\w)"
)
_LINKS_ONLY = re.compile(r"\s*(?:\*\*[^*\n]+\*\*\s)?(?:\s*\[[^\]\n]+\]\[[^\]\n]*\](?:<br ?/?>)?)+\s*")  # to a reference
_LONGEST_NAME, _LONGEST_FENCE = 20, 12  # of a language and of a fence: every piece of a block repeats them
_QUOTE_MARK = re.compile(r"^ {0,3}> ?")
_ITEM_MARK = re.compile(r" *(?:[-*+]|\d{1,9}[.)])(?: {1,4}(?! )| |$)")
_KINDS = {"list_item_open": BlockKind.ITEM, "blockquote_open": BlockKind.QUOTE}


@dataclass(frozen=True, slots=True)
class Section:
    """The blocks under one heading, up to the next heading of any level; `trail` ends with that heading."""

    trail: tuple[Heading, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    """A parsed chapter: every heading in order, and the text between them."""

    headings: tuple[Heading, ...]
    sections: tuple[Section, ...]


@lru_cache(maxsize=256)  # the loader wants the headings and the chunker the blocks of the same text
def outline(body: str, first_line: int = 1) -> Outline:
    """Parse Markdown whose first line is line `first_line` of its file."""
    lines = to_commonmark(body.split("\n"))
    env: dict[str, Any] = {}
    tokens = _PARSER.parse("\n".join(lines), env)
    references = env.get("references", {})
    headings: list[Heading] = []
    sections: list[Section] = []
    trail: tuple[Heading, ...] = ()
    blocks: list[Block] = []
    slugs = Slugs()
    for opening, group in _top_level(tokens):
        if opening.type == "heading_open":
            sections.append(Section(trail, tuple(blocks)))
            level, blocks = int(opening.tag[1]), []
            content, anchor = _with_id(" ".join(group[1].content.split()))
            text = plain(resolve_links(content, {}))
            line = first_line + (opening.map or [0])[0]
            heading = Heading(level, text, anchor or slugs.slug(text), line)
            headings.append(heading)
            trail = (*takewhile(partial(_is_above, level), trail), heading)
        else:
            blocks.extend(_blocks(opening, group, lines, first_line, references))
    sections.append(Section(trail, tuple(blocks)))
    return Outline(tuple(headings), tuple(section for section in sections if section.blocks))


def _is_above(level: int, heading: Heading) -> bool:
    return heading.level < level


def _with_id(content: str) -> tuple[str, str]:
    """A heading's text, and the id that it gives itself (`Title {#id}`) or nothing."""
    found = _HEADING_ID.search(content)
    return (content[: found.start()], found[1]) if found else (content, "")


class Slugs:
    """GitHub's anchors: lower case, spaces to hyphens, punctuation and emoji dropped, repeats numbered from `-1`."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def slug(self, text: str) -> str:
        """The anchor of the next heading with this text."""
        shown = re.sub("[\ufe00-\ufe0f]", "", text.strip().lower())  # variation selectors belong to an emoji
        kept = (c for c in shown if c in " -_" or unicodedata.category(c)[0] in "LNM")
        anchor = base = "".join(kept).replace(" ", "-")
        while anchor in self._seen:
            self._seen[base] += 1
            anchor = f"{base}-{self._seen[base]}"
        self._seen[anchor] = 0
        return anchor


def plain(markdown: str) -> str:
    """Inline Markdown as the words a reader sees."""
    return _INLINE_MARKUP.sub(_shown, markdown).replace("\\", "").strip()


def _shown(markup: re.Match[str]) -> str:
    """What is seen of inline markup; emphasis by underscores comes in pairs, `_id` is a name."""
    return markup[1] or markup[3] or (plain(markup[5]) if markup[5] else "")


def _top_level(tokens: list[Token]) -> Iterator[tuple[Token, list[Token]]]:
    """Each top-level construct: its first token and all its tokens; a list gives its items one by one."""
    group: list[Token] = []
    for token in tokens:
        if (token.type.endswith("_list_open") and token.level == 0) or (
            token.type.endswith("_list_close") and token.level == 0
        ):
            continue
        group.append(token)
        in_list = group[0].type == "list_item_open"
        if token.nesting <= 0 and token.level == (1 if in_list else 0):
            yield group[0], group
            group = []


def _blocks(
    opening: Token, group: list[Token], lines: list[str], first_line: int, references: Mapping[str, Any]
) -> Iterator[Block]:
    if opening.map is None or opening.type == "hr":
        return
    start, end = opening.map
    while end > start + 1 and not lines[end - 1].strip():
        end -= 1
    source = "\n".join(lines[start:end])
    at, to = first_line + start, first_line + end - 1
    match opening.type:
        case "fence" | "code_block":
            language = re.split(r"[\s{:,]", opening.info.strip(), maxsplit=1)[0].lower()[:_LONGEST_NAME]
            code = opening.content.rstrip()
            if code.strip():
                sentences = comments_of(code, language, at + (opening.type == "fence"))
                yield Block(BlockKind.CODE, fenced(code, language), at, to, language, sentences)
        case "html_block":
            if text := visible_text(source):
                yield Block(BlockKind.HTML, text, at, to, sentences=sentences_of(text, at, inside=to))
        case "table_open":
            table = resolve_links(_with_short_rule(source), references)
            yield Block(BlockKind.TABLE, table, at, to, sentences=rows_of(table, at))
        case "paragraph_open" if _LINKS_ONLY.fullmatch(source) and not _is_announced(lines[:start]):
            return
        case _:
            prose = resolve_links(_without_nested_code(group, lines, start, end), references)
            sentences = sentences_of(prose, at)
            text = resolve_links(_without_comments(source), references).strip("\n")
            if sentences or any(_is_nested_code(token) for token in group):
                yield Block(_KINDS.get(opening.type, BlockKind.PROSE), text, at, to, sentences=sentences)


def _is_announced(before: list[str]) -> bool:
    """Whether the last line of text before a place leads to what stands there."""
    return next((line for line in reversed(before) if line.strip()), "").rstrip().endswith(":")


def inner_blocks(block: Block) -> list[Block]:
    """The blocks that a list item or a quote consists of, each free of the item's indentation or the quote's marks."""
    first, *rest = block.text.split("\n")
    if block.kind is BlockKind.QUOTE:
        lines = [_QUOTE_MARK.sub("", line) for line in (first, *rest)]
    elif marker := _ITEM_MARK.match(first):
        width = len(marker[0])
        lines = [first[width:], *(line[min(width, len(line) - len(line.lstrip(" "))) :] for line in rest)]
    else:
        return []
    opened = _top_level(_PARSER.parse("\n".join(lines)))
    return [found for token, group in opened for found in _blocks(token, group, lines, block.start_line, {})]


def _with_short_rule(table: str) -> str:
    """A table whose second line is as short as it can be: to the embedding model every dash is a token."""
    head, rule, *rows = table.split("\n")
    return "\n".join([head, re.sub("-{4,}", "---", rule), *rows])


def resolve_links(markdown: str, references: Mapping[str, Any]) -> str:
    """Reference links `[text][id]` as inline links, or as their text where nothing defines the id.

    A chunk is shown without the rest of its chapter, where the definitions stand.
    """

    def resolved(link: re.Match[str]) -> str:
        if link["marks"]:
            return link[0]
        target = references.get((link["id"] or link["text"]).strip().upper())
        return f"[{link['text']}]({target['href']})" if target else link["text"]

    return _REFERENCE_LINK.sub(resolved, markdown)


def _without_nested_code(group: list[Token], lines: list[str], start: int, end: int) -> str:
    """The source of a list item or quote with the lines of fences inside it blanked."""
    kept = lines[start:end]
    for token in group:
        if _is_nested_code(token) and token.map:
            for number in range(token.map[0], min(token.map[1], end)):
                kept[number - start] = ""
    return _without_comments("\n".join(kept))


def _is_nested_code(token: Token) -> bool:
    return token.type in ("fence", "code_block") and token.level > 0


def _without_comments(markdown: str) -> str:
    """HTML comments gone but for their line breaks, so that every line stays where it is."""
    if "-->" not in markdown:
        return markdown
    return _COMMENT.sub(lambda found: "\n" * found[0].count("\n") if found["comment"] else found[0], markdown)


def fenced(code: str, language: str) -> str:
    """Code in a fence longer than any run of backticks inside it, within reason."""
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    marks = "`" * min(max(3, longest + 1), _LONGEST_FENCE)
    return f"{marks}{language}\n{code}\n{marks}"


def visible_text(html: str) -> str:
    """An HTML block as the text a browser would show; scripts, styles and comments are gone."""
    cleaned = nh3.clean(html, tags=set(), clean_content_tags={"script", "style"})
    text = cleaned.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&")
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())
