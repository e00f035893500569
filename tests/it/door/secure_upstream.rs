//! An upstream that speaks TLS, tells what was agreed on, and answers as a test tells it.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{
    HandshakeKind, NamedGroup, ProtocolVersion, ServerConfig, ServerConnection, StreamOwned,
    SupportedProtocolVersion, version,
};

use super::client::PATIENCE;
use crate::certificates::{Authority, Identity};

/// What was agreed on with whoever connected.
#[derive(Debug)]
pub struct Agreed {
    pub version: ProtocolVersion,
    pub group: NamedGroup,
    pub resumed: bool,
    /// The name that was asked for (SNI).
    pub name: Option<String>,
    /// The certificate that was shown.
    pub client: Option<CertificateDer<'static>>,
}

/// What happened to an upstream.
#[derive(Debug)]
pub enum Event {
    /// A handshake ended well.
    Agreed(Agreed),
    /// A handshake did not.
    Failed(rustls::Error),
    /// A request came: its head.
    Request(String),
}

pub type Wire = StreamOwned<ServerConnection, TcpStream>;

/// What becomes of a connection after an answer.
pub enum Then {
    /// It is kept.
    GoOn,
    /// TLS ends in order (`close_notify`).
    Close,
    /// The socket closes, and TLS knows nothing of it.
    Tear,
}

pub struct SecureUpstream {
    pub address: SocketAddr,
    events: Receiver<Event>,
    config: Arc<Mutex<Arc<ServerConfig>>>,
}

/// What an upstream shows and asks.
pub struct Shows<'a> {
    pub identity: &'a Identity,
    pub versions: &'static [&'static SupportedProtocolVersion],
    /// Whose certificates clients must show.
    pub clients_of: Option<&'a Authority>,
    /// On which protocols it agrees (ALPN).
    pub protocols: &'a [&'a str],
}

impl<'a> Shows<'a> {
    pub fn only(identity: &'a Identity) -> Self {
        Self { identity, versions: rustls::ALL_VERSIONS, clients_of: None, protocols: &[] }
    }

    pub fn to_clients_of(identity: &'a Identity, authority: &'a Authority) -> Self {
        Self { clients_of: Some(authority), ..Self::only(identity) }
    }

    pub fn agreeing_on(identity: &'a Identity, protocols: &'a [&'a str]) -> Self {
        Self { protocols, ..Self::only(identity) }
    }

    pub fn in_tls12(identity: &'a Identity) -> Self {
        Self { versions: TLS12, ..Self::only(identity) }
    }

    fn config(&self) -> Arc<ServerConfig> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(self.versions)
            .unwrap();
        let builder = match self.clients_of {
            None => builder.with_no_client_auth(),
            Some(authority) => {
                let roots = Arc::new(authority.alone());
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider);
                builder.with_client_cert_verifier(verifier.build().unwrap())
            }
        };
        let config = builder.with_single_cert(vec![self.identity.der()], self.identity.private());
        let mut config = config.unwrap();
        config.alpn_protocols =
            self.protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        Arc::new(config)
    }
}

const TLS12: &[&SupportedProtocolVersion] = &[&version::TLS12];

const OK: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
const LAST: &[u8] = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";

impl SecureUpstream {
    /// Answers every request with 200 and `ok`, and keeps its connections.
    pub fn start(shows: &Shows<'_>) -> Self {
        Self::with(shows, |wire| {
            wire.write_all(OK).unwrap();
            Then::GoOn
        })
    }

    /// Answers so too, and closes after each.
    pub fn closing(shows: &Shows<'_>) -> Self {
        Self::with(shows, |wire| {
            wire.write_all(LAST).unwrap();
            Then::Close
        })
    }

    pub fn with(
        shows: &Shows<'_>,
        answer: impl Fn(&mut Wire) -> Then + Send + Sync + 'static,
    ) -> Self {
        Self::on("127.0.0.1:0", shows, answer)
    }

    pub fn on(
        at: &str,
        shows: &Shows<'_>,
        answer: impl Fn(&mut Wire) -> Then + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(at).unwrap();
        let address = listener.local_addr().unwrap();
        let (tell, events) = mpsc::channel();
        let config = Arc::new(Mutex::new(shows.config()));
        let (current, answer) = (config.clone(), Arc::new(answer));
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let config = current.lock().unwrap().clone();
                let (tell, answer) = (tell.clone(), answer.clone());
                thread::spawn(move || serve(socket, config, &tell, &*answer));
            }
        });
        Self { address, events, config }
    }

    /// Shows and asks something else on connections from now on.
    pub fn show(&self, shows: &Shows<'_>) {
        *self.config.lock().unwrap() = shows.config();
    }

    pub fn next(&self) -> Event {
        self.events.recv_timeout(PATIENCE).expect("nothing came to the upstream")
    }

    /// The handshake that comes next.
    pub fn agreed(&self) -> Agreed {
        match self.next() {
            Event::Agreed(agreed) => agreed,
            other => panic!("{other:?}"),
        }
    }

    /// The head of the request that comes next, on a connection that stood before.
    pub fn request(&self) -> String {
        match self.next() {
            Event::Request(head) => head,
            other => panic!("{other:?}"),
        }
    }

    /// Whether no request came that was not looked at yet.
    pub fn got_no_request(&self) -> bool {
        !self.events.try_iter().any(|event| matches!(event, Event::Request(_)))
    }
}

fn serve(
    mut socket: TcpStream,
    config: Arc<ServerConfig>,
    tell: &Sender<Event>,
    answer: &dyn Fn(&mut Wire) -> Then,
) {
    let mut tls = ServerConnection::new(config).unwrap();
    while tls.is_handshaking() {
        if let Err(error) = tls.complete_io(&mut socket) {
            if let Some(error) = error.get_ref().and_then(|error| error.downcast_ref()) {
                let _ = tell.send(Event::Failed(rustls::Error::clone(error)));
            }
            return;
        }
    }
    let agreed = Agreed {
        version: tls.protocol_version().unwrap(),
        group: tls.negotiated_key_exchange_group().unwrap().name(),
        resumed: tls.handshake_kind() == Some(HandshakeKind::Resumed),
        name: tls.server_name().map(str::to_owned),
        client: tls.peer_certificates().map(|chain| chain[0].clone().into_owned()),
    };
    let _ = tell.send(Event::Agreed(agreed));
    let mut wire = StreamOwned::new(tls, socket);
    while let Some(head) = head(&mut wire) {
        let _ = tell.send(Event::Request(head));
        match answer(&mut wire) {
            Then::GoOn => {}
            Then::Close => {
                wire.conn.send_close_notify();
                let _ = wire.flush();
                return;
            }
            Then::Tear => return,
        }
    }
}

/// Tests send no bodies: a head is all there is.
fn head(wire: &mut Wire) -> Option<String> {
    let (mut head, mut reader) = (String::new(), BufReader::new(wire));
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    Some(head)
}
