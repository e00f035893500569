//! What no good client does, frame by frame.

use super::frames::{Frames, Told};
use super::traffic::PRIOR;
use crate::door::gateway::{Gateway, configuration, request};
use crate::door::upstream::Upstream;

#[test]
fn http1_and_http2_come_to_one_port_however_slowly_they_begin() {
    let upstream = Upstream::start();
    let gateway = Gateway::start(&configuration(upstream.address, "", PRIOR));
    let mut slow = Frames::silent(gateway.address);
    for byte in super::frames::PREFACE {
        slow.write(&[*byte]);
    }
    let told = slow.settings(&[(super::frames::HEADER_TABLE_SIZE, 0)]).get(1).told(1);
    let ok = Told { status: Some(200), body: b"ok".to_vec(), whole: true, ..Told::default() };
    assert_eq!(told, ok);
    assert_eq!(gateway.client().ask(request("GET /orders/1", "")).status, 200);
    let begins_alike = gateway.client().ask("PRI * HTTP/1.1\r\nhost: a\r\n\r\n").code();
    assert_eq!(begins_alike, "request-malformed");
}
