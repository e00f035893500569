//! One HTTP/2 connection to an upstream, and the streams that requests have on it.
//!
//! A stream is a [`Place`] first: whoever has one may send one request. What is sent hangs by its
//! [`Exchange`]: dropped before the answer has come to its end, the stream is reset (`CANCEL`), its upload
//! too, and no other stream is hurt. A connection takes no request before the upstream has said how many
//! it takes, nor after it said that it goes away; streams that are open then go on to their end.

mod crew;

use std::cell::Cell;
use std::future::poll_fn;
use std::mem;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use http::Request;
use http::uri::Scheme;
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{oneshot, watch};
use tokio::task::spawn_local;
use tokio::time::{Instant, timeout};

use crate::net::body::Upload;

use super::Terms;
use super::connect::ConnectError;
use super::fleet::Fleet;
use super::pool::{GRACE, Sent};
use crew::{Crew, Launch, Leash, Wire};

/// Streams on one connection. More would share one TCP connection's fate and its window; upstreams rarely
/// allow more.
const MOST_STREAMS: u32 = 100;

/// What an upstream may send on one stream before somebody takes it: what a stalled client holds.
const STREAM_WINDOW: u32 = 64 * 1024;

/// The smallest pieces of which all streams may hold as much as that.
const SMALL_PIECE: u32 = 32;

/// What a piece costs at least to hold, as h2 counts it.
const PIECE_COST: u32 = 256;

/// The same for all streams of a connection together. It bounds nothing, as they are bounded alone: were
/// it less than they have, a few clients that take nothing would hold up all others of the connection. And
/// h2 takes half of it for what small pieces may cost beyond their bytes; where that is used up the whole
/// connection is given up, with all that other clients have on it.
const CONNECTION_WINDOW: u32 =
    MOST_STREAMS * (STREAM_WINDOW / SMALL_PIECE) * (PIECE_COST - SMALL_PIECE) * 2;

/// What waits on one stream to be sent.
const SEND_BUFFER: usize = 64 * 1024;

/// The largest frame that is taken: the least that every side must take (RFC 9113 section 4.2).
const FRAME_SIZE: u32 = 16 * 1024;

/// What the upstream may have us remember of header fields: the protocol's own default.
const HEADER_TABLE: u32 = 4096;

/// Streams that we reset, and of which something may still come.
const MOST_RESET: usize = 100;

/// Faults of single streams, after which the whole connection is given up.
const MOST_FAULTS: usize = 1024;

/// How long nothing comes on a connection with open streams until it is asked for a sign of life. gRPC
/// servers end connections that ask more often than every five minutes.
const PING_AFTER: Duration = Duration::from_secs(310);

/// How long that sign may take.
const PONG_WITHIN: Duration = Duration::from_secs(20);

/// A connection that speaks HTTP/2.
pub(super) struct Connection {
    sender: SendRequest<Upload>,
    launch: Launch,
    /// How many streams the upstream takes.
    most: watch::Receiver<usize>,
    open: Cell<usize>,
    idle_since: Cell<Instant>,
    dismissed: Cell<bool>,
    /// Sent when nobody needs it any more.
    retire: Option<oneshot::Sender<()>>,
}

impl Connection {
    /// Begins to speak, and waits until the upstream does.
    pub(super) async fn start(
        stream: impl AsyncRead + AsyncWrite + Unpin + 'static,
        terms: &Terms,
    ) -> Result<Self, ConnectError> {
        let crew = Crew::default();
        let (sender, client) = http2::Builder::new(crew.clone())
            .timer(TokioTimer::new())
            // None until the upstream has said how many.
            .initial_max_send_streams(0)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_frame_size(FRAME_SIZE)
            .max_header_list_size(u32::try_from(terms.header_bytes).unwrap_or(u32::MAX))
            .header_table_size(HEADER_TABLE)
            .max_send_buf_size(SEND_BUFFER)
            .max_concurrent_reset_streams(MOST_RESET)
            .max_local_error_reset_streams(MOST_FAULTS)
            .keep_alive_interval(PING_AFTER)
            .keep_alive_timeout(PONG_WITHIN)
            .keep_alive_while_idle(false)
            .handshake(TokioIo::new(stream))
            .await?;
        let (tell, mut most) = watch::channel(0);
        let (retire, retired) = oneshot::channel();
        let launch = crew.launch();
        let wire = crew.wire().ok_or(ConnectError::NotHttp2)?;
        spawn_local(until_retired(drive(wire, client, tell), retired));
        let begun = most.wait_for(|most| *most > 0).await.is_ok();
        let connection = Self {
            sender,
            launch,
            most,
            open: Cell::new(0),
            idle_since: Cell::new(Instant::now()),
            dismissed: Cell::new(false),
            retire: Some(retire),
        };
        if begun { Ok(connection) } else { Err(ConnectError::NotHttp2) }
    }

    /// How many streams it takes at a time.
    pub(super) fn most(&self) -> usize {
        (*self.most.borrow()).min(MOST_STREAMS as usize)
    }

    pub(super) fn has_room(&self) -> bool {
        self.open.get() < self.most()
    }

    /// Whether it takes requests, now or when a stream has ended. One without use does so for `idle`.
    pub(super) fn stands(&self, idle: Duration) -> bool {
        let is_kept = self.open.get() > 0 || self.idle_since.get().elapsed() < idle;
        is_kept && !self.dismissed.get() && !self.sender.is_closed()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(retire) = self.retire.take() {
            // One that has ended already hears nothing.
            let _ = retire.send(());
        }
    }
}

/// Runs `work` until it ends, or is let go: in order, with some grace, when told so; at once when whoever
/// could tell is gone.
pub(super) async fn until_retired(work: impl Future, mut retired: oneshot::Receiver<()>) {
    let mut work = pin!(work);
    let retired = tokio::select! {
        _ = work.as_mut() => return,
        retired = &mut retired => retired,
    };
    if retired.is_ok() {
        let _ = timeout(GRACE, work).await;
    }
}

/// Lets a connection run. What came on the wire is looked at before the requests that wait: one that is
/// given to a connection that is known to be gone comes back unsent.
async fn drive<S>(
    mut wire: Wire,
    client: http2::Connection<TokioIo<S>, Upload, Crew>,
    tell: watch::Sender<usize>,
) where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
{
    let mut requests = Some((client, tell));
    let run = poll_fn(|cx| {
        if wire.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        if let Some((client, tell)) = &mut requests {
            if Pin::new(&mut *client).poll(cx).is_ready() {
                // No request is taken any more; streams that are open go on.
                requests = None;
            } else {
                let most = client.current_max_send_streams();
                tell.send_if_modified(|told| mem::replace(told, most) != most);
            }
        }
        Poll::Pending
    });
    run.await;
}

/// Room for one stream.
pub(super) struct Place {
    connection: Rc<Connection>,
    fleet: Rc<Fleet>,
}

impl Place {
    /// Takes room on `connection`, which is one of `fleet`.
    pub(super) fn on(connection: Rc<Connection>, fleet: Rc<Fleet>) -> Self {
        connection.open.update(|open| open + 1);
        Self { connection, fleet }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connection.open.update(|open| open - 1);
        self.connection.idle_since.set(Instant::now());
        self.fleet.settle();
    }
}

/// A stream, from its place to the end of its answer.
pub(super) struct Exchange {
    place: Rc<Place>,
    upload: Option<oneshot::Sender<()>>,
}

impl Exchange {
    pub(super) fn new(place: Place) -> Self {
        Self { place: Rc::new(place), upload: None }
    }

    /// Sends the one request.
    pub(super) async fn send(&mut self, mut request: Request<Upload>) -> Sent {
        let connection = &self.place.connection;
        let (upload, retired) = oneshot::channel();
        self.upload = Some(upload);
        let leash = Leash { retired, place: self.place.clone() };
        let launch = connection.launch.clone();
        request.body_mut().when_begun(move || {
            launch.replace(Some(leash));
        });
        connection.sender.clone().try_send_request(request).await
    }

    /// Its answer has come to its end. An upload that was answered early may still end.
    pub(super) fn finish(self) {
        if let Some(upload) = self.upload {
            let _ = upload.send(());
        }
    }

    /// `http` or `https`.
    pub(super) fn scheme(&self) -> &'static Scheme {
        self.place.fleet.scheme()
    }

    /// No answer came in time: whether the connection is alive is not known, and nobody else is to find
    /// out in the same way.
    pub(super) fn give_up(&self) {
        self.place.connection.dismissed.set(true);
    }
}

#[cfg(test)]
mod tests;
