//! What is expected stands in files, as people read it: `UPDATE_GOLDEN=1` writes them anew.

use std::fs;
use std::path::Path;

/// Compares what is seen with what the file at `path` expects, or writes it there; out comes how they differ.
pub fn differs(path: &Path, seen: &str) -> Option<String> {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, seen).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    let differs = seen != expected;
    differs.then(|| format!("{}: expected\n{expected}\nand got\n{seen}", path.display()))
}
