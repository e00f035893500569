//! Upstreams behind unix sockets.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::thread;

use super::client::PATIENCE;
use super::gateway::{Gateway, configuration, request};

/// Answers every request on a socket with 200, and gives its head.
fn answer_on(path: &Path) -> Receiver<String> {
    let listener = UnixListener::bind(path).unwrap();
    let (tell, heads) = mpsc::channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let tell = tell.clone();
            thread::spawn(move || {
                let mut reader = BufReader::new(stream);
                let mut head = String::new();
                while reader.read_line(&mut head).is_ok_and(|read| read > 0) {
                    if head.ends_with("\r\n\r\n") {
                        tell.send(std::mem::take(&mut head)).unwrap();
                        let ok = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                        reader.get_mut().write_all(ok).unwrap();
                    }
                }
            });
        }
    });
    heads
}

fn gateway(path: &Path) -> Gateway {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    let unix = format!("unix:{}", path.display());
    Gateway::start(&configuration(nowhere, "", "").replace("http://127.0.0.1:1", &unix))
}

#[test]
fn an_upstream_behind_a_socket_gets_the_host_as_the_client_wrote_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.sock");
    let heads = answer_on(&path);
    let gateway = gateway(&path);
    let mut client = gateway.client();
    for target in ["/orders/1", "/orders/2"] {
        let answer = client.ask(request(&format!("GET {target}"), ""));
        assert_eq!((answer.status, answer.text()), (200, "ok"));
        let head = heads.recv_timeout(PATIENCE).unwrap();
        assert!(head.starts_with(&format!("GET {target} HTTP/1.1\r\n")), "{head}");
        assert!(head.contains("\r\nhost: orders.example.com\r\n"), "{head}");
    }
}

#[test]
fn a_socket_that_is_not_there_yet_is_asked_again_when_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.sock");
    let gateway = gateway(&path);
    let mut client = gateway.client();
    let answer = client.ask(request("GET /orders/1", ""));
    assert_eq!((answer.status, answer.code().as_str()), (502, "upstream-unreachable"));
    assert!(!answer.text().contains("orders.sock"), "{}", answer.text());
    let _heads = answer_on(&path);
    assert_eq!(client.ask(request("GET /orders/1", "")).status, 200);
}

#[test]
fn a_socket_that_nobody_listens_on_any_more_is_an_upstream_that_is_down() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.sock");
    drop(UnixListener::bind(&path).unwrap());
    assert!(fs::exists(&path).unwrap(), "it outlives its listener");
    let answer = gateway(&path).client().ask(request("GET /orders/1", ""));
    assert_eq!((answer.status, answer.code().as_str()), (502, "upstream-unreachable"));
}
