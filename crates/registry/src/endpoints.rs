//! Every endpoint of the distribution API and of ACR's, in one table: which method, which path, what it needs. What is not here is
//! not served.

use axum::http::Method;
use boltseal_audit::record::Activity;
use boltseal_flow::access::{Endpoint, Needs};
use boltseal_identity::{Action, Scope};

use crate::route::Route;

/// What kind of thing a route is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ping,
    Catalog,
    Tags,
    Manifest,
    Blob,
    Uploads,
    Upload,
    Referrers,
    AcrCatalog,
    AcrRepository,
    AcrTags,
    AcrTag,
    AcrManifests,
    AcrManifest,
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    kind: Kind,
    method: &'static str,
    path: &'static str,
    pub(crate) needs: Needs,
    pub(crate) activity: Activity,
}

const fn line(
    kind: Kind,
    method: &'static str,
    path: &'static str,
    needs: Needs,
    activity: Activity,
) -> Line {
    Line { kind, method, path, needs, activity }
}

const READ: Needs = Needs::Action(Action::ContentRead);
const WRITE: Needs = Needs::Action(Action::ContentWrite);
const DELETE: Needs = Needs::Action(Action::ContentDelete);
const METADATA: Needs = Needs::Action(Action::MetadataRead);
const LIST: Needs = Needs::Filtered(Action::MetadataRead);
const CHANGE: Needs = Needs::Action(Action::MetadataWrite);
/// Locks need what the others do, quarantine needs [`Action::QuarantineWrite`]: asked for when it is known which.
const CHANGE_OR_DECIDE: Needs = Needs::Filtered(Action::MetadataWrite);

const TABLE: &[Line] = &[
    line(Kind::Ping, "GET", "/v2/", Needs::SignedIn, Activity::Read),
    line(Kind::Catalog, "GET", "/v2/_catalog", LIST, Activity::Read),
    line(Kind::Tags, "GET", "/v2/{repository}/tags/list", METADATA, Activity::Read),
    line(Kind::Referrers, "GET", "/v2/{repository}/referrers/{digest}", METADATA, Activity::Read),
    line(Kind::Manifest, "GET", "/v2/{repository}/manifests/{reference}", READ, Activity::Read),
    line(Kind::Manifest, "PUT", "/v2/{repository}/manifests/{reference}", WRITE, Activity::Create),
    line(Kind::Manifest, "DELETE", "/v2/{repository}/manifests/{reference}", DELETE, Activity::Delete),
    line(Kind::Blob, "GET", "/v2/{repository}/blobs/{digest}", READ, Activity::Read),
    line(Kind::Blob, "DELETE", "/v2/{repository}/blobs/{digest}", DELETE, Activity::Delete),
    line(Kind::Uploads, "POST", "/v2/{repository}/blobs/uploads/", WRITE, Activity::Create),
    line(Kind::Upload, "GET", "/v2/{repository}/blobs/uploads/{id}", WRITE, Activity::Create),
    line(Kind::Upload, "PATCH", "/v2/{repository}/blobs/uploads/{id}", WRITE, Activity::Create),
    line(Kind::Upload, "PUT", "/v2/{repository}/blobs/uploads/{id}", WRITE, Activity::Create),
    line(Kind::Upload, "DELETE", "/v2/{repository}/blobs/uploads/{id}", WRITE, Activity::Create),
    line(Kind::AcrCatalog, "GET", "/acr/v1/_catalog", LIST, Activity::Read),
    line(Kind::AcrRepository, "GET", "/acr/v1/{repository}", METADATA, Activity::Read),
    line(Kind::AcrTags, "GET", "/acr/v1/{repository}/_tags", METADATA, Activity::Read),
    line(Kind::AcrTag, "GET", "/acr/v1/{repository}/_tags/{reference}", METADATA, Activity::Read),
    line(Kind::AcrTag, "DELETE", "/acr/v1/{repository}/_tags/{reference}", DELETE, Activity::Delete),
    line(Kind::AcrManifests, "GET", "/acr/v1/{repository}/_manifests", METADATA, Activity::Read),
    line(Kind::AcrManifest, "GET", "/acr/v1/{repository}/_manifests/{digest}", METADATA, Activity::Read),
    line(Kind::AcrRepository, "PATCH", "/acr/v1/{repository}", CHANGE, Activity::Update),
    line(Kind::AcrTag, "PATCH", "/acr/v1/{repository}/_tags/{reference}", CHANGE, Activity::Update),
    line(
        Kind::AcrManifest,
        "PATCH",
        "/acr/v1/{repository}/_manifests/{digest}",
        CHANGE_OR_DECIDE,
        Activity::Update,
    ),
];

const TOKENS: Needs = Needs::Nothing("this is where credentials are exchanged");

/// All endpoints of this crate.
pub fn endpoints() -> impl Iterator<Item = Endpoint> {
    let tokens = [
        ("GET", "/token"),
        ("POST", "/token"),
        ("GET", "/oauth2/token"),
        ("POST", "/oauth2/token"),
        ("POST", "/oauth2/exchange"),
    ];
    let tokens = tokens.into_iter().map(|(method, path)| Endpoint { method, path, needs: TOKENS });
    TABLE
        .iter()
        .map(|line| Endpoint { method: line.method, path: line.path, needs: line.needs })
        .chain(tokens)
}

impl Line {
    /// The line for a request, if there is one.
    pub(crate) fn of(route: &Route, method: &Method) -> Option<&'static Self> {
        let kind = route.kind();
        let method = if *method == Method::HEAD { "GET" } else { method.as_str() };
        TABLE.iter().find(|line| line.kind == kind && line.method == method)
    }

    /// The methods that a route has, as the `Allow` header lists them.
    pub(crate) fn allowed(route: &Route) -> String {
        let kind = route.kind();
        let methods = TABLE.iter().filter(|line| line.kind == kind).map(|line| match line.method {
            "GET" if kind != Kind::Upload => "GET, HEAD",
            method => method,
        });
        methods.collect::<Vec<_>>().join(", ")
    }
}

impl Route {
    pub(crate) const fn kind(&self) -> Kind {
        match self {
            Self::Ping => Kind::Ping,
            Self::Catalog => Kind::Catalog,
            Self::Tags { .. } => Kind::Tags,
            Self::Manifest { .. } => Kind::Manifest,
            Self::Blob { .. } => Kind::Blob,
            Self::Uploads { .. } => Kind::Uploads,
            Self::Upload { .. } => Kind::Upload,
            Self::Referrers { .. } => Kind::Referrers,
            Self::AcrCatalog => Kind::AcrCatalog,
            Self::AcrRepository { .. } => Kind::AcrRepository,
            Self::AcrTags { .. } => Kind::AcrTags,
            Self::AcrTag { .. } => Kind::AcrTag,
            Self::AcrManifests { .. } => Kind::AcrManifests,
            Self::AcrManifest { .. } => Kind::AcrManifest,
        }
    }

    /// Where it is: a repository, or the registry.
    pub(crate) fn scope(&self, registry: &str) -> Option<Scope> {
        match self.repository() {
            Some(name) => Scope::repository(registry, name).ok(),
            None => Scope::registry(registry).ok(),
        }
    }
}
