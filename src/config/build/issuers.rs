//! Issuers → what is trusted in their tokens.

use std::collections::HashMap;
use std::time::Duration;

use super::context::{At, Context, choice, meant, nearly};
use super::merge::List;
use super::{keys, profile};
use crate::config::snapshot::IssuerSettings;
use crate::config::{Code, Place, raw};
use crate::policy::{ClientId, Clients, Issuer, Party};
use crate::token::{Algorithm, Algorithms, Profile, Trust, Unproven};

/// The issuers, in the order written.
#[derive(Default)]
pub(in crate::config) struct Issuers {
    names: Vec<(Issuer, Place)>,
    by_name: HashMap<Issuer, usize>,
    /// One for each name; none where it has errors.
    settings: Vec<Option<IssuerSettings>>,
    /// Some issuer's name could not be read: one that is not found may be that one.
    doubtful: bool,
    /// The gateway's own, behind the others: it is none of those that may be named or left out.
    own: Option<(Issuer, Option<IssuerSettings>)>,
}

impl Issuers {
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none, not even one whose name could not be read.
    pub(super) fn is_empty(&self) -> bool {
        self.names.is_empty() && !self.doubtful
    }

    pub(in crate::config) fn name(&self, index: usize) -> Option<&Issuer> {
        let own = || self.own.as_ref().filter(|_| self.own() == Some(index));
        self.names.get(index).map(|(name, _)| name).or_else(|| own().map(|(name, _)| name))
    }

    /// An issuer by its place, with where it is written; none for the gateway's own.
    pub(in crate::config) fn named(&self, index: usize) -> Option<(&Issuer, &Place)> {
        self.names.get(index).map(|(name, place)| (name, place))
    }

    /// What is trusted in an issuer's tokens; none where it has errors, and for the gateway's own.
    pub(in crate::config) fn trust(&self, index: usize) -> Option<&Trust> {
        Some(&self.settings.get(index)?.as_ref()?.trust)
    }

    /// Adds the gateway's own; without settings where they have errors.
    pub(super) fn add_own(&mut self, name: Issuer, settings: Option<IssuerSettings>) {
        self.own = Some((name, settings));
    }

    /// The place of the gateway's own.
    pub(super) fn own(&self) -> Option<usize> {
        self.own.as_ref().map(|_| self.names.len())
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(in crate::config) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| name.as_str())
    }

    /// Whose application `client` is: what the list says, else what the issuer's profile tells by
    /// the id. None where that has errors.
    pub(in crate::config) fn party(
        &self,
        index: usize,
        client: &ClientId,
        listed: &Clients,
    ) -> Option<Party> {
        let own = || self.own.as_ref().filter(|_| self.own() == Some(index));
        let settings = self.settings.get(index).or_else(|| own().map(|(_, settings)| settings));
        let settings = settings?.as_ref()?;
        let listed = listed.find(&settings.trust.issuer, client.as_str());
        Some(listed.unwrap_or_else(|| settings.trust.profile.party(client.as_str())))
    }

    /// All settings; none where one has errors.
    pub(super) fn settings(self) -> Option<Vec<IssuerSettings>> {
        self.settings.into_iter().chain(self.own.map(|(_, settings)| settings)).collect()
    }

    /// The issuer that is named at `place`; says so when there is none.
    pub(super) fn resolve(
        &self,
        ctx: &mut Context<'_, '_>,
        place: &Place,
        name: &str,
    ) -> Option<usize> {
        let found = self.find(name);
        if found.is_none() && !self.doubtful {
            let message = format!("the issuer `{name}` is not configured");
            let help = nearly(name, self.names(), "the issuers are");
            ctx.report.push(Code::IssuerUnknown, place, message).help_if(help);
        }
        found
    }

    /// The issuer that a tenant export is of, where none is named: the only one, or the only one with
    /// Auth0's profile; says so when there are several.
    pub(super) fn exported(
        &self,
        ctx: &mut Context<'_, '_>,
        place: &Place,
        why: &str,
    ) -> Option<usize> {
        // One with errors may be the other tenant.
        if self.settings.iter().any(Option::is_none) {
            return None;
        }
        self.tenant().or_else(|| self.only(ctx, place, why))
    }

    /// The only issuer with Auth0's profile.
    fn tenant(&self) -> Option<usize> {
        let is_auth0 = |settings: &Option<IssuerSettings>| {
            settings.as_ref().is_some_and(|of| matches!(of.trust.profile, Profile::Auth0))
        };
        let mut tenants =
            self.settings.iter().enumerate().filter(|(_, settings)| is_auth0(settings));
        let (index, _) = tenants.next()?;
        tenants.next().is_none().then_some(index)
    }

    /// The issuer of a grant that does not count and does not name it, where that can be told.
    pub(super) fn implied(&self, is_exported: bool) -> Option<usize> {
        let tenant = if is_exported { self.tenant() } else { None };
        tenant.or_else(|| (self.names.len() == 1).then_some(0))
    }

    /// The only issuer, where none is named; says so when there are several.
    pub(super) fn only(
        &self,
        ctx: &mut Context<'_, '_>,
        place: &Place,
        why: &str,
    ) -> Option<usize> {
        if self.names.len() > 1 {
            let help = choice("issuer", self.names());
            ctx.report
                .push(Code::IssuerAmbiguous, place, format!("{why}, but no issuer is written"))
                .help(help);
            return None;
        }
        (self.names.len() == 1 && !self.doubtful).then_some(0)
    }
}

pub(super) fn build(ctx: &mut Context<'_, '_>, written: &List<'_, raw::Issuer>) -> Issuers {
    let mut issuers = Issuers { doubtful: written.doubtful, ..Issuers::default() };
    for issuer in &written.items {
        let At { place, raw } = issuer;
        let at_name = place.key("issuer");
        let name = ctx
            .required(
                &at_name,
                raw.issuer.as_ref(),
                "write the issuer as its tokens name it in `iss`",
            )
            .and_then(|text| ctx.name(&at_name, text, Issuer::new));
        let settings = settings(ctx, issuer, name.as_ref());
        let Some(name) = name else {
            issuers.doubtful = true;
            continue;
        };
        if let Some((_, first)) =
            issuers.by_name.get(&name).and_then(|first| issuers.names.get(*first))
        {
            ctx.report
                .push(
                    Code::IssuerDuplicate,
                    &at_name,
                    format!("the issuer `{name}` is configured twice"),
                )
                .also(&first.key("issuer"), "first configured here")
                .help("keep one of them");
            continue;
        }
        issuers.by_name.insert(name.clone(), issuers.names.len());
        issuers.names.push((name, place.clone()));
        issuers.settings.push(settings);
    }
    issuers
}

fn settings(
    ctx: &mut Context<'_, '_>,
    issuer: &At<&raw::Issuer>,
    name: Option<&Issuer>,
) -> Option<IssuerSettings> {
    let raw = issuer.raw;
    let algorithms = algorithms(ctx, issuer);
    let profile = profile::build(ctx, issuer);
    let keys = keys::build(ctx, issuer);
    let leeway = leeway(ctx, issuer);
    let trust = Trust {
        issuer: name?.clone(),
        algorithms: algorithms?,
        profile: profile?,
        leeway_seconds: i64::try_from(leeway.as_secs()).unwrap_or_default(),
        unproven: match raw.unproven {
            Some(raw::Unproven::User) => Unproven::User,
            Some(raw::Unproven::Refuse) | None => Unproven::Refuse,
        },
    };
    Some(IssuerSettings { trust, keys: keys? })
}

const LEEWAY: Duration = Duration::from_secs(30);
const MOST_LEEWAY: Duration = Duration::from_mins(5);

/// How far the clocks may be apart: whole seconds, as tokens tell the time.
fn leeway(ctx: &mut Context<'_, '_>, issuer: &At<&raw::Issuer>) -> Duration {
    let place = issuer.place.key("leeway");
    let leeway = ctx.duration(&place, issuer.raw.leeway.as_ref(), LEEWAY, MOST_LEEWAY);
    if leeway.subsec_nanos() != 0 {
        let written = issuer.raw.leeway.as_deref().unwrap_or_default();
        ctx.report
            .push(Code::DurationInvalid, &place, format!("`{written}` is not whole seconds"))
            .help(format!("write `{}s` or `{}s`", leeway.as_secs(), leeway.as_secs() + 1));
    }
    leeway
}

fn algorithms(ctx: &mut Context<'_, '_>, issuer: &At<&raw::Issuer>) -> Option<Algorithms> {
    let list = issuer.place.key("algorithms");
    let written = ctx.some(&list, issuer.raw.algorithms.as_ref(), "every asymmetric one");
    if written.is_empty() {
        return (!ctx.report.is_refused(&list)).then(Algorithms::default);
    }
    let asymmetric = Algorithm::ALL.into_iter().filter(|algorithm| !algorithm.is_symmetric());
    let known: Vec<_> = asymmetric.map(Algorithm::as_str).collect();
    let accepted = written.iter().enumerate().map(|(index, name)| {
        let found = Algorithm::find(name);
        let (message, help) = match found {
            Some(algorithm) if !algorithm.is_symmetric() => return Some(algorithm),
            Some(_) => (
                format!(
                    "`{name}` needs a secret, which an issuer does not share with everybody \
                    it issues tokens for"
                ),
                Some("a secret belongs to one API: write `gate.hs_secret` there".to_owned()),
            ),
            None if name.eq_ignore_ascii_case("none") => {
                let message = "a token without a signature is never accepted".to_owned();
                (message, Some(format!("the algorithms are {}", known.join(", "))))
            }
            None => {
                let help = meant(name, known.iter().copied(), "the algorithms are");
                let help =
                    help.unwrap_or_else(|| format!("the algorithms are {}", known.join(", ")));
                (format!("`{name}` is not a known signature algorithm"), Some(help))
            }
        };
        ctx.report.push(Code::AlgorithmRefused, &list.index(index), message).help_if(help);
        None
    });
    accepted.collect::<Vec<_>>().into_iter().collect()
}
