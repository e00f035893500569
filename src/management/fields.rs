//! `fields` and `include_fields`: how much of an object is shown.

use serde_json::{Map, Value};

use super::{Fault, Query};

/// What is shown of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shown<'q> {
    /// Names between commas; none: all of it.
    fields: Option<&'q str>,
    /// Whether they are what is shown, or what is not.
    included: bool,
}

impl<'q> Shown<'q> {
    /// What a query asks for.
    ///
    /// # Errors
    /// 400, with the parameter that is wrong.
    pub(super) fn of(query: &'q Query) -> Result<Self, Fault> {
        let included = query.flag("include_fields")?.unwrap_or(true);
        Ok(Self { fields: query.one("fields")?, included })
    }

    /// So much of an object.
    pub(super) fn of_object(&self, mut object: Map<String, Value>) -> Value {
        if let Some(fields) = self.fields {
            let is_named = |name: &str| fields.split(',').any(|field| field.trim() == name);
            object.retain(|name, _| is_named(name) == self.included);
        }
        object.into()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_shown_or_left_out() {
        let shown = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            let query = Query(pairs.collect());
            let object = json!({"id": "1", "name": "x", "scopes": []});
            Shown::of(&query).unwrap().of_object(object.as_object().unwrap().clone())
        };
        assert_eq!(shown(&[("fields", "name, id")]), json!({"id": "1", "name": "x"}));
        let but = [("fields", "name,id"), ("include_fields", "false")];
        assert_eq!(shown(&but), json!({"scopes": []}));
        let all = json!({"id": "1", "name": "x", "scopes": []});
        assert_eq!(shown(&[("include_fields", "true")]), all);
        assert_eq!(shown(&[]), all);
    }
}
