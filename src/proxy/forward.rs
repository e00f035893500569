//! An allowed request on its way to the upstream, and the upstream's answer on its way back.
//!
//! The [`Permit`] is taken by value: without one there is no way through here, and one serves one request.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use http::header::AUTHORIZATION;
use http::{Request, Response, StatusCode, Version};
use hyper::body::Body as _;

use crate::config::snapshot::{Authorization, ServedApi, Snapshot, Upstream};
use crate::gate::{Caller, Code, Refusal};
use crate::net::{Body, Client, Received, SendError, Terms};
use crate::policy::Permit;
use crate::route::CanonPath;

use super::headers::{self, Origin};
use super::intake::Target;
use super::upgrade::{Handshake, withhold_tokens};

/// Where allowed requests of one worker go.
pub(super) struct Forwarder {
    client: Rc<Client>,
    complained: Cell<Option<Instant>>,
}

/// An upstream that fails is logged this often at most, by each worker: records tell of every request.
const COMPLAINTS: Duration = Duration::from_secs(1);

/// What is known of an allowed request.
pub(super) struct Onward<'a> {
    /// The configuration that it is decided by.
    pub(super) snapshot: &'a Snapshot,
    /// The API that it calls.
    pub(super) served: &'a ServedApi,
    /// Who calls.
    pub(super) caller: Option<&'a Caller<'a>>,
    /// What it aims at.
    pub(super) target: &'a Target,
    /// The path that was matched.
    pub(super) path: &'a CanonPath<'a>,
    /// Where it comes from.
    pub(super) origin: Origin<'a>,
    /// Whether it is a gRPC call, which has deadlines of its own.
    pub(super) is_call: bool,
    /// Names the decision.
    pub(super) decision_id: &'a str,
    /// The upgrade that it asks for where its operation has any, or why that is none.
    pub(super) upgrade: Option<&'a Result<Handshake, &'static str>>,
}

impl Forwarder {
    /// Must be made within the `LocalSet` that it will forward in.
    pub(super) fn new() -> Self {
        Self { client: Client::new(), complained: Cell::new(None) }
    }

    /// Sends a request to its API's upstream.
    pub(super) async fn forward(
        &self,
        permit: Permit,
        request: Request<Received>,
        onward: &Onward<'_>,
    ) -> Result<Response<Body>, Refusal> {
        let Onward { snapshot, served, target, path, .. } = onward;
        // The gateway's own API is on no site of this door.
        let Some(upstream) = &served.upstream else { return Err(Code::Internal.into()) };
        let size = request.body().size_hint();
        if snapshot.limits.body_bytes.is_some_and(|most| size.lower() > most) {
            return Err(Code::BodyTooLarge.into());
        }
        let malformed = |detail: &&'static str| Refusal::new(Code::RequestMalformed, *detail);
        let handshake = onward.upgrade.map(Result::as_ref).transpose().map_err(malformed)?;
        let (mut head, body) = request.into_parts();
        let stripped = served.strip_prefix.as_ref().and_then(|prefix| prefix.strip(path));
        head.uri = target.onward(stripped.unwrap_or(path.as_str()))?;
        head.version = Version::HTTP_11;
        headers::request(&mut head.headers, &onward.origin, &size);
        withhold_tokens(&mut head.headers);
        if let Some(handshake) = handshake {
            handshake.ask(&mut head.headers);
        }
        if served.authorization == Authorization::Remove {
            head.headers.remove(AUTHORIZATION);
        }
        let caller = onward.caller;
        headers::identity(&mut head.headers, &permit, &served.api, caller, onward.decision_id);

        let request = Request::from_parts(head, body);
        let mut terms = terms(snapshot);
        if onward.is_call {
            // Its answer may begin with the first message, whenever that is.
            terms.response = terms.stream_idle;
        }
        let sent = match handshake {
            None => self.client.send(upstream, served.upstream_protocol, request, &terms).await,
            Some(handshake) => self
                .client
                .upgrade(upstream, request, &terms)
                .await
                .and_then(|response| agreed(response, handshake, upstream, onward)),
        };
        let mut response = sent.map_err(|error| self.failed(&error, onward.decision_id))?;
        let version = response.version();
        headers::response(response.headers_mut(), version, onward.origin.via);
        if let Some(handshake) = handshake
            && response.status() == StatusCode::SWITCHING_PROTOCOLS
        {
            handshake.accept_as(response.headers_mut());
        }
        *response.version_mut() = Version::HTTP_11;
        Ok(response)
    }

    /// What the client is told; where the upstream stands is for the log alone.
    fn failed(&self, error: &SendError, decision_id: &str) -> Refusal {
        let code = match error {
            SendError::BodyBroken => Code::RequestMalformed,
            SendError::BodyStalled => Code::RequestTimeout,
            SendError::BodyTooLarge => Code::BodyTooLarge,
            SendError::Invalid(_) => Code::UpstreamResponseInvalid,
            SendError::ConnectTimeout(_)
            | SendError::HandshakeTimeout(_)
            | SendError::ResponseTimeout(_) => Code::UpstreamTimeout,
            SendError::Unreachable { .. } => Code::UpstreamUnreachable,
        };
        let quiet = self.complained.get().is_some_and(|last| last.elapsed() < COMPLAINTS);
        if code.status().is_server_error() && !quiet {
            self.complained.set(Some(Instant::now()));
            tracing::warn!(%decision_id, %code, %error, "a request could not be forwarded");
        }
        code.into()
    }
}

/// The answer, unless it opens something else than the tunnel that was asked for, or seems to: in HTTP/2
/// every success opens one (RFC 8441 section 5).
fn agreed(
    response: Response<Body>,
    handshake: &Handshake,
    upstream: &Upstream,
    onward: &Onward<'_>,
) -> Result<Response<Body>, SendError> {
    let is_sound = match response.status() {
        StatusCode::SWITCHING_PROTOCOLS => handshake.is_answered_by(response.headers()),
        status => onward.origin.version != Version::HTTP_2 || !status.is_success(),
    };
    if is_sound { Ok(response) } else { Err(SendError::Invalid(upstream.clone())) }
}

fn terms(snapshot: &Snapshot) -> Terms {
    Terms {
        connect: snapshot.timeouts.connect,
        response: snapshot.timeouts.response,
        response_read: snapshot.timeouts.response_read,
        idle: snapshot.timeouts.upstream_idle,
        stream_idle: snapshot.timeouts.stream_idle,
        header_bytes: snapshot.limits.header_bytes,
        body_bytes: snapshot.limits.body_bytes,
        clean: headers::trailers,
    }
}
