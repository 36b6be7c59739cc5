"""The one HTML document that every place of the page is shown in, with the headers that keep it safe."""

from __future__ import annotations

import gzip
import hashlib
from html import escape

from fastapi import Request, Response

from service.api.assets import page_assets

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types sanitised"
)
"""Nothing runs but our own modules; HTML is put into the page in one place, `markup.js`, and nowhere else."""

SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}

_COMPRESSED_FROM = 1000


def page(request: Request, view: str, main: str, title: str, description: str, status: int = 200) -> Response:
    """A whole page. `view` is `ask`, `read` or `usage`; `main` is HTML that is already safe."""
    assets = page_assets()
    base = f"/assets/{assets.version}"
    preloads = "".join(f'<link rel="modulepreload" href="{base}/{name}">' for name in assets.modules)
    filled = {
        "title": escape(title),
        "description": escape(description),
        "base": base,
        "preloads": preloads,
        "view": view,
        **{f"{place}_here": ' aria-current="page"' if place == view else "" for place in ("ask", "read", "usage")},
        **{f"{place}_view": main if place == view else "" for place in ("ask", "read", "usage")},
        **{f"{place}_hidden": "" if place == view else " hidden" for place in ("ask", "read", "usage")},
    }
    document = assets.skeleton
    pieces = document.split("{{")
    parts = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}}")
        parts += (filled[name], rest)
    return compressed(request, "".join(parts).encode(), "text/html; charset=utf-8", status)


def compressed(request: Request, body: bytes, media_type: str, status: int = 200) -> Response:
    """A response that a browser may keep but asks about each time; compressed where that is understood."""
    headers = SECURITY_HEADERS | {"Vary": "Accept-Encoding", "Cache-Control": "no-cache"}
    if status == 200:
        headers["ETag"] = f'W/"{hashlib.sha256(body).hexdigest()[:16]}"'
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
    if len(body) >= _COMPRESSED_FROM and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 5, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, status, headers, media_type)
