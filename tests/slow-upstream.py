"""An upstream for slow.sh: takes a body whole before it answers, and has something large to say.

Prints its port.
"""

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

LARGE = b"x" * (16 << 20)


class Upstream(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.answer(LARGE if self.path.endswith("large") else b"small")

    def do_HEAD(self):
        self.answer(b"")

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.answer(b"taken")

    def answer(self, body):
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Upstream)
print(server.server_port, flush=True)
server.serve_forever()
