//! A client that writes the bytes it is told to, and reads answers by their framing.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub struct Client<S: Read = TcpStream> {
    reader: BufReader<S>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    /// What came behind a chunked body.
    pub trailers: String,
    /// Whether it came to its end.
    pub whole: bool,
}

impl Answer {
    pub fn one(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        let mut values = fields.filter(|(field, _)| field.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value);
        assert!(values.next().is_none(), "{name} came more than once:\n{}", self.head);
        value
    }

    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The code of a refusal.
    pub fn code(&self) -> String {
        assert_eq!(self.one("content-type"), Some("application/problem+json"), "{}", self.head);
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        problem["code"].as_str().unwrap().to_owned()
    }
}

/// Only so that a failing test ends.
pub const PATIENCE: Duration = Duration::from_mins(1);

impl Client {
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self::over(stream)
    }
}

impl<S: Read + Write> Client<S> {
    pub fn over(stream: S) -> Self {
        Self { reader: BufReader::new(stream) }
    }

    pub fn send(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        self.stream().write_all(bytes.as_ref()).unwrap();
        self
    }

    /// Sends what can be sent; the other side may have closed already.
    pub fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream().write_all(bytes.as_ref()).is_ok()
    }

    pub fn ask(&mut self, bytes: impl AsRef<[u8]>) -> Answer {
        self.send(bytes).answer()
    }

    pub fn stream(&mut self) -> &mut S {
        self.reader.get_mut()
    }

    /// What is under it, with nothing read ahead that is needed.
    pub fn into_stream(self) -> S {
        self.reader.into_inner()
    }

    pub fn answer(&mut self) -> Answer {
        self.answer_to("GET")
    }

    pub fn answer_to(&mut self, method: &str) -> Answer {
        self.maybe_answer(method).expect("the connection was closed without an answer")
    }

    pub fn maybe_answer(&mut self, method: &str) -> Option<Answer> {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if self.reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let trailers = String::new();
        let mut answer = Answer { status, head, body: Vec::new(), trailers, whole: true };
        if method == "HEAD" || matches!(status, 100..=199 | 204 | 304) {
            return Some(answer);
        }
        if let Some(length) = answer.one("content-length") {
            let length = length.parse().unwrap();
            let read = self.reader.by_ref().take(length).read_to_end(&mut answer.body);
            answer.whole = read.is_ok_and(|read| read as u64 == length);
        } else if answer.one("transfer-encoding").is_some() {
            answer.whole = self.chunks(&mut answer).is_some();
        } else {
            answer.whole = self.reader.read_to_end(&mut answer.body).is_ok();
        }
        Some(answer)
    }

    fn chunks(&mut self, answer: &mut Answer) -> Option<()> {
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).ok()?;
            let size = u64::from_str_radix(line.trim(), 16).ok()?;
            if size == 0 {
                break;
            }
            self.reader.by_ref().take(size).read_to_end(&mut answer.body).ok()?;
            self.reader.read_line(&mut line).ok()?;
        }
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            if line == "\r\n" {
                return Some(());
            }
            answer.trailers.push_str(&line);
        }
    }

    /// So many bytes, of whatever follows HTTP.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = vec![0; count];
        self.reader.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// Whether the other side says that it closes, and nothing more.
    pub fn is_closed_cleanly(&mut self) -> bool {
        matches!(self.reader.read(&mut [0]), Ok(0))
    }

    /// Whether the other side closes before it sends anything more.
    pub fn is_closed(&mut self) -> bool {
        matches!(self.reader.read(&mut [0]), Ok(0) | Err(_))
    }
}
