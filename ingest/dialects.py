"""The dialects of documentation sites -> CommonMark, line for line, so that line numbers stay those of the file.

Admonitions and tabs (`!!! note "Title"`, `=== "Tab"`) indent their bodies, which CommonMark takes for code; `/// note`
blocks, invisible anchors, `::: module` directives, attribute lists, macros, includes and icons would be quoted as if
they were prose.
"""

from __future__ import annotations

import re

_ADMONITION = r"(?:!!!|\?\?\?\+?)(?=\s+[\w\"-])(?:\s+[\w-]+)*(?:\s+\"([^\"]*)\")?"
_TAB = r"===[!+]?\s+\"([^\"]*)\""
_INDENTED = re.compile(rf"^ *(?:{_ADMONITION}|{_TAB})\s*$")
_BRACKETED = re.compile(r"^ */{3,}(?: +([\w-]+))?(?: *\| *(.*))?$")
_ATTRIBUTES = r"\{:? *[.#][\w-][^{}\n]*\}"
_INVISIBLE = re.compile(
    rf"^ *(?:\[\]\(\)\{{#[^}}]*\}}|::: \S+|{_ATTRIBUTES}|\{{\{{[^{{}}\n]+\}}\}}|\{{%.*%\}}|-+8<-+.*) *$"
)
_INLINE = re.compile(
    rf"(?<=\)){_ATTRIBUTES}"  # a link's: `[text](url){{ .button }}`
    r"|:(?:material|fontawesome|simple|octicons)-[a-z\d-]+: ?"
    r"|(?<=`)#![a-z][\w+-]* (?=[^`])"  # the language of a code span
)
_AT_THE_END = re.compile(rf"(?<=\S) +{_ATTRIBUTES} *$")  # a paragraph's; a heading's is its anchor
_FENCE = re.compile(r" *(`{3,}(?=[^`]*$)|~{3,})")  # however deep: inside a list a fence may stand anywhere


def to_commonmark(lines: list[str]) -> list[str]:
    """The same number of lines, with the dialects' markers turned into bold titles or blanks."""
    shown: list[str] = []
    indents: list[int] = []
    fence = ""
    for line in lines:
        depth = len(line) - len(line.lstrip(" "))
        if line.strip() and not fence:
            while indents and depth < indents[-1]:
                indents.pop()
        inside = line[min(depth, 4 * len(indents)) :]  # code in a fence that was never closed may stand further left
        marker = None if fence else _marker(inside)
        fence = _fence_after(inside, fence)
        if marker is None:
            shown.append(inside if fence else _prose(inside))
            continue
        shown.append(inside[: len(inside) - len(inside.lstrip(" "))] + marker if marker else "")  # stays in its list
        if _INDENTED.match(inside):
            indents.append(depth + 4)
    return shown


def _marker(line: str) -> str | None:
    """What a dialect's marker line is shown as, or None for an ordinary line."""
    if found := _INDENTED.match(line):
        title = found[1] or found[2]
        return f"**{title}**" if title else ""
    if found := _BRACKETED.match(line):
        kind, title = found[1], found[2]
        return f"**{kind.replace('-', ' ').capitalize()}: {title}.**" if kind and title else ""
    return "" if _INVISIBLE.match(line) else None


def _prose(line: str) -> str:
    """A line of text without what only the site's generator reads."""
    line = _INLINE.sub("", line)
    return line if line.startswith("#") else _AT_THE_END.sub("", line)


def _fence_after(line: str, fence: str) -> str:
    """The fence that is open after this line, given the one that was open before it."""
    found = _FENCE.match(line)
    if not found:
        return fence
    if not fence:
        return found[1]
    return "" if found[1].startswith(fence) and not line.strip().strip(fence[0]) else fence
