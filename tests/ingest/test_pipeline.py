"""An ingest from folder to published generation, in the embedded engine, with an embedder that needs no model."""

from __future__ import annotations

import asyncio
import copy
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from ingest.folder import scan
from ingest.pipeline import Pipeline
from ingest.report import Changes, IngestReport
from ingest.shipped_questions import SHEETS
from service.adapters.bm25 import Bm25
from service.adapters.edge_index import EdgeIndex
from service.adapters.edge_store import EdgeStore
from service.adapters.vector_cache import CachedEmbedder
from service.domain import Fingerprint, Generation, Hit, SearchFilter
from service.errors import (
    EmbeddingFailed,
    EmptyKnowledgeBase,
    IndexBusy,
    IndexCorrupted,
    IngestFailed,
    MissingKnowledgeBase,
)
from service.ports import CachingEmbedder

from ..fakes.embedder import FailingEmbedder, RememberingEmbedder
from ..fakes.vectors import WordVectors, vector_of
from .written import write_tree

CACHING = (
    "# Caching\n\nIntro words.\n\n## Expiry\n\nEvery key expires after a minute.\n\n## Locks\n\nA lock stops herds.\n"
)
QUEUES = "---\nlevel: advanced\n---\n# Queues\n\n## Retries\n\nA worker retries with backoff.\n"
TOKENS = "# Tokens\n\nA refresh token is revoked at logout.\n"
TREE = {"07_cache/caching.md": CACHING, "08_jobs/queues.md": QUEUES, "tokens.md": TOKENS}


@dataclass
class Told:
    """The pipeline's `Progress`, written down."""

    events: list[tuple[str, int]] = field(default_factory=list)
    done: dict[str, int] = field(default_factory=dict)
    cost: Decimal | None = None

    def step(self, name: str, total: int) -> None:
        """A step begins."""
        self.events.append((name, total))
        self.done[name] = 0

    def advance(self, count: int = 1) -> None:
        """More of the step is done."""
        self.done[self.events[-1][0]] += count

    def estimate(self, chunks: int, tokens: int, cost: Decimal | None) -> None:
        """What comes."""
        self.events.append(("estimate", chunks))
        self.cost = cost


class Bench:
    """A folder of chapters, an index beside it, and what is needed to bring one to the other."""

    def __init__(self, root: Path) -> None:
        self.folder = write_tree(root / "kb", TREE)
        self.index_dir = root / "index"
        self.store = EdgeStore(self.index_dir)
        self.embedder: CachingEmbedder = RememberingEmbedder()
        self.told = Told()

    @property
    def fingerprint(self) -> Fingerprint:
        """What an index of this embedder is built with."""
        return Fingerprint(self.embedder.fingerprint, 1, 1)

    async def ingest(self, *, dry_run: bool = False, rebuild: bool = False) -> IngestReport:
        """Run the pipeline."""
        self.told = Told()
        pipeline = Pipeline(self.store, self.embedder, Bm25(), self.fingerprint, self.told)
        return await pipeline.run(self.folder, dry_run=dry_run, rebuild=rebuild)

    async def generation(self) -> Generation:
        """The published generation."""
        current = await self.store.current()
        assert current
        return current

    async def search(self, text: str, limit: int = 5) -> list[Hit]:
        """The best chunks for a text, in what is published now."""
        index = EdgeIndex(self.store, (await self.generation()).fingerprint)
        try:
            return await index.search(text, vector_of(text), limit, SearchFilter())
        finally:
            await index.close()

    async def found(self, text: str) -> set[str]:
        """The chapters of all chunks."""
        return {hit.chunk.chapter for hit in await self.search(text, 50)}


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """Three chapters of five chunks, and no index yet."""
    made = Bench(tmp_path)
    yield made
    await made.embedder.close()


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The three chapters, ingested once; not to be written to."""
    made = Bench(tmp_path_factory.mktemp("published"))
    asyncio.run(made.ingest())
    return made


@pytest.fixture
def ingested(published: Bench, bench: Bench) -> Bench:
    """The three chapters, ingested."""
    shutil.copytree(published.index_dir, bench.index_dir)
    bench.embedder = copy.deepcopy(published.embedder)
    return bench


async def test_a_first_ingest_publishes_everything(bench: Bench) -> None:
    """All is added and computed, the generation says what it holds, and each chapter is found."""
    report = await bench.ingest()
    generation = await bench.generation()
    assert (report.chapters, report.chunks, report.computed) == (Changes(added=3), Changes(added=5), 5)
    assert (report.generation, report.dry_run, report.problems) == (generation.id, False, [])
    assert generation.hashes == {read.path: read.content_hash for read in scan(bench.folder)[0]}
    assert {path: len(hashes) for path, hashes in generation.chunk_hashes.items()} == {
        "07_cache/caching.md": 3, "08_jobs/queues.md": 1, "tokens.md": 1,
    }  # fmt: skip
    assert (generation.chunks, generation.fingerprint) == (5, bench.fingerprint)
    assert report.tokens == report.computed_tokens == generation.tokens > 5
    best = (await bench.search("How does a worker retry with backoff?"))[0].chunk
    assert (best.chapter, best.anchor, best.level, best.section) == (
        "08_jobs/queues.md",
        "retries",
        "advanced",
        "08 - Jobs",
    )


async def test_chapters_and_statistics_are_in_the_index(ingested: Bench) -> None:
    """A service reads the chapters' texts and the term statistics out of the same generation."""
    index = EdgeIndex(ingested.store, ingested.fingerprint)
    chapter = await index.chapter("07_cache/caching.md")
    assert chapter
    assert chapter.text == CACHING
    assert [listed.path for listed in await index.chapters()] == sorted(TREE)
    statistics = await index.statistics()
    (expires,) = Bm25().terms("expires")
    assert (statistics.documents, statistics.frequencies[expires]) == (5, 1)
    await index.close()


async def test_an_unchanged_folder_is_left_alone(ingested: Bench) -> None:
    """Nothing is read twice, embedded or written, and everything is reported as unchanged."""
    before = await ingested.generation()
    report = await ingested.ingest()
    assert (report.chapters, report.chunks) == (Changes(unchanged=3), Changes(unchanged=5))
    assert (report.generation, report.computed, report.tokens) == (before.id, 0, before.tokens)
    assert await ingested.generation() == before
    assert ingested.told.events == []


async def test_only_what_changed_is_computed(ingested: Bench) -> None:
    """With one chapter changed, one new and one gone, all is counted, and the embedder sees the new texts alone."""
    write_tree(
        ingested.folder,
        {
            "07_cache/caching.md": CACHING.replace("a minute", "an hour") + "\n## More\n\nStampedes.\n",
            "new.md": "# New\n\nFresh.\n",
        },
    )
    (ingested.folder / "tokens.md").unlink()
    ingested.embedder.asked.clear()
    report = await ingested.ingest()
    assert report.chapters == Changes(added=1, changed=1, removed=1, unchanged=1)
    assert report.chunks == Changes(added=2, changed=1, removed=1, unchanged=3)
    assert report.computed == 3
    assert sorted(text.split("\n")[1] for text in ingested.embedder.asked) == [
        "Every key expires after an hour.", "Fresh.", "Stampedes.",
    ]  # fmt: skip
    assert (await ingested.search("When does a key expire?"))[0].chunk.text == "Every key expires after an hour."


async def test_a_chapter_that_is_gone_is_not_found(ingested: Bench) -> None:
    """After its file was deleted, no chunk of a chapter and no chapter is left in the index."""
    assert "tokens.md" in await ingested.found("refresh token revoked at logout")
    (ingested.folder / "tokens.md").unlink()
    report = await ingested.ingest()
    assert (report.chapters, report.chunks) == (Changes(removed=1, unchanged=2), Changes(removed=1, unchanged=4))
    assert await ingested.found("refresh token revoked at logout") == {"07_cache/caching.md", "08_jobs/queues.md"}
    index = EdgeIndex(ingested.store, ingested.fingerprint)
    assert await index.chapter("tokens.md") is None
    await index.close()


async def test_a_change_above_the_text_computes_nothing(ingested: Bench) -> None:
    """New front matter changes the chapter and none of its chunks' texts, and is served."""
    write_tree(ingested.folder, {"08_jobs/queues.md": QUEUES.replace("advanced", "beginner")})
    report = await ingested.ingest()
    assert (report.chapters, report.chunks) == (Changes(changed=1, unchanged=2), Changes(unchanged=5))
    assert report.computed == 0
    assert (await ingested.search("retries with backoff"))[0].chunk.level == "beginner"


async def test_a_dry_run_writes_nothing(bench: Bench) -> None:
    """It says what an ingest would do, embeds nothing, and leaves no file behind."""
    dry = await bench.ingest(dry_run=True)
    assert (dry.dry_run, dry.generation) == (True, None)
    assert not bench.index_dir.exists()
    assert bench.embedder.asked == []
    real = await bench.ingest()
    for name in ("chapters", "chunks", "computed", "tokens", "computed_tokens"):
        assert getattr(dry, name) == getattr(real, name)


async def test_a_dry_run_leaves_the_index_as_it_is(ingested: Bench) -> None:
    """With changes in the folder, the old generation stays the published one."""
    before = await ingested.generation()
    write_tree(ingested.folder, {"new.md": "# New\n\nFresh.\n"})
    report = await ingested.ingest(dry_run=True)
    assert (report.chapters, report.computed) == (Changes(added=1, unchanged=3), 1)
    assert await ingested.generation() == before
    assert "new.md" not in await ingested.found("fresh")


async def test_the_cost_is_told_before_it_arises(bench: Bench) -> None:
    """With a paid embedder the estimate comes before the first text is embedded, and is in the report."""
    bench.embedder = RememberingEmbedder(price=Decimal("0.01"))
    report = await bench.ingest()
    names = [name for name, _ in bench.told.events]
    assert names.index("estimate") < names.index("Embedding")
    assert report.cost_usd == bench.told.cost == Decimal("0.01") * report.computed_tokens


async def test_progress_reaches_its_totals(bench: Bench) -> None:
    """Every step says how much there is to do, and then does all of it."""
    await bench.ingest()
    assert bench.told.events == [("Reading chapters", 3), ("estimate", 5), ("Embedding", 5), ("Building the index", 5)]
    assert bench.told.done == {"Reading chapters": 3, "Embedding": 5, "Building the index": 5}


async def test_another_embedder_rebuilds_the_index(ingested: Bench) -> None:
    """A fingerprint that differs makes every vector anew, though no chapter changed."""
    before = await ingested.generation()
    ingested.embedder = RememberingEmbedder("word-vectors@2")
    report = await ingested.ingest()
    after = await ingested.generation()
    assert (report.chapters, report.chunks, report.computed) == (Changes(unchanged=3), Changes(unchanged=5), 5)
    assert after.id != before.id
    assert after.fingerprint.embedding == "word-vectors@2"


async def test_rebuild_builds_anew_without_computing(ingested: Bench) -> None:
    """`rebuild` writes a new generation of an unchanged folder out of the vectors that are known."""
    before = await ingested.generation()
    report = await ingested.ingest(rebuild=True)
    assert (report.generation, report.computed) == ((await ingested.generation()).id, 0)
    assert report.generation != before.id


async def test_a_damaged_index_is_rebuilt_on_request_only(ingested: Bench) -> None:
    """A generation without its manifest is refused with the command that mends it, which then mends it."""
    (manifest,) = ingested.index_dir.glob("generations/*/manifest.json")
    manifest.write_text("{")
    with pytest.raises(IndexCorrupted, match="mastery ingest --rebuild"):
        await ingested.ingest()
    report = await ingested.ingest(rebuild=True)
    assert report.chapters == Changes(added=3)
    assert len(await ingested.found("key")) == 3


async def test_two_ingests_do_not_run_at_once(ingested: Bench) -> None:
    """A second ingest is refused while one runs; a dry run, which writes nothing, is not."""
    with EdgeStore(ingested.index_dir).lock():
        with pytest.raises(IndexBusy, match="another ingest"):
            await ingested.ingest()
        assert (await ingested.ingest(dry_run=True)).chapters == Changes(unchanged=3)
    assert (await ingested.ingest()).chapters == Changes(unchanged=3)


async def test_questions_go_to_the_nearest_chunk_of_their_chapter(bench: Bench) -> None:
    """A question of the front matter is matched where its chapter answers it, also where another chapter is nearer."""
    questions = "questions:\n  - When does every key expire?\n  - How does a worker retry with backoff?\n"
    write_tree(
        bench.folder, {"07_cache/caching.md": f"---\n{questions}---\n{CACHING}", "empty.md": f"---\n{questions}---\n"}
    )
    report = await bench.ingest()
    assert report.computed == 5
    hits = {hit.chunk.id: hit for hit in await bench.search("When does every key expire?", 50)}
    asked = {hit.chunk.heading: hit.chunk.questions for hit in hits.values() if hit.chunk.questions}
    assert "When does every key expire?" in asked["Expiry"]
    assert sorted(question for some in asked.values() for question in some) == [
        "How does a worker retry with backoff?", "When does every key expire?",
    ]  # fmt: skip
    assert {hit.chunk.chapter for hit in hits.values() if hit.chunk.questions} == {"07_cache/caching.md"}
    assert max(hits.values(), key=lambda hit: hit.question or -1).chunk.heading == "Expiry"


async def test_questions_of_a_sheet_go_to_the_section_that_it_names(bench: Bench) -> None:
    """Also where another section is nearer; a question of the front matter that the sheet places is not given twice."""
    question = "When does every key expire?"
    sheet = f"caching.md:\n  caching:\n    - {question}\n    - ttl\n"
    front = f"---\nquestions: [{question}]\n---\n"
    write_tree(bench.folder, {"07_cache/caching.md": front + CACHING, "07_cache/questions.yaml": sheet})
    await bench.ingest()
    hits = {hit.chunk.id: hit for hit in await bench.search(question, 50)}
    asked = {hit.chunk.heading: hit.chunk.questions for hit in hits.values() if hit.chunk.questions}
    assert asked == {"Caching": (question, "ttl")}
    assert (await bench.ingest()).chapters.none


async def test_what_was_computed_before_a_failure_is_kept(bench: Bench, tmp_path: Path) -> None:
    """An embedder that fails in the middle leaves the old generation, and the next run computes only the rest."""
    first = await bench.ingest()
    write_tree(bench.folder, {f"more/{n}.md": f"# Chapter {n}\n\nText number {n}.\n" for n in range(40)})
    bench.embedder = CachedEmbedder(FailingEmbedder(batches=2), tmp_path / "vectors.sqlite")
    with pytest.raises(EmbeddingFailed, match="rate limit"):
        await bench.ingest()
    await bench.embedder.close()
    assert (await bench.generation()).id == first.generation
    assert await bench.found("text number") == set(TREE)
    assert [folder.name for folder in bench.index_dir.glob("generations/*")] == [first.generation]

    words = WordVectors()
    bench.embedder = CachedEmbedder(words, tmp_path / "vectors.sqlite")
    report = await bench.ingest()
    assert report.computed == len(words.asked) == 45 - 2 * 16
    hits = await bench.search("Chapter 7 Text number 7.", 50)
    assert len({hit.chunk.chapter for hit in hits}) == 43
    assert max(hits, key=lambda hit: hit.dense or -1).chunk.chapter == "more/7.md"


async def test_problems_are_reported_and_the_rest_is_ingested(bench: Bench) -> None:
    """Broken front matter and unreadable files are named, also by a second run that finds nothing changed."""
    write_tree(bench.folder, {"broken.md": "---\ntitle: a: b\n---\n# Broken\n\nStill read.\n"})
    (bench.folder / "latin.md").write_bytes(b"# Zur\xfcck\n")
    expected = [("latin.md", 1, True), ("broken.md", 2, False)]
    for changes in (Changes(added=4), Changes(unchanged=4)):
        report = await bench.ingest()
        assert report.chapters == changes
        assert [(problem.path, problem.line, problem.skipped) for problem in report.problems] == expected
    assert "broken.md" in await bench.found("still read")


async def test_a_chapter_that_became_unreadable_is_gone(ingested: Bench) -> None:
    """A file that cannot be read any more is reported, and its old text is not served as if it were there."""
    (ingested.folder / "tokens.md").write_bytes(b"\xff\xfe")
    report = await ingested.ingest()
    assert (report.chapters.removed, [problem.path for problem in report.problems]) == (1, ["tokens.md"])
    assert "tokens.md" not in await ingested.found("refresh token")


async def test_a_folder_where_nothing_can_be_used_names_the_files(ingested: Bench) -> None:
    """If every chapter has a problem the ingest fails with their names, and the old generation stays."""
    before = await ingested.generation()
    for path in TREE:
        (ingested.folder / path).write_bytes(b"\xff")
    with pytest.raises(IngestFailed, match=r"07_cache/caching\.md:1: is not UTF-8"):
        await ingested.ingest()
    assert await ingested.generation() == before


@pytest.mark.parametrize("leftover", ["", "# Only a heading\n"])
async def test_an_empty_folder_does_not_empty_the_index(ingested: Bench, leftover: str) -> None:
    """A folder that holds no text (any more) is refused, and what was ingested is still found."""
    for path in TREE:
        (ingested.folder / path).unlink()
    if leftover:
        write_tree(ingested.folder, {"a.md": leftover})
    with pytest.raises(EmptyKnowledgeBase):
        await ingested.ingest()
    assert await ingested.found("key") == set(TREE)


async def test_a_folder_that_is_not_there_changes_nothing(ingested: Bench) -> None:
    """A missing folder is refused, and what was ingested is still found."""
    ingested.folder = ingested.folder / "nowhere"
    with pytest.raises(MissingKnowledgeBase):
        await ingested.ingest()
    assert await ingested.found("key") == set(TREE)


async def test_the_documentation_of_a_library_can_be_ingested(bench: Bench) -> None:
    """A tree in the style of documentation sites, without front matter, is found by its own headings and anchors."""
    bench.folder = write_tree(
        bench.folder.parent / "docs",
        {
            "index.md": "# Welcome\n\n[](){#start}\n\nWelcome to the library.\n",
            "concepts/validators.md": (
                '# Validators\n\n??? api "API Documentation"\n    [`lib.validators`][lib.validators]<br>\n\n'
                '## Before validators {#before}\n\n!!! warning "Raw input"\n    They take the raw input.\n\n'
                '=== "Annotated"\n\n    ```python {test="skip"}\n    # coerces strings\n    x = 1\n    ```\n\n'
                "/// details | Old versions\nNot before 2.0.\n///\n"
            ),
            "api/base_model.md": "::: lib.BaseModel\n    options:\n        members: no\n\nThe base class.\n",
        },
    )  # fmt: skip
    report = await bench.ingest()
    assert (report.chapters, report.problems) == (Changes(added=3), [])
    best = (await bench.search("Which validators take the raw input?"))[0].chunk
    assert (best.chapter, best.heading, best.anchor) == ("concepts/validators.md", "Before validators", "before")
    assert best.text == (
        "**Raw input**\nThey take the raw input.\n\n**Annotated**\n\n```python\n# coerces strings\nx = 1\n```\n\n"
        "**Details: Old versions.**\nNot before 2.0."
    )
    assert [s.text for block in best.blocks if block.language for s in block.sentences] == ["coerces strings"]


async def test_the_report_says_where_questions_came_from(bench: Bench) -> None:
    """Also when there was nothing to do; whoever wonders how a page was found in such words can look."""
    sheet = yaml.safe_load((SHEETS / "pydantic.yaml").read_text(encoding="utf-8"))
    bench.folder = write_tree(bench.folder.parent / "docs", dict.fromkeys(list(sheet)[:30], "It is a page.\n"))
    assert (await bench.ingest()).shipped_questions == {"pydantic": 30}
    again = await bench.ingest()
    assert (again.chapters.none, again.shipped_questions) == (True, {"pydantic": 30})
