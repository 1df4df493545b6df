"""What several tests share."""

import functools
import http.server
import threading
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import settings

# Property tests draw the same examples every time, and none fails for being slow.
settings.register_profile("book", deadline=None, derandomize=True)
settings.load_profile("book")


class Served(NamedTuple):
    folder: Path
    address: str


@pytest.fixture
def loopback(tmp_path):
    """A folder that a server on the loopback address hands out."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield Served(folder, f"http://127.0.0.1:{server.server_port}/")
        server.shutdown()
        thread.join()
