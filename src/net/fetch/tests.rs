use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// A host that answers one connection with `answer`, whatever is asked, and then says nothing more.
async fn host(answer: impl Into<Vec<u8>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let answer = answer.into();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = [0; 4096];
        let _ = stream.read(&mut asked).await;
        let _ = stream.write_all(&answer).await;
        std::future::pending::<()>().await;
    });
    format!("http://{address}/jwks.json")
}

async fn fetch(url: &str) -> Result<String, FetchFailure> {
    let fetched = Fetcher::new().unwrap().fetch(url, PlainHttp::Loopback).await;
    fetched.map_err(|error| error.failure)
}

fn answer(head: &str, body: &str) -> String {
    format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

#[tokio::test]
async fn a_document_comes_as_it_is() {
    let url = host(answer("200 OK", r#"{"keys":[]}"#)).await;
    assert_eq!(fetch(&url).await.unwrap(), r#"{"keys":[]}"#);
}

#[tokio::test]
async fn only_status_200_is_a_document() {
    for status in ["201 Created", "404 Not Found", "500 Internal Server Error"] {
        let url = host(answer(status, "{}")).await;
        let failure = fetch(&url).await.unwrap_err();
        assert!(matches!(failure, FetchFailure::Status(_)), "{status}: {failure:?}");
        assert!(failure.is_answer());
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let target = host(answer("200 OK", "{}")).await;
    let url = host(answer(&format!("302 Found\r\nlocation: {target}"), "")).await;
    let failure = fetch(&url).await.unwrap_err();
    assert!(matches!(failure, FetchFailure::Redirect(StatusCode::FOUND)), "{failure:?}");
}

#[tokio::test]
async fn a_long_document_is_refused_whether_it_says_so_or_not() {
    let body = " ".repeat(MAX_BODY + 1);
    let told = answer("200 OK", &body);
    let chunked = format!(
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    for answer in [told, chunked] {
        let failure = fetch(&host(answer).await).await.unwrap_err();
        assert!(matches!(failure, FetchFailure::TooLarge), "{failure:?}");
    }
    let longest = " ".repeat(MAX_BODY);
    assert_eq!(fetch(&host(answer("200 OK", &longest)).await).await.unwrap(), longest);
}

#[tokio::test(start_paused = true)]
async fn a_host_that_hangs_is_left_at_the_deadline() {
    let silent = host("").await;
    let half = host("HTTP/1.1 200 OK\r\ncontent-length: 20\r\n\r\n{\"keys\":").await;
    for url in [silent, half] {
        let failure = fetch(&url).await.unwrap_err();
        assert!(matches!(failure, FetchFailure::Timeout), "{failure:?}");
    }
}

#[tokio::test]
async fn a_broken_answer_is_told_with_its_host() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let fetcher = Fetcher::new().unwrap();
    let error =
        fetcher.fetch(&format!("http://{address}/"), PlainHttp::Loopback).await.unwrap_err();
    assert!(matches!(error.failure, FetchFailure::Connect(_)), "{error:?}");
    assert!(error.to_string().starts_with(&format!("`{address}`: cannot connect: ")), "{error}");

    let failure = fetch(&host("SSH-2.0-OpenSSH_9.2\r\n").await).await.unwrap_err();
    assert!(matches!(failure, FetchFailure::Broken(_)), "{failure:?}");
    let failure = fetch(&host(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\xff\xff").await).await;
    assert!(matches!(failure, Err(FetchFailure::Text)), "{failure:?}");
}

#[test]
fn plain_http_is_for_loopback() {
    for url in ["http://127.0.0.1/", "http://127.9.9.9:81/x", "http://[::1]:8/", "http://LocalHost"]
    {
        assert!(parse(url, PlainHttp::Loopback).is_ok(), "{url}");
    }
    for url in
        ["http://example.com/", "http://10.0.0.1/", "http://localhost.example/", "http://[::]/"]
    {
        let refused = parse(url, PlainHttp::Loopback);
        assert!(matches!(refused, Err(FetchFailure::Plain)), "{url}: {refused:?}");
        assert!(parse(url, PlainHttp::Anywhere).is_ok(), "{url}");
    }
}

#[tokio::test]
async fn what_is_no_url_to_fetch_from_is_refused_without_its_password() {
    let fetcher = Fetcher::new().unwrap();
    for url in [
        "",
        "/jwks",
        "example.com",
        "ftp://example.com/",
        "file:///etc/passwd",
        "https://u:secret@example.com/",
        "http://u:secret@127.0.0.1/",
        "https://u:secret@exa mple.com/",
        "https:///x",
    ] {
        let error = fetcher.fetch(url, PlainHttp::Anywhere).await.unwrap_err();
        assert!(matches!(error.failure, FetchFailure::Url(_)), "{url}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}
