//! References to secrets: `${env:NAME}` and `${file:/path}`.
//!
//! A secret never stands in a configuration itself, because configurations are shown, compared and
//! kept. What a reference leads to is only ever handed on, never printed. Nor is the value of a key
//! that only sounds like a secret's.

use super::outside::Reading;
use super::suggest::closest;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reference<'t> {
    /// In an environment variable.
    Env(&'t str),
    /// In a file.
    File(&'t str),
}

impl<'t> Reference<'t> {
    /// Reads a reference; anything else is none, and may be the secret itself.
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let inner = text.strip_prefix("${")?.strip_suffix('}')?;
        let (kind, name) = inner.split_once(':')?;
        match kind {
            _ if name.is_empty() || name.contains(['{', '}', '\0']) => None,
            "env" if !name.contains('=') => Some(Self::Env(name)),
            "file" => Some(Self::File(name)),
            _ => None,
        }
    }

    /// The secret, without the line end that editors leave behind it; or why there is none.
    pub(super) fn resolve(
        &self,
        source: usize,
        outside: &mut Reading<'_>,
    ) -> Result<String, String> {
        let mut secret = match self {
            Self::Env(name) => outside
                .env(name)
                .ok_or_else(|| format!("the environment variable `{name}` is not set"))?,
            Self::File(path) => outside
                .file(source, path)
                .map_err(|why| format!("the file `{path}` cannot be read: {why}"))?,
        };
        let end = secret.trim_end_matches(['\n', '\r']).len();
        secret.truncate(end);
        if secret.is_empty() {
            return Err("it is empty".to_owned());
        }
        Ok(secret)
    }
}

/// Whether a key sounds as if its value were a secret, whatever its meaning: what stands there is
/// not shown.
pub(super) fn looks_secret(key: &str) -> bool {
    let plain: String =
        key.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    let sounds = ["secret", "passw", "passphrase", "privatekey", "apikey", "credential"];
    sounds.iter().any(|sound| plain.contains(sound))
        || key.split(['_', '-']).any(|word| closest(word, ["secret", "password"]).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_sounds_like_a_secret_is_one() {
        for key in ["client_secret", "hs-secret", "clientSecret", "PASSWORD", "api_key", "hs_secrt"]
        {
            assert!(looks_secret(key), "{key}");
        }
        for key in ["", "client_id", "scopes", "server", "resource_servers", "token_lifetime"] {
            assert!(!looks_secret(key), "{key}");
        }
    }

    #[test]
    fn a_reference_names_a_variable_or_a_file() {
        assert_eq!(Reference::parse("${env:HS_SECRET}"), Some(Reference::Env("HS_SECRET")));
        assert_eq!(Reference::parse("${file:/run/s}"), Some(Reference::File("/run/s")));
        for other in [
            "",
            "secret",
            "${env:}",
            "${env:A",
            "$env:A",
            "${vault:a}",
            "${env:${env:A}}",
            "x${env:A}",
        ] {
            assert_eq!(Reference::parse(other), None, "{other}");
        }
    }
}
