"""Somebody else's program on the port we wanted, answering 200 to everything."""

from __future__ import annotations

import http.server
import os


class Agreeable(http.server.BaseHTTPRequestHandler):
    """Says yes."""

    def do_GET(self) -> None:
        """200 with an empty object."""
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing else."""


if __name__ == "__main__":
    with http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["RIVAL_PORT"])), Agreeable) as server:
        print("listening", flush=True)
        server.serve_forever()
