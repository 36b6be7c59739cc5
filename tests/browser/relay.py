"""A wire between the browser and a service that a test can cut."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit


class Relay:
    """Passes every connection on to a port, until it is cut; connections made later pass again."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Break off every connection in mid-word."""
        for writer in self._writers:
            writer.transport.abort()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of the browser."""
        inward, outward = await asyncio.open_connection("127.0.0.1", self._port)
        both = {writer, outward}
        self._writers |= both
        await asyncio.gather(_pump(reader, outward), _pump(inward, writer), return_exceptions=True)
        self._writers -= both


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


@asynccontextmanager
async def relayed(address: str) -> AsyncIterator[tuple[str, Relay]]:
    """The address of a relay to a service, and the relay."""
    relay = Relay(urlsplit(address).port or 80)
    server = await asyncio.start_server(relay, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", relay
    finally:
        relay.cut()
        server.close()
