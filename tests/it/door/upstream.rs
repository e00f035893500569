//! An upstream that keeps what it receives, byte for byte, and answers as a test tells it.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use super::client::PATIENCE;

/// One request as it came in.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The request line and the header fields.
    pub head: String,
    /// What followed, framing and trailers too.
    pub body: Vec<u8>,
    /// Which connection it came on, counted from 0.
    pub connection: usize,
    /// Whether it broke off.
    pub broken: bool,
}

impl Seen {
    pub fn line(&self) -> &str {
        self.head.lines().next().unwrap()
    }

    /// The values of a field, in their order.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields
            .filter(|(field, _)| field.eq_ignore_ascii_case(name))
            .map(|(_, value)| value)
            .collect()
    }

    /// The one value of a field.
    pub fn one(&self, name: &str) -> Option<&str> {
        let all = self.all(name);
        assert!(all.len() < 2, "{name} came more than once:\n{}", self.head);
        all.first().copied()
    }
}

type Answer = dyn Fn(&Seen, &mut TcpStream) -> bool + Send + Sync;

pub struct Upstream {
    pub address: SocketAddr,
    seen: Receiver<Seen>,
}

impl Upstream {
    /// Answers every request with 200 and `ok`.
    pub fn start() -> Self {
        Self::answering("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
    }

    /// Answers every request with these bytes.
    pub fn answering(answer: &'static str) -> Self {
        Self::with(move |_, stream| stream.write_all(answer.as_bytes()).is_ok())
    }

    /// Answers as `answer` does, which tells whether the connection stays open.
    pub fn with(answer: impl Fn(&Seen, &mut TcpStream) -> bool + Send + Sync + 'static) -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap(), answer)
    }

    pub fn on(
        listener: TcpListener,
        answer: impl Fn(&Seen, &mut TcpStream) -> bool + Send + Sync + 'static,
    ) -> Self {
        let address = listener.local_addr().unwrap();
        let (seen, requests) = mpsc::channel();
        let answer: Arc<Answer> = Arc::new(answer);
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().flatten().enumerate() {
                let (seen, answer) = (seen.clone(), answer.clone());
                thread::spawn(move || serve(connection, stream, &seen, &*answer));
            }
        });
        Self { address, seen: requests }
    }

    /// The next request, waited for.
    pub fn next(&self) -> Seen {
        self.seen.recv_timeout(PATIENCE).expect("no request came to the upstream")
    }

    /// What came and was not looked at yet.
    pub fn rest(&self) -> Vec<Seen> {
        self.seen.try_iter().collect()
    }
}

fn serve(connection: usize, mut stream: TcpStream, seen: &Sender<Seen>, answer: &Answer) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while let Some(request) = read(connection, &mut reader) {
        let broken = request.broken;
        let _ = seen.send(request.clone());
        if broken || !answer(&request, &mut stream) {
            return;
        }
    }
}

fn read(connection: usize, reader: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut seen = Seen { head, body: Vec::new(), connection, broken: false };
    if let Some(length) = seen.one("content-length") {
        seen.body = vec![0; length.parse().unwrap()];
        seen.broken = reader.read_exact(&mut seen.body).is_err();
    } else if seen.one("transfer-encoding").is_some() {
        seen.broken = !read_chunks(reader, &mut seen.body);
    }
    Some(seen)
}

/// Reads chunks and trailers, as they are written; whether they came to their end.
fn read_chunks(reader: &mut BufReader<TcpStream>, raw: &mut Vec<u8>) -> bool {
    loop {
        let mut line = String::new();
        if !matches!(reader.read_line(&mut line), Ok(1..)) {
            return false;
        }
        raw.extend_from_slice(line.as_bytes());
        let size = usize::from_str_radix(line.trim(), 16).unwrap();
        if size == 0 {
            break;
        }
        let mut chunk = vec![0; size + 2];
        if reader.read_exact(&mut chunk).is_err() {
            return false;
        }
        raw.extend_from_slice(&chunk);
    }
    loop {
        let mut line = String::new();
        if !matches!(reader.read_line(&mut line), Ok(1..)) {
            return false;
        }
        raw.extend_from_slice(line.as_bytes());
        if line == "\r\n" {
            return true;
        }
    }
}
