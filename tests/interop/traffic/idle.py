"""Many connections that do nothing, in a process of their own.

idle.py PORT PROTOCOL COUNT CA TOKEN: each asks once and rests; says `open` with the number that were answered, and when a line comes on standard input,
each asks again; says `alive` in the same way. HTTP/2 is spoken in prepared bytes.
"""

import socket
import ssl
import sys

from gate import PATIENCE, need_descriptors

END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1
DATA, HEADERS, SETTINGS = 0, 1, 4


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def literal(index, value):
    """A header field that no table remembers (RFC 7541 section 6.2.2); its name is the table's `index`."""
    name = bytes([index]) if index < 15 else bytes([15, index - 15])
    length = bytes([len(value)]) if len(value) < 127 else bytes([127, (len(value) - 127) % 128 | 128, (len(value) - 127) // 128])
    return name + length + value


class Http1:
    def __init__(self, connected, host, token, _):
        self.socket = connected
        self.request = f"GET /http1/echo HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()

    def ask(self):
        self.socket.sendall(self.request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            answer += received(self.socket)
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        if lines.get(b"transfer-encoding") == b"chunked":
            while not body.endswith(b"0\r\n\r\n"):
                body += received(self.socket)
        else:
            while len(body) < int(lines[b"content-length"]):
                body += received(self.socket)
        return head.startswith(b"HTTP/1.1 200")


class Http2:
    def __init__(self, connected, host, token, tls):
        self.socket, self.stream = connected, 1
        scheme = b"\x87" if tls else b"\x86"
        self.head = (b"\x82" + scheme + literal(1, host.encode()) + literal(4, b"/http1/echo")
                     + literal(23, f"Bearer {token}".encode()))
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))
        self.came = b""

    def ask(self):
        self.socket.sendall(frame(HEADERS, END_STREAM | END_HEADERS, self.stream, self.head))
        good = False
        while True:
            kind, flags, stream, payload = self.frame()
            if kind == SETTINGS and not flags & ACK:
                self.socket.sendall(frame(SETTINGS, ACK, 0))
            if kind == HEADERS and stream == self.stream:
                good = 0x88 in payload[:4]  # `:status: 200`, maybe behind a change of the table's size
            if kind in (DATA, HEADERS) and stream == self.stream and flags & END_STREAM:
                self.stream += 2
                return good

    def frame(self):
        while len(self.came) < 9 or len(self.came) < 9 + int.from_bytes(self.came[:3], "big"):
            self.came += received(self.socket)
        length = 9 + int.from_bytes(self.came[:3], "big")
        whole, self.came = self.came[:length], self.came[length:]
        return whole[3], whole[4], int.from_bytes(whole[5:9], "big"), whole[9:]


def received(connected):
    part = connected.recv(1 << 16)
    if not part:
        raise ConnectionError("closed")
    return part


def main(port, protocol, count, ca, token):
    need_descriptors(int(count) + 100)
    speak = Http2 if protocol.startswith("HTTP/2") else Http1
    tls = None
    if protocol.endswith("TLS"):
        tls = ssl.create_default_context(cafile=ca)
        tls.set_alpn_protocols(["h2" if speak is Http2 else "http/1.1"])

    def connect():
        connected = socket.create_connection(("127.0.0.1", int(port)), timeout=PATIENCE)
        if tls:
            connected = tls.wrap_socket(connected, server_hostname="localhost")
        return speak(connected, f"127.0.0.1:{port}", token, tls)

    connections, answered = [], 0
    for _ in range(int(count)):
        connections.append(connect())
        answered += connections[-1].ask()
    print("open", answered, flush=True)
    sys.stdin.readline()
    print("alive", sum(connection.ask() for connection in connections), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
