//! A file with very many grants: `GRANTGATE_GRANTS` says how many. How long a write takes is told, with
//! `--nocapture`, and nothing hangs on it.

use std::env;
use std::fmt::Write as _;
use std::fs;
use std::time::Instant;

use super::site::{GRANTS, Site, add, has, removing};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_grant_of_very_many_comes_and_goes() {
    let count = env::var("GRANTGATE_GRANTS").map_or(2000, |count| count.parse().unwrap());
    let site = Site::new();
    fs::write(site.at(GRANTS), grants(count)).unwrap();
    managed(&site);
    let begun = Instant::now();
    let reloader = site.start().await;
    eprintln!("{count} grants: started in {:?}, {}", begun.elapsed(), memory());
    for n in 0..9 {
        let (client, begun) = (format!("new{n}"), Instant::now());
        let written = add(&reloader, &client).await.unwrap();
        eprintln!("{count} grants: one came in {:?}, {}", begun.elapsed(), memory());
        assert!(has(&written.snapshot, &client) && has(&written.snapshot, "client-0"));
        assert_eq!(written.diff.losses(), 0);
        assert!(written.diff.gained().all(|access| access.api.as_str() == "https://api.example"));
    }
    let begun = Instant::now();
    let written = reloader.write(removing("new1")).await.unwrap();
    eprintln!("{count} grants: one went in {:?}, {}", begun.elapsed(), memory());
    assert!(!has(&written.snapshot, "new1") && written.diff.gains() == 0);
    assert_eq!(site.text(GRANTS).lines().count(), count + 8 + 2);
}

/// With the Management API, which knows what stands in the files.
fn managed(site: &Site) {
    let pair = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(site.at("tls.key"), pair.signing_key.serialize_pem()).unwrap();
    fs::write(site.at("tls.crt"), pair.cert.pem()).unwrap();
    fs::write(site.at("secret"), "a secret of a client, which is long enough").unwrap();
    let section = "management:\n  listen: 127.0.0.1:9443\n  tls: {cert: tls.crt, key: tls.key}\n  \
        clients: [{client_id: tool, client_secret: '${file:secret}'}]\n";
    fs::write(site.at("management.yaml"), section).unwrap();
}

/// As programs write them, with what people want to know in reviews.
fn grants(count: usize) -> String {
    let mut text = "{\"client_grants\": [".to_owned();
    for n in 0..count {
        let comma = if n == 0 { "" } else { "," };
        write!(
            text,
            "{comma}\n{{\"client_id\":\"client-{n}\",\"audience\":\"https://api.example\",\
             \"subject_type\":\"client\",\"scope\":[\"read:x\"],\"organization_usage\":\"allow\",\
             \"organizations\":[\"org_{}\"],\"reason\":\"made for a test\"}}",
            n % 100
        )
        .unwrap();
    }
    text + "\n]}\n"
}

/// How much of this process is in memory, now and at most.
fn memory() -> String {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines =
        status.lines().filter(|line| line.starts_with("VmRSS") || line.starts_with("VmHWM"));
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(", ")
}
