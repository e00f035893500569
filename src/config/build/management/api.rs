//! The Management API as an API of the model: what it declares, whom it lets in, and the one place where
//! it answers. Nobody describes it, and nothing of it can be configured.

use serde_json::{Map, Value, json};

use super::super::apis::KnownApi;
use super::super::context::{At, Context};
use super::super::described::ServerPlace;
use super::super::merge::Merged;
use crate::config::endpoints::Endpoint;
use crate::config::inventory::SYSTEM_API;
use crate::config::snapshot::{
    Authorization, Browsers, Management, Operation, ServedApi, Streams, Unlisted, UpstreamProtocol,
};
use crate::config::{Code, Place};
use crate::policy::{
    Access, Api, Ask, Audience, Enforcement, Grants, NameSet, Names, Need, Origin, OverCeiling,
    Policy, StrictPolicy,
};
use crate::route::{On, Operations, Prefix, Site, Sites};

/// The audiences that mean it: its name, and the URL that clients of the model ask for.
pub(super) fn audiences(public_url: Option<&str>) -> Vec<Audience> {
    let url = public_url.map(|url| format!("{url}/api/v2/"));
    let audiences = [Some(SYSTEM_API), url.as_deref()];
    audiences.into_iter().flatten().filter_map(|text| Audience::new(text).ok()).collect()
}

/// Says where its audiences, or its issuer's name, are somebody else's.
pub(super) fn reserved(ctx: &mut Context<'_, '_>, merged: &Merged<'_>, audiences: &[Audience]) {
    let mut hold = |place: &Place, text: &str, names: &[Audience], of: &str| {
        if names.iter().any(|name| name.as_str() == text) {
            ctx.report.push(Code::ManagementReserved, place, format!("`{text}` is the {of}")).help(
                "use another name; what the Management API does is configured under `management`",
            );
        }
    };
    for At { place, raw } in &merged.issuers.items {
        let name = raw.issuer.as_deref().unwrap_or_default();
        let own = audiences.get(..1).unwrap_or_default();
        hold(&place.key("issuer"), name, own, "issuer of the Management API's own clients");
    }
    for At { place, raw } in &merged.resource_servers.items {
        let identifier = raw.identifier.as_deref().unwrap_or_default();
        hold(&place.key("identifier"), identifier, audiences, OWN);
        let list = place.key("gate").key("audiences");
        for (index, audience) in raw.gate.iter().flat_map(|gate| &gate.audiences).enumerate() {
            hold(&list.index(index), audience, audiences, OWN);
        }
    }
}

const OWN: &str = "name of the Management API";

/// The API, without grants. Applications call it for themselves, by a grant, and nobody else does.
pub(super) fn own(place: &Place, trusted: Vec<usize>) -> Option<KnownApi> {
    let api = Api {
        identifier: Audience::new(SYSTEM_API).ok()?,
        scopes: Endpoint::ALL.iter().filter_map(|endpoint| endpoint.scope()).collect(),
        details: Names::default(),
        access: Access {
            anonymous_user: StrictPolicy::DenyAll,
            client: StrictPolicy::RequireClientGrant,
            user: Policy::DenyAll,
        },
        // Tokens of other issuers may be for other things, too.
        over_ceiling: OverCeiling::Trim,
        enforcement: Enforcement::Enforce,
        grants: Grants::default(),
    };
    Some(KnownApi {
        place: ServerPlace::one(place),
        api,
        doubtful: false,
        trusted,
        has_gate: true,
        gate: None,
        is_system: true,
        origin: Origin::default(),
    })
}

/// The API as it is shown: in the words of one that somebody described.
pub(in crate::config::build) fn shown(api: &Api) -> Map<String, Value> {
    let scopes: Vec<_> = api.scopes.iter().map(|scope| json!({"value": &**scope})).collect();
    let policies = json!({
        "user": {"policy": "deny_all"},
        "client": {"policy": "require_client_grant"},
        "anonymous_user": {"policy": "deny_all"},
    });
    let fields = [
        ("identifier", json!(api.identifier.as_str())),
        ("name", json!("Management API")),
        ("scopes", json!(scopes)),
        ("subject_type_authorization", policies),
    ];
    fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Adds the API to those that are served, and makes it the one that answers at its door.
pub(in crate::config::build) fn serve(
    mut management: Management,
    own: KnownApi,
    served: &mut Vec<ServedApi>,
) -> Option<Management> {
    let path_prefix = Prefix::parse("/").ok()?;
    let site = Site { hosts: Vec::new(), path_prefix: path_prefix.clone(), target: served.len() };
    management.sites = Sites::build([site]).ok()?;
    let public_url = management.public_url.as_deref();
    served.push(ServedApi {
        operations: operations(&own.api.scopes)?,
        audiences: audiences(public_url),
        public_url: public_url.unwrap_or(SYSTEM_API).to_owned(),
        api: own.api,
        hosts: Vec::new(),
        path_prefix,
        issuers: own.trusted,
        secret: None,
        left_out: Vec::new(),
        unlisted: Unlisted::Deny,
        upstream: None,
        upstream_protocol: UpstreamProtocol::Auto,
        streams: Streams::Cut,
        browsers: Browsers::None,
        websocket_tokens: false,
        authorization: Authorization::Remove,
        origin: Origin::default(),
        strip_prefix: None,
    });
    Some(management)
}

/// The endpoints, as operations.
fn operations(scopes: &Names) -> Option<Operations<Operation>> {
    let operations = Endpoint::ALL.iter().map(|endpoint| {
        let on = format!("{} {}", endpoint.method(), endpoint.path());
        let On { methods, pattern } = On::parse(&on).ok()?;
        let ask = match endpoint.scope() {
            None => Ask::Public,
            Some(scope) => {
                let scopes: NameSet = [scopes.find(scope)?].into_iter().collect();
                Ask::Token(Need { scopes, ..Need::default() })
            }
        };
        Some((methods, pattern, Operation { on, ask, websocket: false, origin: Origin::default() }))
    });
    Operations::build(operations.collect::<Option<Vec<_>>>()?).ok()
}
