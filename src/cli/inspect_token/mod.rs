//! `inspect-token`: shows what a token says, and what each signal in it was taken for.
//!
//! | file | |
//! |---|---|
//! | `candidates` | the kinds of issuers that may have written it, where nobody says which did |
//! | `verification` | what the configuration says to the token, with its keys |
//! | `findings` | all that is shown, as data |
//! | `remarks` | what is unusual |
//! | `render` | the same as text |
//!
//! Without keys nothing is believed, and that is said first. The signature is never printed.

mod candidates;
mod findings;
mod remarks;
mod render;
mod verification;

use std::path::{Path, PathBuf};

use super::{Exit, harmless, show, talk, token};
use crate::clock::now;
use crate::config::Style;
use crate::config::snapshot::{IssuerSettings, Snapshot};
use crate::policy::Audience;
use crate::token::{Inspected, Profile};

use findings::Findings;
use verification::Verification;

/// What `inspect-token` takes.
#[derive(Debug, clap::Args)]
#[command(after_long_help = EXAMPLES)]
pub struct Options {
    /// Where the token is: `@FILE`, or `-` for standard input. By default the variable
    /// `GRANTGATE_TOKEN`, else standard input.
    #[arg(value_name = "SOURCE")]
    source: Option<String>,
    /// What is read are claims, a JSON object, and no token: of those nothing can be verified.
    #[arg(long, conflicts_with = "verify")]
    claims: bool,
    /// The file or folder that says whose tokens are trusted, and with which keys.
    #[arg(long, env = "GRANTGATE_CONFIG", value_name = "PATH")]
    config: Option<PathBuf>,
    /// The kind of issuer to read the token as, where its issuer is not configured.
    #[arg(long, value_enum, value_name = "NAME")]
    profile: Option<Known>,
    /// Answers whether the token is valid for some API of the configuration: its signature, type, time
    /// and audience. Policies and grants are not looked at. Fetches keys where needed.
    #[arg(long, requires = "config")]
    verify: bool,
    /// How to answer. JSON is one object: `{verification, header, claims, issuer, reading, candidates,
    /// unusual}`; `candidates` is there where no profile was chosen, and `reading` where one was.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

const EXAMPLES: &str = "\
Examples:
  # what it says, and which kinds of issuers it reads like
  pbpaste | grantgate inspect-token
  grantgate inspect-token @token.jwt

  # as one kind of issuer means it
  grantgate inspect-token @token.jwt --profile auth0

  # whether an API of the configuration takes it: 0 when one does, 1 when none
  grantgate inspect-token @token.jwt --config gateway.yaml --verify

  # claims that were never a token
  echo '{\"sub\": \"app@clients\", \"azp\": \"app\"}' > claims.json
  grantgate inspect-token --claims @claims.json --profile auth0 --format json";

/// The profiles that need no further words.
#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Known {
    Auth0,
    Cognito,
    Entra,
    Hydra,
    Keycloak,
    Okta,
    Rfc9068,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Json,
    Text,
}

/// Shows a token: yes unless it was to be verified and is refused.
pub fn execute(options: &Options) -> Exit {
    match inspect(options) {
        Ok(exit) => exit,
        Err(why) => {
            talk(format_args!("grantgate: {}", harmless(&why)));
            Exit::Failed
        }
    }
}

fn inspect(options: &Options) -> Result<Exit, String> {
    if options.claims {
        return show_claims(options);
    }
    let text = token::read(options.source.as_deref())?;
    let snapshot = options.config.as_deref().map(configuration).transpose()?;
    let inspected = match Inspected::read(&text) {
        Ok(inspected) => inspected,
        Err(error) if options.verify => {
            talk(format_args!("grantgate: {error}"));
            return Ok(Exit::No);
        }
        Err(error) => return Err(error.to_string()),
    };

    let issuer = snapshot.as_ref().and_then(|snapshot| issuer_of(&inspected, snapshot));
    let verification = match &snapshot {
        None => Verification::unconfigured(),
        Some(snapshot) => verification::verify(&text, issuer, snapshot, options.verify)?,
    };
    let exit = if options.verify && !verification.is_accepted() { Exit::No } else { Exit::Yes };
    answer(options, &inspected, snapshot.as_ref(), &verification)?;
    Ok(exit)
}

/// Shows what stands in claims that are in no token.
fn show_claims(options: &Options) -> Result<Exit, String> {
    // The variable holds a token.
    let text = token::read(Some(options.source.as_deref().unwrap_or("-")))?;
    let snapshot = options.config.as_deref().map(configuration).transpose()?;
    let inspected = Inspected::of_claims(&text).map_err(|error| error.to_string())?;
    answer(options, &inspected, snapshot.as_ref(), &Verification::of_claims())?;
    Ok(Exit::Yes)
}

/// Shows all that is found.
fn answer(
    options: &Options,
    inspected: &Inspected,
    snapshot: Option<&Snapshot>,
    verification: &Verification,
) -> Result<(), String> {
    let issuer = snapshot.and_then(|snapshot| issuer_of(inspected, snapshot));
    let named = options.profile.map(Profile::from);
    let profile = named.as_ref().or(issuer.map(|issuer| &issuer.trust.profile));
    let audiences = snapshot.map(|snapshot| audiences(snapshot, issuer)).unwrap_or_default();
    let reading = profile.map(|profile| inspected.through(profile, &audiences));
    let chosen_by = if named.is_some() { "option" } else { "configuration" };

    let remarks = remarks::of(inspected, reading.as_ref(), snapshot, now());
    let candidates = profile.is_none().then(|| candidates::of(inspected));
    let read = profile.zip(reading.as_ref());
    let findings =
        Findings::new(inspected, read, chosen_by, issuer, verification, candidates, remarks);
    match options.format {
        Format::Json => {
            let json =
                serde_json::to_string_pretty(&findings).map_err(|error| error.to_string())?;
            show(format_args!("{}", harmless(&json)));
        }
        Format::Text => {
            let text = render::text(&findings);
            show(format_args!("{}", harmless(text.trim_end())));
        }
    }
    Ok(())
}

fn configuration(path: &Path) -> Result<Snapshot, String> {
    let read = super::configuration::read(path).map_err(|report| report.render(Style::Plain))?;
    Ok(read.loaded.snapshot)
}

/// The issuer that the token names, compared as the gate does.
fn issuer_of<'s>(inspected: &Inspected, snapshot: &'s Snapshot) -> Option<&'s IssuerSettings> {
    let name = inspected.claims().get("iss")?.as_str()?;
    snapshot.issuers.iter().find(|issuer| issuer.trust.issuer.as_str() == name)
}

/// The audiences of all APIs that trust the issuer.
fn audiences(snapshot: &Snapshot, issuer: Option<&IssuerSettings>) -> Vec<Audience> {
    let Some(issuer) = issuer else { return Vec::new() };
    let trusts = |trusted: &crate::token::Trust| trusted.issuer == issuer.trust.issuer;
    let apis = snapshot.apis.iter().filter(|api| api.trusted(snapshot).any(trusts));
    apis.flat_map(|api| api.audiences.iter().cloned()).collect()
}

impl From<Known> for Profile {
    fn from(known: Known) -> Self {
        match known {
            Known::Auth0 => Self::Auth0,
            Known::Cognito => Self::Cognito,
            Known::Entra => Self::Entra,
            Known::Hydra => Self::Hydra,
            Known::Keycloak => Self::Keycloak,
            Known::Okta => Self::Okta,
            Known::Rfc9068 => Self::Rfc9068,
        }
    }
}
