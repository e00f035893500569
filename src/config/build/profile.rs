//! The profile of an issuer: one that is known, or one that is spelled out.

use super::context::{At, Context};
use crate::config::{Code, Place, raw};
use crate::token::{Custom, Profile, Rule, Test};

/// Builds the profile. What spells out a profile stands with `custom` alone, where it would not be
/// silently without effect.
pub(super) fn build(ctx: &mut Context<'_, '_>, issuer: &At<&raw::Issuer>) -> Option<Profile> {
    let At { place, raw } = issuer;
    let at = place.key("profile");
    let help = "write `auth0`, `cognito`, `entra`, `hydra`, `keycloak`, `okta` or `rfc9068`; or \
        `custom` with `claims`, `types`, `machine` and `user`";
    let profile = *ctx.required(&at, raw.profile.as_ref(), help)?;
    let known = match profile {
        raw::Profile::Auth0 => Profile::Auth0,
        raw::Profile::Cognito => Profile::Cognito,
        raw::Profile::Custom => return custom(ctx, issuer),
        raw::Profile::Entra => Profile::Entra,
        raw::Profile::Hydra => Profile::Hydra,
        raw::Profile::Keycloak => Profile::Keycloak,
        raw::Profile::Okta => Profile::Okta,
        raw::Profile::Rfc9068 => Profile::Rfc9068,
    };
    let spelled = [
        ("claims", raw.claims.is_some()),
        ("types", !raw.types.is_empty()),
        ("machine", !raw.machine.is_empty()),
        ("user", !raw.user.is_empty()),
    ];
    for (key, _) in spelled.iter().filter(|(_, spelled)| *spelled) {
        ctx.report
            .push(
                Code::ProfileMismatch,
                &place.key(*key),
                format!("`{key}` has no meaning in this profile"),
            )
            .on_key()
            .also(&at, "the profile")
            .help("remove it, or write `profile: custom`");
    }
    Some(known)
}

fn custom(ctx: &mut Context<'_, '_>, issuer: &At<&raw::Issuer>) -> Option<Profile> {
    let At { place, raw } = issuer;
    let machine = rules(ctx, &place.key("machine"), &raw.machine);
    let user = rules(ctx, &place.key("user"), &raw.user);
    let refused = ["machine", "user", "claims", "types"]
        .into_iter()
        .any(|key| ctx.report.is_refused(&place.key(key)));
    if refused {
        return None;
    }
    if raw.machine.is_empty() && raw.user.is_empty() {
        ctx.report
            .push(
                Code::ProfileMismatch,
                &place.key("profile"),
                "the profile `custom` does not say what tells a machine's token from a user's",
            )
            .help(
                "write `machine: [{claim: gty, equals: client-credentials}]`, and likewise `user`",
            );
        return None;
    }
    let defaults = Custom::default();
    let claims = raw.claims.clone().unwrap_or_default();
    let client = if claims.client_id.is_empty() { defaults.client } else { claims.client_id };
    Some(Profile::Custom(Box::new(Custom {
        client,
        scopes: claims.scopes.unwrap_or(defaults.scopes),
        organization: claims.organization.unwrap_or(defaults.organization),
        details: claims.authorization_details.unwrap_or(defaults.details),
        types: raw.types.clone(),
        machine: machine?,
        user: user?,
    })))
}

fn rules(ctx: &mut Context<'_, '_>, list: &Place, signs: &[raw::Sign]) -> Option<Vec<Rule>> {
    let rules = signs.iter().enumerate().map(|(index, sign)| rule(ctx, &list.index(index), sign));
    rules.collect::<Vec<_>>().into_iter().collect()
}

fn rule(ctx: &mut Context<'_, '_>, place: &Place, sign: &raw::Sign) -> Option<Rule> {
    let claim = ctx
        .required(&place.key("claim"), sign.claim.as_ref(), "write the claim: `claim: gty`")
        .cloned();
    let test = match (&sign.equals, &sign.contains) {
        (Some(text), None) => Test::Equals(text.clone()),
        // Every text contains the empty one: that would be a sign in every token.
        (None, Some(text)) if !text.is_empty() => Test::Contains(text.clone()),
        _ => {
            ctx.report
                .push(
                    Code::ProfileMismatch,
                    place,
                    "a sign needs a claim and the text that it equals or contains",
                )
                .help(
                    "write one of them: `{claim: gty, equals: client-credentials}`, `{claim: \
                    sub, contains: \"|\"}`",
                );
            return None;
        }
    };
    Some(Rule { claim: claim?, test })
}
