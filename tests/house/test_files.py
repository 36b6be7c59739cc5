"""What every file of the repository keeps to."""

from __future__ import annotations

import ast
import re
from pathlib import Path

PROJECT = Path(__file__).parents[2]
PRODUCT = ("ingest", "service", "prompts", "evals", "models")
CONTENT = ("knowledge_base", "tests/fixtures")
UNTRACKED = {"__pycache__", "node_modules", "build", "dist"}
BINARY = {".onnx", ".npz", ".gz", ".png", ".jpg", ".ico", ".woff2", ".sqlite"}
LONGEST = 300

MODULES = [file for package in (*PRODUCT, "tests") for file in sorted((PROJECT / package).rglob("*.py"))]


def _text_files() -> list[Path]:
    """Every text file of the repository; hidden folders hold tools' data, except for the CI's."""
    found = []
    for file in sorted(PROJECT.rglob("*")):
        path = file.relative_to(PROJECT)
        hidden = any(part.startswith(".") and part != ".ci" for part in path.parts[:-1])
        local = hidden or UNTRACKED & set(path.parts) or any(part.endswith(".egg-info") for part in path.parts)
        if file.is_file() and not local and file.suffix not in BINARY and not path.name.startswith(".coverage"):
            found.append(file)
    return found


TEXT_FILES = _text_files()


def _lines_with(pattern: str, leave_out: tuple[str, ...] = ()) -> list[str]:
    sought = re.compile(pattern)
    found = []
    for file in TEXT_FILES:
        path = file.relative_to(PROJECT).as_posix()
        if not path.startswith(leave_out or ("\0",)):
            text = file.read_bytes().decode("utf-8", errors="replace")
            found += [f"{path}:{number}" for number, line in enumerate(text.splitlines(), 1) if sought.search(line)]
    return found


def test_there_are_files_to_look_at() -> None:
    """The walk finds the code, the chapters and the files at the top."""
    names = {file.relative_to(PROJECT).as_posix() for file in TEXT_FILES}
    assert {"pyproject.toml", "Makefile", ".ci/run", "service/domain/chapter.py", "requirements.lock"} <= names
    assert any(name.startswith("knowledge_base/") for name in names)


def _named(files: list[Path]) -> list[str]:
    return [file.relative_to(PROJECT).as_posix() for file in files]


def test_a_module_of_the_product_is_short() -> None:
    """A module fits in a head."""
    product = [file for file in MODULES if not file.is_relative_to(PROJECT / "tests")]
    assert _named([file for file in product if len(file.read_text(encoding="utf-8").splitlines()) > LONGEST]) == []


def test_a_file_of_the_page_is_short_and_says_why_it_is_there() -> None:
    """Scripts and styles keep the rules of modules: a few screens, and a first line that gives the reason."""
    web = PROJECT / "service" / "web"
    files = [*sorted(web.rglob("*.js")), *sorted(web.rglob("*.css"))]
    assert len(files) > 20
    texts = {file.relative_to(web).as_posix(): file.read_text(encoding="utf-8") for file in files}
    assert [name for name, text in texts.items() if not text.startswith(("// ", "/* "))] == []
    assert [name for name, text in texts.items() if len(text.splitlines()) > LONGEST] == []


def test_a_module_is_named_by_what_it_is() -> None:
    """No drawer for whatever has no place: a name says what is in the file."""
    drawer = re.compile(r"(^|_)(utils?|helpers?|commons?|misc|stuff)(_|$)")
    assert _named([file for file in MODULES if drawer.search(file.stem) or drawer.search(file.parent.name)]) == []


def test_a_module_says_why_it_is_there() -> None:
    """Every module that holds code begins with a docstring."""
    bare = [file for file in MODULES if file.read_text(encoding="utf-8").strip() and not _docstring(file)]
    assert _named(bare) == []


def _docstring(file: Path) -> str | None:
    return ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))


def test_no_path_of_the_machine_it_was_written_on() -> None:
    """Somebody else's checkout stands elsewhere: no absolute path into a home or a workplace."""
    places = (
        r"/wor[k]/(main|shared)|/home/(?!app\b|user\b|me\b)\w+/|/User[s]/\w+|[Cc]:\\\\?User[s]|/tm[p]/(brief|bash_jobs)"
    )
    assert _lines_with(places, CONTENT) == []
    assert _lines_with(r"/wor[k]/(main|shared)|/tm[p]/(brief|bash_jobs)") == []


def test_no_package_registry_is_named() -> None:
    """Which registry serves the packages is up to whoever installs; a lock made elsewhere must not point there."""
    hosts = r"pyp[i]\.org|pythonhoste[d]\.org|registry\.npmj[s]|jfro[g]|artifactor[y]|codeartifac[t]"
    assert _lines_with(hosts, CONTENT) == []


def test_no_conflict_markers_and_no_leftovers() -> None:
    """Nothing half merged or meant for later is left in the code."""
    assert _lines_with(r"^(<{7}|>{7}|={7})( |$)", (*CONTENT, "models")) == []
    assert _lines_with(r"\b(FIXM[E]|XX[X]|breakpoin[t]\(|pdb\.set_trac[e])", (*CONTENT, "models")) == []


def test_no_secret_is_kept() -> None:
    """Nothing that looks like a live key of a provider stands in a file."""
    keys = r"sk-(proj-)?[A-Za-z0-9]{32,}|AKIA[0-9A-Z]{16}\b|ghp_[A-Za-z0-9]{36}|-----BEGIN [A-Z ]*PRIVATE KE[Y]-----\n"
    assert _lines_with(keys, CONTENT) == []


def test_text_is_utf8_with_plain_line_ends() -> None:
    """Every text file is UTF-8 without CR; fixtures that are meant otherwise live in their folder."""
    for file in TEXT_FILES:
        path = file.relative_to(PROJECT).as_posix()
        if not path.startswith("tests/fixtures/"):
            raw = file.read_bytes()
            raw.decode("utf-8")
            assert b"\r" not in raw, path
