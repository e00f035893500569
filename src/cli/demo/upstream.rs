//! The demo's API: it answers with what it was told, so that one sees what a real API would learn.

use std::io;
use std::net::SocketAddr;

use http_body_util::Full;
use hyper::Response;
use serde_json::{Map, Value, json};

use super::loopback;

/// Starts an API that answers every request with its method, path and identity headers.
pub async fn start() -> io::Result<SocketAddr> {
    let (listener, address) = loopback::bind().await?;
    loopback::serve(listener, |request| {
        let identity: Map<String, Value> = request
            .headers()
            .iter()
            .filter(|(name, _)| name.as_str().starts_with("grantgate-"))
            .map(|(name, value)| {
                (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into())
            })
            .collect();
        let told = json!({
            "method": request.method().as_str(),
            "path": request.uri().path(),
            "headers": identity,
        });
        let mut response = Response::new(Full::from(format!("{told:#}\n")));
        let json = http::HeaderValue::from_static("application/json");
        response.headers_mut().insert(http::header::CONTENT_TYPE, json);
        response
    });
    Ok(address)
}
