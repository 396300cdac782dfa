"""The page's socket."""

from __future__ import annotations

import asyncio
import socket

from logvision.app.watching import listening
from logvision.config import WebSettings


def test_the_second_answer_of_a_connection_does_not_wait_until_the_first_is_acknowledged() -> None:
    told: asyncio.Future[int]

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        told.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()
        await writer.wait_closed()

    async def ask(listener: socket.socket) -> int:
        nonlocal told
        told = asyncio.get_running_loop().create_future()
        async with await asyncio.start_server(answer, sock=listener):
            _, writer = await asyncio.open_connection(*listener.getsockname()[:2])
            found = await told
            writer.close()
            await writer.wait_closed()
            return found

    with listening(WebSettings(port=0)) as listener:
        assert asyncio.run(ask(listener)) == 1
