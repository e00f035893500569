//! What is asked: a request as it is written on the command line, and what is shown with it.

use serde_json::{Map, Value};

use super::Options;
use crate::admin::Question;
use crate::cli::{talk, token};
use crate::config::closest;
use crate::config::snapshot::{ServedApi, Snapshot};
use crate::gate::{Shown, Supposed};
use crate::policy::{Rfc3339, UnixTime};
use crate::token::{Inspected, strict_json};

/// How long claims are good for that do not say it.
const LIFETIME: i64 = 3600;

/// Reads the request and what it shows.
///
/// # Errors
/// When there is no such question, in words.
pub fn read(options: &Options, snapshot: &Snapshot, at: UnixTime) -> Result<Supposed, String> {
    let Words { method, url, source } = Words::of(&options.words)?;
    let api = options.api.as_deref().map(|name| api(name, snapshot)).transpose()?;
    let supposed =
        |shown| Supposed::new(method, url, shown, snapshot, api).map_err(|error| error.to_string());
    // A request that is none is said before a token is waited for.
    supposed(Shown::Nothing)?;
    supposed(shown(options, source, at)?)
}

/// The same for a gate that runs, which knows its own configuration.
///
/// # Errors
/// As [`read`].
pub fn for_gate(options: &Options, at: UnixTime) -> Result<Question, String> {
    let Words { method, url, source } = Words::of(&options.words)?;
    let shown = shown(options, source, at)?;
    let (method, url) = (method.to_owned(), url.to_owned());
    Ok(Question { method, url, api: options.api.clone(), shown, at: options.at })
}

/// What is shown with the request.
fn shown(options: &Options, source: Option<&str>, at: UnixTime) -> Result<Shown, String> {
    if options.no_token {
        return match source {
            None => Ok(Shown::Nothing),
            Some(_) => Err("a token is named, and `--no-token` says that there is none".to_owned()),
        };
    }
    let text = token::read(source).map_err(|why| match why.as_str() {
        "there is no token" => format!("{why}; `--no-token` asks about a request without one"),
        _ => why,
    })?;
    Ok(if options.claims {
        Shown::Claims(claims(&text, at)?)
    } else if options.offline {
        believed(text)
    } else {
        Shown::Token(text)
    })
}

/// The parts of a request on the command line.
struct Words<'a> {
    method: &'a str,
    url: &'a str,
    source: Option<&'a str>,
}

impl<'a> Words<'a> {
    fn of(words: &'a [String]) -> Result<Self, String> {
        // A method and a URL in one quoted word are two.
        let quoted = words.first().and_then(|first| first.split_once(' '));
        let (head, rest) = match quoted {
            Some((method, url)) => (vec![method, url.trim_start()], words.get(1..)),
            None => (Vec::new(), Some(words)),
        };
        let rest = rest.into_iter().flatten().map(String::as_str);
        let words: Vec<_> = head.into_iter().chain(rest).collect();
        let is_url = |word: &str| word.starts_with('/') || word.contains("://");
        match words[..] {
            [url] => Ok(Self { method: "GET", url, source: None }),
            [url, source] if is_url(url) => Ok(Self { method: "GET", url, source: Some(source) }),
            [method, url] => Ok(Self { method, url, source: None }),
            [method, url, source] => Ok(Self { method, url, source: Some(source) }),
            _ => Err("write a method and a URL: `GET https://orders.example.com/orders/1`".into()),
        }
    }
}

fn api<'s>(name: &str, snapshot: &'s Snapshot) -> Result<&'s ServedApi, String> {
    let served = || snapshot.apis.iter().filter(|served| served.upstream.is_some());
    let known = served().find(|served| served.api.identifier.as_str() == name);
    known.ok_or_else(|| {
        let names = served().map(|served| served.api.identifier.as_str());
        let near = closest(name, names).map(|near| format!(": is `{near}` meant?"));
        format!("no API `{name}` is served{}", near.unwrap_or_default())
    })
}

/// A token's claims as they are written. When they end may be left out, and is said then.
fn claims(text: &str, at: UnixTime) -> Result<Map<String, Value>, String> {
    let claims = strict_json(text.as_bytes()).map_err(|error| {
        format!("the claims are no JSON object, or can be read in two ways: {error}")
    })?;
    let Value::Object(mut claims) = claims else {
        return Err("the claims are JSON, but no object".to_owned());
    };
    if !claims.contains_key("exp") {
        let end = at.plus_seconds(LIFETIME);
        claims.insert("exp".to_owned(), end.seconds().into());
        let end = Rfc3339(end);
        talk(format_args!("grantgate: the claims have no `exp`: taken to be good until {end}"));
    }
    Ok(claims)
}

/// A token without its signature. What is wrong with its shape is said by the rules.
fn believed(token: String) -> Shown {
    match Inspected::read(&token) {
        Ok(inspected) if inspected.fault().is_none() => {
            talk(format_args!(
                "grantgate: NOT VERIFIED: the token's type, algorithm, key and signature were not looked \
                at; whoever wrote it is believed"
            ));
            Shown::Claims(inspected.claims().clone())
        }
        _ => Shown::Token(token),
    }
}
