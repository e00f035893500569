//! Every shipped configuration loads, without anything to warn of.

use std::fs;
use std::path::PathBuf;

use grantgate::config::snapshot::{Limits, Log, Reload, Server, Snapshot, Timeouts};
use grantgate::config::{Code, Loaded, Source, load};

use crate::certificates::Authority;
use crate::disk::{Fake, NOW, files, root, sources};

/// Each shipped configuration: a file, or a folder of files that are read together.
pub fn shipped() -> Vec<PathBuf> {
    let config = root().join("config");
    let examples = fs::read_dir(config.join("examples")).unwrap();
    let mut shipped: Vec<_> = examples.map(|example| example.unwrap().path()).collect();
    shipped.extend([config.join("gateway.yaml"), config.join("bench.yaml")]);
    shipped.sort();
    shipped
}

fn loaded(path: &str) -> Snapshot {
    let path = root().join(path);
    let folder = path.parent().unwrap();
    match load(&sources(&path, root()), &Fake { folder }, NOW) {
        Ok(Loaded { snapshot, .. }) => snapshot,
        Err(report) => panic!("{report}"),
    }
}

#[test]
fn every_shipped_configuration_loads_without_a_warning() {
    assert!(shipped().len() >= 5);
    for path in shipped() {
        match load(&sources(&path, root()), &Fake { folder: &path }, NOW) {
            Ok(Loaded { warnings, .. }) => {
                assert_eq!(warnings.to_string(), "", "{}", path.display());
            }
            Err(report) => panic!("{}:\n{report}", path.display()),
        }
    }
}

/// What people have written since this page was first shown to them loads ever after.
#[test]
fn what_the_specification_shows_loads_as_it_stands() {
    let folder = tempfile::tempdir().unwrap();
    let identity = Authority::new().sign("orders.example.com");
    fs::write(folder.path().join("tls.crt"), &identity.certificate).unwrap();
    fs::write(folder.path().join("tls.key"), &identity.key).unwrap();
    let sources = [Source::new("gateway.yaml", include_str!("examples/promised.yaml"))];
    let Loaded { snapshot, warnings, .. } =
        load(&sources, &Fake { folder: folder.path() }, NOW).unwrap_or_else(|e| panic!("{e}"));
    let warned: Vec<_> = warnings.iter().map(|warning| warning.code).collect();
    assert_eq!(warned, [Code::ScopeUngranted]);

    let defaults = Server { tls: snapshot.server.tls.clone(), ..Server::default() };
    assert_eq!(snapshot.server, defaults);
    assert!(snapshot.server.tls.is_some());
    assert_eq!(snapshot.reload, Reload::default());
    assert_eq!(snapshot.apis[0].operations.iter().count(), 4);
    assert_eq!(snapshot.apis[0].api.grants.iter().count(), 2);
}

#[test]
fn the_commented_file_shows_the_defaults() {
    let snapshot = loaded("config/gateway.yaml");
    let minimal = loaded("config/examples/sidecar");
    assert_eq!(snapshot.server, Server::default());
    assert_eq!(snapshot.limits, Limits::default());
    assert_eq!(snapshot.timeouts, Timeouts::default());
    assert_eq!(snapshot.log, Log::default());
    assert_eq!(snapshot.reload, Reload::default());
    assert_eq!(snapshot.health, minimal.health);
    assert_eq!(snapshot.readiness, minimal.readiness);
    let admin = |snapshot: &Snapshot| snapshot.admin.as_ref().map(|admin| admin.listen.clone());
    assert_eq!(admin(&snapshot), admin(&minimal));
    let (shown, absent) = (&snapshot.issuers[0], &minimal.issuers[0]);
    assert_eq!(shown.trust.leeway_seconds, absent.trust.leeway_seconds);
    assert_eq!(shown.trust.unproven, absent.trust.unproven);
    assert_eq!(format!("{:?}", shown.keys), format!("{:?}", absent.keys));
    let (shown, absent) = (&snapshot.apis[0], &minimal.apis[0]);
    assert_eq!(shown.unlisted, absent.unlisted);
    assert_eq!(shown.authorization, absent.authorization);
    assert_eq!(shown.strip_prefix, absent.strip_prefix);
    assert_eq!(shown.public_url, absent.public_url);
    assert_eq!(shown.api.over_ceiling, absent.api.over_ceiling);
    assert_eq!(shown.api.enforcement, absent.api.enforcement);
    assert_eq!(shown.api.access.anonymous_user, absent.api.access.anonymous_user);
}

#[test]
fn the_sidecars_configuration_is_the_example() {
    let read = |path| fs::read_to_string(root().join(path)).unwrap();
    let example = read("config/examples/sidecar/grantgate.yaml");
    let (schema, configuration) = example.split_once('\n').unwrap();
    assert!(schema.starts_with(EDITORS));
    assert_eq!(read("deploy/kubernetes/sidecar/grantgate.yaml"), configuration);
}

/// The comment by which editors find the schema.
const EDITORS: &str = "# yaml-language-server: $schema=";

#[test]
fn every_shipped_file_names_its_schema() {
    for file in shipped().iter().flat_map(|path| files(path)) {
        let text = fs::read_to_string(&file).unwrap();
        let Some(schema) = text.lines().next().unwrap().strip_prefix(EDITORS) else {
            assert!(file.ends_with("tenant.yaml"), "{}", file.display());
            continue;
        };
        let schema = file.parent().unwrap().join(schema).canonicalize().unwrap();
        assert_eq!(schema, root().join("config/schema.json"), "{}", file.display());
    }
}
