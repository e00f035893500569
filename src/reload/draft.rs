//! A change → the new texts of the files, and what they would mean.
//!
//! In come the texts on disk and the edits; out come the files that change, in the order in which they
//! are to be written, and the judged candidate. Every state of the disk between two files is judged as
//! well: a crash there must leave a configuration that starts. Nothing is written here.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::config::raw::EndMarker;
use crate::config::{Edit, EditError, Source, edit};

use super::Change;
use super::look::{Asked, Judged};
use super::replace::Rewrite;
use super::store::{Store, StoreError};
use super::write::WriteError;

/// What a change makes of the files.
pub(super) struct Draft {
    /// The files that change. None where the change is none.
    pub(super) rewrites: Vec<Rewrite>,
    /// What all files mean then; it can be taken.
    pub(super) judged: Option<Judged>,
    /// All files of the configuration, as people know them, with the one that comes to be.
    pub(super) files: Vec<PathBuf>,
}

/// Drafts what `change` makes of `sources`. `asked` is what is asked of what comes to be.
///
/// # Errors
/// When a text cannot be edited, or what would come to be cannot be taken.
pub(super) fn draft<E>(
    store: &Store,
    mut sources: Vec<Source>,
    change: Change,
    asked: Asked,
) -> Result<Draft, WriteError<E>> {
    let (mut rewrites, mut judged) = (Vec::new(), None);
    let known = sources.len();
    // Where the file that comes to be stands among the others.
    let mut created = None;
    for (index, edits) in by_source(change.edits) {
        let (at, old) = if index < known {
            (index + usize::from(created.is_some_and(|at| at <= index)), true)
        } else {
            let name = change.new_file.as_deref().filter(|_| index == known);
            let name = name.ok_or_else(|| EditError::Missing("the file".to_owned()))?;
            let path = store.new_file(name).map_err(unwritable)?.display().to_string();
            let at = sources.partition_point(|source| source.name < path);
            sources.insert(at, Source::new(path, ""));
            created = Some(at);
            (at, false)
        };
        let Some(source) = sources.get_mut(at) else { continue };
        let mut text = edit(source, &edits)?;
        if text == *source.text {
            continue;
        }
        if !old && asked.end_marker == EndMarker::Required {
            text = marked(source, text);
        }
        let path = Path::new(&source.name).to_owned();
        let replaced = std::mem::replace(&mut source.text, Arc::new(text));
        rewrites.push(Rewrite { path, old: old.then_some(replaced), new: source.text.clone() });
        let mut candidate = Judged::candidate(&sources, asked);
        if let Err(report) = &mut candidate.loaded {
            return Err(WriteError::Invalid(Box::new(std::mem::take(report))));
        }
        judged = Some(candidate);
    }
    let files = sources.into_iter().map(|source| PathBuf::from(source.name)).collect();
    Ok(Draft { rewrites, judged, files })
}

/// The edits of each source, sources in the order in which they first come.
fn by_source(edits: Vec<Edit>) -> Vec<(usize, Vec<Edit>)> {
    let mut sources: Vec<(usize, Vec<Edit>)> = Vec::new();
    for edit in edits {
        let source = edit.place().source;
        match sources.iter_mut().find(|(known, _)| *known == source) {
            Some((_, edits)) => edits.push(edit),
            None => sources.push((source, vec![edit])),
        }
    }
    sources
}

/// The text of a file that comes to be, with the end that every file has to have.
fn marked(source: &Source, text: String) -> String {
    let whole = Source::new(source.name.as_str(), text);
    let is_marked = whole.has_end_marker();
    let mut text = Arc::unwrap_or_clone(whole.text);
    if !is_marked {
        text.push_str(if text.ends_with('\n') { "...\n" } else { "\n...\n" });
    }
    text
}

fn unwritable<E>(StoreError { path, reason }: StoreError) -> WriteError<E> {
    // It would be refused again, whatever the disk says.
    WriteError::Unwritable { path, reason, read_only: true }
}
