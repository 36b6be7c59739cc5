"""Every rule of the interview bank catches a question that breaks it."""

from __future__ import annotations

import pytest

from .bank import bank_of, bank_problems, missing_questions, question_problems, questions_about, repeated
from .sample import NEIGHBOUR, PATH, chapter_of, good, library

SECTION = "01_introduction"
BANK = """\
- id: 01-async-01
  chapter: async_vs_sync_backends.md
  level: mid
  question: What happens to the other requests when an endpoint blocks?
  key_points:
    - point: The event loop runs one callback at a time.
      anchor: part-0
      probe: Who decides what runs?
      hint: Count the threads.
    - point: Move the call into `run_in_threadpool`.
      anchor: part-1
      probe: How would you mend it?
      hint: Another thread may wait.
    - point: Health checks fail as well.
      anchor: code
      probe: What would a monitor see?
      hint: Think of the orchestrator.
  misconceptions: [More workers solve it entirely.]
  model_answer: >-
    The event loop runs one callback at a time, so every request of the process stands still and health checks fail;
    I would move the blocking call into a thread with run_in_threadpool.
"""


def _problems(text: str) -> str:
    found = bank_of(SECTION, text)
    return "\n".join(bank_problems(found) + question_problems(chapter_of(good()), found.questions))


def test_a_good_bank_breaks_no_rule() -> None:
    """The bank that the other tests break in one place is accepted as it is."""
    found = bank_of(SECTION, BANK)
    assert _problems(BANK) == ""
    assert len(questions_about(PATH, [found])) == 1
    assert repeated([found]) == []


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("level: mid", "level: principal", "level"),
        ("id: 01-async-01", "id: async", "id"),
        ("id: 01-async-01", "id: 04-async-01", "number of 01_introduction"),
        ("async_vs_sync_backends.md", "nothing.md", "no chapter nothing.md"),
        ("anchor: part-0", "anchor: nowhere", "no heading #nowhere"),
        ("      probe: Who decides what runs?\n", "", "probe"),
        ("hint: Count the threads.", "hint: ''", "hint"),
        ("Who decides what runs?", "Does the event loop run one callback at a time?", "gives it away"),
        ("How would you mend it?", "Do you know `run_in_threadpool`?", "gives it away: run_in_threadpool"),
        ("[More workers solve it entirely.]", "[]", "misconceptions"),
        ("and health checks fail", "and that is bad", "does not mention it"),
        ("level: mid", "level: mid\n  author: me", "author"),
        ("question: What", "question: [What", "interview.yaml"),
    ],
)
def test_a_rule_of_the_bank_is_enforced(old: str, new: str, says: str) -> None:
    """A bank that breaks one rule is reported."""
    assert old in BANK
    assert says in _problems(BANK.replace(old, new, 1))


def test_too_few_key_points_are_caught() -> None:
    """A question with two key points is reported."""
    start, end = BANK.index("    - point: Health"), BANK.index("  misconceptions")
    assert "key_points" in _problems(BANK[:start] + BANK[end:])


def test_words_of_the_question_are_not_given_away_by_the_probe() -> None:
    """What the question has said already, the probe may say again."""
    text = BANK.replace("when an endpoint blocks", "if `run_in_threadpool` is missing")
    assert _problems(text.replace("How would you mend it?", "And with `run_in_threadpool`?")) == ""


def test_an_id_used_twice_is_caught() -> None:
    """Ids and questions are unique over the banks of all sections."""
    banks = [bank_of(SECTION, BANK), bank_of("02_project_structure", BANK)]
    assert len(repeated(banks)) == 2


def test_a_chapter_without_questions_is_caught() -> None:
    """A written chapter of a finished section needs four questions."""
    problems = missing_questions(SECTION, [bank_of(SECTION, BANK)], library(good()))
    assert [problem.split(":")[0] for problem in problems] == [PATH, NEIGHBOUR]
