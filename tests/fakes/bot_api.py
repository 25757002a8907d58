"""A server that answers like the Bot API, or hangs, or answers nonsense."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

Answer = tuple[int, bytes]
SENT: Answer = (200, b'{"ok": true, "result": {"message_id": 1}}')
FORBIDDEN: Answer = (
    403,
    b'{"ok": false, "error_code": 403, "description": "Forbidden: bot was blocked by the user"}',
)
UNREADABLE: Answer = (
    400,
    b'{"ok": false, "error_code": 400, "description": "Bad Request: can\'t parse entities: x"}',
)


class BotApi:
    """The calls that came in, and what is answered to them."""

    def __init__(self, *answers: Answer) -> None:
        self.url = ""
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.release = threading.Event()
        self._answers = list(answers)

    def take_call(self, path: str, body: bytes) -> Answer | None:
        self.calls.append((path, json.loads(body)))
        return self._answers.pop(0) if len(self._answers) > 1 else next(iter(self._answers), None)


@contextmanager
def running_bot_api(*answers: Answer) -> Iterator[BotApi]:
    """Run a server that gives these answers, the last one again and again; without any it hangs."""
    bot_api = BotApi(*answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = bot_api.take_call(self.path, body)
            if answer is None:
                bot_api.release.wait()
                return
            self.send_response(answer[0])
            self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", str(len(answer[1])))
            self.end_headers()
            self.wfile.write(answer[1])

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    bot_api.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield bot_api
    finally:
        bot_api.release.set()
        server.shutdown()
        server.server_close()
        thread.join()
