//! Files that the configuration names: a secret, a key set, a PEM file. They are part of it, and who changes
//! one changes what passes, on the next request.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;

use crate::disk::{rename_over, replace_link};
use crate::door::client::Client;
use crate::door::gateway::claims_with;
use crate::signing::Key;

use super::gate::{Gate, World, request_of, request_with};
use super::site::{Layout, Site};

const QUIET: &str = "quiet: 25ms";

fn pem(key: &Key) -> String {
    // RFC 8410 section 4: the algorithm, and a bit string of 32 bytes.
    let head = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let text = BASE64_STANDARD.encode([&head, key.public()].concat());
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

fn request_by(key: &Key, head: &serde_json::Value) -> String {
    let claims = claims_with(&json!({"azp": "one", "sub": "one@clients"}));
    request_with(&key.sign(head, &claims))
}

/// A configuration whose issuer's keys are where `keys` says.
fn with_keys(world: &World, keys: &str) -> String {
    let text = world.text(&["one"], QUIET).replace("jwks: {keys: []}", keys);
    let lines: Vec<_> = text.lines().filter(|line| !line.contains("hs_secret")).collect();
    format!("{}\n", lines.join("\n"))
}

type Way = fn(&Path, &str);

/// Ways to change a file that is named, each with the path that names it.
fn ways(folder: &Path) -> [(PathBuf, Way); 3] {
    let mounted: Way = |path, text| {
        let folder = path.parent().unwrap();
        let old = fs::read_link(folder.join("..data")).unwrap();
        let new = format!("{}x", old.display());
        fs::create_dir(folder.join(&new)).unwrap();
        fs::write(folder.join(&new).join(path.file_name().unwrap()), text).unwrap();
        replace_link(Path::new(&new), &folder.join("..data"));
        fs::remove_dir_all(folder.join(old)).unwrap();
    };
    for name in ["written", "renamed", "mounted", "mounted/..1"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    replace_link(Path::new("..1"), &folder.join("mounted/..data"));
    replace_link(Path::new("..data/file"), &folder.join("mounted/file"));
    fs::write(folder.join("mounted/..1/file"), "").unwrap();
    [
        (folder.join("written/file"), |path, text| fs::write(path, text).unwrap()),
        (folder.join("renamed/file"), |path, text| rename_over(path, text)),
        (folder.join("mounted/file"), mounted),
    ]
}

fn until(gate: &mut Gate, change: impl FnOnce()) {
    let before = gate.generation();
    change();
    gate.until(|status| status.generation > before);
}

fn status(client: &mut Client, request: &str) -> u16 {
    client.ask(request).status
}

#[test]
fn a_secret_is_taken_over_when_its_file_changes() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    for (path, write) in ways(folder.path()) {
        let right = "s".repeat(64);
        write(&path, &right);
        let own = world.secret().display().to_string();
        let text = world.text(&["one"], QUIET).replace(&own, &path.display().to_string());
        let site = Site::new(Layout::File, &text);
        let mut gate = Gate::start(&site.config());
        let mut client = gate.client();
        let request = request_of("one");
        assert_eq!(status(&mut client, &request), 200);
        until(&mut gate, || write(&path, &"t".repeat(64)));
        assert_eq!(status(&mut client, &request), 401);
        until(&mut gate, || write(&path, &right));
        assert_eq!(status(&mut client, &request), 200);
        write(&path, "short");
        let report = gate.until_kept();
        assert!(report.contains("secret-weak") && !report.contains("short\n"), "{report}");
        assert_eq!(status(&mut client, &request), 200);
    }
}

#[test]
fn a_key_set_is_taken_over_when_its_file_changes() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (Key::new(), Key::new());
    let head = |kid| json!({"alg": "EdDSA", "typ": "at+jwt", "kid": kid});
    let (by_old, by_new) = (request_by(&old, &head("old")), request_by(&new, &head("new")));
    let only = |keys: &[serde_json::Value]| json!({"keys": keys}).to_string();
    for (path, write) in ways(folder.path()) {
        write(&path, &only(&[old.jwk("old")]));
        let keys = format!("jwks_file: {:?}", path.display().to_string());
        let site = Site::new(Layout::File, &with_keys(&world, &keys));
        let mut gate = Gate::start(&site.config());
        let mut client = gate.client();
        let ask = |client: &mut Client| [status(client, &by_old), status(client, &by_new)];
        assert_eq!(ask(&mut client), [200, 401]);
        until(&mut gate, || write(&path, &only(&[old.jwk("old"), new.jwk("new")])));
        assert_eq!(ask(&mut client), [200, 200]);
        until(&mut gate, || write(&path, &only(&[new.jwk("new")])));
        assert_eq!(ask(&mut client), [401, 200]);
        write(&path, "{");
        gate.until_kept();
        assert_eq!(ask(&mut client), [401, 200]);
    }
}

#[test]
fn a_pem_file_is_taken_over_when_it_changes() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let (old, new) = (Key::new(), Key::new());
    let head = json!({"alg": "EdDSA", "typ": "at+jwt"});
    let (by_old, by_new) = (request_by(&old, &head), request_by(&new, &head));
    for (path, write) in ways(folder.path()) {
        write(&path, &pem(&old));
        let keys = format!("pem_file: {:?}", path.display().to_string());
        let site = Site::new(Layout::File, &with_keys(&world, &keys));
        let mut gate = Gate::start(&site.config());
        let mut client = gate.client();
        let ask = |client: &mut Client| [status(client, &by_old), status(client, &by_new)];
        assert_eq!(ask(&mut client), [200, 401]);
        until(&mut gate, || write(&path, &pem(&new)));
        assert_eq!(ask(&mut client), [401, 200]);
    }
}
