//! gRPC methods that would be spoken by HTTP/1.1 on a part of their way.

use crate::config::build::KnownApi;
use crate::config::snapshot::{Http2, Server, Upstream, UpstreamProtocol};
use crate::config::{Code, Report};

/// A gRPC method behind HTTP/1.1, by which no client and no server of gRPC speaks.
pub(super) fn downgraded(report: &mut Report, known: &KnownApi, server: &Server) {
    let Some(gate) = &known.gate else { return };
    let Some(operation) = gate.operations.iter().find(|operation| is_grpc_method(&operation.on))
    else {
        return;
    };
    let gate_place = known.place.key("gate");
    let has_tls = matches!(gate.upstream, Upstream::Tcp { tls: Some(_), .. });
    let by_http1 = match gate.upstream_protocol {
        UpstreamProtocol::Auto => !has_tls,
        UpstreamProtocol::Http1 => true,
        UpstreamProtocol::Http2 => false,
    };
    if by_http1 {
        let message = format!(
            "`{}` looks like a gRPC method, and the upstream is spoken to by HTTP/1.1",
            operation.on
        );
        report
            .push(Code::GrpcDowngraded, &gate_place.key("upstream"), message)
            .help("write `upstream_protocol: http2` beside `upstream`");
    }
    let from_clients = match server.http2 {
        Http2::Alpn => server.tls.is_some(),
        Http2::Never => false,
        Http2::PriorKnowledge => true,
    };
    if !from_clients {
        let message = format!(
            "`{}` looks like a gRPC method, and HTTP/2 is not spoken to clients",
            operation.on
        );
        report
            .push(Code::GrpcDowngraded, &gate_place.key("operations"), message)
            .help("write `server: {http2: prior_knowledge}`, or `server.tls`");
    }
}

/// `POST /package.Service/Method`.
fn is_grpc_method(on: &str) -> bool {
    let Some((service, method)) = on.strip_prefix("POST /").and_then(|path| path.split_once('/'))
    else {
        return false;
    };
    let is_name =
        |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let upper = |name: &str| name.starts_with(|first: char| first.is_ascii_uppercase());
    let has_service = service.rsplit_once('.').is_some_and(|(_, service)| upper(service));
    has_service && service.split('.').all(is_name) && upper(method) && is_name(method)
}
