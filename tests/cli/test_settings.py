"""A wrong setting stops the start with one line; a right one is read; a secret is never shown."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from service.errors import BadSetting
from service.settings import PROJECT, Settings, load_settings, without_password

KEY = "sk-live-0123456789-secret"


def test_everything_has_a_default() -> None:
    """With an empty environment the shipped chapters are served on this machine alone, without a model."""
    settings = load_settings()
    assert settings.knowledge_base == PROJECT / "knowledge_base"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.embedding_model == "local"
    assert not settings.uses_chat_model
    assert settings.qdrant_url is None
    assert settings.index_dir == settings.data_dir / "index"


WRONG = [
    ("MASTERY_PORT", "eighty", "valid integer"),
    ("MASTERY_PORT", "65536", "less than or equal to 65535"),
    ("MASTERY_PORT", "-1", "greater than or equal to 0"),
    ("MASTERY_HOST", " ", "at least 1 character"),
    ("MASTERY_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
    ("MASTERY_LOG_FORMAT", "xml", "'console' or 'json'"),
    ("MASTERY_EMBEDDING_MODEL", " ", "at least 1 character"),
    ("MASTERY_EMBEDDING_SIZE", "0", "greater than or equal to 1"),
    ("MASTERY_EMBEDDING_SIZE", "many", "valid integer"),
    ("MASTERY_CHAT_MODEL", " ", "at least 1 character"),
    ("OPENAI_BASE_URL", "localhost:8080", "URL scheme should be 'http' or 'https'"),
    ("OPENAI_BASE_URL", "not a url", "valid URL"),
    ("MASTERY_MODEL_TIMEOUT_SECONDS", "0", "greater than 0"),
    ("MASTERY_MODEL_TIMEOUT_SECONDS", "nan", "0"),
    ("MASTERY_FALLBACK_MODEL", " ", "at least 1 character"),
    ("MASTERY_MAX_OUTPUT_TOKENS", "99", "greater than or equal to 100"),
    ("MASTERY_REQUEST_DEADLINE_SECONDS", "0", "greater than 0"),
    ("MASTERY_ANSWER_PROMPT", "0", "greater than or equal to 1"),
    ("MASTERY_ANSWER_CACHE", "perhaps", "valid boolean"),
    ("MASTERY_BUDGET_REQUEST_USD", "-1", "greater than or equal to 0"),
    ("MASTERY_BUDGET_DAY_USD", "five", "valid decimal"),
    ("MASTERY_BUDGET_DAY_USD", "nan", "finite number"),
    ("MASTERY_BUDGET_KEY_DAY_USD", "-0.01", "greater than or equal to 0"),
    ("MASTERY_REQUIRE_KEY", "maybe", "valid boolean"),
    ("QDRANT_URL", "ftp://qdrant", "URL scheme should be 'http' or 'https'"),
    ("MASTERY_QDRANT_ALIAS", " ", "at least 1 character"),
    ("MASTERY_QDRANT_TIMEOUT_SECONDS", "301", "less than or equal to 300"),
    ("MASTERY_MAX_QUESTION_CHARS", "99", "greater than or equal to 100"),
    ("MASTERY_CONTEXT_TOKENS", "1e3x", "valid integer"),
    ("MASTERY_DATA_DIR", __file__, "is not a folder"),
    ("MASTERY_DATA_DIR", f"{__file__}/deeper/still", "is not a folder"),
    ("MASTERY_DATA_DIR", "x" * 5000, "cannot be used"),
]


@pytest.mark.parametrize(("name", "value", "reason"), WRONG)
def test_a_wrong_value_is_one_line_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    """The line says which variable, what is wrong, and what it is; pydantic's own report is not shown."""
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting) as refused:
        load_settings()
    message = str(refused.value)
    assert message.startswith(f"{name}: ")
    assert reason in message
    assert "\n" not in message
    assert len(message) < 300 + 2 * len(__file__)
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


def test_every_setting_that_can_be_wrong_is_tried() -> None:
    """A new setting gets its wrong values here; what takes any text, or is read by its part, is named."""
    any_text = {"MASTERY_KNOWLEDGE_BASE", "OPENAI_API_KEY", "QDRANT_API_KEY"}
    by_its_part = {"DATABASE_URL", "MASTERY_PRICES", "MASTERY_EXPERIMENT", "MASTERY_API_KEYS"}  # tests/api/test_wiring
    assert {name for name, _, _ in WRONG} | any_text | by_its_part == {
        field.alias for field in Settings.model_fields.values()
    }


def test_an_empty_variable_is_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """`OPENAI_API_KEY=` in a compose file means that there is none."""
    for field in Settings.model_fields.values():
        monkeypatch.setenv(str(field.alias), "")
    assert load_settings() == Settings()
    assert not load_settings().uses_chat_model


def test_variables_of_others_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment may hold anything else."""
    monkeypatch.setenv("PORT", "not ours")
    monkeypatch.setenv("HOST", "x86_64-conda-linux-gnu")
    monkeypatch.setenv("DATA_DIR", __file__)
    monkeypatch.setenv("MASTERY_UNKNOWN", "x")
    assert load_settings() == Settings()


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OPENAI_BASE_URL"])
def test_a_key_or_a_server_is_enough_for_a_model(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A local server needs no key."""
    monkeypatch.setenv(name, "http://localhost:11434/v1")
    assert load_settings().uses_chat_model


def test_settings_cannot_be_changed() -> None:
    """They are read once and passed on."""
    settings = load_settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1  # type: ignore[misc]


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys, and passwords within URLs, are in no representation of the settings."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("QDRANT_API_KEY", KEY)
    monkeypatch.setenv("QDRANT_URL", f"https://user:{KEY}@qdrant.example")
    monkeypatch.setenv("OPENAI_BASE_URL", f"https://:{KEY}@models.example/v1")
    settings = load_settings()
    for shown in (repr(settings), str(settings), f"{settings}", repr(vars(settings).get("openai_api_key"))):
        assert KEY not in shown
    assert settings.openai_api_key is not None
    assert settings.openai_api_key.get_secret_value() == KEY
    assert pickle.loads(pickle.dumps(settings)) == settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENAI_BASE_URL", f"https://user:{KEY}@host:port/v1"),
        ("OPENAI_BASE_URL", f"user:{KEY}@host"),
        ("QDRANT_URL", f"https://user:{KEY[:7]}/{KEY}@host"),
        ("QDRANT_URL", f"ftp://{KEY}@host"),
    ],
)
def test_a_wrong_url_does_not_show_its_password(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """The line with what is wrong leaves the user's part of a URL out."""
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSetting) as refused:
        load_settings()
    assert str(refused.value).startswith(f"{name}: ")
    assert "secret" not in str(refused.value)
    assert "sk-live" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://qdrant.example:6333/", "https://qdrant.example:6333/"),
        ("https://user:key@qdrant.example/x?y", "https://***@qdrant.example/x?y"),
        ("https://us@er:k@y@host", "https://***@host"),
        ("user:key@host", "***@host"),
    ],
)
def test_a_url_is_shown_without_its_user(url: str, shown: str) -> None:
    """What stands before the @ is a secret."""
    assert without_password(url) == shown


def test_folders_may_be_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The data folder is made when it is needed, and a relative one is fine."""
    for folder in (tmp_path / "a" / "b", Path("some/where")):
        monkeypatch.setenv("MASTERY_DATA_DIR", str(folder))
        assert load_settings().data_dir == folder
