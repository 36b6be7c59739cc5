"""The page's own files (styles, modules, icon), read once out of the package and served compressed.

All of them share one version in their address, made of what is in them, so that a browser may keep them for ever and
modules can still import each other by relative names. Whatever is not one of the files read at the start is not there:
no path of a request ever reaches the file system.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

STYLES = ("tokens", "base", "header", "ask", "answer", "pane", "reader", "code", "sheets", "usage", "print")
"""The parts of `styles.css`, in the order of the cascade."""

_TYPES = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml", "html": "text/html"}


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its media type and its bytes, plain and compressed."""

    media_type: str
    plain: bytes
    gzipped: bytes


@dataclass(frozen=True, slots=True)
class Assets:
    """Every file of the page by its name below `/assets/{version}/`, and the page's skeleton."""

    version: str
    files: dict[str, Asset]
    skeleton: str

    @property
    def modules(self) -> list[str]:
        """The names of the modules, which a page asks for at once instead of one import after the other."""
        return [name for name in self.files if name.startswith("scripts/") and name != "scripts/theme.js"]


@lru_cache(maxsize=1)
def page_assets() -> Assets:
    """The files as they stand in the package."""
    web = files("service") / "web"
    styles = "\n".join((web / "styles" / f"{name}.css").read_text(encoding="utf-8") for name in STYLES)
    contents = {"styles.css": styles.encode(), "icon.svg": (web / "icon.svg").read_bytes()}
    contents |= {f"scripts/{file.name}": file.read_bytes() for file in _scripts(web)}
    skeleton = (web / "index.html").read_text(encoding="utf-8")
    digest = hashlib.sha256(skeleton.encode())
    for name, content in contents.items():
        digest.update(name.encode() + content)
    return Assets(digest.hexdigest()[:12], {name: _asset(name, raw) for name, raw in contents.items()}, skeleton)


def _scripts(web: Traversable) -> list[Traversable]:
    found = (file for file in (web / "scripts").iterdir() if file.name.endswith(".js"))
    return sorted(found, key=lambda file: file.name)


def _asset(name: str, raw: bytes) -> Asset:
    media_type = _TYPES[name.rpartition(".")[2]]
    return Asset(f"{media_type}; charset=utf-8", raw, gzip.compress(raw, 9, mtime=0))
