//! The query: which parameters each endpoint knows, and a raw query → what it says.

use http::StatusCode;
use percent_encoding::percent_decode_str;

use super::body::{NAME_CHARS, screened};
use super::{Endpoint, Fault, Query};

impl Endpoint {
    /// The parameters that it knows.
    pub fn parameters(self) -> &'static [&'static str] {
        match self {
            Self::ListGrants => &[
                "allow_any_organization",
                "audience",
                "client_id",
                "default_for",
                "from",
                "include_totals",
                "page",
                "per_page",
                "subject_type",
                "take",
            ],
            Self::ListOrganizationsOfGrant => {
                &["from", "include_totals", "page", "per_page", "take"]
            }
            Self::ListGrantsOfOrganization => {
                &["audience", "client_id", "grant_ids", "include_totals", "page", "per_page"]
            }
            Self::ListApis => {
                &["fields", "identifiers", "include_fields", "include_totals", "page", "per_page"]
            }
            Self::ListClients => &[
                "app_type",
                "fields",
                "from",
                "include_fields",
                "include_totals",
                "is_first_party",
                "is_global",
                "page",
                "per_page",
                "take",
            ],
            Self::GetApi | Self::GetClient => &["fields", "include_fields"],
            Self::SearchApis | Self::SearchGrants => {
                &["fields", "from", "include_fields", "parser", "q", "sort", "take"]
            }
            Self::Associate
            | Self::CreateApi
            | Self::CreateGrant
            | Self::DeleteApi
            | Self::DeleteGrant
            | Self::Description
            | Self::Dissociate
            | Self::GetGrant
            | Self::Token
            | Self::UpdateApi
            | Self::UpdateGrant => &[],
        }
    }
}

impl Query {
    /// Reads the query of a request to `endpoint`, as forms are written.
    ///
    /// # Errors
    /// When it names what the endpoint does not know, or cannot be read.
    pub fn read(raw: &str, endpoint: Endpoint) -> Result<Self, Fault> {
        let parameters = pairs(raw).ok_or_else(|| refused("it is not UTF-8"))?;
        let known = endpoint.parameters();
        let stranger = parameters.iter().find(|(name, _)| !known.contains(&name.as_str()));
        match stranger {
            Some((name, _)) => {
                let name = screened(name, NAME_CHARS);
                let problem = format!("'Additional properties not allowed: {name}'");
                Err(refused(&problem))
            }
            None => Ok(Self(parameters)),
        }
    }
}

fn refused(problem: &str) -> Fault {
    let message = format!("Query validation error: {problem}.");
    Fault::new(StatusCode::BAD_REQUEST, "invalid_query_string", message)
}

/// What a form says (`application/x-www-form-urlencoded`), in its order; nothing where that is not UTF-8.
pub(super) fn pairs(raw: &str) -> Option<Vec<(String, String)>> {
    let resolve = |text: &str| {
        let text = text.replace('+', " ");
        percent_decode_str(&text).decode_utf8().ok().map(std::borrow::Cow::into_owned)
    };
    let pairs = raw.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((resolve(name)?, resolve(value)?))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_forms_are_and_in_its_order() {
        let raw = "audience=https%3A%2F%2Fx&client_id=a+b%2B&&audience=&page";
        let query = Query::read(raw, Endpoint::ListGrants).unwrap();
        let audiences: Vec<_> = query.all("audience").collect();
        assert_eq!(audiences, ["https://x", ""]);
        assert_eq!(query.all("client_id").collect::<Vec<_>>(), ["a b+"]);
        assert_eq!(query.all("page").collect::<Vec<_>>(), [""]);
    }

    #[test]
    fn what_an_endpoint_does_not_know_is_refused_by_its_name() {
        let fault = Query::read("page=1&pages=2", Endpoint::ListApis).unwrap_err();
        assert_eq!(
            (fault.code, &*fault.message),
            (
                Some("invalid_query_string"),
                "Query validation error: 'Additional properties not allowed: pages'."
            )
        );
        assert!(Query::read("page=1", Endpoint::CreateGrant).is_err());
        assert!(Query::read("page=%ff", Endpoint::ListApis).is_err());
        assert_eq!(Query::read("", Endpoint::CreateGrant), Ok(Query::default()));
    }
}
