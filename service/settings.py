"""All settings, from the environment and nowhere else; read once at the start and passed on.

Standard names where they exist (`OPENAI_API_KEY`, `QDRANT_URL`), `MASTERY_…` for the rest.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, HttpUrl, SecretStr, StringConstraints, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from service.errors import BadSetting

PROJECT = Path(__file__).resolve().parent.parent
BUNDLED_MODEL = PROJECT / "models" / "all-MiniLM-L6-v2"

REQUEST_BUDGET = Decimal("0.10")
DAY_BUDGET = Decimal(5)
"""US dollars, for those who set no budgets of their own: nobody should learn what it cost from the bill."""

_Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Settings(BaseSettings):
    """What can be set; the field's alias is the name of the environment variable, and its only name.

    The fields' own names are not accepted: a `HOST` or `PORT` in the environment means something else.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True, env_ignore_empty=True)

    knowledge_base: Path = Field(PROJECT / "knowledge_base", alias="MASTERY_KNOWLEDGE_BASE")
    data_dir: Path = Field(PROJECT / ".data", alias="MASTERY_DATA_DIR")

    host: _Name = Field("127.0.0.1", alias="MASTERY_HOST")
    port: int = Field(8000, alias="MASTERY_PORT", ge=0, le=65535)
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", alias="MASTERY_LOG_LEVEL")
    log_format: Literal["console", "json"] = Field("console", alias="MASTERY_LOG_FORMAT")

    embedding_model: _Name = Field("local", alias="MASTERY_EMBEDDING_MODEL")
    embedding_size: int | None = Field(None, alias="MASTERY_EMBEDDING_SIZE", ge=1, le=65_536)
    chat_model: _Name = Field("gpt-6-luna", alias="MASTERY_CHAT_MODEL")
    openai_api_key: SecretStr | None = Field(None, alias="OPENAI_API_KEY")
    openai_base_url: HttpUrl | None = Field(None, alias="OPENAI_BASE_URL", repr=False)
    fallback_model: _Name | None = Field(None, alias="MASTERY_FALLBACK_MODEL")
    max_output_tokens: int = Field(2000, alias="MASTERY_MAX_OUTPUT_TOKENS", ge=100, le=100_000)
    request_deadline_seconds: float = Field(90.0, alias="MASTERY_REQUEST_DEADLINE_SECONDS", gt=0, le=900)
    answer_prompt: int | None = Field(None, alias="MASTERY_ANSWER_PROMPT", ge=1)
    experiment: str | None = Field(None, alias="MASTERY_EXPERIMENT")
    answer_cache: bool = Field(default=True, alias="MASTERY_ANSWER_CACHE")

    database_url: SecretStr | None = Field(None, alias="DATABASE_URL")
    prices: str | None = Field(None, alias="MASTERY_PRICES")
    budget_per_request: Decimal = Field(REQUEST_BUDGET, alias="MASTERY_BUDGET_REQUEST_USD", ge=0)
    budget_per_day: Decimal = Field(DAY_BUDGET, alias="MASTERY_BUDGET_DAY_USD", ge=0)
    budget_per_key_day: Decimal | None = Field(None, alias="MASTERY_BUDGET_KEY_DAY_USD", ge=0)
    api_keys: SecretStr | None = Field(None, alias="MASTERY_API_KEYS")
    require_key: bool = Field(default=False, alias="MASTERY_REQUIRE_KEY")

    model_timeout_seconds: float = Field(60.0, alias="MASTERY_MODEL_TIMEOUT_SECONDS", gt=0, le=600)

    qdrant_url: HttpUrl | None = Field(None, alias="QDRANT_URL", repr=False)
    qdrant_api_key: SecretStr | None = Field(None, alias="QDRANT_API_KEY")
    qdrant_alias: _Name = Field("backend_mastery", alias="MASTERY_QDRANT_ALIAS")
    qdrant_timeout_seconds: float = Field(10.0, alias="MASTERY_QDRANT_TIMEOUT_SECONDS", gt=0, le=300)

    max_question_chars: int = Field(4000, alias="MASTERY_MAX_QUESTION_CHARS", ge=100, le=100_000)
    context_tokens: int = Field(3000, alias="MASTERY_CONTEXT_TOKENS", ge=500, le=100_000)

    @field_validator("data_dir")
    @classmethod
    def _can_be_a_folder(cls, folder: Path) -> Path:
        """It need not exist yet, but what exists of it must be folders."""
        try:
            there = next(part for part in (folder, *folder.parents) if part.exists())
        except OSError as error:
            raise ValueError(f"cannot be used: {error.strerror}") from error
        if not there.is_dir():
            raise ValueError(f"{there} is not a folder")
        return folder

    @property
    def uses_chat_model(self) -> bool:
        """Whether answers are written by a model; otherwise they are composed of quotations."""
        return self.openai_api_key is not None or self.openai_base_url is not None

    @property
    def index_dir(self) -> Path:
        """Where the embedded engine keeps its generations."""
        return self.data_dir / "index"


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        BadSetting: one line that names the variable, what is wrong with it and what it must be.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        field = next((field for field in Settings.model_fields.values() if field.alias == name), None)
        secret = field is not None and field.annotation == (SecretStr | None)
        value = "" if secret else f" (it is {without_password(str(first['input']))[:80]!r})"
        raise BadSetting(f"{name}: {first['msg'].removeprefix('Value error, ')}{value}") from None


def without_password(url: str) -> str:
    """A URL as it may be shown: `https://user:key@host` -> `https://***@host`."""
    return re.sub(r"^(\w+://)?.*@", r"\1***@", url, flags=re.DOTALL)
