//! Where one request ends and the next one begins.

use super::case::{Case, bare, breaks_off, closed, hold, malformed, passes};
use super::strict::Framing;

const SMUGGLED: &str = "POST /orders/1 HTTP/1.1";

#[rustfmt::skip]
pub const HEADS: &[Case] = &[
    // A length beside chunks: hyper drops the length and closes behind the answer.
    passes("a length before chunks", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 4\ntransfer-encoding: chunked\n\n5\nabcde\n0\n\n", SMUGGLED)
        .body(Framing::Chunked, "abcde").ends(),
    passes("a length behind chunks", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\ncontent-length: 4\n\n5\nabcde\n0\n\n", SMUGGLED)
        .body(Framing::Chunked, "abcde").ends(),
    passes("a length that hides a request in no chunks", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 46\ntransfer-encoding: chunked\n\n0\n\nGET /orders/evil HTTP/1.1\nH\nA\n\n", SMUGGLED)
        .body(Framing::Chunked, "").ends(),
    passes("a length that is none behind chunks", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\ncontent-length: evil\n\n0\n\n", SMUGGLED)
        .body(Framing::Chunked, "").ends(),
    passes("two lengths around chunks", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 3\ntransfer-encoding: chunked\ncontent-length: 4\n\n0\n\n", SMUGGLED)
        .body(Framing::Chunked, "").ends(),
    passes("an equal second length", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 3\ncontent-length: 3\n\nabc", SMUGGLED)
        .body(Framing::Length, "abc"),
    passes("a length with zeros before it", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 003\n\nabc", SMUGGLED)
        .body(Framing::Length, "abc"),
    passes("a length of nothing", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 0\n\n", SMUGGLED)
        .body(Framing::Length, ""),
    passes("a body where there rarely is one", "GET /orders/1 HTTP/1.1\nH\nA\ncontent-length: 3\n\nabc", "GET /orders/1 HTTP/1.1")
        .body(Framing::Length, "abc"),
    passes("chunks where there rarely are any", "GET /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n3\nabc\n0\n\n", "GET /orders/1 HTTP/1.1")
        .body(Framing::Chunked, "abc"),
    passes("no length and no chunks is no body", "POST /orders/1 HTTP/1.1\nH\nA\n\n", SMUGGLED),
    passes("an underscored length is none", "POST /orders/1 HTTP/1.1\nH\nA\ncontent_length: 99\n\n", SMUGGLED),
    passes("underscored chunks are none", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer_encoding: chunked\n\n", SMUGGLED),

    bare("differing lengths", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 3\ncontent-length: 4\n\nabcd"),
    bare("a list of lengths", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 3, 3\n\nabc"),
    bare("a list of differing lengths", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 3, 4\n\nabcd"),
    bare("a signed length", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: +3\n\nabc"),
    bare("a negative length", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: -3\n\nabc"),
    bare("a hexadecimal length", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 0x3\n\nabc"),
    bare("a fractional length", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 3.0\n\nabc"),
    bare("a length with a blank in it", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 3 0\n\nabc"),
    bare("an empty length", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length:\n\n"),
    bare("a length that wraps around", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 18446744073709551619\n\nabc"),
    bare("the largest length", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 18446744073709551615\n\nabc").status(431),
    bare("a length in other digits", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: ３\n\nabc"),
    bare("a length that is too long for chunks and comes first", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: evil\ntransfer-encoding: chunked\n\n0\n\n"),

    passes("chunks in capitals", "POST /orders/1 HTTP/1.1\nH\nA\nTRANSFER-ENCODING: CHUNKED\n\n3\nabc\n0\n\n", SMUGGLED)
        .body(Framing::Chunked, "abc"),
    passes("chunks between blanks and tabs", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding:\t chunked \t\n\n3\nabc\n0\n\n", SMUGGLED)
        .body(Framing::Chunked, "abc"),
    malformed("gzip before chunks", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: gzip, chunked\n\n3\nabc\n0\n\n"),
    malformed("chunks twice in a list", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked, chunked\n\n0\n\n"),
    malformed("chunks twice", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\ntransfer-encoding: chunked\n\n0\n\n"),
    malformed("identity before chunks", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: identity\ntransfer-encoding: chunked\n\n0\n\n"),
    malformed("an empty coding before chunks", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: , chunked\n\n0\n\n"),
    malformed("an empty field before chunks", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding:\ntransfer-encoding: chunked\n\n0\n\n"),
    bare("chunks before an empty coding", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked,\n\n0\n\n"),
    bare("chunks that are no last coding", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked, gzip\n\n0\n\n"),
    bare("chunks and then identity", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\ntransfer-encoding: identity\n\n0\n\n"),
    bare("identity", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: identity\ncontent-length: 3\n\nabc"),
    bare("an unknown coding", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: xchunked\n\n0\n\n"),
    bare("a quoted coding", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: \"chunked\"\n\n0\n\n"),
    bare("a coding with a parameter", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked;q=1\n\n0\n\n"),
    bare("a coding in brackets", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: [chunked]\n\n0\n\n"),
    bare("a coding with a letter that lowers to another", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chun\u{212a}ed\n\n0\n\n"),
    bare("an empty coding", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding:\ncontent-length: 3\n\nabc"),
    bare("a coding behind a vertical tab", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: \u{b}chunked\n\n0\n\n"),
    bare("a coding on a folded line", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding:\n chunked\n\n0\n\n"),
    bare("chunks in HTTP/1.0", "POST /orders/1 HTTP/1.0\nH\nA\ntransfer-encoding: chunked\n\n0\n\n"),
    bare("a length and chunks in HTTP/1.0", "POST /orders/1 HTTP/1.0\nH\nA\ncontent-length: 3\ntransfer-encoding: chunked\nconnection: keep-alive\n\nabc"),
    bare("a blank before the colon of the coding", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding : chunked\n\n0\n\n"),
    bare("a blank before the colon of the length", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length : 3\n\nabc"),
];

#[rustfmt::skip]
pub const CHUNKS: &[Case] = &[
    passes("several chunks", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n1\na\n2\nbc\n0\n\n", SMUGGLED)
        .body(Framing::Chunked, "abc"),
    passes("a size in capitals and with zeros", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n00A\n0123456789\n000\n\n", SMUGGLED)
        .body(Framing::Chunked, "0123456789"),
    passes("extensions stay behind", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n3;evil=\"1\";evil\nabc\n0;evil\n\n", SMUGGLED)
        .body(Framing::Chunked, "abc"),
    passes("a blank behind the size", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n3 \nabc\n0\n\n", SMUGGLED)
        .body(Framing::Chunked, "abc"),
    passes("a request in a chunk is a chunk", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n1a\nGET /orders/x HTTP/1.1\nH:\n0\n\n", SMUGGLED)
        .body(Framing::Chunked, "GET /orders/x HTTP/1.1\r\nH:"),
    breaks_off("a signed size", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n+3\nabc\n0\n\n"),
    breaks_off("a negative size", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n-3\nabc\n0\n\n"),
    breaks_off("a size with 0x", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n0x3\nabc\n0\n\n"),
    breaks_off("an empty size", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n\nabc\n0\n\n"),
    breaks_off("a blank before the size", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n 3\nabc\n0\n\n"),
    breaks_off("a blank within the size", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n3 3\nabc\n0\n\n"),
    breaks_off("an underscore in the size", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n0_3\nabc\n0\n\n"),
    breaks_off("a size that wraps around", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n10000000000000003\nabc\n0\n\n"),
    breaks_off("a size that ends in a bare LF", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n3␊abc\n0\n\n"),
    breaks_off("a size that ends in a bare CR", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n3␍abc\n0\n\n"),
    breaks_off("an extension with a bare LF", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n3;a␊abc\n0\n\n"),
    breaks_off("a chunk that ends in a bare LF", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n3\nabc␊0\n\n"),
    breaks_off("a chunk that is longer than its size", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n3\nabcd\n0\n\n"),
    breaks_off("a chunk that is shorter than its size", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n4\nabc\n0\n\n"),
    breaks_off("a last chunk that ends in a bare LF", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n0␊\n\n"),
    breaks_off("NUL in the size", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n3␀\nabc\n0\n\n"),
    breaks_off("a length that comes short", "POST /orders/1 HTTP/1.1\nH\nA\ncontent-length: 9\n\nabc").hangs_up(),
    breaks_off("chunks without the last one", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n3\nabc\n").hangs_up(),
    breaks_off("a last chunk without its end", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n3\nabc\n0\n").hangs_up(),
];

#[rustfmt::skip]
pub const TRAILERS: &[Case] = &[
    passes("an application's trailer", "POST /orders/1 HTTP/1.1\nH\nA\ntrailer: x-sum\ntransfer-encoding: chunked\n\n3\nabc\n0\nx-sum: 1\n\n", SMUGGLED)
        .body(Framing::Chunked, "abc"),
    passes("trailers of identity, framing and routing",
        "POST /orders/1 HTTP/1.1\nH\nA\ntrailer: x-sum, grantgate-subject, authorization\ntransfer-encoding: chunked\n\n3\nabc\n0\n\
         grantgate-subject: evil\nGrantgate_Client_Id: evil\ngrantgate.scopes: evil\nauthorization: Bearer evil\n\
         host: evil\ncontent-length: 99\ntransfer-encoding: evil\nx-forwarded-for: evil\nX_Forwarded_For: evil\n\
         forwarded: for=evil\nconnection: evil\nte: evil\nvia: evil\ncookie: evil\nx-http-method-override: evil\n\
         client-cert: evil\nproxy-authorization: evil\ncontent-type: evil\nexpect: evil\nx_original_url: evil\n\n", SMUGGLED)
        .body(Framing::Chunked, "abc"),
    breaks_off("a trailer with a blank before its colon", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n0\nx : evil\n\n"),
    breaks_off("a folded trailer", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n0\nx: 1\n evil\n\n"),
    breaks_off("NUL in a trailer", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n0\nx: ev␀il\n\n"),
    breaks_off("a bare CR in a trailer", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n0\nx: 1␍y: 2\n\n"),
    breaks_off("a trailer without a colon", "POST /orders/1 HTTP/1.1\nH\nA\ntransfer-encoding: chunked\n\n0\nevil\n\n"),
];

#[rustfmt::skip]
pub const LINES: &[Case] = &[
    passes("empty lines before the request", "\n\nGET /orders/1 HTTP/1.1\nH\nA\n\n", "GET /orders/1 HTTP/1.1"),
    passes("bare line feeds", "GET /orders/1 HTTP/1.1␊host: a␊authorization: Bearer $T␊x: 1␊␊", "GET /orders/1 HTTP/1.1")
        .with(&[("x", Some("1"))]),
    passes("an end that is a bare line feed", "GET /orders/1 HTTP/1.1\nH\nA\nx: 1\n␊", "GET /orders/1 HTTP/1.1")
        .with(&[("x", Some("1"))]),
    passes("an empty value and one of blanks", "GET /orders/1 HTTP/1.1\nH\nA\nx:\ny:  \t \n\n", "GET /orders/1 HTTP/1.1"),
    passes("HTTP/1.0 is answered once", "GET /orders/1 HTTP/1.0\nH\nA\n\n", "GET /orders/1 HTTP/1.1").ends(),
    passes("HTTP/1.0 that stays", "GET /orders/1 HTTP/1.0\nH\nA\nconnection: keep-alive\n\n", "GET /orders/1 HTTP/1.1"),
    bare("a folded field", "GET /orders/1 HTTP/1.1\nH\nA\nx: 1\n evil\n\n"),
    bare("a folded field by a tab", "GET /orders/1 HTTP/1.1\nH\nA\nx: 1\n\tevil\n\n"),
    bare("a first field that is folded", "GET /orders/1 HTTP/1.1\n host: evil\nH\nA\n\n"),
    bare("a blank before the colon", "GET /orders/1 HTTP/1.1\nH\nA\nx : evil\n\n"),
    bare("a tab before the colon", "GET /orders/1 HTTP/1.1\nH\nA\nx\t: evil\n\n"),
    bare("a blank in the name", "GET /orders/1 HTTP/1.1\nH\nA\nx y: evil\n\n"),
    bare("an empty name", "GET /orders/1 HTTP/1.1\nH\nA\n: evil\n\n"),
    bare("no colon", "GET /orders/1 HTTP/1.1\nH\nA\nevil\n\n"),
    bare("a name that is quoted", "GET /orders/1 HTTP/1.1\nH\nA\n\"x\": evil\n\n"),
    bare("a name outside ASCII", "GET /orders/1 HTTP/1.1\nH\nA\nü: evil\n\n"),
    bare("NUL in a value", "GET /orders/1 HTTP/1.1\nH\nA\nx: ev␀il\n\n"),
    bare("NUL in a name", "GET /orders/1 HTTP/1.1\nH\nA\nx␀: evil\n\n"),
    bare("a bare CR in a value", "GET /orders/1 HTTP/1.1\nH\nA\nx: 1␍grantgate-subject: evil\n\n"),
    bare("a bare CR before the line's end", "GET /orders/1 HTTP/1.1\nH\nA\nx: 1␍\n\n"),
    bare("a control character in a value", "GET /orders/1 HTTP/1.1\nH\nA\nx: \u{1}\n\n"),
    bare("a bare CR as line end", "GET /orders/1 HTTP/1.1␍host: a␍␍"),
    bare("no version", "GET /orders/1\nH\nA\n\n"),
    bare("a version before ours", "GET /orders/1 HTTP/0.9\nH\nA\n\n"),
    bare("a version behind ours", "GET /orders/1 HTTP/1.2\nH\nA\n\n"),
    bare("a version of two", "GET /orders/1 HTTP/2.0\nH\nA\n\n"),
    bare("a version in lower case", "GET /orders/1 http/1.1\nH\nA\n\n"),
    bare("another protocol", "GET /orders/1 RTSP/1.0\nH\nA\n\n"),
    bare("a tab in the request line", "GET\t/orders/1 HTTP/1.1\nH\nA\n\n"),
    bare("a tab behind the target", "GET /orders/1\tHTTP/1.1\nH\nA\n\n"),
    bare("a method that is none", "G@T /orders/1 HTTP/1.1\nH\nA\n\n"),
    closed("the preface of HTTP/2", "PRI * HTTP/2.0\n\nSM\n\n"),
    bare("a TLS greeting", "\u{16}\u{3}\u{1}␀\u{1}\n\n"),
    bare("a PROXY header that nobody asked for", "PROXY TCP4 10.0.0.1 10.0.0.2 1 2\nGET /orders/1 HTTP/1.1\nH\nA\n\n"),
];

#[test]
fn a_request_has_one_framing_or_none_and_nothing_is_smuggled() {
    hold(HEADS);
}

#[test]
fn chunks_are_read_one_way_and_written_anew() {
    hold(CHUNKS);
}

#[test]
fn trailers_carry_nothing_that_is_read_in_the_head() {
    hold(TRAILERS);
}

#[test]
fn lines_that_two_servers_read_in_two_ways_are_refused_or_written_anew() {
    hold(LINES);
}
