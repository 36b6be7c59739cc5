"""Everything that can go wrong, as one small tree. `status` is the HTTP answer, `code` is stable for clients.

MasteryError
├── UserError                     the caller can mend it
│   ├── BadSetting                an environment variable has a wrong value
│   ├── MissingKnowledgeBase, EmptyKnowledgeBase
│   ├── InvalidQuestion
│   ├── ChapterNotFound, AnswerNotFound, ConversationNotFound
│   ├── UnknownFilter, UnknownPrompt, UnknownKey
│   ├── CannotReplay, NoModel
│   └── BudgetSpent, RequestTooCostly
├── IndexProblem                  what is stored does not serve
│   ├── IndexMissing, IndexMismatch, IndexCorrupted, IndexBusy
│   └── IndexUnreachable          the Qdrant server does not answer
├── IngestFailed                  the old generation still serves
├── Stopped                       somebody stopped the answer while it was made
├── StateProblem                  the database cannot be used
└── ModelProblem                  a chat or embedding model did not do its work
    └── EmbeddingFailed, QuestionsFailed
"""

from __future__ import annotations

from pathlib import Path


class MasteryError(Exception):
    """Base of all of the product's own errors. The message says what is wrong and what to do."""

    status = 500
    code = "internal"
    title = "Something went wrong"


class UserError(MasteryError):
    """The caller can mend it."""

    status = 422
    code = "invalid"
    title = "The request cannot be used"


class BadSetting(UserError):
    """An environment variable has a wrong value."""

    code = "bad_setting"
    title = "A setting is wrong"


class MissingKnowledgeBase(UserError):
    """The folder is not there."""

    code = "knowledge_base_missing"
    title = "The knowledge base is not there"

    def __init__(self, folder: Path) -> None:
        what = "is not a folder" if folder.exists() else "does not exist"
        super().__init__(f"{folder} {what}; name the folder of chapters, or set MASTERY_KNOWLEDGE_BASE")


class EmptyKnowledgeBase(UserError):
    """The folder holds no Markdown."""

    code = "knowledge_base_empty"
    title = "The knowledge base is empty"

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} holds no Markdown (.md) files; name the folder that holds the chapters")


class InvalidQuestion(UserError):
    """Empty, too short or too long."""

    code = "invalid_question"
    title = "The question cannot be used"


class UnknownFilter(UserError):
    """A filter names a section, level or chapter that is not in the knowledge base."""

    code = "unknown_filter"
    title = "A filter matches nothing"


class UnknownPrompt(UserError):
    """The request names a version of a prompt that does not exist."""

    code = "unknown_prompt"
    title = "There is no such prompt version"


class ChapterNotFound(UserError):
    """No chapter has this path."""

    status = 404
    code = "chapter_not_found"
    title = "There is no such chapter"


class AnswerNotFound(UserError):
    """No answer has this id."""

    status = 404
    code = "answer_not_found"
    title = "There is no such answer"


class ConversationNotFound(UserError):
    """No conversation has this id."""

    status = 404
    code = "conversation_not_found"
    title = "There is no such conversation"


class UnknownKey(UserError):
    """The request's key is not one of the service's, or none was given where one is needed."""

    status = 401
    code = "unknown_key"
    title = "The key is not known"


class CannotReplay(UserError):
    """An answer that cannot be repeated as it was."""

    status = 409
    code = "cannot_replay"
    title = "The answer cannot be repeated"


class NoModel(UserError):
    """Something only a model can do was asked for."""

    code = "no_model"
    title = "No model is configured"

    def __init__(self) -> None:
        super().__init__("no model is configured; set OPENAI_API_KEY or OPENAI_BASE_URL")


class BudgetSpent(UserError):
    """A budget does not allow this call today; `retry_after` is how many seconds are left of the day."""

    status = 429
    code = "budget_spent"
    title = "The budget is spent"

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class RequestTooCostly(UserError):
    """This one request would cost more than one request may."""

    code = "request_too_costly"
    title = "The request would cost too much"


class Stopped(MasteryError):
    """Somebody stopped this answer, or the service was shut down."""

    status = 409
    code = "stopped"
    title = "The answer was stopped"


class StateProblem(MasteryError):
    """The database of answers, costs and conversations cannot be used."""

    status = 503
    code = "state_problem"
    title = "The database cannot be used"


class IndexProblem(MasteryError):
    """What is stored does not serve."""

    status = 503
    code = "index_problem"
    title = "The index cannot be used"


class IndexMissing(IndexProblem):
    """Nothing was ingested yet."""

    code = "index_missing"
    title = "Nothing is ingested yet"


class IndexMismatch(IndexProblem):
    """The index was built with other settings than the service runs with."""

    code = "index_mismatch"
    title = "The index does not fit the settings"


class IndexCorrupted(IndexProblem):
    """The stored index is damaged."""

    code = "index_corrupted"
    title = "The index is damaged"


class IndexBusy(IndexProblem):
    """Another process holds what this one needs."""

    code = "index_busy"
    title = "The index is in use"


class IndexUnreachable(IndexProblem):
    """The Qdrant server does not answer, or answers with an error."""

    code = "index_unreachable"
    title = "The vector database cannot be reached"


class IngestFailed(MasteryError):
    """A new generation could not be built; the old one still serves."""

    code = "ingest_failed"
    title = "The ingest did not finish"


class ModelProblem(MasteryError):
    """A model did not do its work; a chat model's failures are outcomes instead, see `domain/completion.py`."""

    status = 502
    code = "model_problem"
    title = "The model could not be used"


class QuestionsFailed(ModelProblem):
    """The model did not write the questions of a chapter."""

    code = "questions_failed"
    title = "The questions could not be written"


class EmbeddingFailed(ModelProblem):
    """The embedding model cannot be loaded or failed."""

    status = 503
    code = "embedding_failed"
    title = "The embedding model cannot be used"
