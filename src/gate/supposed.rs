//! A call that nobody sends: a method, a URL and what would be shown, as people ask about it.
//!
//! In come texts; out comes the same [`Call`] that a door would make of such a request, and is asked about
//! by the same [`check()`]. A token can be shown whole, or its claims alone: then all rules hold for it but
//! those of the algorithm, the key and the signature.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use http::Method;
use serde_json::{Map, Value};

use super::{Call, Code, Env, Listener, Outcome, Refusal, Step, Verdict, check, malformed};
use crate::config::snapshot::{ServedApi, Snapshot};
use crate::route::{CanonPath, HostPattern, normal_host};
use crate::token::{self, Credential, Parsed};

/// A request that is asked about.
#[derive(Clone, Debug)]
pub struct Supposed {
    /// Its method.
    pub method: Method,
    /// Its host: lower-case, without port and trailing dot.
    pub host: String,
    /// Scheme, host and port as they are written; none where a path was written alone.
    pub origin: Option<String>,
    /// Its path as it is written, without the query.
    pub path: String,
    /// The query, without its `?`.
    pub query: Option<String>,
    /// What is shown with it.
    pub shown: Shown,
}

/// What a request shows of its caller.
#[derive(Clone)]
pub enum Shown {
    /// The claims of a token, believed.
    Claims(Map<String, Value>),
    /// Nothing.
    Nothing,
    /// A token.
    Token(String),
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Claims(_) => "Claims(..)",
            Self::Nothing => "Nothing",
            Self::Token(_) => "Token(..)",
        })
    }
}

/// Why a text is no request that could be asked about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SupposedError {
    /// The host is none.
    #[error("`{0}` is no host")]
    Host(String),
    /// A path alone, and more than one host that it could be meant for.
    #[error(
        "`{path}` does not say which host is meant: write the whole URL, such as `{example}`, or name \
             the API: `--api IDENTIFIER`"
    )]
    HostUnsaid {
        /// What was written.
        path: String,
        /// What could be.
        example: String,
    },
    /// The method is none.
    #[error("`{0}` is no method")]
    Method(String),
    /// Neither a URL nor a path.
    #[error("`{0}` is neither a URL nor a path: write `https://orders.example.com/orders/1`")]
    Url(String),
}

impl Supposed {
    /// A request as it is written: a method, and a URL or a path. A path alone is meant for `api`, or for
    /// the only API that has such a path, whatever the host.
    ///
    /// # Errors
    /// When it is none, or it is not known for which host.
    pub fn new(
        method: &str,
        url: &str,
        shown: Shown,
        snapshot: &Snapshot,
        api: Option<&ServedApi>,
    ) -> Result<Self, SupposedError> {
        let method = method.parse().map_err(|_| SupposedError::Method(method.to_owned()))?;
        let (host, origin, target) = match url.split_once("://") {
            Some(("http" | "https", rest)) => {
                let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
                let (authority, target) = rest.split_at(at);
                let host = normal_host(authority)
                    .map_err(|_| SupposedError::Host(authority.to_owned()))?;
                let origin = url.get(..url.len() - target.len()).map(str::to_owned);
                (host.into_owned(), origin, target)
            }
            _ if url.starts_with('/') => (implied_host(url, snapshot, api)?, None, url),
            _ => return Err(SupposedError::Url(url.to_owned())),
        };
        let (path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query.to_owned())),
            None => (target, None),
        };
        let path = if path.is_empty() { "/" } else { path }.to_owned();
        Ok(Self { method, host, origin, path, query, shown })
    }

    /// Asks about it.
    pub fn ask<'a>(
        &self,
        snapshot: &'a Snapshot,
        env: &Env<'_>,
        held: &'a OnceCell<Arc<Parsed>>,
    ) -> Step<'a> {
        let path = match self.canonical_path() {
            Ok(path) => path,
            Err(refusal) => return Step::Done(refused(refusal)),
        };
        let header = match &self.shown {
            Shown::Token(token) => Some(format!("Bearer {token}").into_bytes()),
            Shown::Claims(_) | Shown::Nothing => None,
        };
        let values = header.iter().map(Vec::as_slice);
        let mut credential = token::credential(values, self.query.as_deref());
        if let Shown::Claims(claims) = &self.shown {
            held.get_or_init(|| Arc::new(Parsed::supposed(claims.clone())));
            credential = credential.map(|_| Some(Credential::supposed()));
        }
        let call = Call {
            listener: Listener::Traffic,
            method: &self.method,
            host: Cow::Borrowed(&self.host),
            path,
            preflight: None,
            credential,
        };
        check(snapshot, env, &call, held)
    }

    /// The path in its one spelling, or why there is none; and what no door takes.
    ///
    /// # Errors
    /// [`Code::RequestMalformed`], [`Code::PathAmbiguous`].
    pub fn canonical_path(&self) -> Result<CanonPath<'_>, Refusal> {
        if [Method::CONNECT, Method::TRACE].contains(&self.method) {
            return Err(malformed("the method is not served"));
        }
        if self.path.contains('#') {
            return Err(malformed("the target holds a fragment, which is never sent"));
        }
        CanonPath::parse(&self.path)
            .map_err(|error| Refusal::new(Code::PathAmbiguous, error.to_string()))
    }
}

fn refused(refusal: Refusal) -> Outcome<'static> {
    Outcome { verdict: Verdict::Refuse(refusal), api: None, operation: None, caller: None }
}

/// A host under which `api` is served, or the only API, or the only one that has this path.
fn implied_host(
    path: &str,
    snapshot: &Snapshot,
    api: Option<&ServedApi>,
) -> Result<String, SupposedError> {
    let served: Vec<_> = snapshot.apis.iter().filter(|served| served.upstream.is_some()).collect();
    let host = |served: &ServedApi| {
        served.hosts.first().map_or_else(|| "localhost".to_owned(), HostPattern::example)
    };
    let only = match served.as_slice() {
        [only] => Some(*only),
        _ => None,
    };
    if let Some(meant) = api.or(only) {
        return Ok(host(meant));
    }
    host_of_only(path, snapshot, &served).ok_or_else(|| {
        let first = served.first().map_or_else(|| "localhost".to_owned(), |first| host(first));
        SupposedError::HostUnsaid {
            path: path.to_owned(),
            example: format!("https://{first}{path}"),
        }
    })
}

/// A host of the only API that has such a path, whatever the host; none where more have it, or none has.
fn host_of_only(path: &str, snapshot: &Snapshot, served: &[&ServedApi]) -> Option<String> {
    let path = CanonPath::parse(path.split('?').next()?).ok()?;
    let named = served.iter().flat_map(|served| served.hosts.iter().map(HostPattern::example));
    let mut found: Option<(usize, String)> = None;
    for host in named.chain(["localhost".to_owned()]) {
        let Some(target) = snapshot.sites.find(&host, &path).ok()? else { continue };
        match &found {
            Some((known, _)) if *known != target => return None,
            Some(_) => {}
            None => found = Some((target, host)),
        }
    }
    found.map(|(_, host)| host)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::config::snapshot::RemoteKeys;
    use crate::config::{Nowhere, Source, load};
    use crate::gate::Keys;
    use crate::policy::{Issuer, UnixTime};
    use crate::token::{KeySet, VerifiedCache};

    const TEXT: &str = "
issuers: [{issuer: 'https://a.example/', profile: auth0}]
resource_servers:
  - identifier: https://api.example
    scopes: [{value: read}]
    subject_type_authorization:
      user: {policy: require_client_grant}
      client: {policy: require_client_grant}
    gate:
      hosts: ['*.api.example']
      upstream: http://127.0.0.1:3000
      operations:
        - {on: GET /things/*, scopes: [read]}
client_grants:
  - {client_id: web, subject_type: user, scope: [read]}
";

    struct Nothing;

    impl Keys for Nothing {
        fn find(&self, _: &Issuer, _: &RemoteKeys) -> Option<&KeySet> {
            None
        }
    }

    const NOW: UnixTime = UnixTime::from_seconds(1_800_000_000);

    fn code(method: &str, url: &str, shown: Shown) -> Result<Option<Code>, SupposedError> {
        let snapshot = load(&[Source::new("a.yaml", TEXT)], &Nowhere, NOW).unwrap().snapshot;
        let supposed = Supposed::new(method, url, shown, &snapshot, None)?;
        let env = Env { keys: &Nothing, cache: &VerifiedCache::with_capacity(0), now: NOW };
        let held = OnceCell::new();
        let (Step::Done(outcome) | Step::NeedKeys { otherwise: outcome, .. }) =
            supposed.ask(&snapshot, &env, &held);
        Ok(match outcome.verdict {
            Verdict::Refuse(refusal) => Some(refusal.code),
            Verdict::Pass(_) => None,
            other => panic!("{other:?}"),
        })
    }

    fn claims(scope: &str) -> Shown {
        let claims = json!({
            "iss": "https://a.example/", "aud": "https://api.example", "sub": "auth0|1",
            "azp": "web", "scope": scope, "exp": 1_800_000_060,
        });
        Shown::Claims(claims.as_object().unwrap().clone())
    }

    #[test]
    fn claims_are_believed_and_all_else_is_decided() {
        let url = "https://x.api.example/things/1?a=b";
        assert_eq!(code("GET", url, claims("read")), Ok(None));
        assert_eq!(code("GET", "/things/1", claims("read")), Ok(None));
        for (method, url, shown, expected) in [
            ("GET", url, claims("read other"), Code::ScopeExceedsGrant),
            ("GET", url, claims(""), Code::ScopeInsufficient),
            ("POST", url, claims("read"), Code::MethodRefused),
            ("TRACE", url, claims("read"), Code::RequestMalformed),
            ("GET", "https://api.example/things/1", claims("read"), Code::RouteUnknown),
            ("GET", "/things/../1", claims("read"), Code::PathAmbiguous),
            ("GET", "/things/1#a", claims("read"), Code::RequestMalformed),
            ("GET", url, Shown::Nothing, Code::TokenMissing),
            ("GET", url, Shown::Token("a.b.c".to_owned()), Code::TokenMalformed),
        ] {
            assert_eq!(code(method, url, shown), Ok(Some(expected)), "{method} {url}");
        }
    }

    #[test]
    fn what_nobody_could_send_is_no_question() {
        for (method, url) in
            [("GET", "orders"), ("G T", "/"), ("GET", "https://a b/"), ("GET", "ftp://a/")]
        {
            assert!(code(method, url, Shown::Nothing).is_err(), "{method} {url}");
        }
    }

    #[test]
    fn a_path_alone_is_meant_for_the_only_api_that_has_it() {
        let second = "  - identifier: https://other.example
    scopes: []
    subject_type_authorization:
      user: {policy: deny_all}
      client: {policy: deny_all}
    gate:
      upstream: http://127.0.0.1:3000
      path_prefix: /other
      operations: [{on: GET /other/*, any_token: true}]
client_grants:";
        let text = TEXT
            .replace("client_grants:", second)
            .replace("{client_id: web,", "{client_id: web, audience: https://api.example,");
        let host = |text: &str, path: &str| {
            let snapshot = load(&[Source::new("a.yaml", text)], &Nowhere, NOW).unwrap().snapshot;
            Supposed::new("GET", path, Shown::Nothing, &snapshot, None).map(|it| it.host)
        };
        let wild = host(&text, "/things/1").unwrap();
        assert!(wild.ends_with(".api.example"), "{wild}");
        let unsaid = host(&text, "/other/1").unwrap_err().to_string();
        assert!(unsaid.contains("--api IDENTIFIER"), "{unsaid}");
        let anywhere =
            text.replace("      hosts: ['*.api.example']\n", "      path_prefix: /things\n");
        assert_eq!(host(&anywhere, "/other/1").as_deref(), Ok("localhost"));
        assert_eq!(host(&anywhere, "/things/1").as_deref(), Ok("localhost"));
        assert!(host(&anywhere, "/none").is_err());
    }
}
