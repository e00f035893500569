//! The section that names policy suites.

use schemars::JsonSchema;
use serde::Deserialize;

/// Policy suites: cases that say how requests must be decided. `grantgate test` runs them, and a
/// configuration that fails them can be kept out.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tests {
    /// Required. The files of the suites, relative to this file, and not among the files of the
    /// configuration itself: in a folder of their own. At most 100.
    #[schemars(extend("examples" = [["policy-tests/orders.yaml"]]))]
    pub suites: Vec<String>,
    /// Whether a configuration that fails its suites is refused, at the start and whenever it changes:
    /// false. Then the files of the suites are watched like those of the configuration. `grantgate run
    /// --require-tests` asks for the same, whatever is written here.
    #[schemars(extend("default" = false))]
    pub required: Option<bool>,
}
