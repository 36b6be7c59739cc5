"""The fences of a chapter with their whole info string, which the product's reader shortens to the language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from markdown_it import MarkdownIt

from ingest.chapters import body_of
from ingest.dialects import to_commonmark
from service.domain import Chapter

MINIMUM_REASON_WORDS = 3
MINIMUM_SHARE_OF_A_CHAPTER = 0.5
MINIMUM_SHARE_OF_THE_BOOK = 0.6

_PARSER = MarkdownIt("commonmark").enable("table").disable(["inline", "text_join"])
_SKIPPED = re.compile(r"(?:^|\s)(no-run|no-parse)\b:?\s*(.*)$")
# Other names for a language would slip past the checks of that language.
_ALIASES = {
    "py": "python", "python3": "python", "py3": "python", "yml": "yaml", "postgres": "sql", "postgresql": "sql",
    "docker": "dockerfile", "sh": "bash", "shell": "bash", "txt": "text",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """One fence. `line` is the file's line of the first line of code; `marks` are the words after the language."""

    language: str
    marks: tuple[str, ...]
    skip: str
    reason: str
    code: str
    line: int

    @property
    def runs(self) -> bool:
        """Whether the block is executed (Python) or parsed (other languages)."""
        return not self.skip

    @property
    def wrong(self) -> bool:
        """Whether the block shows a mistake."""
        return "wrong" in self.marks


def code_blocks(chapter: Chapter) -> tuple[CodeBlock, ...]:
    """Every fence of the chapter, also those inside lists and quotes, in order."""
    return _code_blocks(body_of(chapter), chapter.body_line)


@lru_cache(maxsize=256)  # every code test asks for the blocks of every chapter
def _code_blocks(body: str, first_line: int) -> tuple[CodeBlock, ...]:
    blocks = []
    for token in _PARSER.parse("\n".join(to_commonmark(body.split("\n")))):
        if token.type in ("fence", "code_block") and token.map:
            line = first_line + token.map[0] + (token.type == "fence")
            blocks.append(_block(token.info.strip(), token.content, line))
    return tuple(blocks)


def _block(info: str, code: str, line: int) -> CodeBlock:
    skipped = _SKIPPED.search(info)
    skip, reason = (skipped[1], skipped[2].strip()) if skipped else ("", "")
    language, *marks = (info[: skipped.start()] if skipped else info).split() or [""]
    return CodeBlock(language.lower(), tuple(marks), skip, reason, code, line)


def python_blocks(chapter: Chapter) -> list[CodeBlock]:
    """The Python fences of a chapter."""
    return [block for block in code_blocks(chapter) if block.language == "python"]


def info_problems(chapter: Chapter) -> list[str]:
    """What is wrong with the words behind the fences' backticks."""
    problems = []
    for block in code_blocks(chapter):
        place = f"{chapter.path}:{block.line - 1}"
        if not block.language:
            problems.append(f"{place}: code without a language (an indented block, or a fence without a name)")
        elif block.language in _ALIASES:
            problems.append(f"{place}: write `{_ALIASES[block.language]}`, not `{block.language}`")
        elif block.language == "python":
            problems.extend(f"{place}: {problem}" for problem in _python_problems(block))
        if block.skip and len(block.reason.split()) < MINIMUM_REASON_WORDS:
            problems.append(f"{place}: `{block.skip}` needs a reason of {MINIMUM_REASON_WORDS} words or more")
    return problems


def _python_problems(block: CodeBlock) -> list[str]:
    unknown = [mark for mark in block.marks if mark != "wrong"]
    problems = [f"unknown mark `{mark}`; only `wrong` and `no-run: reason` are read" for mark in unknown]
    if block.skip == "no-parse":
        problems.append("a python block always parses; `no-run: reason` keeps it from running")
    return problems


def running_share(blocks: list[CodeBlock]) -> float:
    """The share of blocks that run; 1.0 where there are none."""
    return sum(block.runs for block in blocks) / len(blocks) if blocks else 1.0
