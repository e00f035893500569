//! Servers → where the paths begin.
//!
//! The first server counts, its variables by their defaults: of paths that begin elsewhere nothing is
//! listed, and that is said.

use super::super::tree::Node;
use crate::route::CanonPath;

/// Where paths begin.
#[derive(Clone, Debug, Default)]
pub(super) struct Base {
    /// Canonical and without a slash at its end: `/v1`; nothing where they begin at the root.
    pub(super) path: String,
    /// The server, where it is an absolute URL.
    pub(super) url: Option<String>,
    pub(super) notes: Vec<String>,
}

/// Reads a list of servers.
///
/// # Errors
/// Why it cannot be told where the paths begin.
pub(super) fn base(servers: Option<&Node>) -> Result<Base, String> {
    let Some(servers) = servers else { return Ok(Base::default()) };
    let servers = servers.items().ok_or("`servers` is no list")?;
    let mut servers = servers.iter();
    let Some(first) = servers.next() else { return Ok(Base::default()) };
    let (url, varied) = url(first)?;
    let path = path(&url)?;
    let mut notes = Vec::new();
    if let Some(name) = varied
        .into_iter()
        .find(|name| path_of(written(first).unwrap_or_default()).contains(&format!("{{{name}}}")))
    {
        notes.push(format!(
            "the variable `{name}` stands for its default, and paths by its other values are not listed"
        ));
    }
    for other in servers {
        let begins = self::url(other).and_then(|(url, _)| self::path(&url));
        if begins.as_ref() != Ok(&path) {
            let name = written(other).unwrap_or("another");
            notes.push(format!(
                "the paths of the server `{name}` begin elsewhere, and are not listed"
            ));
        }
    }
    let is_absolute = url.contains("://") && !url.contains(['{', '}']);
    Ok(Base { path, url: is_absolute.then_some(url), notes })
}

fn written(server: &Node) -> Option<&str> {
    server.value("url")?.text()
}

/// A server's URL, with the defaults of its variables; and the names of those that have several values.
fn url(server: &Node) -> Result<(String, Vec<&str>), String> {
    let mut url = written(server).ok_or("a server has no `url`")?.to_owned();
    let mut varied = Vec::new();
    for variable in server.value("variables").map_or(&[][..], Node::entries) {
        let Some(default) = variable.value.value("default").and_then(Node::text) else { continue };
        url = url.replace(&format!("{{{}}}", variable.key), default);
        let values = variable.value.value("enum").and_then(Node::items);
        if values.is_none_or(|values| values.len() > 1) {
            varied.push(variable.key.as_str());
        }
    }
    Ok((url, varied))
}

fn path(url: &str) -> Result<String, String> {
    let path = path_of(url);
    let begins = |why: &str| format!("where the paths of the server `{url}` begin {why}");
    if path.contains(['{', '}']) {
        return Err(begins("hangs on a variable without a default"));
    }
    if path.contains(['?', '#']) {
        return Err(begins("is not told by a path alone"));
    }
    let path = path.trim_start_matches("./").trim_matches('/');
    if path.is_empty() || path == "." {
        return Ok(String::new());
    }
    let path = format!("/{path}");
    match CanonPath::parse(&path) {
        Ok(canon) if !path.contains('*') => Ok(canon.as_str().to_owned()),
        Ok(_) => Err(begins("has a `*`")),
        Err(error) => Err(begins(&format!("is no path: {error}"))),
    }
}

/// What follows scheme and host.
fn path_of(url: &str) -> &str {
    let behind_scheme =
        url.split_once("://").map(|(_, behind)| behind).or_else(|| url.strip_prefix("//"));
    match behind_scheme {
        Some(behind) => behind.find('/').and_then(|at| behind.get(at..)).unwrap_or_default(),
        None => url,
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::tree;
    use super::*;

    fn of(text: &str) -> Result<Base, String> {
        base(tree(text).value("servers"))
    }

    #[test]
    fn paths_begin_where_the_first_server_says() {
        for (servers, path) in [
            ("a: b", ""),
            ("servers: []", ""),
            ("servers: [{url: /}]", ""),
            ("servers: [{url: .}]", ""),
            ("servers: [{url: ./v1}]", "/v1"),
            ("servers: [{url: v1/}]", "/v1"),
            ("servers: [{url: 'https://api.example.com'}]", ""),
            ("servers: [{url: 'https://api.example.com/v1/'}]", "/v1"),
            ("servers: [{url: '//api.example.com/%7ev1'}]", "/~v1"),
            ("servers: [{url: 'https://{region}.example.com/v1'}]", "/v1"),
            ("servers: [{url: '/{v}', variables: {v: {default: v2}}}]", "/v2"),
        ] {
            assert_eq!(of(servers).unwrap().path, path, "{servers}");
        }
    }

    #[test]
    fn a_server_whose_path_is_not_told_says_why() {
        for servers in [
            "servers: x",
            "servers: [{}]",
            "servers: [{url: '/{v}'}]",
            "servers: [{url: '/{v}', variables: {v: {enum: [a]}}}]",
            "servers: [{url: '/a?b'}]",
            "servers: [{url: '/a/../b'}]",
            "servers: [{url: '/a*'}]",
        ] {
            assert!(of(servers).is_err(), "{servers}");
        }
    }

    #[test]
    fn what_begins_elsewhere_is_said() {
        let notes = |text| of(text).unwrap().notes;
        assert!(notes("servers: [{url: 'https://a/v1'}, {url: 'https://b/v1'}]").is_empty());
        assert_eq!(notes("servers: [{url: 'https://a/v1'}, {url: 'https://b/v2'}]").len(), 1);
        assert_eq!(
            notes("servers: [{url: '/{v}', variables: {v: {default: a, enum: [a, b]}}}]").len(),
            1
        );
        assert!(
            notes("servers: [{url: '/{v}', variables: {v: {default: a, enum: [a]}}}]").is_empty()
        );
        assert!(notes("servers: [{url: 'https://{v}/', variables: {v: {default: a}}}]").is_empty());
    }
}
