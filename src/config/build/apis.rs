//! Resource servers → APIs: what each declares and whom it lets in, with its gate where it has one.

use std::collections::HashMap;

use super::context::{At, Context};
use super::described::{Server, ServerPlace};
use super::gate::{self, Gate};
use super::issuers::Issuers;
use super::openapi;
use crate::config::openapi::Description;
use crate::config::{Code, Place, raw};
use crate::policy::{
    Access, Api, Audience, Enforcement, Grants, Names, Origin, OverCeiling, Policy, StrictPolicy,
    is_name,
};

/// Every API that is configured, served or not; the gateway's own behind the others.
#[derive(Default)]
pub(in crate::config) struct Apis {
    pub(in crate::config) list: Vec<KnownApi>,
    by_identifier: HashMap<String, usize>,
    /// Some API's identifier could not be read: what is not found may be that one.
    pub(super) doubtful: bool,
}

/// An API, and what grants for it need to know.
pub(in crate::config) struct KnownApi {
    pub(in crate::config) place: ServerPlace,
    pub(in crate::config) api: Api,
    /// Some of what it declares could not be read.
    pub(in crate::config) doubtful: bool,
    /// The issuers that it trusts; all of them where there is no gate to say so.
    pub(in crate::config) trusted: Vec<usize>,
    /// Where the API has no gate, grants for it are known and not used.
    pub(in crate::config) has_gate: bool,
    /// Its gate; none when that has errors, and where the gateway itself answers.
    pub(in crate::config) gate: Option<Gate>,
    /// Whether it is the gateway's own, which nobody describes.
    pub(in crate::config) is_system: bool,
    /// Where its identifier is written.
    pub(in crate::config) origin: Origin,
}

impl KnownApi {
    /// Where it says, or would, which issuers it trusts.
    pub(super) fn issuers_place(&self) -> Place {
        if self.is_system {
            self.place.key("issuers")
        } else {
            self.place.key("gate").key("issuers")
        }
    }
}

impl Apis {
    pub(super) fn find(&self, identifier: &str) -> Option<usize> {
        self.by_identifier.get(identifier).copied()
    }

    /// Adds the gateway's own, when all others are there.
    pub(super) fn add_own(&mut self, own: KnownApi) {
        self.by_identifier.insert(own.api.identifier.to_string(), self.list.len());
        self.list.push(own);
    }

    /// Those that somebody described: all but the gateway's own.
    pub(in crate::config) fn described(&self) -> &[KnownApi] {
        match self.list.split_last() {
            Some((last, others)) if last.is_system => others,
            _ => &self.list,
        }
    }

    pub(super) fn identifiers(&self) -> impl Iterator<Item = &str> {
        self.list.iter().map(|known| known.api.identifier.as_str())
    }
}

pub(super) fn build(
    ctx: &mut Context<'_, '_>,
    servers: &[Server<'_>],
    doubtful: bool,
    issuers: &Issuers,
) -> Apis {
    let mut apis = Apis { doubtful, ..Apis::default() };
    for server in servers {
        protections(ctx, server);
        let Some(known) = api(ctx, server, issuers) else {
            apis.doubtful = true;
            continue;
        };
        let identifier = known.api.identifier.as_str();
        if apis.find(identifier).is_some() {
            continue;
        }
        apis.by_identifier.insert(identifier.to_owned(), apis.list.len());
        apis.list.push(known);
    }
    apis
}

/// Everything about one API that does not hang on its identifier is built even without one, so that
/// all that is wrong is said; the API itself needs it.
fn api(ctx: &mut Context<'_, '_>, server: &Server<'_>, issuers: &Issuers) -> Option<KnownApi> {
    let Server { place, raw } = server;
    let at_identifier = place.key("identifier");
    let identifier = ctx
        .required(
            &at_identifier,
            raw.identifier.as_ref(),
            "write what the token's audience names, such as `https://orders.example.com`",
        )
        .and_then(|text| ctx.name(&at_identifier, text, Audience::new));
    let described = openapi::read(ctx, server);
    let scopes = scopes(ctx, server, described.as_ref());
    let details = details(ctx, server);
    let of = [place.key("scopes"), place.key("authorization_details")];
    let undescribed =
        described.is_none() && raw.gate.as_ref().is_some_and(|gate| gate.openapi.is_some());
    let doubtful = undescribed
        || of.iter().any(|of| ctx.report.is_refused(of) || ctx.report.has_error_within(of));
    let access = access(ctx, server);
    let trusted = gate::trusted(ctx, server, issuers);
    let gate = raw.gate.as_ref().and_then(|gate| {
        let names = gate::Declared {
            identifier: identifier.as_ref(),
            scopes: &scopes,
            details: &details,
            doubtful,
        };
        gate::build(ctx, &At { place: place.key("gate"), raw: gate }, &names, &trusted, described)
    });
    let enforcement = enforcement(ctx, server, access);
    let api = Api {
        identifier: identifier?,
        scopes,
        details,
        access,
        over_ceiling: match raw.gate.as_ref().and_then(|gate| gate.over_ceiling) {
            Some(raw::OverCeiling::Trim) => OverCeiling::Trim,
            Some(raw::OverCeiling::Reject) | None => OverCeiling::Reject,
        },
        enforcement,
        grants: Grants::default(),
    };
    let has_gate = raw.gate.is_some();
    let origin = ctx.report.origin(&at_identifier);
    let place = place.clone();
    Some(KnownApi { place, api, doubtful, trusted, has_gate, gate, is_system: false, origin })
}

/// Those that are written, and those of the document that describes its operations.
fn scopes(
    ctx: &mut Context<'_, '_>,
    server: &Server<'_>,
    described: Option<&Description>,
) -> Names {
    let list = server.place.key("scopes");
    let mut declared = Vec::new();
    for (index, scope) in server.raw.scopes.iter().flatten().enumerate() {
        let place = list.index(index).key("value");
        let Some(value) = ctx.required(
            &place,
            scope.value.as_ref(),
            "write the scope: `{value: \"read:orders\"}`",
        ) else {
            continue;
        };
        if !is_name(value) {
            let message = format!("`{value}` is not a scope");
            ctx.report.push(Code::NameInvalid, &place, message).help(SCOPE_CHARACTERS);
            continue;
        }
        declared.push(value.as_str());
    }
    let described = described.iter().flat_map(|described| &described.scopes);
    declared.extend(described.map(|scope| scope.value.as_str()));
    declared.into_iter().collect()
}

pub(super) const SCOPE_CHARACTERS: &str = "a scope or client id is printable ASCII without spaces, `\"` and `\\` (RFC 6749 \
    section 3.3)";

fn details(ctx: &mut Context<'_, '_>, server: &Server<'_>) -> Names {
    let list = server.place.key("authorization_details");
    let mut registered = Vec::new();
    for (index, details) in server.raw.authorization_details.iter().flatten().enumerate() {
        let place = list.index(index).key("type");
        match ctx.required(&place, details.name.as_ref(), "write the type: `{type: payment}`") {
            Some(name) if name.is_empty() => {
                ctx.report
                    .push(Code::NameInvalid, &place, "`type` is empty")
                    .help("write the type: `{type: payment}`");
            }
            Some(name) => registered.push(name.as_str()),
            None => {}
        }
    }
    registered.into_iter().collect()
}

/// The policies. Where there is a gate, `user` and `client` are stated: what is not written would
/// otherwise be decided by whoever reads a default into it.
fn access(ctx: &mut Context<'_, '_>, server: &Server<'_>) -> Access {
    let place = server.place.key("subject_type_authorization");
    let written = server.raw.subject_type_authorization.as_ref();
    if written.is_none() && server.raw.gate.is_some() {
        ctx.report
            .push(Code::PoliciesMissing, &place, "a served API must state its policies")
            .help(
                "write `subject_type_authorization: {user: {policy: require_client_grant}, \
                client: {policy: require_client_grant}}`",
            );
    }
    let mut stated = |key: &'static str, of: Option<&raw::PolicyOf>, needed: bool| {
        let policy = of.and_then(|of| of.policy);
        if policy.is_none() && written.is_some() && (of.is_some() || needed) {
            let place = place.key(key);
            let place = if of.is_some() { place.key("policy") } else { place };
            ctx.report
                .push(
                    Code::PoliciesMissing,
                    &place,
                    format!("the policy for `{key}` is not stated"),
                )
                .help(format!(
                    "write `{key}: {{policy: require_client_grant}}` or `{key}: {{policy: \
                    deny_all}}`"
                ));
        }
        policy
    };
    let needed = server.raw.gate.is_some();
    let user = stated("user", written.and_then(|types| types.user.as_ref()), needed);
    let client = stated("client", written.and_then(|types| types.client.as_ref()), needed);
    let anonymous =
        stated("anonymous_user", written.and_then(|types| types.anonymous_user.as_ref()), false);
    let mut strict = |key: &'static str, policy: Option<raw::Policy>| match policy {
        None | Some(raw::Policy::DenyAll) => StrictPolicy::DenyAll,
        Some(raw::Policy::RequireClientGrant) => StrictPolicy::RequireClientGrant,
        Some(raw::Policy::AllowAll) => {
            ctx.report
                .push(
                    Code::AllowAllRefused,
                    &place.key(key).key("policy"),
                    format!("`allow_all` is not a policy for `{key}`"),
                )
                .help("write `require_client_grant` or `deny_all`");
            StrictPolicy::DenyAll
        }
    };
    Access {
        anonymous_user: strict("anonymous_user", anonymous),
        client: strict("client", client),
        user: match user {
            Some(raw::Policy::AllowAll) => Policy::AllowAll,
            Some(raw::Policy::RequireClientGrant) => Policy::RequireClientGrant,
            Some(raw::Policy::DenyAll) | None => Policy::DenyAll,
        },
    }
}

fn enforcement(ctx: &mut Context<'_, '_>, server: &Server<'_>, access: Access) -> Enforcement {
    let Some(gate) = server.raw.gate.as_ref() else { return Enforcement::Enforce };
    if gate.enforcement != Some(raw::Enforcement::Report) {
        let place = server.place.key("gate");
        // An enforcement that could not be read may well be the one that this is for.
        if gate.report_tokens == Some(true) && !ctx.report.is_refused(&place.key("enforcement")) {
            ctx.report
                .push(
                    Code::ReportTokensUnused,
                    &place.key("report_tokens"),
                    "`report_tokens` has no effect: refusals are enforced",
                )
                .on_key()
                .help("write `enforcement: report` beside it, or remove it");
        }
        return Enforcement::Enforce;
    }
    let policies = server.raw.subject_type_authorization.as_ref();
    let stated = [
        ("user", access.user == Policy::DenyAll, policies.and_then(|types| types.user.as_ref())),
        (
            "client",
            access.client == StrictPolicy::DenyAll,
            policies.and_then(|types| types.client.as_ref()),
        ),
        ("anonymous_user", true, policies.and_then(|types| types.anonymous_user.as_ref())),
    ];
    for (key, denies, written) in stated {
        if denies && written.is_some_and(|of| of.policy == Some(raw::Policy::DenyAll)) {
            let policy = server.place.key("subject_type_authorization").key(key).key("policy");
            ctx.report
                .push(
                    Code::ReportDeniesAll,
                    &server.place.key("gate").key("enforcement"),
                    format!("`enforcement: report` would let through what `deny_all` refuses for `{key}`"),
                )
                .also(&policy, "all are denied here")
                .help("write `enforcement: enforce`, or `require_client_grant` as the policy");
        }
    }
    Enforcement::Report { tokens: gate.report_tokens == Some(true) }
}

/// Auth0's fields that promise a protection: what is promised and not kept is said.
fn protections(ctx: &mut Context<'_, '_>, server: &Server<'_>) {
    let Server { place, raw } = server;
    let constrained =
        raw.proof_of_possession.as_ref().is_some_and(|proof| proof.required == Some(true));
    if constrained && raw.gate.is_some() {
        ctx.report
            .push(
                Code::ProofOfPossessionUnsupported,
                &place.key("proof_of_possession").key("required"),
                "sender-constrained tokens are not supported yet, and cannot be required",
            )
            .help("write `required: false`; a token that is constrained is refused in any case");
    }
    if raw.enforce_policies == Some(true) && raw.gate.is_some() {
        ctx.report
            .push(
                Code::ProtectionUnenforced,
                &place.key("enforce_policies"),
                "the roles of users are enforced when tokens are issued, not by the gate",
            )
            .help(
                "a token's `permissions` are respected where present: have the issuer \
                add them",
            );
    }
    if raw.token_encryption.as_ref().is_some_and(|value| !value.is_null()) && raw.gate.is_some() {
        ctx.report
            .push(
                Code::ProtectionUnenforced,
                &place.key("token_encryption"),
                "encrypted tokens are not read, and will be refused",
            )
            .help("let the issuer send signed tokens without encryption");
    }
}
