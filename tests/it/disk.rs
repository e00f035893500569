//! Files and the ways they are replaced, secrets and the time, for configurations under test.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use grantgate::config::{Outside, Source};
use grantgate::policy::UnixTime;

use crate::certificates::{Authority, Identity};

/// 2026-11-22T00:00:00Z: grants of the shipped configurations last beyond it.
pub const NOW: UnixTime = UnixTime::from_seconds(1_795_305_600);

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What a folder holds of a configuration, by name; or the one file.
pub fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = entries
        .filter(|path| {
            path.extension()
                .is_some_and(|kind| ["yaml", "yml", "json"].iter().any(|known| kind == *known))
        })
        .filter(|path| {
            path.file_name().is_none_or(|name| !name.to_string_lossy().starts_with("keys"))
        })
        .collect();
    files.sort();
    files
}

/// The sources of a configuration, named as they are below `base`.
pub fn sources(path: &Path, base: &Path) -> Vec<Source> {
    let name = |path: &Path| path.strip_prefix(base).unwrap().to_string_lossy().into_owned();
    files(path)
        .iter()
        .map(|path| Source::new(name(path), fs::read_to_string(path).unwrap()))
        .collect()
}

/// Puts a link in the place of another, or of anything else, by one rename.
pub fn replace_link(target: &Path, at: &Path) {
    let beside = at.with_file_name("..tmp");
    symlink(target, &beside).unwrap();
    fs::rename(beside, at).unwrap();
}

/// Writes beside and renames: at any moment the path leads to a whole file.
pub fn rename_over(path: &Path, text: impl AsRef<[u8]>) {
    let beside = path.with_file_name(".tmp");
    fs::write(&beside, text).unwrap();
    fs::rename(beside, path).unwrap();
}

/// As a kubelet does: a new directory with all files, one rename that turns `..data` to it, links for
/// names that are new, and the old directory is removed. No `number` comes twice.
pub fn turn_data(folder: &Path, number: usize, files: &[(&str, &str)]) {
    let old = fs::read_link(folder.join("..data")).ok();
    let new = format!("..2026_11_22_00_00_00.{number}");
    fs::create_dir(folder.join(&new)).unwrap();
    for (name, text) in files {
        fs::write(folder.join(&new).join(name), text).unwrap();
    }
    replace_link(Path::new(&new), &folder.join("..data"));
    for (name, _) in files {
        let link = folder.join(name);
        if link.symlink_metadata().is_err() {
            symlink(Path::new("..data").join(name), link).unwrap();
        }
    }
    if let Some(old) = old {
        fs::remove_dir_all(folder.join(old)).unwrap();
    }
}

/// What configurations under test refer to: files beside them, a key set, or a certificate and its key; a
/// few variables.
pub struct Fake<'p> {
    /// The folder that relative paths start at.
    pub folder: &'p Path,
}

impl Outside for Fake<'_> {
    fn env(&self, name: &str) -> Option<String> {
        match name {
            "LONG_SECRET" | "DEPLOY_TOOL_SECRET" => Some("s".repeat(64)),
            "SHORT_SECRET" => Some("s".repeat(31)),
            _ => None,
        }
    }

    fn file(&self, _source: &str, path: &str) -> Result<String, String> {
        static IDENTITY: LazyLock<Identity> = LazyLock::new(|| Authority::new().sign("localhost"));
        match path {
            "jwks.json" => return Ok(KEYS.to_owned()),
            "tls/tls.crt" => return Ok(IDENTITY.certificate.clone()),
            "tls/tls.key" => return Ok(IDENTITY.key.clone()),
            _ => {}
        }
        fs::read_to_string(self.folder.join(path)).map_err(|_| "no such file".to_owned())
    }
}

/// The EC key of RFC 7517 appendix A.1.
pub const KEYS: &str = r#"{"keys": [{"kty": "EC", "crv": "P-256", "kid": "1", "use": "sig",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}]}"#;
