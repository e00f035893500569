//! The listeners for those who run the gateway: few connections, each for a short time.
//!
//! They run on the control runtime, over TCP or a unix socket. Nothing that comes on a connection keeps it
//! for good, nor does an answer that takes long: for one connection too many the oldest makes room, and
//! what was thought about for it is given up.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

use crate::config::snapshot::Listen;
use crate::net::unix::{self, SocketFile};
use crate::net::{Drain, ListenError, Phase};

use super::answer::Answer;

/// Connections that are open at a time. For one more the oldest makes room: who fills them all must not
/// keep others from learning whether the gateway is ready.
pub(super) const MOST_CONNECTIONS: usize = 128;

/// For reading a request's head.
const HEADER_READ: Duration = Duration::from_secs(5);

/// For a head, in bytes: the least that hyper's buffer takes.
const HEADER_BYTES: usize = 8 * 1024;

/// For a connection, whatever comes on it: places are few, and whoever asks health waits for one.
pub(super) const LONGEST: Duration = Duration::from_secs(30);

/// For what is under way then.
const GRACE: Duration = Duration::from_secs(5);

/// After accepting has failed.
const PAUSE: Duration = Duration::from_millis(100);

/// Who may connect to a unix socket.
const OWNER: u32 = 0o600;

/// Something that questions come to.
pub(super) struct Listener {
    socket: Socket,
    /// What it is for, as the log calls it.
    name: &'static str,
}

enum Socket {
    Tcp(TcpListener),
    Unix(SocketFile, UnixListener),
}

impl Listener {
    /// Listens; nothing is accepted yet.
    pub(super) async fn bind(listen: &Listen, name: &'static str) -> Result<Self, ListenError> {
        let bound = match listen {
            Listen::Tcp(address) => TcpListener::bind(address).await.map(Socket::Tcp),
            Listen::Unix(path) => unix::listen_on(path, OWNER).and_then(|(socket, file)| {
                // Dropped in this order: the file goes while the socket still listens.
                Ok(Socket::Unix(file, UnixListener::from_std(socket)?))
            }),
        };
        match bound {
            Ok(socket) => Ok(Self { socket, name }),
            Err(source) => Err(ListenError { listen: listen.clone(), source }),
        }
    }

    /// Where it listens: the port is the one that the system chose, if it was let.
    pub(super) fn address(&self) -> io::Result<Listen> {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr().map(Listen::Tcp),
            Socket::Unix(file, _) => Ok(Listen::Unix(file.path().to_owned())),
        }
    }

    /// Answers until the gateway is gone.
    pub(super) async fn run<F, A>(self, drain: Drain, answer: F)
    where
        F: Fn(Request<Incoming>) -> A + Send + Sync + 'static,
        A: Future<Output = Answer> + Send + 'static,
    {
        let (gone, answering) = (pin!(drain.reached(Phase::Gone)), pin!(self.accept(answer)));
        tokio::select! {
            () = gone => {}
            () = answering => {}
        }
    }

    async fn accept<F, A>(self, answer: F)
    where
        F: Fn(Request<Incoming>) -> A + Send + Sync + 'static,
        A: Future<Output = Answer> + Send + 'static,
    {
        let answer = Arc::new(answer);
        let mut open = VecDeque::with_capacity(MOST_CONNECTIONS);
        loop {
            let accepted = match &self.socket {
                Socket::Tcp(listener) => {
                    let accepted = listener.accept().await;
                    accepted.map(|(stream, _)| tokio::spawn(serve(stream, answer.clone())))
                }
                Socket::Unix(_, listener) => {
                    let accepted = listener.accept().await;
                    accepted.map(|(stream, _)| tokio::spawn(serve(stream, answer.clone())))
                }
            };
            match accepted {
                Ok(serving) => make_room(&mut open, serving.abort_handle()),
                Err(error) => {
                    tracing::warn!(listener = self.name, %error, "connections cannot be accepted");
                    sleep(PAUSE).await;
                }
            }
        }
    }
}

/// Takes `newest` among the open connections, and breaks the oldest off where there are too many.
fn make_room(open: &mut VecDeque<AbortHandle>, newest: AbortHandle) {
    open.retain(|serving| !serving.is_finished());
    if open.len() >= MOST_CONNECTIONS
        && let Some(oldest) = open.pop_front()
    {
        oldest.abort();
    }
    open.push_back(newest);
}

/// Answers what comes on one connection.
async fn serve<S, F, A>(stream: S, answer: Arc<F>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    F: Fn(Request<Incoming>) -> A,
    A: Future<Output = Answer>,
{
    let answer = service_fn(|request: Request<Incoming>| {
        let is_head = *request.method() == Method::HEAD;
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await.response(is_head)) }
    });
    let mut serving = pin!(
        http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_READ)
            .max_header_size(HEADER_BYTES)
            .half_close(false)
            .serve_connection(TokioIo::new(stream), answer)
    );
    // A client that goes away is no news, and one that does not has had its time. It may have asked just
    // now.
    if timeout(LONGEST, serving.as_mut()).await.is_err() {
        serving.as_mut().graceful_shutdown();
        let _ = timeout(GRACE, serving).await;
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use http::StatusCode;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::time::{Instant, sleep_until};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_was_begun_in_time_comes_whole() {
        let (mut client, ours) = tokio::io::duplex(64);
        let answer = |_| ready(Answer::text(StatusCode::OK, "x".repeat(9000)));
        let serving = tokio::spawn(serve(ours, Arc::new(answer)));
        let begun = Instant::now();
        let now_and_then = (0..).map(Duration::from_secs);
        let last = LONGEST.saturating_sub(Duration::from_millis(1));
        for asked in now_and_then.step_by(3).take_while(|asked| *asked < last).chain([last]) {
            sleep_until(begun + asked).await;
            client.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
            sleep_until(begun + asked + Duration::from_secs(1)).await;
            let mut text = Vec::new();
            while !text.ends_with(&[b'x'; 9000]) {
                assert_ne!(client.read_buf(&mut text).await.unwrap(), 0, "it was cut");
            }
        }
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        assert!(begun.elapsed() < LONGEST + GRACE, "it was kept for longer than it asked");
        serving.await.unwrap();
    }
}
