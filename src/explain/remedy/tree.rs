//! What stands at a place of a text. Texts that are longer than any person's are not looked into.

use crate::config::{Kind, Node, Place, Report, Source, Step, parse};

/// The longest text that is looked into, in bytes.
const LONGEST: usize = 5 << 20;

/// The tree of a text.
pub(super) fn read(source: &Source) -> Option<Node> {
    if source.text.len() > LONGEST {
        return None;
    }
    let mut report = Report::new([source.clone()]);
    parse(0, &source.text, &mut report).filter(|_| !report.has_errors())
}

/// What stands at a place.
pub(super) fn at<'t>(tree: &'t Node, place: &Place) -> Option<&'t Node> {
    place.path.iter().try_fold(tree, |node, step| below(node, step))
}

/// The value of a key of a mapping.
pub(super) fn of_key<'t>(node: &'t Node, key: &str) -> Option<&'t Node> {
    match &node.kind {
        Kind::Map(entries) => entries.iter().find(|it| it.key == key).map(|it| &it.value),
        _ => None,
    }
}

/// The items of a list; none of anything else.
pub(super) fn items(node: &Node) -> &[Node] {
    match &node.kind {
        Kind::List(items) => items,
        _ => &[],
    }
}

/// The text of a scalar.
pub(super) fn text(node: &Node) -> Option<&str> {
    match &node.kind {
        Kind::Scalar { text, .. } => Some(text),
        _ => None,
    }
}

/// One step down.
fn below<'t>(node: &'t Node, step: &Step) -> Option<&'t Node> {
    match (step, &node.kind) {
        (Step::Index(index), Kind::List(items)) => items.get(*index),
        (Step::Key(key), _) => of_key(node, key),
        _ => None,
    }
}
