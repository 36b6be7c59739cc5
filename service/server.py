"""Runs the application under uvicorn.

It binds first and then opens the service, so that a taken port and a setting that cannot work are each one clear line;
then it says where it is.
"""

from __future__ import annotations

import asyncio
import ctypes
import gc
import signal
import socket
import sys
from contextlib import suppress

import uvicorn
from rich.console import Console
from uvicorn.loops.auto import auto_loop_factory

from service.app import create_app
from service.errors import BadSetting
from service.settings import Settings
from service.wiring import open_service

_ARENA_MAX = -8  # its number in malloc.h


def run_server(settings: Settings) -> None:
    """Serve until stopped.

    Raises:
        BadSetting: the address cannot be used, or a setting cannot work.
        EmbeddingFailed: the embedding model cannot be loaded.
    """
    _share_heap()
    # uvicorn raises the signal again once it has shut down: as an exit, so that the service is closed too
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with bind(settings.host, settings.port) as listener, asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(serve(settings, listener))


async def serve(settings: Settings, listener: socket.socket) -> None:
    """Open the service and serve on a socket that listens already."""
    async with open_service(settings) as service:
        app = create_app(settings, service)
        config = uvicorn.Config(app, log_level="warning", access_log=False, timeout_graceful_shutdown=5)
        _announce(f"http://{_shown(settings.host)}:{listener.getsockname()[1]}")
        await _Server(config).serve(sockets=[listener])


class _Server(uvicorn.Server):
    """What is there once the service is ready stays; full collections that went through it held the loop for 31 ms."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        gc.collect()
        gc.freeze()
        _give_back_memory()


def _share_heap() -> None:
    """Threads share one of glibc's heaps, instead of each keeping what it once needed in one of its own."""
    with suppress(OSError, AttributeError):  # another C library
        ctypes.CDLL("libc.so.6").mallopt(_ARENA_MAX, 1)


def _give_back_memory() -> None:
    """Loading the models leaves 28 MB of holes in glibc's heap, which it gives back only when asked to."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        BadSetting: the address cannot be used.
    """
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
