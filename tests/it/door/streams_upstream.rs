//! An upstream that speaks HTTP/2, and answers each stream as a test tells it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use bytes::Bytes;
use h2::server::{self, SendResponse};
use h2::{RecvStream, SendStream};
use http::{HeaderMap, Request, Response};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime;
use tokio::sync::mpsc;
use tokio::task::{LocalSet, spawn_local};
use tokio_rustls::TlsAcceptor;

use crate::certificates::Identity;

/// One stream: its request, and the way to answer it.
pub struct Stream {
    pub request: Request<RecvStream>,
    pub respond: SendResponse<Bytes>,
    /// Ends the connection in order, once its streams have ended.
    pub leave: mpsc::UnboundedSender<()>,
}

pub type Work = Pin<Box<dyn Future<Output = ()>>>;

pub struct StreamsUpstream {
    pub address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

/// What an upstream speaks and allows.
pub struct Allows {
    pub streams: u32,
    /// What a stream may send before it is read.
    pub window: u32,
    pub tls: Option<Arc<ServerConfig>>,
}

impl Default for Allows {
    fn default() -> Self {
        Self { streams: 1000, window: 1 << 20, tls: None }
    }
}

impl Allows {
    pub fn streams(streams: u32) -> Self {
        Self { streams, ..Self::default() }
    }

    /// TLS that agrees on one of these protocols.
    pub fn over_tls(identity: &Identity, protocols: &[&str]) -> Self {
        let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth();
        let mut config =
            builder.with_single_cert(vec![identity.der()], identity.private()).unwrap();
        config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Self { tls: Some(Arc::new(config)), ..Self::default() }
    }
}

impl StreamsUpstream {
    /// Answers every request with 200 and `ok`.
    pub fn start(allows: Allows) -> Self {
        Self::with(allows, |stream| Box::pin(ok(stream)))
    }

    pub fn with(allows: Allows, answer: impl Fn(Stream) -> Work + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        listener.set_nonblocking(true).unwrap();
        let connections = Arc::<AtomicUsize>::default();
        let counted = connections.clone();
        run(|| async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            let (allows, answer) = (Rc::new(allows), Rc::new(answer));
            while let Ok((socket, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::SeqCst);
                let (allows, answer) = (allows.clone(), answer.clone());
                spawn_local(async move {
                    match &allows.tls {
                        None => serve(socket, &allows, &*answer).await,
                        Some(tls) => {
                            let acceptor = TlsAcceptor::from(tls.clone());
                            if let Ok(socket) = acceptor.accept(socket).await {
                                serve(socket, &allows, &*answer).await;
                            }
                        }
                    }
                });
            }
        });
        Self { address, connections }
    }

    /// Answers on a unix socket.
    pub fn on_socket(path: &Path, answer: impl Fn(Stream) -> Work + Send + 'static) {
        let listener = std::os::unix::net::UnixListener::bind(path).unwrap();
        listener.set_nonblocking(true).unwrap();
        run(|| async move {
            let listener = tokio::net::UnixListener::from_std(listener).unwrap();
            while let Ok((socket, _)) = listener.accept().await {
                serve(socket, &Allows::default(), &answer).await;
            }
        });
    }

    /// How many connections were made.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Does some work in a thread of its own.
fn run<W: Future<Output = ()>>(work: impl FnOnce() -> W + Send + 'static) {
    thread::spawn(|| {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        LocalSet::new().block_on(&runtime, async { work().await });
    });
}

async fn serve(
    socket: impl AsyncRead + AsyncWrite + Unpin,
    allows: &Allows,
    answer: &dyn Fn(Stream) -> Work,
) {
    let mut builder = server::Builder::new();
    builder.max_concurrent_streams(allows.streams).initial_window_size(allows.window);
    let Ok(mut accepting) = builder.handshake::<_, Bytes>(socket).await else { return };
    let (leave, mut leaving) = mpsc::unbounded_channel();
    loop {
        tokio::select! {
            stream = accepting.accept() => match stream {
                Some(Ok((request, respond))) => {
                    let leave = leave.clone();
                    spawn_local(answer(Stream { request, respond, leave }));
                }
                _ => return,
            },
            Some(()) = leaving.recv() => accepting.graceful_shutdown(),
        }
    }
}

impl Stream {
    pub fn head(&self) -> HeaderMap {
        self.request.headers().clone()
    }

    /// Begins the answer, whose body follows.
    pub fn begin(&mut self) -> SendStream<Bytes> {
        self.respond.send_response(Response::new(()), false).unwrap()
    }

    /// The next part of the request's body.
    pub async fn next(&mut self) -> Option<Result<Bytes, h2::Error>> {
        let body = self.request.body_mut();
        let data = body.data().await;
        if let Some(Ok(data)) = &data {
            body.flow_control().release_capacity(data.len()).unwrap();
        }
        data
    }

    /// Why the gate gave the stream up.
    pub async fn reset(&mut self) -> Option<h2::Reason> {
        std::future::poll_fn(|cx| self.respond.poll_reset(cx)).await.ok()
    }
}

pub async fn ok(mut stream: Stream) {
    while let Some(Ok(_)) = stream.next().await {}
    let _ = stream.begin().send_data("ok".into(), true);
}
