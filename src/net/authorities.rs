//! The certificate authorities that this machine trusts.

use std::sync::{Arc, OnceLock};

use rustls::RootCertStore;

/// The authorities, read once: the machine's files, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR`
/// name. What cannot be read is logged and left out; where nothing is left, nobody is trusted.
pub fn of_machine() -> Arc<RootCertStore> {
    static AUTHORITIES: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    AUTHORITIES.get_or_init(|| Arc::new(read())).clone()
}

fn read() -> RootCertStore {
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate authority of this machine could not be read");
    }
    let mut roots = RootCertStore::empty();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        tracing::warn!("this machine has no certificate authorities: name some with `ca`");
    }
    roots
}
