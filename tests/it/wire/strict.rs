//! A request read strictly: as RFC 9112 has it, in one framing, with nothing that only a gateway or one
//! connection may say. Shares nothing with the parsers of the gateway.

/// What there is of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    pub line: String,
    pub fields: Vec<(String, String)>,
    pub framing: Framing,
    pub body: Vec<u8>,
    pub trailers: Vec<(String, String)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    #[default]
    None,
    Length,
    Chunked,
}

/// What the bytes are so far.
pub enum Read {
    /// A request, and how many bytes it takes.
    Whole(Request, usize),
    /// The beginning of one.
    Partial,
    /// No clean request, because of this.
    Wrong(String),
}

impl Request {
    /// The values of a field, in their order.
    pub fn all(&self, name: &str) -> Vec<&str> {
        let fields = self.fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
        fields.map(|(_, value)| value.as_str()).collect()
    }
}

/// Fields of which there is one at most, beside the identity's.
const SINGLE: &[&str] = &[
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "from",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "user-agent",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

/// What the gateway says of the caller.
const IDENTITY: &[&str] = &[
    "grantgate-client-id",
    "grantgate-decision",
    "grantgate-decision-id",
    "grantgate-grant-id",
    "grantgate-issuer",
    "grantgate-organization",
    "grantgate-scopes",
    "grantgate-subject",
    "grantgate-subject-type",
];

/// Beginnings of names that never come, every punctuation as `_`.
const NEVER: &[&str] = &[
    "client_cert",
    "expect",
    "http2_settings",
    "keep_alive",
    "proxy_",
    "ssl_client",
    "upgrade",
    "x_amzn_mtls",
    "x_arr_clientcert",
    "x_client_cert",
    "x_forwarded_client_cert",
    "x_forwarded_tls_client",
    "x_http_method",
    "x_method_override",
    "x_original_url",
    "x_rewrite_url",
    "x_ssl_client",
];

/// Names that are read in the head or not at all.
const NOT_BEHIND: &[&str] = &[
    "authorization",
    "connection",
    "content_length",
    "content_type",
    "cookie",
    "forwarded",
    "host",
    "te",
    "trailer",
    "transfer_encoding",
    "via",
];

/// Reads the first request of these bytes.
pub fn read(bytes: &[u8]) -> Read {
    match whole(bytes) {
        Ok(Some((request, used))) => Read::Whole(request, used),
        Ok(None) => Read::Partial,
        Err(wrong) => Read::Wrong(format!("{wrong} in {:?}", String::from_utf8_lossy(bytes))),
    }
}

type Result<T> = std::result::Result<T, String>;

fn whole(bytes: &[u8]) -> Result<Option<(Request, usize)>> {
    let Some((line, mut at)) = line(bytes, 0)? else { return Ok(None) };
    let mut request = Request { line: request_line(line)?, ..Request::default() };
    match fields(bytes, at)? {
        Some((fields, end)) => (request.fields, at) = (fields, end),
        None => return Ok(None),
    }
    check(&request)?;
    let (lengths, codings) = (request.all("content-length"), request.all("transfer-encoding"));
    match (&lengths[..], &codings[..]) {
        ([], []) => return Ok(Some((request, at))),
        ([length], []) => {
            let digits = length.bytes().all(|byte| byte.is_ascii_digit());
            let is_plain = digits && (*length == "0" || !length.starts_with('0'));
            let length: usize =
                length.parse().ok().filter(|_| is_plain).ok_or(format!("length {length}"))?;
            request.framing = Framing::Length;
            let Some(body) = bytes.get(at..at + length) else { return Ok(None) };
            request.body = body.to_vec();
            return Ok(Some((request, at + length)));
        }
        ([], ["chunked"]) => request.framing = Framing::Chunked,
        framings => return Err(format!("framed {framings:?}")),
    }
    loop {
        let Some((size, begin)) = self::line(bytes, at)? else { return Ok(None) };
        let is_plain = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_hexdigit());
        let size = usize::from_str_radix(size, 16).ok().filter(|_| is_plain);
        let size = size.ok_or("a chunk without a plain size")?;
        if size == 0 {
            let Some((trailers, end)) = fields(bytes, begin)? else { return Ok(None) };
            for (name, _) in &trailers {
                let folded = folded(name);
                if folded.starts_with("grantgate_") || NOT_BEHIND.contains(&folded.as_str()) {
                    return Err(format!("trailer {name}"));
                }
            }
            request.trailers = trailers;
            return Ok(Some((request, end)));
        }
        let Some(chunk) = bytes.get(begin..begin + size + 2) else { return Ok(None) };
        let Some(data) = chunk.strip_suffix(b"\r\n") else { return Err("an open chunk".into()) };
        request.body.extend_from_slice(data);
        at = begin + size + 2;
    }
}

/// The line from `at` on, and where the next one begins.
fn line(bytes: &[u8], at: usize) -> Result<Option<(&str, usize)>> {
    let rest = &bytes[at..];
    let Some(length) = rest.iter().position(|&byte| byte == b'\n') else { return Ok(None) };
    let line = rest[..length].strip_suffix(b"\r").ok_or("a bare line feed")?;
    if line.contains(&b'\r') || line.contains(&0) {
        return Err("a bare carriage return, or NUL".into());
    }
    let text = std::str::from_utf8(line).map_err(|_| "a line that is no text")?;
    Ok(Some((text, at + length + 1)))
}

fn request_line(line: &str) -> Result<String> {
    let wrong = || format!("request line {line:?}");
    let mut words = line.split(' ');
    let (method, target) = (words.next().ok_or_else(wrong)?, words.next().ok_or_else(wrong)?);
    let is_clean = words.next() == Some("HTTP/1.1")
        && words.next().is_none()
        && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-')
        && target.starts_with('/')
        && target.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'#');
    is_clean.then(|| line.to_owned()).ok_or_else(wrong)
}

/// The fields from `at` on, and where what follows them begins.
#[expect(clippy::type_complexity, reason = "names and values, and a place")]
fn fields(bytes: &[u8], mut at: usize) -> Result<Option<(Vec<(String, String)>, usize)>> {
    let mut fields = Vec::new();
    loop {
        let Some((line, next)) = line(bytes, at)? else { return Ok(None) };
        at = next;
        if line.is_empty() {
            return Ok(Some((fields, at)));
        }
        let (name, value) = line.split_once(": ").ok_or_else(|| format!("field {line:?}"))?;
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let is_text = |c: char| c == '\t' || !c.is_control();
        if name.is_empty() || !name.bytes().all(is_token) || !value.chars().all(is_text) {
            return Err(format!("field {line:?}"));
        }
        fields.push((name.to_owned(), value.to_owned()));
    }
}

/// A head says what heads say once, and nothing that it must not.
fn check(request: &Request) -> Result<()> {
    if request.all("host").len() != 1 {
        return Err(format!("hosts {:?}", request.all("host")));
    }
    for (name, value) in &request.fields {
        let lower = name.to_ascii_lowercase();
        let is_ours = IDENTITY.contains(&lower.as_str());
        let again = (is_ours || SINGLE.contains(&lower.as_str())) && request.all(name).len() > 1;
        let folded = folded(name);
        let never = NEVER.iter().any(|never| folded.starts_with(never))
            || (folded.starts_with("grantgate_") && !is_ours)
            // Two spellings that a server behind takes for one.
            || (lower.contains(['_', '.']) && folded.starts_with("x_forwarded"))
            // Trailers are asked for, and nothing else is said of a connection.
            || (["connection", "te"].contains(&lower.as_str()) && !["te", "trailers"].contains(&value.as_str()));
        if again || never {
            return Err(format!("field {name}: {value}"));
        }
    }
    Ok(())
}

fn folded(name: &str) -> String {
    let fold = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    name.chars().map(fold).collect()
}

#[test]
fn what_is_not_clean_is_told() {
    let good = "POST /a?b HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: y\r\n\r\n";
    match read(format!("{good}GET ").as_bytes()) {
        Read::Whole(request, used) => {
            assert_eq!((request.body.as_slice(), used), (&b"abc"[..], good.len()));
        }
        Read::Partial | Read::Wrong(_) => panic!("it is clean"),
    }
    assert!(matches!(read(&good.as_bytes()[..good.len() - 1]), Read::Partial));
    for (from, to) in [
        ("host: a\r\n", ""),
        ("host: a\r\n", "host: a\r\nhost: a\r\n"),
        ("host: a\r\n", "host: a\n"),
        ("host: a\r\n", "host: a\r\ncontent-length: 3\r\n"),
        ("host: a\r\n", "host: a\r\n folded\r\n"),
        ("host: a\r\n", "host : a\r\n"),
        ("host: a\r\n", "host: a\r\nGrantgate_Subject: a\r\n"),
        ("host: a\r\n", "host: a\r\nupgrade: h2c\r\n"),
        ("host: a\r\n", "host: a\r\nconnection: close\r\n"),
        ("encoding: chunked", "encoding: gzip, chunked"),
        ("\r\n3\r\n", "\r\n+3\r\n"),
        ("\r\n3\r\n", "\r\n3;a\r\n"),
        ("\r\n3\r\n", "\r\n2\r\n"),
        ("x: y", "host: y"),
        ("/a?b", "/a#b"),
        ("/a?b", "http://a/"),
        ("HTTP/1.1", "HTTP/1.0"),
    ] {
        assert!(good.contains(from));
        let bad = good.replacen(from, to, 1);
        assert!(matches!(read(bad.as_bytes()), Read::Wrong(_)), "{bad:?}");
    }
}
