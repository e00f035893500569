//! `demo --once`: sends the demo's requests, edits its configuration, and compares what came with what must.

use std::fs;
use std::io;
use std::path::Path;

use bytes::Bytes;
use http::header::{AUTHORIZATION, HOST};
use http_body_util::Empty;
use hyper::Request;
use serde_json::Value;

use crate::app::App;
use crate::cli::{Exit, show};
use crate::config::snapshot::Listen;
use crate::reload::{ReloadOutcome, Status};

use super::cases::Case;
use super::issuer::Issuer;
use super::loopback;

/// A file as it is when somebody stopped in the middle.
const BROKEN: &str = "client_grants: [";

/// Sends every case, then the first one again after its grant was removed from `file`, after a broken
/// edit, and after the grant came back. Yes when every answer was as expected.
pub async fn run(app: &App, issuer: &Issuer, cases: &[Case], file: &Path) -> io::Result<Exit> {
    let mut table = Table::default();
    for case in cases {
        let answer = send(app, case, token(issuer, case)?.as_deref()).await?;
        table.row(case, case.shows, (case.status, case.code), &answer);
    }

    let Some(case) = cases.first() else { return Ok(Exit::No) };
    let token = token(issuer, case)?;
    let whole = fs::read_to_string(file)?;
    let without = whole.replace("  - client_id: photo-app ", "  - client_id: another-app ");
    let edits = [
        (without.as_str(), "its grant removed from the file", (403, Some("grant-missing"))),
        (BROKEN, "a broken edit: nothing changes", (403, Some("grant-missing"))),
        (whole.as_str(), "its grant back in the file", (200, None)),
    ];
    for (text, shows, expected) in edits {
        let mut status = app.status();
        let before = status.borrow().generation;
        write_whole(file, text)?;
        // Not any attempt will do: one may have begun before the edit.
        let noticed = |now: &Status| match (text, &now.last) {
            (BROKEN, last) => matches!(last, ReloadOutcome::Kept(_)),
            _ => now.generation > before,
        };
        status.wait_for(noticed).await.map_err(io::Error::other)?;
        let answer = send(app, case, token.as_deref()).await?;
        table.row(case, shows, expected, &answer);
    }
    Ok(table.conclude())
}

fn token(issuer: &Issuer, case: &Case) -> io::Result<Option<String>> {
    case.claims.clone().map(|claims| issuer.token(claims)).transpose()
}

/// Puts `text` in the file's place in one step, as careful editors do.
fn write_whole(file: &Path, text: &str) -> io::Result<()> {
    let beside = file.with_extension("new");
    fs::write(&beside, text)?;
    fs::rename(beside, file)
}

struct Answer {
    status: u16,
    code: Option<String>,
}

async fn send(app: &App, case: &Case, token: Option<&str>) -> io::Result<Answer> {
    let &Listen::Tcp(gate) = app.traffic() else {
        return Err(io::ErrorKind::Unsupported.into());
    };
    let mut request = Request::builder()
        .method(case.method.clone())
        .uri(case.path)
        .header(HOST, gate.to_string());
    if let Some(token) = token {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    let request = request.body(Empty::<Bytes>::new()).map_err(io::Error::other)?;
    let response = loopback::send(gate, request).await?;
    let body: Option<Value> = serde_json::from_slice(response.body()).ok();
    let code = body.and_then(|body| Some(body.get("code")?.as_str()?.to_owned()));
    Ok(Answer { status: response.status().as_u16(), code })
}

/// The rows as they come, and how many were not as expected.
#[derive(Default)]
struct Table {
    rows: usize,
    mismatches: usize,
}

impl Table {
    fn row(
        &mut self,
        case: &Case,
        shows: &str,
        (status, code): (u16, Option<&str>),
        answer: &Answer,
    ) {
        if self.rows == 0 {
            show(format_args!("{:<36} {:<22} {:<26} seen", "request", "", "expected"));
        }
        self.rows += 1;
        let as_expected = (status, code) == (answer.status, answer.code.as_deref());
        self.mismatches += usize::from(!as_expected);
        let request = format!("{} {}", case.method, case.path);
        let words =
            |status: u16, code: Option<&str>| format!("{status} {}", code.unwrap_or("passed"));
        let expected = words(status, code);
        let seen = words(answer.status, answer.code.as_deref());
        let mark = if as_expected { "" } else { "  <- not as expected" };
        show(format_args!("{shows:<36} {request:<22} {expected:<26} {seen}{mark}"));
    }

    fn conclude(self) -> Exit {
        let Self { rows, mismatches } = self;
        show(format_args!("\n{rows} requests, {} as expected", rows - mismatches));
        if mismatches == 0 { Exit::Yes } else { Exit::No }
    }
}
