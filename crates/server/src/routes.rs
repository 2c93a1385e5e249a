//! Every route: method, where it is, what it needs, who answers. Nothing is served that is not in this table.

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::{MethodRouter, get, post},
};
use boltseal_flow::access::{Endpoint, Needs};
use boltseal_identity::Action;

use crate::{
    State, api,
    audit::{export, ingest, records, standing, tiles},
    dashboard, door,
    failure::Failure,
    guard::{self, Gate, Kind},
};

/// One route.
pub(crate) struct Route {
    method: &'static str,
    /// In the words of OpenAPI: `/images/{digest}`.
    pub path: &'static str,
    /// Who may ask, and how they are told no.
    pub gate: Gate,
    handler: fn() -> MethodRouter<State>,
}

const fn route(
    kind: Kind,
    method: &'static str,
    path: &'static str,
    needs: Needs,
    handler: fn() -> MethodRouter<State>,
) -> Route {
    Route { method, path, gate: Gate { kind, needs }, handler }
}

/// For a person with a browser: whoever is nobody is sent to the door.
const fn page(path: &'static str, needs: Needs, handler: fn() -> MethodRouter<State>) -> Route {
    route(Kind::Page, "GET", path, needs, handler)
}

/// For a program: whoever is nobody is told how to send credentials.
const fn program(path: &'static str, needs: Needs, handler: fn() -> MethodRouter<State>) -> Route {
    route(Kind::Program, "GET", path, needs, handler)
}

/// For everybody, for this reason.
const fn open(path: &'static str, why: &'static str, handler: fn() -> MethodRouter<State>) -> Route {
    route(Kind::Page, "GET", path, Needs::Nothing(why), handler)
}

const IMAGES: Needs = Needs::Action(Action::ImageRead);
const VULNERABILITIES: Needs = Needs::Action(Action::VulnerabilityRead);
const FEEDS: Needs = Needs::Action(Action::FeedRead);
const AUDIT: Needs = Needs::Action(Action::AuditRead);
/// At the cluster or engine that reports.
const INGEST: Needs = Needs::Filtered(Action::AuditIngest);
const POLICIES: Needs = Needs::Action(Action::PolicyRead);
const DOOR: Needs = Needs::Nothing("this is where people sign in");
const THEME: Needs = Needs::Nothing("nothing depends on it");
const FILES: &str = "the files of the dashboard itself";
const HEALTH: &str = "whether it runs is no secret";
const CONTRACT: &str = "the description of the API says nothing about what is stored";

/// All of them.
pub(crate) const ALL: &[Route] = &[
    page("/", IMAGES, || get(dashboard::overview)),
    page("/images", IMAGES, || get(dashboard::images)),
    page("/images/{digest}", IMAGES, || get(dashboard::image)),
    page("/vulnerabilities", VULNERABILITIES, || get(dashboard::vulnerabilities)),
    page("/vulnerabilities/{id}", VULNERABILITIES, || get(dashboard::vulnerability)),
    page("/feeds", FEEDS, || get(dashboard::feeds)),
    page("/policy", POLICIES, || get(dashboard::policy)),
    page("/about", Needs::SignedIn, || get(dashboard::about)),
    route(Kind::Page, "POST", "/sign-out", Needs::SignedIn, || post(door::leave)),
    route(Kind::Page, "GET", "/sign-in", DOOR, || get(door::form)),
    route(Kind::Page, "POST", "/sign-in", DOOR, || post(door::enter)),
    route(Kind::Page, "POST", "/theme", THEME, || post(door::theme)),
    open("/assets/{name}", FILES, || get(dashboard::asset)),
    open("/favicon.ico", FILES, || get(dashboard::favicon)),
    open("/healthz", HEALTH, || get(api::healthy)),
    open("/readyz", HEALTH, || get(api::ready)),
    open("/api/v1/version", CONTRACT, || get(api::version)),
    open("/api/v1/openapi.json", CONTRACT, || get(api::openapi)),
    open("/api/v1/report.schema.json", CONTRACT, || get(api::report_schema)),
    program("/api/v1/overview", IMAGES, || get(api::overview)),
    program("/api/v1/images", IMAGES, || get(api::images)),
    program("/api/v1/images/{digest}", IMAGES, || get(api::image)),
    program("/api/v1/images/{digest}/report", IMAGES, || get(api::report)),
    program("/api/v1/images/{digest}/verdict", IMAGES, || get(api::verdict)),
    program("/api/v1/vulnerabilities", VULNERABILITIES, || get(api::vulnerabilities)),
    program("/api/v1/vulnerabilities/{id}", VULNERABILITIES, || get(api::vulnerability)),
    program("/api/v1/feeds", FEEDS, || get(api::feeds)),
    program("/api/v1/policy", POLICIES, || get(api::policy)),
    program("/audit/checkpoint", AUDIT, || get(tiles::checkpoint)),
    program("/audit/tile/{*place}", AUDIT, || get(tiles::tile)),
    program("/api/v1/audit/records", AUDIT, || get(records::records)),
    program("/api/v1/audit/records/{index}", AUDIT, || get(records::record)),
    program("/api/v1/audit/records/{index}/proof", AUDIT, || get(records::proof)),
    program("/api/v1/audit/status", AUDIT, || get(standing::status)),
    program("/api/v1/audit/export", AUDIT, || get(export::export)),
    route(Kind::Program, "POST", "/api/v1/audit/verify", AUDIT, || post(standing::verify)),
    route(Kind::Program, "POST", "/api/v1/audit/ingest/kubernetes", INGEST, || post(ingest::kubernetes)),
    route(Kind::Program, "POST", "/api/v1/audit/ingest/docker", INGEST, || post(ingest::docker)),
];

/// All endpoints of this crate.
pub fn endpoints() -> impl Iterator<Item = Endpoint> {
    ALL.iter().map(|route| Endpoint { method: route.method, path: route.path, needs: route.gate.needs })
}

/// Everything this crate serves.
pub(crate) fn router(state: State) -> Router {
    let mut router = Router::new();
    for route in ALL {
        let admit = from_fn_with_state((state.clone(), route.gate), guard::admit);
        router = router.route(route.path, (route.handler)().layer(admit));
    }
    router
        .fallback(|| async { Failure::NotFound("page at this address".to_owned()) })
        .layer(from_fn(guard::same_origin))
        .layer(from_fn_with_state(state.clone(), guard::present))
        .with_state(state)
}
