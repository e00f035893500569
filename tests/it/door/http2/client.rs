//! A client that speaks HTTP/2 as one should, many requests at a time.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use h2::client::{Builder, ResponseFuture, SendRequest};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Method, Request, StatusCode};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::runtime;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

use crate::door::client::PATIENCE;
use crate::door::gateway::token;

/// Runs a test that waits for several things at a time, and for none for ever.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(PATIENCE, test).await.expect("it took too long") });
}

pub struct Http2 {
    pub requests: SendRequest<Bytes>,
    /// How the connection ends.
    pub end: JoinHandle<Result<(), h2::Error>>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Whole {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    pub trailers: Option<HeaderMap>,
}

impl Whole {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The code of a refusal.
    pub fn code(&self) -> String {
        assert_eq!(self.headers["content-type"], "application/problem+json", "{self:?}");
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        problem["code"].as_str().unwrap().to_owned()
    }
}

impl Http2 {
    /// One that knows before that HTTP/2 is spoken there.
    pub async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap()).await
    }

    /// One that speaks TLS, and what was agreed on.
    pub async fn secure(config: &ClientConfig, address: SocketAddr, name: &str) -> Self {
        let mut config = config.clone();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let socket = TcpStream::connect(address).await.unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, socket).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        Self::over(stream).await
    }

    pub async fn over(stream: impl AsyncRead + AsyncWrite + Unpin + 'static + Send) -> Self {
        let (requests, connection) = Builder::new().handshake(stream).await.unwrap();
        Self { requests, end: tokio::spawn(connection) }
    }

    /// Sends the head of a request.
    pub async fn begin(
        &mut self,
        request: Request<()>,
        is_whole: bool,
    ) -> (ResponseFuture, SendStream<Bytes>) {
        self.try_begin(request, is_whole).await.unwrap()
    }

    pub async fn try_begin(
        &mut self,
        request: Request<()>,
        is_whole: bool,
    ) -> Result<(ResponseFuture, SendStream<Bytes>), h2::Error> {
        poll_fn(|cx| self.requests.poll_ready(cx)).await?;
        self.requests.send_request(request, is_whole)
    }

    /// Sends a request without a body, and reads its answer.
    pub async fn ask(&mut self, request: Request<()>) -> Whole {
        let (answer, _) = self.begin(request, true).await;
        whole(answer).await.unwrap()
    }

    /// Sends a request with a body, and reads its answer.
    pub async fn post(&mut self, request: Request<()>, body: impl Into<Bytes>) -> Whole {
        let (answer, mut upload) = self.begin(request, false).await;
        upload.send_data(body.into(), true).unwrap();
        whole(answer).await.unwrap()
    }
}

/// A request of the application that has a grant.
pub fn request(method: Method, path: &str) -> Request<()> {
    let token = format!("Bearer {}", token());
    let uri = format!("https://orders.example.com{path}");
    let request = Request::builder().method(method).uri(uri).header("authorization", token);
    request.body(()).unwrap()
}

pub fn get(path: &str) -> Request<()> {
    request(Method::GET, path)
}

/// Reads an answer to its end.
pub async fn whole(answer: ResponseFuture) -> Result<Whole, h2::Error> {
    let (head, mut stream) = answer.await?.into_parts();
    let mut body = Vec::new();
    while let Some(data) = next(&mut stream).await? {
        body.extend_from_slice(&data);
    }
    let trailers = stream.trailers().await?;
    Ok(Whole { status: head.status, headers: head.headers, body, trailers })
}

/// The next data of a body, for which there is room again afterwards.
pub async fn next(stream: &mut RecvStream) -> Result<Option<Bytes>, h2::Error> {
    loop {
        let Some(data) = stream.data().await.transpose()? else { return Ok(None) };
        stream.flow_control().release_capacity(data.len())?;
        // An end may come with nothing before it.
        if !data.is_empty() {
            return Ok(Some(data));
        }
    }
}
