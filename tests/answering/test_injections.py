"""Hostile text in chapters, questions and histories: it reaches a model as data only, and a model that obeys it
cannot make the reader's answer say more than the chapters do."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
import pytest_asyncio

from prompts.registry import load
from service.answering.events import Delta
from service.domain import Answer, Mode, Status
from service.parts import fingerprint_for, make_embedder, make_index

from ..fakes.scripted_model import ScriptedModel
from ..small_index import ingest, settings_for
from .conftest import Parts
from .hostile import CANARY, Injection, Reply, injections, replies
from .test_delimiting import read_by_a_model

pytestmark = pytest.mark.asyncio(loop_scope="session")

INJECTIONS = injections()
REPLIES = replies()
EACH = pytest.mark.parametrize("injection", INJECTIONS, ids=lambda injection: injection.id)
LINK = re.compile(r'<a\b[^>]*\shref="([^"]*)"')
NEVER_READ = ("summary", "questions", "html_comment")
RULES = load("answer").system
TAG = re.compile(r"<(/?)(passages|passage|history|turn|question|system|user|assistant|\|)")
REGION = re.compile(
    r"<passage number=\"\d+\" source=\"[^\"<>\n]*\">\n.*?\n</passage>|<turn role=\"(?:user|assistant)\">\n.*?\n</turn>"
    r"|<question>\n.*?\n</question>",
    re.DOTALL,
)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def hostile(tmp_path_factory: pytest.TempPathFactory, parts: Parts) -> AsyncIterator[Parts]:
    """An index of the chapters that hold the injections, made by a real ingest."""
    folder, data = tmp_path_factory.mktemp("hostile"), tmp_path_factory.mktemp("hostile_data")
    for injection in INJECTIONS:
        file = folder / injection.path
        file.parent.mkdir(exist_ok=True)
        file.write_text(injection.chapter, encoding="utf-8")
    await ingest(data, folder)
    settings = settings_for(data)
    embedder = make_embedder(settings)
    index = make_index(settings, fingerprint_for(embedder))
    yield Parts(index, embedder, parts.terms)
    await index.close()
    await embedder.close()


async def _answered(hostile: Parts, injection: Injection, reply: Reply) -> tuple[Answer, ScriptedModel]:
    """The answer that a reader gets from a model that obeys, and the model.

    The first run is there to see the passages, of which the reply quotes one for real.
    """
    honest = ScriptedModel('{"answer": "", "citations": [], "status": "not_in_knowledge_base", "follow_ups": []}')
    await hostile.answerer(honest).ask(injection.ask)
    passage = next(prompt for prompt in honest.prompts if "<passage number" in prompt)
    quote = next(line for line in passage.split("<passage number")[1].split("\n")[1:] if len(line.split()) >= 6)
    obedient = ScriptedModel(reply.written(quote.split(CANARY)[0].strip(), RULES))
    if injection.ask.history:  # its question stands alone already, but a model may be asked for it
        obedient = ScriptedModel(*[reply.written(quote.split(CANARY)[0].strip(), RULES)] * 2)
    return await hostile.answerer(obedient).ask(injection.ask), obedient


async def test_there_are_injections_of_every_kind() -> None:
    """At least 30, in every place where text comes from, and every reply is tried."""
    assert len(INJECTIONS) >= 30
    assert len({injection.id for injection in INJECTIONS}) == len(INJECTIONS)
    places = {injection.place for injection in INJECTIONS}
    assert places == {
        "text", "heading", "title", "summary", "questions", "comment", "docstring", "table", "item", "quote", "link",
        "image", "html", "html_comment", "file", "question", "history_user", "history_assistant", "history_system",
    }  # fmt: skip
    assert {injection.obeys for injection in INJECTIONS} == set(REPLIES)
    assert all(injection.text.count(CANARY) == 1 for injection in INJECTIONS)


@EACH
async def test_hostile_text_stands_in_its_delimiter_only(hostile: Parts, injection: Injection) -> None:
    """The rules are the same byte for byte, the tags are balanced as a reader sees them, and the text is within one."""
    _, model = await _answered(hostile, injection, REPLIES["uncited"])
    (call,) = [call for call in model.calls if call.prompt == load("answer").id]
    system, user = call.messages
    assert (system.role, system.content, user.role) == ("system", RULES, "user")
    tags = [f"{slash}{name}" for slash, name in TAG.findall(read_by_a_model(user.content))]
    passages = ["passage", "/passage"] * tags.count("passage")
    turns = ["turn", "/turn"] * len(injection.ask.history)
    expected = ["passages", *passages, "/passages", "history", *turns, "/history", "question", "/question"]
    assert tags == expected
    regions = [(found.start(), found.end()) for found in REGION.finditer(user.content)]
    seen = [found.start() for found in re.finditer(CANARY, user.content, re.IGNORECASE)]
    assert seen or injection.place in NEVER_READ, "the text never reaches the model"
    assert all(any(start < place < end for start, end in regions) for place in seen)
    assert not re.search("[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]", user.content)
    assert user.content.startswith('<passages>\n<passage number="1"')
    assert user.content.endswith(load("answer").messages[1][1].rpartition("</question>")[2])


@EACH
async def test_a_model_that_obeys_gains_nothing(hostile: Parts, injection: Injection) -> None:
    """No uncited claim, no forged source, no foreign link, image or markup, no rules: none of it is in the answer."""
    reply = REPLIES[injection.obeys]
    answer, _ = await _answered(hostile, injection, reply)
    said = "\n".join([answer.answer, *answer.follow_ups, *(cited.quote for cited in answer.citations)])
    quoted = f"{injection.path}\n{injection.chapter}" if answer.mode is Mode.EXTRACTIVE else ""
    for unwanted in reply.never:
        if unwanted in quoted:  # then it is a chapter's own word, quoted as such
            continue
        assert not re.search(rf"(?<!\\){re.escape(unwanted)}", said)
        assert unwanted not in answer.answer_html
        if unwanted[0] != "<":
            assert unwanted not in re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", "", answer.answer_html)))
    for unwanted in reply.html_never:
        assert unwanted not in answer.answer_html
    _check_is_harmless(answer)
    _check_citations(answer, injection)


@pytest.mark.parametrize("name", REPLIES)
async def test_every_hostile_reply_is_harmless_without_an_injection(hostile: Parts, name: str) -> None:
    """A model may go wrong by itself; what is valid in its answer is kept, and the rest is gone."""
    plain = next(injection for injection in INJECTIONS if injection.id == "base64_order")
    answer, _ = await _answered(hostile, plain, REPLIES[name])
    valid = any(cited["quote"] == "QUOTE" and cited["passage"] == 1 for cited in REPLIES[name].citations)
    shown = valid and REPLIES[name].status == "answered" and name not in ("leaked_rules", "leaked_rules_in_code")
    if shown:
        assert (answer.mode, answer.status, answer.degraded) == (Mode.LLM, Status.ANSWERED, False)
        assert answer.answer.count("A cursor keeps its place [1]") == 1
    else:
        assert answer.degraded or answer.status is Status.NOT_IN_KNOWLEDGE_BASE
    _check_is_harmless(answer)


def _check_is_harmless(answer: Answer) -> None:
    """No markup of a model's own, whoever shows the answer."""
    assert not re.search(r"<(script|img|iframe|form|input|style|svg|object|embed|link|meta)\b", answer.answer_html)
    assert not re.search(r"<[^>]*\s(on\w+|style|src|srcset|action)=", answer.answer_html)
    assert set(LINK.findall(answer.answer_html)) <= _own_links(answer)
    outside = re.sub(r"```.*?```|`[^`\n]*`", "", answer.answer, flags=re.DOTALL)
    if answer.mode is Mode.LLM:
        assert "![" not in outside
        assert not re.search(r"(?<!\\)<[a-zA-Z/!]", outside)
    for text in answer.follow_ups:
        assert not re.search(r"https?:|[<>]|\]\(", text)


def _own_links(answer: Answer) -> set[str]:
    """Places in the reader, and addresses that stand in the passages themselves."""
    own = {link for link in LINK.findall(answer.answer_html) if link.startswith("/read/")}
    passages = "\n".join(passage.text for passage in answer.passages)
    return own | {html.escape(link) for link in re.findall(r"https?://[^\s)>\"]+", passages)}


def _check_citations(answer: Answer, injection: Injection) -> None:
    """Every marker has its citation, and every citation's quote stands in the chapter's file."""
    outside = re.sub(r"```.*?```|`[^`\n]*`", "", answer.answer, flags=re.DOTALL)
    markers = {int(number) for number in re.findall(r"\[(\d{1,2})\](?!\()", outside)}
    assert {cited.number for cited in answer.citations} == markers or answer.mode is Mode.EXTRACTIVE
    assert answer.citations or answer.mode is Mode.EXTRACTIVE or answer.status is Status.NOT_IN_KNOWLEDGE_BASE
    source = re.sub(r"\s+", " ", injection.chapter)
    for cited in answer.citations:
        assert cited.chapter == injection.path
        assert re.sub(r"\s+", " ", cited.quote).strip() in source or answer.mode is Mode.EXTRACTIVE


@pytest.mark.parametrize("name", REPLIES)
async def test_what_is_streamed_is_harmless_from_the_first_piece(hostile: Parts, name: str) -> None:
    """Before the citations are checked, too: no foreign link, image, markup or marker of an absent passage is sent."""
    plain = next(injection for injection in INJECTIONS if injection.id == "base64_order")
    answerer = hostile.answerer(ScriptedModel(REPLIES[name].written("no matter", RULES), piece=3))
    text, blocks = "", []
    async with aclosing(answerer.stream(await answerer.prepare(plain.ask), html=True)) as events:
        async for event in events:
            if isinstance(event, Delta):
                text += event.text
                blocks += [block.html for block in event.html]
    outside = re.sub(r"```.*?(```|\Z)|`[^`\n]*`", "", text, flags=re.DOTALL)
    assert not re.search(r"!\[|(?<!\\)<[a-zA-Z/!]|\]\((?!/read/)", outside)
    assert not {int(number) for number in re.findall(r"\[(\d{1,2})\]", outside)} - {1, 2}
    assert blocks
    for block in blocks:
        assert not re.search(
            r"<(?!/?(?:p|a|code|pre|span|em|strong|ul|ol|li|br|h\d|blockquote|hr|div|table)\b)\w", block
        )
        assert all(link.startswith("/read/") for link in LINK.findall(block))
