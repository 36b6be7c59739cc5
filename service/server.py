"""Runs the application under uvicorn: binds first, so that a taken port is one clear line, then says where it is."""

from __future__ import annotations

import socket

import uvicorn
from rich.console import Console

from service.app import create_app
from service.errors import BadSetting
from service.settings import Settings


def run_server(settings: Settings) -> None:
    """Serve until stopped.

    Raises:
        BadSetting: the address cannot be used.
    """
    listener = _bind(settings.host, settings.port)
    address = f"http://{_shown(settings.host)}:{listener.getsockname()[1]}"
    config = uvicorn.Config(create_app(settings), log_level="warning", access_log=False, timeout_graceful_shutdown=5)
    _announce(address)
    uvicorn.Server(config).run(sockets=[listener])


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise BadSetting(
            f"{host}:{port} cannot be used ({error.strerror}); "
            "stop what runs there, or set MASTERY_HOST and MASTERY_PORT"
        ) from error
    listener.set_inheritable(True)
    return listener


def _shown(host: str) -> str:
    return "127.0.0.1" if host == "0.0.0.0" else f"[{host}]" if ":" in host else host  # noqa: S104 - only shown


def _announce(address: str) -> None:
    out = Console(stderr=True, soft_wrap=True, highlight=False)
    out.print(f"\n[bold]Backend Mastery[/bold] answers at [bold]{address}[/bold]   (Ctrl+C stops it)\n")
    out.print("Ask something:\n")
    out.print(f"  curl -s {address}/api/ask -H 'Content-Type: application/json' \\\n", end="")
    out.print("""    -d '{"question": "How do I call a blocking library from async code?"}'\n""", markup=False)
    out.print(f"API reference: {address}/docs\n")
