//! Worlds at random, each without an error.
//!
//! They hold whatever a configuration may hold; whether a warning goes with it is no matter. What is
//! drawn is right by construction: an error of the loader fails the test.

use super::browsers::PAGES;
use super::draw::{Draw, strings};
use super::world::{
    Api, Browsers, CLIENTS, Client, Cors, Custom, Grant, Issuer, NOW, Need, ORGANIZATIONS,
    Operation, Policy, Profile, SUBJECTS, Sign, SignTest, Subject, Usage, World,
};

const ISSUERS: [&str; 2] = ["https://one.eu.auth0.com/", "https://two.example.com"];
const EXPIRIES: [(&str, i32); 6] = [
    ("2031-01-01T00:00:00Z", 1_924_992_000),
    ("2027-01-15T08:00:01Z", NOW + 1),
    ("2027-01-15T09:00:00+01:00", NOW),
    ("2027-01-15T07:59:59Z", NOW - 1),
    ("2020-02-29T12:00:00Z", 1_582_977_600),
    ("2019-12-31T23:59:59Z", 1_577_836_799),
];

impl World {
    /// Draws a valid world.
    pub(super) fn draw(draw: &mut Draw<'_>) -> Self {
        let issuers: Vec<_> = (0..=usize::from(draw.chance(55))).map(|n| issuer(draw, n)).collect();
        let sites = sites(draw);
        let clients: Vec<_> = issuers.iter().flat_map(|issuer| clients(draw, issuer)).collect();
        let apis: Vec<_> =
            sites.into_iter().enumerate().map(|(n, site)| api(draw, n, site, &issuers)).collect();
        let mut grants = Vec::new();
        for api in &apis {
            for issuer in issuers.iter().filter(|issuer| api.issuers.contains(&issuer.name)) {
                draw_grants(draw, api, issuer, &clients, &mut grants);
            }
        }
        Self { issuers, apis, grants, clients }
    }
}

fn issuer(draw: &mut Draw<'_>, n: usize) -> Issuer {
    let profile = match draw.below(16) {
        0..4 => Profile::Auth0,
        4..6 => Profile::Rfc9068,
        6..8 => Profile::Custom(custom(draw)),
        8 => Profile::Okta,
        9 => Profile::Hydra,
        10 | 11 => Profile::Keycloak,
        12 | 13 => Profile::Entra,
        _ => Profile::Cognito,
    };
    // Both issuers name their keys alike, so that the key of the wrong issuer would be found.
    let keys =
        if n == 0 { [("k1", 0), ("k2", 1), ("k3", 2)].as_slice() } else { &[("k1", 3), ("k2", 4)] };
    let algorithms = match draw.below(4) {
        0 | 1 => Vec::new(),
        2 => strings(&["EdDSA", "ES256", "RS256"]),
        _ => strings(&["ES256", "EdDSA"]),
    };
    Issuer {
        name: ISSUERS[n].to_owned(),
        profile,
        algorithms,
        keys: keys.iter().map(|&(kid, key)| (kid.to_owned(), key)).collect(),
        unproven_user: draw.chance(20),
        leeway: draw.pick(&[None, None, Some(0), Some(60)]),
    }
}

fn custom(draw: &mut Draw<'_>) -> Custom {
    let sign = |claim: &str, test| Sign { claim: claim.to_owned(), test };
    let equals = |text: &str| SignTest::Equals(text.to_owned());
    let contains = |text: &str| SignTest::Contains(text.to_owned());
    if draw.chance(50) {
        return Custom {
            client_id: strings(&["appid"]),
            scopes: "roles".to_owned(),
            organization: "tenant".to_owned(),
            details: "rar".to_owned(),
            types: Vec::new(),
            machine: vec![sign("idtyp", equals("app")), sign("sub", contains("svc-"))],
            user: vec![sign("idtyp", equals("person")), sign("login", contains("@"))],
        };
    }
    Custom {
        client_id: strings(&["azp", "client_id"]),
        scopes: "scope".to_owned(),
        organization: "org_id".to_owned(),
        details: "authorization_details".to_owned(),
        types: strings(if draw.chance(50) { &["JWT", "none"] } else { &["JWT"] }),
        machine: vec![sign("gty", equals("client-credentials"))],
        user: vec![sign("sub", contains("|"))],
    }
}

/// The hosts and prefixes of the APIs: several on one host, wildcards, and any host.
fn sites(draw: &mut Draw<'_>) -> Vec<(Vec<String>, String)> {
    let one = |hosts: &[&str], prefix: &str| (strings(hosts), prefix.to_owned());
    match draw.below(8) {
        0 | 1 => vec![one(&[], "/")],
        2 => vec![one(&["orders.example.com"], "/")],
        3 => vec![one(&["orders.example.com"], "/"), one(&["orders.example.com"], "/v2")],
        4 => vec![one(&["*.example.com"], "/"), one(&["orders.example.com"], "/")],
        5 => vec![one(&[], "/"), one(&["orders.example.com"], "/v2")],
        6 => vec![one(&["*.example.com", "orders.example.org"], "/v2"), one(&[], "/v2/eu")],
        _ => vec![one(&["*.example.com"], "/"), one(&["*.eu.example.com"], "/v2")],
    }
}

fn clients(draw: &mut Draw<'_>, issuer: &Issuer) -> Vec<Client> {
    let mut clients = Vec::new();
    for id in CLIENTS {
        let (first_party, permissive) = match (id, draw.below(4)) {
            (_, 0) => continue,
            ("web-app" | "batch", _) => (Some(true), None),
            ("partner", _) => (Some(false), draw.pick(&[None, Some(false)])),
            ("legacy", 1) => (None, None),
            ("legacy", _) => (Some(false), Some(true)),
            // What an id says already, said again or softened. Not contradicted: whether
            // `is_first_party: true` may speak against a `tpc_` id is left to the configuration.
            (_, 1) => draw.pick(&[(None, None), (None, Some(true))]),
            (_, 2) => (Some(false), None),
            _ => (Some(false), Some(true)),
        };
        clients.push(Client {
            issuer: issuer.name.clone(),
            id: id.to_owned(),
            first_party,
            permissive,
        });
    }
    clients
}

fn api(draw: &mut Draw<'_>, n: usize, site: (Vec<String>, String), issuers: &[Issuer]) -> Api {
    use Policy::{AllowAll, DenyAll, RequireClientGrant};

    let (hosts, prefix) = site;
    let mut scopes = strings(&["read:orders", "write:orders", "admin:orders", "delete:orders"]);
    if draw.chance(25) {
        scopes.extend(strings(&["email", "profile"]));
    }
    if draw.chance(8) {
        // More than two machine words of bits, the familiar ones at the far end.
        scopes.splice(0..0, (0..130).map(|n| format!("bulk:{n}")));
    }
    let details = [&[][..], &["payment"], &["payment", "account"]][draw.below(3)];
    let details = strings(details);
    let report = draw.chance(25);
    // `report` beside `deny_all` is an error.
    let gated = |policy| if report && policy == DenyAll { RequireClientGrant } else { policy };
    let user = gated(match draw.below(12) {
        0..6 => RequireClientGrant,
        6..11 => AllowAll,
        _ => DenyAll,
    });
    let client = gated(if draw.chance(10) { DenyAll } else { RequireClientGrant });
    let anonymous_user = match draw.below(10) {
        0..8 => Some(RequireClientGrant),
        8 => None,
        _ => Some(gated(DenyAll)),
    };
    let names = issuers.iter().map(|issuer| issuer.name.clone());
    let trusted = match draw.below(4) {
        0..3 => names.collect(),
        _ => names.skip(issuers.len() - 1).collect(),
    };
    let trim = draw.chance(40);
    let mut operations = operations(draw, &prefix, &scopes, &details);
    let browsers = browsers(draw);
    let has_pages = matches!(&browsers, Browsers::Cors(cors) if cors.origins != ["*"]);
    for operation in &mut operations {
        let gets = operation.methods.iter().any(|method| ["GET", "*"].contains(&method.as_str()));
        operation.upgrade = has_pages && gets && draw.chance(60);
    }
    Api {
        identifier: format!("https://api-{n}.example.com"),
        audiences: if draw.chance(30) { vec![format!("urn:further:{n}")] } else { Vec::new() },
        scopes,
        details,
        user,
        client,
        anonymous_user,
        hosts,
        prefix,
        issuers: trusted,
        report,
        report_tokens: report && draw.chance(50),
        trim,
        remove_authorization: trim || draw.chance(30),
        unlisted_any_token: draw.chance(35),
        operations,
        browsers,
        websocket_tokens: has_pages && draw.chance(80),
    }
}

/// What is done about browsers: nothing, one of two ways, or the other.
fn browsers(draw: &mut Draw<'_>) -> Browsers {
    match draw.below(10) {
        0..4 => Browsers::Nothing,
        4..6 => Browsers::Pass,
        way => Browsers::Cors(Cors {
            origins: strings(if way == 9 { &["*"] } else { &PAGES }),
            methods: strings(&["GET", "PUT", "DELETE"]),
            headers: strings(&["authorization", "x-request-id"]),
        }),
    }
}

fn operations(
    draw: &mut Draw<'_>,
    prefix: &str,
    scopes: &[String],
    details: &[String],
) -> Vec<Operation> {
    const PATHS: [&str; 11] = [
        "/orders",
        "/orders/{id}",
        "/orders/*",
        "/orders/recent",
        "/orders/{id}/items",
        "/{any}/recent",
        "/{any}/{more}/items",
        "/Orders/{id}",
        "/closed/",
        "/*",
        "/{any}",
    ];
    // Methods of equal patterns must not meet; `GET` covers `HEAD`.
    let method_sets: [&[&[&str]]; 5] = [
        &[&["GET"], &["POST", "PUT"]],
        &[&["GET", "DELETE"]],
        &[&["GET"], &["POST"], &["DELETE"]],
        &[&["HEAD", "POST"], &["PUT"]],
        &[&["*"]],
    ];
    let mut operations = Vec::new();
    for (n, path) in PATHS.iter().enumerate() {
        if n != 0 && !draw.chance(if n < 9 { 50 } else { 12 }) {
            continue;
        }
        for methods in draw.pick(&method_sets) {
            let mut need = need(draw, scopes, details);
            if *methods == ["*"] && need.public {
                need = Need { any_token: true, ..Need::default() };
            }
            let path = format!("{}{path}", prefix.trim_end_matches('/'));
            let methods = strings(methods);
            operations.push(Operation { methods, path, need, upgrade: false });
        }
    }
    // The order in the file says nothing.
    if draw.chance(50) {
        operations.reverse();
    }
    operations
}

fn need(draw: &mut Draw<'_>, scopes: &[String], details: &[String]) -> Need {
    let familiar = &scopes[scopes.len() - 4..];
    let mut need = Need::default();
    match draw.below(12) {
        0..4 => need.scopes = vec![draw.pick(familiar)],
        4 => need.scopes = draw.some_of(familiar, 50),
        5 | 6 => need.any_scopes = draw.some_of(familiar, 60),
        7 => {
            need.scopes = vec![draw.pick(familiar)];
            need.any_scopes = draw.some_of(scopes, 30);
        }
        8 => need.details = draw.some_of(details, 80),
        9 => {
            need.scopes = vec![draw.pick(scopes)];
            need.details = draw.some_of(details, 60);
        }
        10 => need.any_token = true,
        _ => need.public = true,
    }
    need.any_token |= !need.public
        && need.scopes.is_empty()
        && need.any_scopes.is_empty()
        && need.details.is_empty();
    need
}

fn draw_grants(
    draw: &mut Draw<'_>,
    api: &Api,
    issuer: &Issuer,
    clients: &[Client],
    grants: &mut Vec<Grant>,
) {
    let holders = std::iter::once(None).chain(CLIENTS.into_iter().map(Some));
    for client in holders {
        for subject in SUBJECTS {
            if !draw.chance(45) {
                continue;
            }
            let third_party = client.is_none_or(|id| is_third_party(issuer, clients, id));
            let id = format!("cgr_{}", grants.len());
            grants.push(grant(draw, id, api, issuer, client, subject, third_party));
        }
    }
}

/// Whether `allow_any_organization` would be an error; the oracle has its own view of the parties.
fn is_third_party(issuer: &Issuer, clients: &[Client], id: &str) -> bool {
    let listed = clients.iter().find(|client| client.issuer == issuer.name && client.id == id);
    id.starts_with("tpc_") || listed.is_some_and(|client| client.first_party == Some(false))
}

fn grant(
    draw: &mut Draw<'_>,
    id: String,
    api: &Api,
    issuer: &Issuer,
    client: Option<&str>,
    subject: Subject,
    third_party: bool,
) -> Grant {
    let scopes = match draw.below(10) {
        0..6 => Some(draw.some_of(&api.scopes, 60)),
        6 => Some(api.scopes.clone()),
        7 => Some(Vec::new()),
        8 => Some([draw.some_of(&api.scopes, 50), strings(&["undeclared:orders"])].concat()),
        _ => None,
    };
    let organizational = subject == Subject::Client;
    let usage = draw.pick(&[None, Some(Usage::Require), Some(Usage::Allow), Some(Usage::Deny)]);
    let usage = usage.filter(|_| organizational);
    let admits = matches!(usage, Some(Usage::Allow | Usage::Require));
    let organizations = if organizational { draw.some_of(&ORGANIZATIONS, 60) } else { Vec::new() };
    Grant {
        id,
        issuer: issuer.name.clone(),
        client: client.map(ToOwned::to_owned),
        audience: api.identifier.clone(),
        subject,
        scopes,
        details: if subject == Subject::User { draw.some_of(&api.details, 60) } else { Vec::new() },
        usage,
        allow_any_organization: admits && !third_party && draw.chance(40),
        organizations: organizations.into_iter().map(ToOwned::to_owned).collect(),
        expires: draw.chance(15).then(|| draw.pick(&EXPIRIES)),
        owner: draw.chance(50).then(|| format!("owner-{}@example.com", draw.below(90) + 10)),
    }
}
