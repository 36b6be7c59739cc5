"""Filters as people write them -> values of the index."""

from __future__ import annotations

import pytest

from service.answering.filters import resolve
from service.domain import Chapter, SearchFilter
from service.errors import UnknownFilter

CHAPTERS = [
    Chapter("01_introduction/why.md", "Why", "", 1, section="01 - Introduction", level="beginner"),
    Chapter("06_nosql/motor.md", "Motor", "", 1, section="06 - NoSQL (MongoDB)", level="advanced"),
    Chapter("06_nosql/old/motor.md", "Old Motor", "", 1, section="06 - NoSQL (MongoDB)", level="beginner"),
    Chapter("readme_first.md", "First", "", 1),
]


@pytest.mark.parametrize(
    ("given", "resolved"),
    [
        (SearchFilter(sections=("06",)), SearchFilter(sections=("06 - NoSQL (MongoDB)",))),
        (SearchFilter(sections=("6", "001")), SearchFilter(sections=("06 - NoSQL (MongoDB)", "01 - Introduction"))),
        (SearchFilter(sections=("06_NOSQL",)), SearchFilter(sections=("06 - NoSQL (MongoDB)",))),
        (SearchFilter(sections=("06 - nosql (mongodb)",)), SearchFilter(sections=("06 - NoSQL (MongoDB)",))),
        (SearchFilter(levels=("Beginner",)), SearchFilter(levels=("beginner",))),
        (SearchFilter(chapters=("why.md",)), SearchFilter(chapters=("01_introduction/why.md",))),
        (SearchFilter(chapters=("readme_first.md",)), SearchFilter(chapters=("readme_first.md",))),
        (
            SearchFilter(chapters=("motor.md",)),
            SearchFilter(chapters=("06_nosql/motor.md", "06_nosql/old/motor.md")),
        ),
        (
            SearchFilter(("01", "06"), ("advanced",), ("06_nosql/motor.md",)),
            SearchFilter(("01 - Introduction", "06 - NoSQL (MongoDB)"), ("advanced",), ("06_nosql/motor.md",)),
        ),
        (SearchFilter(), SearchFilter()),
    ],
)
def test_filters_become_the_values_of_the_index(given: SearchFilter, resolved: SearchFilter) -> None:
    """Numbers, folders, titles, file names and any case stand for the values themselves."""
    assert resolve(given, CHAPTERS) == resolved


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (SearchFilter(sections=("0",)), "there is no section '0'; there are: 01 - Introduction, 06 - NoSQL (MongoDB)"),
        (SearchFilter(levels=("expert",)), "there is no level 'expert'; there are: advanced, beginner"),
        (SearchFilter(chapters=("nosql/motor.md",)), "there is no chapter 'nosql/motor.md'; there are: 01_intro"),
    ],
)
def test_what_matches_nothing_is_named_with_what_there_is(given: SearchFilter, message: str) -> None:
    """Part of a name is no name: the error lists the real ones."""
    with pytest.raises(UnknownFilter) as refused:
        resolve(given, CHAPTERS)
    assert str(refused.value).startswith(message)


def test_a_long_list_is_cut() -> None:
    """Out of very many chapters, twenty are listed."""
    many = [Chapter(f"a/{number:03}.md", "x", "", 1) for number in range(300)]
    with pytest.raises(UnknownFilter) as refused:
        resolve(SearchFilter(chapters=("none.md",)), many)
    assert str(refused.value).count(".md") == 21
