//! What the Management API means: where it listens, who its clients are, where its writes go.

use core::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use crate::config::inventory::Inventory;
use crate::config::tls::ServerTls;
use crate::policy::{ClientId, Issuer};
use crate::route::Sites;
use crate::token::{SecretHash, Signer};

/// The Management API.
#[derive(Debug)]
pub struct Management {
    /// Where it listens.
    pub listen: SocketAddr,
    /// TLS, without which it is not.
    pub tls: ServerTls,
    /// Its URL as clients see it, without a slash at its end, where that is said.
    pub public_url: Option<String>,
    /// What answers there: itself alone, a place in [`Snapshot::apis`](super::Snapshot::apis), below any
    /// host.
    pub sites: Sites,
    /// The applications that get their tokens here.
    pub clients: Vec<ManagementClient>,
    /// Signs their tokens. It is the same after each reload and in each replica, until a secret changes.
    pub signer: Option<Arc<Signer>>,
    /// How long such a token is good.
    pub token_lifetime: Duration,
    /// Whose applications grants are given to, where that is said.
    pub grants_issuer: Option<Issuer>,
    /// The name of the file that new grants and APIs are added to, where that is said.
    pub file: Option<String>,
    /// Requests per second that each client may make.
    pub rate_limit: NonZeroU32,
    /// What stands in the files.
    pub inventory: Arc<Inventory>,
}

/// An application that manages, and gets its tokens here.
#[derive(Debug)]
pub struct ManagementClient {
    /// Its id.
    pub id: ClientId,
    /// What its secret is held against.
    pub secret: SecretHash,
}
