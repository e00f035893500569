//! `POST /oauth/token`: a client of the Management API shows its secret and gets a token for it (RFC 6749
//! section 4.4), in the forms that Auth0's clients ask in.
//!
//! Whether a client is unknown or its secret wrong is not told, neither by words nor by time. What a token
//! says counts here alone: no other API trusts who signs it, and each request is decided anew.

use aws_lc_rs::rand;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, PRAGMA, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, StatusCode};
use percent_encoding::percent_decode_str;
use serde::Deserialize;
use serde_json::json;

use super::intake::Media;
use super::parameters::pairs;
use super::reply::Reply;
use crate::config::snapshot::{Management, ManagementClient, ServedApi};
use crate::hex::hex;
use crate::policy::{SubjectType, UnixTime};
use crate::token::SecretHash;

/// What a client asks for.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct TokenRequest {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    client_assertion: Option<String>,
    audience: Option<String>,
    scope: Option<String>,
    /// Whether the credentials came in `Authorization`.
    #[serde(skip)]
    basic: bool,
}

/// Why a client gets no token (RFC 6749 section 5.2, and Auth0's words where it has some).
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Denied {
    status: StatusCode,
    error: &'static str,
    description: String,
    /// Whether another `Authorization` could help.
    challenged: bool,
}

impl Denied {
    fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into(), challenged: false }
    }

    /// What is wrong with the request itself.
    pub(super) fn malformed(description: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    fn access(status: StatusCode, description: impl Into<String>) -> Self {
        Self::new(status, "access_denied", description)
    }
}

impl From<Denied> for Reply {
    fn from(Denied { status, error, description, challenged }: Denied) -> Self {
        let body = json!({"error": error, "error_description": description});
        let reply = Self { code: Some(error), ..Self::new(status, body) };
        if challenged {
            reply.with(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"grantgate\""))
        } else {
            reply
        }
    }
}

impl TokenRequest {
    /// Reads a request for a token: its body, and `Authorization` where the credentials are there.
    pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Denied> {
        let mut request = match Media::of(headers) {
            Some(Media::Form) => Self::of_form(body)?,
            Some(Media::Json) => Self::of_json(body)?,
            None => {
                let expected = "the body must be a form (application/x-www-form-urlencoded) or JSON \
                    (application/json)";
                return Err(Denied::new(
                    StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    "invalid_request",
                    expected,
                ));
            }
        };
        let mut authorizations = headers.get_all(AUTHORIZATION).iter();
        let basic = match (authorizations.next(), authorizations.next()) {
            (None, _) => None,
            (Some(value), None) => basic(value)?,
            (Some(_), Some(_)) => return Err(Denied::malformed("`Authorization` came twice")),
        };
        if let Some((client, secret)) = basic {
            if request.client_secret.is_some() || request.client_id.is_some_and(|it| it != client) {
                return Err(Denied::malformed(
                    "credentials came in `Authorization` and in the body: send them once",
                ));
            }
            (request.client_id, request.client_secret) = (Some(client), Some(secret));
            request.basic = true;
        }
        Ok(request)
    }

    fn of_json(body: &[u8]) -> Result<Self, Denied> {
        let unreadable = || Denied::malformed("the body is not an object of texts in JSON");
        // A list of values would be taken for their fields.
        let is_object = body.trim_ascii_start().starts_with(b"{");
        let request = is_object.then(|| serde_json::from_slice(body).ok()).flatten();
        request.ok_or_else(unreadable)
    }

    /// No parameter comes twice (RFC 6749 section 3.2); those that nobody knows are passed over.
    fn of_form(body: &[u8]) -> Result<Self, Denied> {
        let unreadable = || Denied::malformed("the form is not UTF-8");
        let body = str::from_utf8(body).map_err(|_| unreadable())?;
        let mut request = Self::default();
        for (name, value) in pairs(body).ok_or_else(unreadable)? {
            let field = match name.as_str() {
                "grant_type" => &mut request.grant_type,
                "client_id" => &mut request.client_id,
                "client_secret" => &mut request.client_secret,
                "client_assertion" => &mut request.client_assertion,
                "audience" => &mut request.audience,
                "scope" => &mut request.scope,
                _ => continue,
            };
            if field.replace(value).is_some() {
                return Err(Denied::malformed(format!("`{name}` came twice")));
            }
        }
        Ok(request)
    }
}

/// The credentials in `Authorization: Basic`, each written as in a form (RFC 6749 section 2.3.1).
fn basic(value: &HeaderValue) -> Result<Option<(String, String)>, Denied> {
    let Some((scheme, credentials)) = value.to_str().ok().and_then(|it| it.split_once(' ')) else {
        return Ok(None);
    };
    if !scheme.eq_ignore_ascii_case("basic") {
        return Ok(None);
    }
    let unreadable = || Denied::malformed("`Authorization: Basic` cannot be read");
    let text = STANDARD.decode(credentials.trim()).ok().and_then(|it| String::from_utf8(it).ok());
    let text = text.ok_or_else(unreadable)?;
    let (client, secret) = text.split_once(':').ok_or_else(unreadable)?;
    let resolve = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8().map(std::borrow::Cow::into_owned)
    };
    let pair = (resolve(client), resolve(secret));
    let (Ok(client), Ok(secret)) = pair else { return Err(unreadable()) };
    Ok(Some((client, secret)))
}

/// Gives tokens to those who show their secret.
pub(super) struct Tokens {
    /// What the secrets of clients are compared with that there are not: it costs the same time.
    decoy: Option<SecretHash>,
}

/// A token that is to be sent, and whose it is.
pub(super) struct Issued {
    pub(super) client: String,
    pub(super) reply: Reply,
}

impl Tokens {
    pub(super) fn new() -> Self {
        let mut bytes = [0; SecretHash::MIN];
        // Where there is no chance to be had, any other text serves: it opens nothing.
        let _ = rand::fill(&mut bytes);
        Self { decoy: SecretHash::of(&bytes) }
    }

    /// A token of `api`, which is the Management API, for whoever asked at `authority`.
    pub(super) fn issue(
        &self,
        request: &TokenRequest,
        authority: &str,
        (management, api): (&Management, &ServedApi),
        now: UnixTime,
    ) -> Result<Issued, Denied> {
        check_grant_type(request.grant_type.as_deref())?;
        let client = self.authenticate(request, management)?;
        check_audience(request.audience.as_deref(), authority, api)?;
        let scope = scope(request, client, api, now)?;
        let broken = || {
            let description = "no token can be signed";
            Denied::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", description)
        };
        let signer = management.signer.as_ref().ok_or_else(broken)?;
        let lifetime = i64::try_from(management.token_lifetime.as_secs()).map_err(|_| broken())?;
        let name = api.api.identifier.as_str();
        let token = signer.sign(&json!({
            "iss": name, "aud": name, "sub": client.id.as_str(), "client_id": client.id.as_str(),
            "scope": scope, "iat": now.seconds(), "exp": now.plus_seconds(lifetime).seconds(),
            "jti": unique().ok_or_else(broken)?,
        }));
        let body = json!({
            "access_token": token, "scope": scope, "expires_in": lifetime, "token_type": "Bearer",
        });
        let reply = Reply::new(StatusCode::OK, body);
        let reply = reply.with(PRAGMA, HeaderValue::from_static("no-cache"));
        Ok(Issued { client: client.id.to_string(), reply })
    }

    fn authenticate<'m>(
        &self,
        request: &TokenRequest,
        management: &'m Management,
    ) -> Result<&'m ManagementClient, Denied> {
        if request.client_assertion.is_some() {
            return Err(Denied::new(
                StatusCode::UNAUTHORIZED,
                "invalid_client",
                "`client_assertion` is not supported: send `client_id` and `client_secret`",
            ));
        }
        let (Some(id), Some(secret)) = (&request.client_id, &request.client_secret) else {
            return Err(Denied::malformed("`client_id` and `client_secret` are required"));
        };
        let client = management.clients.iter().find(|client| client.id.as_str() == id);
        let hash = client.map(|client| &client.secret).or(self.decoy.as_ref());
        let is_right = hash.is_some_and(|hash| hash.is_of(secret.as_bytes()));
        let unauthorized = || Denied {
            challenged: request.basic,
            ..Denied::access(StatusCode::UNAUTHORIZED, "Unauthorized")
        };
        client.filter(|_| is_right).ok_or_else(unauthorized)
    }
}

fn check_grant_type(grant_type: Option<&str>) -> Result<(), Denied> {
    match grant_type {
        Some("client_credentials") => Ok(()),
        None | Some("") => Err(Denied::malformed("`grant_type` is required: `client_credentials`")),
        Some(other) => Err(Denied::new(
            StatusCode::BAD_REQUEST,
            "unsupported_grant_type",
            format!("`grant_type` `{other}` is not supported: send `client_credentials`"),
        )),
    }
}

/// Clients ask for the Management API by its name, or by the URL that they ask at.
fn check_audience(audience: Option<&str>, authority: &str, api: &ServedApi) -> Result<(), Denied> {
    let Some(audience) = audience.filter(|audience| !audience.is_empty()) else { return Ok(()) };
    let here = format!("https://{authority}/api/v2/");
    let is_ours = api.audiences.iter().any(|ours| ours.as_str() == audience)
        || audience.eq_ignore_ascii_case(&here);
    let unknown =
        || Denied::access(StatusCode::FORBIDDEN, format!("Service not found: {audience}"));
    is_ours.then_some(()).ok_or_else(unknown)
}

/// The scopes that the token gets: those that are asked for, or all that the client's grant holds.
fn scope(
    request: &TokenRequest,
    client: &ManagementClient,
    api: &ServedApi,
    now: UnixTime,
) -> Result<String, Denied> {
    let api = &api.api;
    // Its own clients are of an issuer that is called as it is.
    let issuer = crate::policy::Issuer::new(api.identifier.as_str()).ok();
    let grant = issuer.and_then(|it| api.grants.own(&it, client.id.as_str(), SubjectType::Client));
    let grant = grant.filter(|grant| grant.expires_at.is_none_or(|end| now < end));
    let Some(grant) = grant else {
        let description = format!(
            "Client \"{}\" is not authorized to access resource server \"{}\". You need to create a \
             \"client-grant\" associated to this API.",
            client.id, api.identifier
        );
        return Err(Denied::access(StatusCode::FORBIDDEN, description));
    };
    let granted: Vec<&str> = api.scopes.of(&grant.ceiling).map(|scope| &**scope).collect();
    let asked = request.scope.iter().flat_map(|scope| scope.split(' '));
    let asked: Vec<&str> = asked.filter(|scope| !scope.is_empty()).collect();
    let beyond: Vec<&str> = asked.iter().copied().filter(|it| !granted.contains(it)).collect();
    if !beyond.is_empty() {
        let description = format!("Client has not been granted scopes: {}", beyond.join(", "));
        return Err(Denied::access(StatusCode::FORBIDDEN, description));
    }
    let given = granted.into_iter().filter(|scope| asked.is_empty() || asked.contains(scope));
    Ok(given.collect::<Vec<_>>().join(" "))
}

/// A name that no other token has.
fn unique() -> Option<String> {
    let mut bytes = [0; 16];
    rand::fill(&mut bytes).ok()?;
    Some(hex(&bytes))
}

#[cfg(test)]
mod tests;
