//! Every diagnostic, as people read it: `tests/golden/check/<code>/` holds a configuration that has
//! the problem, and the report of it. `UPDATE_GOLDEN=1` writes the reports anew.

use std::fs;

use grantgate::config::{Code, Loaded, Style, load};
use grantgate::suite::{Demand, hold};

use crate::disk::{Fake, NOW, root, sources};

/// What no text can bring about: the schema lets nothing through that the raw types do not take.
const UNREACHABLE: [Code; 1] = [Code::ConfigUnreadable];

#[test]
fn every_diagnostic_reads_as_it_should() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let golden = root().join("tests/golden/check");
    let mut wrong = Vec::new();
    for code in Code::ALL.iter().filter(|code| !UNREACHABLE.contains(code)) {
        let folder = golden.join(code.as_str());
        if !folder.is_dir() {
            wrong.push(format!("{}: there is no such folder", folder.display()));
            continue;
        }
        let outside = Fake { folder: &folder };
        let loaded = load(&sources(&folder, &folder), &outside, NOW)
            .and_then(|loaded| hold(loaded, &outside, NOW, Demand::AsWritten));
        let report = match loaded {
            Ok(Loaded { warnings, .. }) => warnings,
            Err(report) => report,
        };
        if report.iter().all(|diagnostic| diagnostic.code != *code) {
            wrong.push(format!("{}: not among\n{report}", code.as_str()));
        }
        let (rendered, path) = (report.render(Style::Plain), folder.join("expected.txt"));
        if update {
            fs::write(&path, &rendered).unwrap();
        }
        let expected = fs::read_to_string(&path).unwrap_or_default();
        if rendered != expected {
            wrong.push(format!("{}: expected\n{expected}\nand got\n{rendered}", code.as_str()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn every_golden_folder_is_a_code() {
    for entry in fs::read_dir(root().join("tests/golden/check")).unwrap() {
        let name = entry.unwrap().file_name();
        assert!(Code::ALL.iter().any(|code| name == code.as_str()), "{}", name.display());
    }
}
