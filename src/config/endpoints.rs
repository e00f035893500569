//! The endpoints of the Management API: which method and path is which, and which scope it asks. They are
//! the operations of an API that the gate itself serves.
//!
//! Paths are taken apart before their escapes are resolved: an API's identifier comes as one segment with
//! its slashes escaped.

mod find;

use http::Method;

pub use find::Unfound;

/// What an endpoint is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Client grants.
    ClientGrants,
    /// Applications.
    Clients,
    /// The gateway itself: tokens, and the description of all this.
    Gateway,
    /// Organizations that are associated with grants.
    Organizations,
    /// APIs.
    ResourceServers,
}

/// Declares [`Endpoint`] from one table: `Variant, resource, METHOD, "path", "scope";`, where the scope
/// of a public endpoint is empty.
macro_rules! endpoints {
    ($($variant:ident, $resource:ident, $method:ident, $path:literal, $scope:literal;)+) => {
        /// A method and a path.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Endpoint {
            $(#[doc = concat!(stringify!($method), " ", $path)] $variant,)+
        }

        impl Endpoint {
            /// Every endpoint, in the table's order.
            pub const ALL: &'static [Endpoint] = &[$(Endpoint::$variant,)+];

            /// What it is about.
            pub const fn resource(self) -> Resource {
                match self { $(Self::$variant => Resource::$resource,)+ }
            }

            /// Its method.
            pub const fn method(self) -> Method {
                match self { $(Self::$variant => Method::$method,)+ }
            }

            /// Its path, a segment that may be anything as `{name}`.
            pub const fn path(self) -> &'static str {
                match self { $(Self::$variant => $path,)+ }
            }

            /// The scope that it asks; none where it is public.
            pub const fn scope(self) -> Option<&'static str> {
                let scope = match self { $(Self::$variant => $scope,)+ };
                if scope.is_empty() { None } else { Some(scope) }
            }
        }
    };
}

endpoints! {
    ListGrants, ClientGrants, GET, "/api/v2/client-grants", "read:client_grants";
    CreateGrant, ClientGrants, POST, "/api/v2/client-grants", "create:client_grants";
    SearchGrants, ClientGrants, GET, "/api/v2/client-grants/search", "read:client_grants";
    GetGrant, ClientGrants, GET, "/api/v2/client-grants/{id}", "read:client_grants";
    UpdateGrant, ClientGrants, PATCH, "/api/v2/client-grants/{id}", "update:client_grants";
    DeleteGrant, ClientGrants, DELETE, "/api/v2/client-grants/{id}", "delete:client_grants";
    ListOrganizationsOfGrant, Organizations, GET, "/api/v2/client-grants/{id}/organizations", "read:organization_client_grants";
    ListGrantsOfOrganization, Organizations, GET, "/api/v2/organizations/{id}/client-grants", "read:organization_client_grants";
    Associate, Organizations, POST, "/api/v2/organizations/{id}/client-grants", "create:organization_client_grants";
    Dissociate, Organizations, DELETE, "/api/v2/organizations/{id}/client-grants/{grant_id}", "delete:organization_client_grants";
    ListApis, ResourceServers, GET, "/api/v2/resource-servers", "read:resource_servers";
    CreateApi, ResourceServers, POST, "/api/v2/resource-servers", "create:resource_servers";
    SearchApis, ResourceServers, GET, "/api/v2/resource-servers/search", "read:resource_servers";
    GetApi, ResourceServers, GET, "/api/v2/resource-servers/{id}", "read:resource_servers";
    UpdateApi, ResourceServers, PATCH, "/api/v2/resource-servers/{id}", "update:resource_servers";
    DeleteApi, ResourceServers, DELETE, "/api/v2/resource-servers/{id}", "delete:resource_servers";
    ListClients, Clients, GET, "/api/v2/clients", "read:clients";
    GetClient, Clients, GET, "/api/v2/clients/{id}", "read:clients";
    Token, Gateway, POST, "/oauth/token", "";
    Description, Gateway, GET, "/openapi.json", "";
}
