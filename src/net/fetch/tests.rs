use std::sync::LazyLock;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::*;

/// What a host on this machine is asked by.
fn plain(plain: PlainHttp) -> Means<'static> {
    static NOBODY: LazyLock<ClientTls> = LazyLock::new(ClientTls::trusting_nobody);
    Means { tls: &NOBODY, plain }
}

async fn listener() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, format!("http://{address}/jwks.json"))
}

/// Answers one connection with `answer`. Gives what was asked.
async fn serve(listener: &TcpListener, answer: &str) -> String {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut asked = [0; 4096];
    let length = stream.read(&mut asked).await.unwrap();
    stream.write_all(answer.as_bytes()).await.unwrap();
    String::from_utf8_lossy(&asked[..length]).into_owned()
}

/// A host that answers one connection with `answer`, whatever is asked, and then says nothing more.
async fn host(answer: impl Into<Vec<u8>>) -> String {
    let (listener, url) = listener().await;
    let answer = answer.into();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = [0; 4096];
        let _ = stream.read(&mut asked).await;
        let _ = stream.write_all(&answer).await;
        std::future::pending::<()>().await;
    });
    url
}

async fn fetch(url: &str) -> Result<String, FetchFailure> {
    fetch_unless(url, None).await.map(|document| document.text.to_string())
}

async fn fetch_unless(url: &str, known: Option<&Document>) -> Result<Document, FetchFailure> {
    let fetched = Fetcher::new().fetch(url, plain(PlainHttp::Loopback), known).await;
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
async fn a_document_that_is_known_is_not_sent_again() {
    let (listener, url) = listener().await;
    let told = tokio::spawn(async move {
        let etag = "etag: \"1\"\r\nlast-modified: Thu, 01 Jan 2026 00:00:00 GMT";
        let first = format!("200 OK\r\ncache-control: max-age=90\r\n{etag}");
        let asked_first = serve(&listener, &answer(&first, "{}")).await;
        let second = "304 Not Modified\r\ncache-control: max-age=600";
        (asked_first, serve(&listener, &answer(second, "")).await)
    });
    let first = fetch_unless(&url, None).await.unwrap();
    assert_eq!((&*first.text, first.fresh_for), ("{}", Some(Duration::from_secs(90))));
    let again = fetch_unless(&url, Some(&first)).await.unwrap();
    let fresh_for = Some(Duration::from_mins(10));
    assert_eq!(again, Document { fresh_for, not_modified: true, ..first });

    let (first, second) = told.await.unwrap();
    assert!(!first.contains("if-"), "{first}");
    assert!(second.contains("if-none-match: \"1\""), "{second}");
    assert!(second.contains("if-modified-since: Thu, 01 Jan 2026 00:00:00 GMT"), "{second}");
}

#[tokio::test]
async fn a_host_cannot_claim_that_nothing_changed_to_who_knows_nothing() {
    let failure = fetch(&host(answer("304 Not Modified", "")).await).await.unwrap_err();
    assert!(matches!(failure, FetchFailure::Status(StatusCode::NOT_MODIFIED)), "{failure:?}");
}

#[tokio::test]
async fn a_version_of_any_length_is_not_carried_back_and_forth() {
    let etag = format!("200 OK\r\netag: \"{}\"", "x".repeat(MAX_VERSION));
    let url = host(answer(&etag, "{}")).await;
    assert!(!fetch_unless(&url, None).await.unwrap().version.is_known());
}

#[tokio::test]
async fn what_is_known_of_one_place_means_nothing_at_another() {
    let elsewhere = host(answer("200 OK\r\netag: \"1\"", "{}")).await;
    let known = fetch_unless(&elsewhere, None).await.unwrap();
    let (listener, url) = listener().await;
    let told = tokio::spawn(async move { serve(&listener, &answer("200 OK", "[]")).await });
    assert_eq!(&*fetch_unless(&url, Some(&known)).await.unwrap().text, "[]");
    assert!(!told.await.unwrap().contains("if-none-match"));
}

#[tokio::test(start_paused = true)]
async fn only_so_many_are_fetched_at_a_time_and_the_others_get_their_turn() {
    let fetcher = Fetcher::new();
    let mut hanging = tokio::task::JoinSet::new();
    for _ in 0..MAX_FETCHES {
        let (fetcher, url) = (fetcher.clone(), host("").await);
        hanging.spawn(async move {
            fetcher.fetch(&url, plain(PlainHttp::Loopback), None).await.unwrap_err()
        });
    }
    let begin = tokio::time::Instant::now();
    while fetcher.places.available_permits() > 0 {
        tokio::task::yield_now().await;
    }
    let url = host(answer("200 OK", "{}")).await;
    fetcher.fetch(&url, plain(PlainHttp::Loopback), None).await.unwrap();
    assert_eq!(begin.elapsed().as_secs(), TOTAL_TIMEOUT.as_secs());
    assert_eq!(hanging.join_all().await.len(), MAX_FETCHES);
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
    let url = format!("http://{address}/");
    let fetched = Fetcher::new().fetch(&url, plain(PlainHttp::Loopback), None).await;
    let error = fetched.unwrap_err();
    assert!(matches!(error.failure, FetchFailure::Connect(_)), "{error:?}");
    assert!(error.to_string().starts_with(&format!("`{address}`: cannot connect: ")), "{error}");

    let failure = fetch(&host("SSH-2.0-OpenSSH_9.2\r\n").await).await.unwrap_err();
    assert!(matches!(failure, FetchFailure::Broken(_)), "{failure:?}");
    let failure = fetch(&host(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n\xff\xff").await).await;
    assert!(matches!(failure, Err(FetchFailure::Text)), "{failure:?}");
}

/// A host with a certificate of `authority` for `127.0.0.1`, which answers every connection.
async fn tls_host(authority: &rcgen::Issuer<'_, KeyPair>, answer: &str) -> String {
    let key = KeyPair::generate().unwrap();
    let names = vec!["127.0.0.1".to_owned()];
    let certificate = CertificateParams::new(names).unwrap().signed_by(&key, authority).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let (listener, url) = listener().await;
    let answer = answer.to_owned();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let _ = stream.read(&mut [0; 4096]).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            let _ = stream.shutdown().await;
        }
    });
    url.replace("http:", "https:")
}

#[tokio::test]
async fn a_private_authority_is_trusted_by_who_names_it_and_nobody_else() {
    let authority = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let text = params.self_signed(&key).unwrap().pem();
        (rcgen::Issuer::new(params, key), text)
    };
    let (ours, our_text) = authority("ours");
    let (_, other_text) = authority("other");
    let url = tls_host(&ours, &answer("200 OK", "{}")).await;
    let fetcher = Fetcher::new();
    let fetch = async |tls: &ClientTls| {
        let means = Means { tls, plain: PlainHttp::Nowhere };
        fetcher.fetch(&url, means, None).await.map_err(|error| error.failure)
    };
    assert_eq!(&*fetch(&ClientTls::trusting(&our_text)).await.unwrap().text, "{}");
    for stranger in [ClientTls::trusting(&other_text), ClientTls::trusting_nobody()] {
        let failure = fetch(&stranger).await.unwrap_err();
        assert!(
            matches!(&failure, FetchFailure::Connect(why) if why.contains("certificate")),
            "{failure:?}"
        );
    }
}

#[tokio::test]
async fn what_is_no_url_to_fetch_from_is_refused_without_its_password() {
    let fetcher = Fetcher::new();
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
        let error = fetcher.fetch(url, plain(PlainHttp::Anywhere), None).await.unwrap_err();
        assert!(matches!(error.failure, FetchFailure::Url(_)), "{url}: {error:?}");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    }
}
