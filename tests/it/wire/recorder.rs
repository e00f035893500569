//! An upstream that keeps every byte, reads strictly, and answers what it could read.

use std::io::{Read as _, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use super::strict::{self, Read, Request};

/// What an attacker writes wherever it must not get through.
pub const CANARY: &str = "evil";

pub struct Recorder {
    pub address: SocketAddr,
    requests: Receiver<Request>,
    wrong: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, requests) = mpsc::channel();
        let wrong = Arc::new(Mutex::new(Vec::new()));
        let complaints = wrong.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (seen, complaints) = (seen.clone(), complaints.clone());
                thread::spawn(move || serve(stream, &seen, &complaints));
            }
        });
        Self { address, requests, wrong }
    }

    /// The whole requests that came since, and what was wrong with any that was not clean.
    pub fn since(&self) -> (Vec<Request>, Vec<String>) {
        (self.requests.try_iter().collect(), std::mem::take(&mut self.wrong.lock().unwrap()))
    }
}

/// A request that breaks off is none; its head was clean all the same.
fn serve(mut stream: TcpStream, seen: &Sender<Request>, wrong: &Mutex<Vec<String>>) {
    let (mut bytes, mut piece) = (Vec::new(), [0; 4096]);
    while let Ok(length @ 1..) = stream.read(&mut piece) {
        bytes.extend_from_slice(&piece[..length]);
        if bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            wrong.lock().unwrap().push(format!("the canary came through: {text}"));
            return;
        }
        loop {
            match strict::read(&bytes) {
                Read::Whole(request, used) => {
                    bytes.drain(..used);
                    let _ = seen.send(request);
                    if stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").is_err()
                    {
                        return;
                    }
                }
                Read::Partial => break,
                Read::Wrong(why) => return wrong.lock().unwrap().push(why),
            }
        }
    }
}
