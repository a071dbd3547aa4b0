"""A small web server on this machine, from which engines download."""

from __future__ import annotations

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

    import layersim as ls


class Web:
    """Serves what is in `pages`, and gives our builds the same.

    Attributes
    ----------
    pages : dict
        By path and query, as they are asked for.
    """

    def __init__(self) -> None:
        self.pages: dict[str, ls.Download] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        """The address, without a slash at its end."""
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def downloads(self) -> dict[str, ls.Download]:
        """What is found there, by URL; with and without the slash of an empty path."""
        found = {f"{self.url}{path}": page for path, page in self.pages.items()}
        return found | ({self.url: self.pages["/"]} if "/" in self.pages else {})

    def __enter__(self) -> Self:
        """Start serving."""
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stop, and wait for the end."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        pages = self.pages

        def answer(request: BaseHTTPRequestHandler) -> None:
            page = pages.get(request.path)
            if page is None:
                request.send_error(HTTPStatus.NOT_FOUND)
                return
            request.send_response(HTTPStatus.OK)
            if page.modified is not None:
                request.send_header("Last-Modified", page.modified.strftime("%a, %d %b %Y %H:%M:%S GMT"))
            if page.filename is not None:
                request.send_header("Content-Disposition", f'attachment; filename="{page.filename}"')
            request.send_header("Content-Length", str(len(page.data)))
            request.end_headers()
            request.wfile.write(page.data)

        def say_nothing(*_: object) -> None:
            """Keep quiet."""

        return type("Handler", (BaseHTTPRequestHandler,), {"do_GET": answer, "log_message": say_nothing})
