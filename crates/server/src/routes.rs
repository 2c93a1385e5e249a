//! Every route: where it is, who may ask, who answers. Nothing is served that is not in this table.

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::{MethodRouter, get, post},
};

use crate::{State, api, dashboard, door, failure::Failure, guard, guard::Access};

/// Reading what is stored and what is said about it.
const READ: &str = "dashboard/read";

/// One route.
pub(crate) struct Route {
    /// In the words of OpenAPI: `/images/{digest}`.
    pub path: &'static str,
    /// Who may ask.
    pub access: Access,
    handler: fn() -> MethodRouter<State>,
}

const fn open(path: &'static str, handler: fn() -> MethodRouter<State>) -> Route {
    Route { path, access: Access::Open, handler }
}

const fn page(path: &'static str, handler: fn() -> MethodRouter<State>) -> Route {
    Route { path, access: Access::Page(READ), handler }
}

const fn program(path: &'static str, handler: fn() -> MethodRouter<State>) -> Route {
    Route { path, access: Access::Api(READ), handler }
}

/// All of them.
pub(crate) const ALL: &[Route] = &[
    page("/", || get(dashboard::overview)),
    page("/images", || get(dashboard::images)),
    page("/images/{digest}", || get(dashboard::image)),
    page("/vulnerabilities", || get(dashboard::vulnerabilities)),
    page("/vulnerabilities/{id}", || get(dashboard::vulnerability)),
    page("/feeds", || get(dashboard::feeds)),
    page("/policy", || get(dashboard::policy)),
    page("/about", || get(dashboard::about)),
    page("/sign-out", || post(door::leave)),
    open("/sign-in", || get(door::form).post(door::enter)),
    open("/theme", || post(door::theme)),
    open("/assets/{name}", || get(dashboard::asset)),
    open("/favicon.ico", || get(dashboard::favicon)),
    open("/healthz", || get(api::healthy)),
    open("/readyz", || get(api::ready)),
    open("/api/v1/version", || get(api::version)),
    open("/api/v1/openapi.json", || get(api::openapi)),
    open("/api/v1/report.schema.json", || get(api::report_schema)),
    program("/api/v1/overview", || get(api::overview)),
    program("/api/v1/images", || get(api::images)),
    program("/api/v1/images/{digest}", || get(api::image)),
    program("/api/v1/images/{digest}/report", || get(api::report)),
    program("/api/v1/images/{digest}/verdict", || get(api::verdict)),
    program("/api/v1/vulnerabilities", || get(api::vulnerabilities)),
    program("/api/v1/vulnerabilities/{id}", || get(api::vulnerability)),
    program("/api/v1/feeds", || get(api::feeds)),
    program("/api/v1/policy", || get(api::policy)),
];

/// Everything this crate serves.
pub(crate) fn router(state: State) -> Router {
    let mut router = Router::new();
    for route in ALL {
        let admit = from_fn_with_state((state.clone(), route.access), guard::admit);
        router = router.route(route.path, (route.handler)().layer(admit));
    }
    router
        .fallback(|| async { Failure::NotFound("page at this address".to_owned()) })
        .layer(from_fn(guard::same_origin))
        .layer(from_fn_with_state(state.clone(), guard::present))
        .with_state(state)
}
