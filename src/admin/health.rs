//! `/healthz`, `/readyz` and `/metrics`, and nothing else.
//!
//! It runs on the control runtime. Answers are small and made on the spot; connections are few and bounded,
//! and a client that does not send its request in time is closed.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::config::snapshot::Listen;
use crate::net::{Drain, ListenError, Phase};
use crate::policy::Issuer;
use crate::telemetry::Metrics;

/// Connections that are open at a time; more of them wait.
const MOST_CONNECTIONS: usize = 128;

/// For reading a request's head.
const HEADER_READ: Duration = Duration::from_secs(5);

/// For a head, in bytes: the least that hyper's buffer takes.
const HEADER_BYTES: usize = 8 * 1024;

/// For a connection, whatever comes on it: places are few, and whoever asks health waits for one.
const LONGEST: Duration = Duration::from_secs(30);

/// After accepting has failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Answers health checks.
pub struct Health {
    listener: TcpListener,
    answers: Arc<Answers>,
}

struct Answers {
    metrics: Arc<Metrics>,
    drain: Drain,
    missing_keys: Box<dyn Fn() -> Vec<Issuer> + Send + Sync>,
}

impl Health {
    /// Listens on `address`. `missing_keys` tells the issuers whose keys never came: their tokens are
    /// refused and all others are not touched, so that the gateway is ready, but degraded.
    pub async fn bind(
        address: SocketAddr,
        metrics: Arc<Metrics>,
        drain: Drain,
        missing_keys: impl Fn() -> Vec<Issuer> + Send + Sync + 'static,
    ) -> Result<Self, ListenError> {
        let bound = TcpListener::bind(address).await;
        let listener =
            bound.map_err(|source| ListenError { listen: Listen::Tcp(address), source })?;
        let answers = Answers { metrics, drain, missing_keys: Box::new(missing_keys) };
        Ok(Self { listener, answers: Arc::new(answers) })
    }

    /// Where it listens.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Answers until the gateway is gone. To be called when all else listens: from then on it is ready.
    pub async fn run(self) {
        let drain = self.answers.drain.clone();
        let (gone, answering) = (pin!(drain.reached(Phase::Gone)), pin!(self.accept()));
        tokio::select! {
            () = gone => {}
            () = answering => {}
        }
    }

    async fn accept(self) {
        let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        // The semaphore is never closed.
        while let Ok(place) = places.clone().acquire_owned().await {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "health checks cannot be accepted");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let answers = self.answers.clone();
            tokio::spawn(async move {
                let answer = service_fn(|request: Request<_>| {
                    let response = answers.answer(request.method(), request.uri().path());
                    async { Ok::<_, Infallible>(response) }
                });
                let serving = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEADER_READ)
                    .max_header_size(HEADER_BYTES)
                    .half_close(false)
                    .serve_connection(TokioIo::new(stream), answer);
                // A client that goes away is no news, and one that does not has had its time.
                let _ = timeout(LONGEST, serving).await;
                drop(place);
            });
        }
    }
}

impl Answers {
    fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        let (status, kind, text) = match path {
            "/healthz" => (StatusCode::OK, "text/plain", "ok\n".to_owned()),
            "/readyz" => self.ready(),
            "/metrics" => (StatusCode::OK, "text/plain; version=0.0.4", self.metrics.render()),
            _ => (StatusCode::NOT_FOUND, "text/plain", "not found\n".to_owned()),
        };
        let read = [Method::GET, Method::HEAD].contains(method);
        let (status, kind, text) = if read || status == StatusCode::NOT_FOUND {
            (status, kind, text)
        } else {
            (StatusCode::METHOD_NOT_ALLOWED, "text/plain", "GET or HEAD\n".to_owned())
        };
        let length = text.len();
        let body = if *method == Method::HEAD { Bytes::new() } else { text.into() };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(CONTENT_LENGTH, length.into());
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::METHOD_NOT_ALLOWED {
            headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        }
        response
    }

    fn ready(&self) -> (StatusCode, &'static str, String) {
        let missing_keys = (self.missing_keys)();
        let ready = self.drain.phase() == Phase::Running;
        let missing: Vec<_> = missing_keys.iter().map(Issuer::as_str).collect();
        let state = json!({
            "ready": ready,
            "degraded": !missing.is_empty(),
            "missing_keys": missing,
        });
        let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        (status, "application/json", format!("{state}\n"))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    use super::*;

    async fn ask(address: SocketAddr, method: &str, path: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("{method} {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).await.unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    #[tokio::test]
    async fn it_answers_three_paths_and_nothing_else() {
        let (drain, metrics) = (Drain::new(), Arc::new(Metrics::new()));
        metrics.connections.set(7.0);
        let missing = vec![Issuer::new("https://issuer.example/").unwrap()];
        let missing = move || missing.clone();
        let loopback = ([127, 0, 0, 1], 0).into();
        let health = Health::bind(loopback, metrics, drain.clone(), missing).await.unwrap();
        let address = health.address().unwrap();
        let running = tokio::spawn(health.run());

        assert_eq!(ask(address, "GET", "/healthz").await, (200, "ok\n".to_owned()));
        assert_eq!(ask(address, "HEAD", "/healthz").await, (200, String::new()));
        assert_eq!(ask(address, "POST", "/healthz").await.0, 405);
        assert_eq!(ask(address, "GET", "/").await.0, 404);
        assert!(ask(address, "GET", "/metrics").await.1.contains("grantgate_connections 7"));
        let (status, text) = ask(address, "GET", "/readyz").await;
        let ready: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((status, &ready["degraded"]), (200, &true.into()));
        assert_eq!(ready["missing_keys"][0], "https://issuer.example/");

        drain.advance(Phase::Draining);
        assert_eq!(ask(address, "GET", "/readyz").await.0, 503);
        assert_eq!(ask(address, "GET", "/healthz").await.0, 200);
        drain.advance(Phase::Gone);
        running.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_keeps_a_place_for_good() {
        let (drain, metrics) = (Drain::new(), Arc::new(Metrics::new()));
        let loopback = ([127, 0, 0, 1], 0).into();
        let health = Health::bind(loopback, metrics, drain, Vec::new).await.unwrap();
        let mut stream = TcpStream::connect(health.address().unwrap()).await.unwrap();
        tokio::spawn(health.run());

        let begun = tokio::time::Instant::now();
        let mut room = [0; 1024];
        let mut answered = 0;
        while stream.write_all(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n").await.is_ok()
            && stream.read(&mut room).await.is_ok_and(|read| read > 0)
        {
            answered += 1;
            assert!(begun.elapsed() <= 2 * LONGEST, "{answered} answers");
            sleep(Duration::from_secs(1)).await;
        }
        assert!(answered > 1, "{answered} answers");
    }
}
