//! What the tests of the endpoints share: a configuration that is managed, questions, and plans as texts.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex};

use bytes::Bytes;
use serde_json::Value;

use super::{Answer, Asked, Endpoint, Fault, Plan, Query};
use crate::config::snapshot::Snapshot;
use crate::config::{Edit, Outside, Source, edit, load};
use crate::policy::UnixTime;
use crate::telemetry::{Inlet, Sink};

const NOW: UnixTime = UnixTime::from_seconds(1_795_305_600);

/// A certificate and its key, and a client's secret.
struct Beside;

static PAIR: LazyLock<[String; 2]> = LazyLock::new(|| {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    [pair.cert.pem(), pair.signing_key.serialize_pem()]
});

impl Outside for Beside {
    fn env(&self, _: &str) -> Option<String> {
        Some("the deploy tool's secret, which is long enough".to_owned())
    }

    fn file(&self, _: &str, path: &str) -> Result<String, String> {
        let [certificate, key] = &*PAIR;
        Ok(if path == "tls.key" { key } else { certificate }.clone())
    }
}

/// The section of a gateway that is managed, with more lines of it.
pub(super) fn section(more: &str) -> String {
    format!(
        "management:\n  listen: 127.0.0.1:9443\n  tls: {{cert: tls.crt, key: tls.key}}\n  \
        public_url: https://grants.example.com\n  \
        clients: [{{client_id: tool, client_secret: '${{env:TOOL}}'}}]\n{more}"
    )
}

/// A configuration that is managed: its texts, named `0.yaml` and so on.
pub(super) struct Managed {
    pub(super) snapshot: Snapshot,
    pub(super) sources: Vec<Source>,
}

impl Managed {
    pub(super) fn of(texts: &[&str]) -> Self {
        let named = texts.iter().enumerate();
        let name = |index| format!("/etc/grantgate/{index}.yaml");
        Self::load(named.map(|(index, text)| Source::new(name(index), *text)).collect())
    }

    pub(super) fn load(sources: Vec<Source>) -> Self {
        match load(&sources, &Beside, NOW) {
            Ok(loaded) => Self { snapshot: loaded.snapshot, sources },
            Err(report) => panic!("{report}"),
        }
    }

    pub(super) fn read(&self, asked: &Asked) -> Result<Answer, Fault> {
        super::read(&self.snapshot, asked)
    }

    /// The body of an answer.
    pub(super) fn body(&self, asked: &Asked) -> Value {
        self.read(asked).unwrap().body.unwrap()
    }

    pub(super) fn plan(&self, asked: &Asked) -> Result<Plan, Fault> {
        super::plan(&self.snapshot, asked)
    }

    /// What a write would change, an edit a line.
    pub(super) fn edits(&self, asked: &Asked) -> Vec<String> {
        let plan = self.plan(asked).unwrap();
        plan.change.edits.iter().map(said).collect()
    }

    /// The configuration after a write, and what is answered then.
    pub(super) fn write(&self, asked: &Asked) -> (Self, Answer) {
        let Plan { change, then } = self.plan(asked).unwrap();
        let mut sources = self.sources.clone();
        sources.extend(change.new_file.map(|name| Source::new(name, "")));
        for (index, source) in sources.iter_mut().enumerate() {
            let here = change.edits.iter().filter(|edit| edit.place().source == index);
            let here: Vec<_> = here.cloned().collect();
            if !here.is_empty() {
                source.text = edit(source, &here).unwrap().into();
            }
        }
        let after = Self::load(sources);
        let answer = super::written(&after.snapshot, &then);
        (after, answer)
    }

    /// What is wrong with a write: `status code: message`.
    pub(super) fn refused(&self, asked: &Asked) -> String {
        said_fault(&self.plan(asked).unwrap_err())
    }
}

/// A fault as a text.
pub(super) fn said_fault(fault: &Fault) -> String {
    format!("{} {}: {}", fault.status.as_u16(), fault.code.unwrap_or("-"), fault.message)
}

/// An edit as a text: the source, the place, and what becomes of it.
fn said(edit: &Edit) -> String {
    match edit {
        Edit::Append { list, items } => {
            format!("{} {list} + {}", list.source, Value::from(items.clone()))
        }
        Edit::Set { place, value } => format!("{} {place} = {value}", place.source),
        Edit::Remove { place } => format!("{} {place} -", place.source),
    }
}

/// A question with these names in its path.
pub(super) fn asked(endpoint: Endpoint, names: &[&str]) -> Asked {
    Asked {
        endpoint,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        query: Query::default(),
        body: Bytes::new(),
        if_match: None,
    }
}

impl Asked {
    pub(super) fn with_query(mut self, pairs: &[(&str, &str)]) -> Self {
        let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.query = Query(pairs.collect());
        self
    }

    pub(super) fn with_body(mut self, body: &Value) -> Self {
        self.body = body.to_string().into();
        self
    }

    pub(super) fn if_match(mut self, tags: impl Into<String>) -> Self {
        self.if_match = Some(tags.into());
        self
    }
}

/// Records that are written in `work`, one after the other.
pub(super) fn records(work: impl FnOnce(&Inlet)) -> Vec<Value> {
    let lines = Lines::default();
    let sink = Sink::start(lines.clone(), Arc::default()).unwrap();
    work(&sink.inlet());
    sink.finish();
    let text = lines.0.lock().unwrap();
    text.split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_slice(line).unwrap())
        .collect()
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
