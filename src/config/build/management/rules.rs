//! What a grant for the Management API may give. Nobody widens himself: it names one application and each
//! scope, and holds for that application itself.

use super::super::context::{At, Context, meant};
use super::Declared;
use crate::config::{Code, raw};
use crate::policy::Holder;

impl Declared {
    /// Says what such a grant may not be. `own` is who holds it, where the gateway itself gives out that
    /// application's tokens.
    pub(in crate::config::build) fn allows(
        &self,
        ctx: &mut Context<'_, '_>,
        written: &At<&raw::ClientGrant>,
        own: Option<&Holder>,
        third_party: bool,
    ) {
        let At { place, raw } = written;
        let mut refuse = |key: &'static str, message: String, help: String| {
            ctx.report.push(Code::ManagementGrant, &place.key(key), message).help(help);
        };
        if let Some(raw::SubjectType::User | raw::SubjectType::AnonymousUser) = raw.subject_type {
            refuse(
                "subject_type",
                "only applications themselves manage, and nobody through them".to_owned(),
                "write `subject_type: client`".to_owned(),
            );
        }
        if raw.default_for.is_some() {
            refuse(
                "default_for",
                "the Management API has no default grants".to_owned(),
                "write `client_id`, and a grant for each application that manages".to_owned(),
            );
        } else if third_party {
            refuse(
                "client_id",
                "an application of a third party does not manage".to_owned(),
                "write one of your own, or remove the grant".to_owned(),
            );
        }
        if raw.allow_all_scopes == Some(true) {
            refuse(
                "allow_all_scopes",
                "a grant for the Management API names its scopes".to_owned(),
                "write those that the application needs: `scope: [\"read:client_grants\"]`"
                    .to_owned(),
            );
        }
        if let Some(Holder::Client(id)) = own
            && !self.doubtful
            && self.clients.iter().all(|client| client.id != *id)
        {
            let known = self.clients.iter().map(|client| client.id.as_str());
            let help = meant(id.as_str(), known, "the clients are").unwrap_or_else(|| {
                "add it there; or write the `issuer` of `management.issuers` that it is of"
                    .to_owned()
            });
            let message = format!("`{id}` is not one of `management.clients`");
            refuse("client_id", message, help);
        }
    }
}
