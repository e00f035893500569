//! How requests are counted: by API, decision, code and subject type, and by nothing that they bring.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::atomic::Ordering;

use metrics::{Counter, Label};

use crate::gate::Code;
use crate::policy::{Audience, SubjectType};
use crate::telemetry::Ruling;

use super::Metrics;

/// By what requests are counted, beside their API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestLabels {
    /// What was decided.
    pub ruling: Ruling,
    /// The refusal, where there was one.
    pub code: Option<Code>,
    /// On whose behalf the caller came, as far as its token told.
    pub subject_type: Option<SubjectType>,
}

impl RequestLabels {
    /// Them as a metric's, with the API's.
    pub(super) fn of(self, api: Option<&Audience>) -> Vec<Label> {
        let api = api.map(|api| api.as_str().to_owned()).unwrap_or_default();
        let subject_type = self.subject_type.map_or("", SubjectType::as_str);
        vec![
            Label::new("api", api),
            Label::from_static_parts("decision", self.ruling.as_str()),
            Label::from_static_parts("code", self.code.map_or("", Code::as_str)),
            Label::from_static_parts("subject_type", subject_type),
        ]
    }
}

/// One worker's way to count requests: each counter is looked up by plain values and made but once. It
/// grows with what is configured, not with what comes.
#[derive(Default)]
pub struct Requests {
    epoch: Cell<u64>,
    unrouted: RefCell<Counters>,
    by_api: RefCell<HashMap<Audience, Counters, foldhash::fast::RandomState>>,
}

type Counters = HashMap<RequestLabels, Counter, foldhash::fast::RandomState>;

impl Requests {
    /// Counts one request to `api`.
    pub fn count(&self, metrics: &Metrics, api: Option<&Audience>, labels: RequestLabels) {
        self.forget_those_that_left(metrics);
        let count = |counters: &mut Counters| {
            let make = || metrics.requests(api, labels);
            counters.entry(labels).or_insert_with(make).increment(1);
        };
        let Some(name) = api else {
            return count(&mut self.unrouted.borrow_mut());
        };
        let mut by_api = self.by_api.borrow_mut();
        match by_api.get_mut(name) {
            Some(counters) => count(counters),
            None => count(by_api.entry(name.clone()).or_default()),
        }
    }

    fn forget_those_that_left(&self, metrics: &Metrics) {
        let epoch = metrics.epoch.load(Ordering::Acquire);
        if self.epoch.replace(epoch) != epoch {
            self.unrouted.borrow_mut().clear();
            // Its room too: it was made for APIs that may be gone.
            *self.by_api.borrow_mut() = HashMap::default();
        }
    }
}
