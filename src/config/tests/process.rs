//! The process: where it listens, and whose word counts.

use super::*;

#[test]
fn two_listeners_do_not_share_a_port() {
    let twice = |text: &str| codes(&["client_grants: []\n", text]).contains("listen-twice");
    assert!(twice("server: {listen: '0.0.0.0:9180'}"));
    assert!(twice("health: {listen: '127.0.0.1:8080'}"));
    assert!(twice("health: {listen: '[::]:8080'}"));
    assert!(twice("server: {listen: '127.0.0.1:1'}\nhealth: {listen: '127.0.0.1:1'}"));
    assert!(!twice("server: {listen: '127.0.0.1:1'}\nhealth: {listen: '127.0.0.2:1'}"));
    assert!(!twice("server: {listen: '127.0.0.1:0'}\nhealth: {listen: '127.0.0.1:0'}"));
    assert!(!twice("server: {listen: '0.0.0.0:9180'}\nhealth: {listen: none}"));
    // What stands in for an address that could not be read clashes with nothing.
    assert!(!twice("server: {listen: '0.0.0.0:9180'}\nhealth: {listen: 9180}"));
    assert!(!twice("server: {listen: nowhere}\nhealth: {listen: '0.0.0.0:8080'}"));
}

#[test]
fn trusted_proxies_are_not_everybody_in_pieces_either() {
    let everybody = |networks: &str| {
        let is_refused = ["trusted_proxies", "proxy_protocol_from"].map(|key| {
            let server = format!("server: {{{key}: [{networks}]}}\nclient_grants: []\n");
            codes(&[&server]).contains("trusted-proxies-everybody")
        });
        assert_eq!(
            is_refused[0], is_refused[1],
            "whoever is believed is not everybody: {networks}"
        );
        is_refused[0]
    };
    for all in [
        "0.0.0.0/0",
        "0.0.0.0/1, 128.0.0.0/1",
        "128.0.0.0/2, 10.0.0.0/8, 192.0.0.0/2, 0.0.0.0/1",
        "'::/1', '8000::/1'",
        "'::ffff:0:0/96'",
        "'::ffff:0.0.0.0/97', '::ffff:128.0.0.0/97'",
    ] {
        assert!(everybody(all), "{all}");
    }
    for some in ["10.0.0.0/8, 'fd00::/8'", "0.0.0.0/1", "'8000::/1'", "10.0.0.0/8, 10.0.0.0/8"] {
        assert!(!everybody(some), "{some}");
    }
}
