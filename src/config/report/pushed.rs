//! A problem that is being told: what else there is to say about it, until it is in the report.

use super::Report;
use crate::config::diagnostic::{Diagnostic, Related};
use crate::config::place::Place;
use crate::config::tree::Span;

/// A problem that was just pushed, to say more about. It is empty where nothing is to be said, and
/// is in the report when it goes.
#[derive(Debug)]
pub struct Pushed<'a>(pub(super) Option<Told<'a>>);

#[derive(Debug)]
pub(super) struct Told<'a> {
    pub(super) report: &'a mut Report,
    pub(super) diagnostic: Diagnostic,
    /// Whether it is not shown, unless it is allowed, which shows it no more.
    pub(super) is_full: bool,
}

impl Drop for Pushed<'_> {
    fn drop(&mut self) {
        if let Some(Told { report, diagnostic, .. }) = self.0.take() {
            report.settle(diagnostic);
        }
    }
}

#[expect(
    clippy::return_self_not_must_use,
    reason = "it is there once pushed; the rest is optional"
)]
impl Pushed<'_> {
    /// What to write instead.
    pub fn help(self, help: impl Into<String>) -> Self {
        self.with(|diagnostic| diagnostic.help = Some(help.into()))
    }

    pub(in crate::config) fn help_if(self, help: Option<String>) -> Self {
        self.with(|diagnostic| diagnostic.help = help)
    }

    /// What to write instead, where something is known. It is asked for only where the problem is kept:
    /// looking for it may cost more than everything else.
    pub(in crate::config) fn help_by(self, help: impl FnOnce() -> Option<String>) -> Self {
        if self.0.as_ref().is_none_or(|told| told.is_full) {
            return self;
        }
        self.with(|diagnostic| diagnostic.help = help())
    }

    /// Another place that has to do with it.
    pub fn also(self, place: &Place, message: impl Into<String>) -> Self {
        let related = Related { place: place.clone(), span: None, message: message.into() };
        self.with(|diagnostic| diagnostic.related.push(related))
    }

    /// The key is wrong, not its value.
    pub fn on_key(self) -> Self {
        self.with(|diagnostic| diagnostic.on_key = true)
    }

    /// Where exactly it stands, for what has no place of its own.
    pub(in crate::config) fn at(self, span: Span) -> Self {
        self.with(|diagnostic| diagnostic.span = Some(span))
    }

    /// As [`Pushed::also`], for what has no place of its own.
    pub(in crate::config) fn also_at(self, place: &Place, span: Span, message: &str) -> Self {
        let related =
            Related { place: place.clone(), span: Some(span), message: message.to_owned() };
        self.with(|diagnostic| diagnostic.related.push(related))
    }

    fn with(mut self, change: impl FnOnce(&mut Diagnostic)) -> Self {
        if let Some(told) = &mut self.0 {
            change(&mut told.diagnostic);
        }
        self
    }
}
