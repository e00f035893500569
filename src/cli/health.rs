//! `health`: asks a running gate whether it is ready, for images without a shell.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::Value;

use crate::config::{Report, raw, read, schema_of};
use crate::net::local::{Answered, Asked};
use crate::reload::Store;

use super::live::ask;
use super::{Exit, harmless, show, talk};

/// What `health` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Options {
    /// The file or folder that says where the gate answers health checks.
    #[arg(long, env = "GRANTGATE_CONFIG", default_value = "/etc/grantgate", value_name = "PATH")]
    config: PathBuf,
    /// Where the gate answers health checks, whatever the configuration says.
    #[arg(long, value_name = "IP:PORT")]
    address: Option<SocketAddr>,
    /// Asks only whether it lives, not whether it is ready.
    #[arg(long)]
    live: bool,
    /// How long to wait for an answer, in seconds.
    #[arg(long, default_value_t = 2, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
}

const EXAMPLES: &str = "\
Examples:
  # as a container's readiness probe: 0 when it is ready
  grantgate health --config /etc/grantgate

  # as its liveness probe
  grantgate health --live --address 127.0.0.1:9180";

/// Asks: yes when it is ready, no when it is not, and failed when it cannot be asked.
pub fn execute(options: &Options) -> Exit {
    let address = match options.address.map_or_else(|| configured(&options.config), Ok) {
        Ok(address) => reachable(address),
        Err(reason) => {
            talk(format_args!("grantgate: {reason}"));
            return Exit::Failed;
        }
    };
    let path = if options.live { "/healthz" } else { "/readyz" };
    let patience = Duration::from_secs(options.timeout);
    let asked = Asked { method: Method::GET, path, body: None, most: MOST_BYTES, patience };
    match ask(&address.into(), asked) {
        Ok(answered) => tell(address, &answered),
        Err(error) => {
            talk(format_args!("grantgate: no answer from {address}: {error}"));
            Exit::Failed
        }
    }
}

/// Where the configuration has health checks answered. The files need not be right: the gate that is
/// asked runs with what they said before. Where none of them says it, it is the default.
fn configured(config: &Path) -> Result<SocketAddr, String> {
    let sources = match Store::new(config).read() {
        Ok(sources) => sources,
        Err(unreadable) if unreadable.sources.is_empty() => {
            return Err(format!("`{}` cannot be read: name an `--address`", config.display()));
        }
        Err(unreadable) => unreadable.sources,
    };
    let (schema, mut report) = (schema_of::<raw::Configuration>(), Report::new(sources.clone()));
    let listen = sources.iter().enumerate().find_map(|(index, source)| {
        let file = read::<raw::Configuration>(index, &source.text, &schema, &mut report)?;
        file.health?.listen
    });
    match listen.as_deref() {
        None => Ok((Ipv4Addr::UNSPECIFIED, 9180).into()),
        Some("none") => Err("health checks are switched off: `health.listen` is `none`".to_owned()),
        Some(text) => text.parse().map_err(|_| format!("`{text}` is not an address to ask")),
    }
}

/// The address to ask at. Whatever listens everywhere listens on loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// The most that is read of an answer.
const MOST_BYTES: usize = 64 * 1024;

/// Says what was answered.
fn tell(address: SocketAddr, answered: &Answered) -> Exit {
    let state: Value = serde_json::from_slice(&answered.body).unwrap_or_default();
    let conditions = state.get("conditions").and_then(Value::as_array);
    for condition in conditions.into_iter().flatten() {
        let text = |name: &str| condition.get(name).and_then(Value::as_str);
        if let (Some(code), Some(detail)) = (text("code"), text("detail")) {
            let line = format!("{code}: {detail}").replace('\n', " ");
            show(format_args!("{}", harmless(&line)));
        }
    }
    match answered.status {
        StatusCode::OK => Exit::Yes,
        StatusCode::SERVICE_UNAVAILABLE => Exit::No,
        status => {
            let status = status.as_u16();
            talk(format_args!(
                "grantgate: {address} answered {status}: that is no health listener"
            ));
            Exit::Failed
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_listens_everywhere_is_asked_on_loopback() {
        for (written, asked) in [
            ("0.0.0.0:9180", "127.0.0.1:9180"),
            ("[::]:9180", "[::1]:9180"),
            ("10.0.0.7:80", "10.0.0.7:80"),
        ] {
            assert_eq!(reachable(written.parse().unwrap()), asked.parse().unwrap());
        }
    }

    #[test]
    fn the_address_is_found_in_a_configuration_that_is_wrong_elsewhere() {
        let folder = tempfile::tempdir().unwrap();
        let at = |text: &str| {
            std::fs::write(folder.path().join("a.yaml"), text).unwrap();
            configured(folder.path()).map(|address| address.to_string())
        };
        assert_eq!(at("health: {listen: \"127.0.0.1:7\"}\nisuers: []\n").unwrap(), "127.0.0.1:7");
        assert_eq!(at("client_grants: []\n").unwrap(), "0.0.0.0:9180");
        assert!(at("health: {listen: none}\n").unwrap_err().contains("switched off"));
        assert!(configured(&folder.path().join("not-there")).is_err());
    }
}
