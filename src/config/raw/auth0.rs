//! Auth0's own fields: what an Auth0 object, or a tenant's export, holds beside what a gate reads.

use schemars::Schema;
use serde_json::{Value, json};

/// The top-level sections of a tenant export that say nothing to a gate.
pub(in crate::config) const SECTIONS: [&str; 45] = [
    "actionModules",
    "actions",
    "attackProtection",
    "branding",
    "clientAuthCredentials",
    "connectionProfiles",
    "connections",
    "customDomains",
    "databases",
    "emailProvider",
    "emailTemplates",
    "eventStreams",
    "exclude",
    "flowVaultConnections",
    "flows",
    "forms",
    "guardianFactorProviders",
    "guardianFactorTemplates",
    "guardianFactors",
    "guardianPhoneFactorMessageTypes",
    "guardianPhoneFactorSelectedProvider",
    "guardianPolicies",
    "hooks",
    "include",
    "logStreams",
    "migrations",
    "networkACLs",
    "organizations",
    "pages",
    "phoneProviders",
    "phoneTemplates",
    "prompts",
    "rateLimitPolicies",
    "riskAssessment",
    "riskAssessments",
    "roles",
    "rules",
    "rulesConfigs",
    "selfServiceProfiles",
    "supplementalSignals",
    "tenant",
    "themes",
    "tokenExchangeProfiles",
    "triggers",
    "userAttributeProfiles",
];

/// Adds fields that may hold anything to a schema, so that they are known, and closes the schema:
/// whatever else is written is a slip. Secrets among them are marked, and no report shows them.
pub(super) fn know(schema: &mut Schema, fields: &[&str]) {
    if let Some(Value::Object(properties)) = schema.get_mut("properties") {
        for field in fields {
            let secret = field.ends_with("_secret");
            let mut anything = json!({"description": "Auth0's own; not used."});
            if let (true, Some(anything)) = (secret, anything.as_object_mut()) {
                anything.insert("writeOnly".to_owned(), Value::Bool(true));
            }
            properties.entry(*field).or_insert(anything);
        }
    }
    schema.insert("additionalProperties".to_owned(), Value::Bool(false));
}
