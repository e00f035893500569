use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, UnixListener};

use super::*;

/// Answers one request with these bytes; gives what was asked.
async fn answers<S>(mut stream: S, answer: String) -> String
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut asked = Vec::new();
    while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
        assert_ne!(stream.read_buf(&mut asked).await.unwrap(), 0);
    }
    stream.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8(asked).unwrap()
}

fn asked(path: &str) -> Asked<'_> {
    let patience = Duration::from_mins(1);
    Asked { method: Method::GET, path, body: None, most: 100, patience }
}

/// Asks a gate that answers so.
async fn ask(answer: &str) -> (Result<Answered, Silence>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let gate = gate(listener.local_addr().unwrap());
    let serving = async {
        let (stream, _) = listener.accept().await.unwrap();
        answers(stream, answer.to_owned()).await
    };
    tokio::join!(gate.ask(asked("/status")), serving)
}

fn gate(address: SocketAddr) -> Gate {
    address.into()
}

#[test]
fn a_gate_is_named_by_url_address_or_socket() {
    for (text, shown) in [
        ("http://127.0.0.1:9181", "http://127.0.0.1:9181"),
        ("http://127.0.0.1:9181/", "http://127.0.0.1:9181"),
        ("127.0.0.1:9181", "http://127.0.0.1:9181"),
        ("localhost:9181", "http://localhost:9181"),
        ("http://localhost", "http://localhost"),
        ("[::1]:9181", "http://[::1]:9181"),
        ("unix:/run/admin.sock", "unix:/run/admin.sock"),
        ("unix:///run/admin.sock", "unix:/run/admin.sock"),
    ] {
        assert_eq!(text.parse::<Gate>().unwrap().to_string(), shown, "{text}");
    }
    for text in [
        "",
        "localhost",
        "gateway.yaml",
        "https://127.0.0.1:9181",
        "http://127.0.0.1:9181/status",
        "http://u:p@127.0.0.1:9181",
        "127.0.0.1:99999",
        "http://127.0.0.1:99999",
        "unix:admin.sock",
        ":9181",
    ] {
        assert_eq!(text.parse::<Gate>(), Err(NoGate), "{text}");
    }
}

#[test]
fn only_loopback_and_sockets_are_here() {
    for (text, is_here) in [
        ("127.0.0.1:1", true),
        ("[::1]:1", true),
        ("localhost:1", true),
        ("unix:/a", true),
        ("10.0.0.1:1", false),
        ("gate.internal:1", false),
    ] {
        assert_eq!(text.parse::<Gate>().unwrap().is_here(), is_here, "{text}");
    }
}

#[tokio::test]
async fn an_answer_comes_with_its_status_and_body() {
    let (answered, asked) = ask("HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\nno").await;
    let answered = answered.unwrap();
    assert_eq!((answered.status, &*answered.body), (StatusCode::NOT_FOUND, &b"no"[..]));
    assert!(asked.starts_with("GET /status HTTP/1.1\r\nhost: 127.0.0.1:"), "{asked}");

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let serving = async {
        let (stream, _) = listener.accept().await.unwrap();
        answers(stream, "HTTP/1.0 200 OK\r\n\r\nto the end".to_owned()).await
    };
    let gate = Gate::Unix(path);
    let (answered, _) = tokio::join!(gate.ask(super::tests::asked("/")), serving);
    assert_eq!(&*answered.unwrap().body, b"to the end");
}

#[tokio::test]
async fn what_is_no_answer_is_told() {
    let (silence, _) = ask("SSH-2.0-OpenSSH_9.6\r\n\r\n").await;
    assert!(matches!(silence, Err(Silence::Broken(_))), "{silence:?}");
    let (silence, _) = ask("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort").await;
    assert!(matches!(silence, Err(Silence::Broken(_))), "{silence:?}");
    let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(101));
    let (silence, _) = ask(&long).await;
    assert!(matches!(silence, Err(Silence::TooLong(100))), "{silence:?}");

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let hasty = Asked { patience: Duration::from_millis(1), ..asked("/") };
    assert!(matches!(gate(address).ask(hasty).await, Err(Silence::Timeout(_))));
    drop(listener);
    let refused = gate(address).ask(asked("/")).await.unwrap_err();
    assert!(refused.to_string().contains("refused"), "{refused}");
}
