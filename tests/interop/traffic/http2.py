"""An HTTP/2 client by hand, over hyper-h2: what each stream received, and what the other side said of the rest.

It waits for nothing by itself: `pump` reads what has come, and a caller says what it waits for.
"""

import select
import socket

import h2.config
import h2.connection
import h2.events
import h2.settings

from gate import PATIENCE

GOAWAY = 7  # hyper-h2 is not told: it takes no answer from then on, although those to earlier streams come


class Stream:
    def __init__(self):
        self.headers, self.trailers, self.data = {}, {}, bytearray()
        self.ended, self.reset = False, None

    @property
    def status(self):
        return int(self.headers[":status"]) if self.headers else None

    @property
    def over(self):
        return self.ended or self.reset is not None


class Http2:
    """A connection. `goaway` is the last stream that the other side takes, once it said so."""

    def __init__(self, port, tls=None):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        if tls:
            self.socket = tls.wrap_socket(self.socket, server_hostname="127.0.0.1")
            assert self.socket.selected_alpn_protocol() == "h2", "no HTTP/2 by ALPN"
        self.scheme = "https" if tls else "http"
        self.authority = f"127.0.0.1:{port}"
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.streams, self.goaway, self.settled, self.closed = {}, None, False, False
        self.came = b""
        self.connection.initiate_connection()
        self.flush()
        self.until(lambda: self.settled, "its settings")

    @property
    def connects(self):
        """Whether extended CONNECT is offered (RFC 8441 section 3)."""
        return self.connection.remote_settings.get(h2.settings.SettingCodes.ENABLE_CONNECT_PROTOCOL) == 1

    def open(self, method, path, headers=(), *, pseudo=(), end=True):
        """Begins a stream."""
        number = self.connection.get_next_available_stream_id()
        head = [(":method", method), *pseudo, (":scheme", self.scheme), (":authority", self.authority), (":path", path)]
        self.streams[number] = Stream()
        self.connection.send_headers(number, [*head, *headers], end_stream=end)
        self.flush()
        return number

    def send(self, number, data, *, end=False):
        """Sends data as the windows allow."""
        data = memoryview(data)
        while len(data):
            self.until(lambda: self.connection.local_flow_control_window(number) > 0 or self.streams[number].over, "room")
            if self.streams[number].over:
                return
            step = min(len(data), self.connection.local_flow_control_window(number), self.connection.max_outbound_frame_size)
            self.connection.send_data(number, bytes(data[:step]))
            data = data[step:]
            self.flush()
        if end:
            self.connection.end_stream(number)
            self.flush()

    def flush(self):
        if data := self.connection.data_to_send():
            self.socket.sendall(data)

    def waiting(self, seconds):
        """Whether something has come within that time."""
        pending = getattr(self.socket, "pending", lambda: 0)()
        return bool(pending or select.select([self.socket], [], [], seconds)[0])

    def pump(self):
        """Takes what has come; waits for it, if nothing has."""
        data = self.socket.recv(1 << 16)
        if not data:
            self.closed = True
            return
        self.came += data
        while len(self.came) >= 9 and len(self.came) >= (length := 9 + int.from_bytes(self.came[:3], "big")):
            frame, self.came = self.came[:length], self.came[length:]
            if frame[3] == GOAWAY:
                self.goaway = int.from_bytes(frame[9:13], "big") & 0x7FFF_FFFF
                continue
            for event in self.connection.receive_data(frame):
                self.take(event)
        self.flush()

    def take(self, event):
        match event:
            case h2.events.RemoteSettingsChanged():
                self.settled = True
            case h2.events.ResponseReceived(stream_id=number, headers=headers):
                self.streams[number].headers = dict(headers)
            case h2.events.TrailersReceived(stream_id=number, headers=headers):
                self.streams[number].trailers = dict(headers)
            case h2.events.DataReceived(stream_id=number, data=data, flow_controlled_length=length):
                self.streams[number].data += data
                self.connection.acknowledge_received_data(length, number)
            case h2.events.StreamEnded(stream_id=number):
                self.streams[number].ended = True
            case h2.events.StreamReset(stream_id=number, error_code=code):
                self.streams[number].reset = code

    def until(self, true, what):
        """Reads until something has come to be."""
        while not true():
            assert not self.closed, f"the connection ended before {what}"
            self.pump()

    def answer(self, number):
        """The stream, when it is over."""
        self.until(lambda: self.streams[number].over, "the answer's end")
        return self.streams[number]

    def close(self):
        self.socket.close()
