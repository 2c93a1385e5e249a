//! Every route: method, where it is, what it needs, who answers. Nothing is served that is not in this table.

use axum::{
    Router,
    middleware::{from_fn, from_fn_with_state},
    routing::{MethodRouter, delete, get, patch, post, put},
};
use boltseal_flow::access::{Endpoint, Needs};
use boltseal_identity::Action;

use crate::{
    State, account, admission, aging, api,
    audit::{export, ingest, records, sinks, standing, tiles, witness},
    bases,
    browse::{
        aging as grown, credentials as found, findings as news, notifications as told, repositories,
        search as finding, storage as shelves, upstreams as elsewhere,
    },
    control::{
        assignments, break_glass, credentials, factor, federations, login, me, principals, roles, scope_maps,
        sign_in,
    },
    credentials as secrets, dashboard, door, entra, exceptions,
    failure::Failure,
    findings,
    guard::{self, Gate, Kind},
    life::{locks, rules, trash},
    logbook, notifications, oidc, people, policies, pulls, retention, ruling, running, search, storage,
    upstreams::{self, imports, mirrors},
    webhooks,
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

/// What a page sends.
const fn form(path: &'static str, needs: Needs, handler: fn() -> MethodRouter<State>) -> Route {
    route(Kind::Page, "POST", path, needs, handler)
}

/// For a program: whoever is nobody is told how to send credentials.
const fn program(path: &'static str, needs: Needs, handler: fn() -> MethodRouter<State>) -> Route {
    route(Kind::Program, "GET", path, needs, handler)
}

/// For a program that changes something.
const fn change(
    method: &'static str,
    path: &'static str,
    needs: Needs,
    handler: fn() -> MethodRouter<State>,
) -> Route {
    route(Kind::Program, method, path, needs, handler)
}

/// For everybody, for this reason.
const fn open(path: &'static str, why: &'static str, handler: fn() -> MethodRouter<State>) -> Route {
    route(Kind::Page, "GET", path, Needs::Nothing(why), handler)
}

const IMAGES: Needs = Needs::Action(Action::ImageRead);
const VULNERABILITIES: Needs = Needs::Action(Action::VulnerabilityRead);
const FEEDS: Needs = Needs::Action(Action::FeedRead);
/// At the repositories that are found.
const SEARCH: Needs = Needs::Filtered(Action::MetadataRead);
const REGISTRY: Needs = Needs::Action(Action::RegistryRead);
const REGISTRY_CHANGE: Needs = Needs::Action(Action::RegistryWrite);
const AUDIT: Needs = Needs::Action(Action::AuditRead);
const COSIGN: Needs = Needs::Action(Action::AuditCosign);
/// At the cluster or engine that reports.
const INGEST: Needs = Needs::Filtered(Action::AuditIngest);
/// At the workload, and at the node that asks.
const WORKLOAD: Needs = Needs::Filtered(Action::WorkloadToken);
const POLICIES: Needs = Needs::Action(Action::PolicyRead);
const POLICY: Needs = Needs::Action(Action::PolicyWrite);
const APPROVE: Needs = Needs::Action(Action::ExceptionApprove);
const PRINCIPALS: Needs = Needs::Action(Action::PrincipalRead);
const PRINCIPAL: Needs = Needs::Action(Action::PrincipalWrite);
const PRINCIPAL_GONE: Needs = Needs::Action(Action::PrincipalDelete);
/// Of somebody else; one's own need nothing.
const CREDENTIALS: Needs = Needs::Filtered(Action::PrincipalWrite);
const ROLES: Needs = Needs::Action(Action::RoleRead);
/// At the scopes where the role may be given.
const ROLE: Needs = Needs::Filtered(Action::RoleWrite);
const ROLE_GONE: Needs = Needs::Action(Action::RoleDelete);
/// At the scope of the assignment.
const ASSIGNMENTS: Needs = Needs::Filtered(Action::AssignmentRead);
const ASSIGNMENT: Needs = Needs::Filtered(Action::AssignmentWrite);
const ASSIGNMENT_GONE: Needs = Needs::Filtered(Action::AssignmentDelete);
/// At the registry of the scope map.
const SCOPE_MAPS: Needs = Needs::Filtered(Action::ScopeMapRead);
const SCOPE_MAP: Needs = Needs::Filtered(Action::ScopeMapWrite);
const SCOPE_MAP_GONE: Needs = Needs::Filtered(Action::ScopeMapDelete);
/// At the repository.
const LOCKS: Needs = Needs::Filtered(Action::MetadataRead);
const LOCK: Needs = Needs::Filtered(Action::MetadataWrite);
const UNDELETE: Needs = Needs::Filtered(Action::ContentWrite);
const PURGE: Needs = Needs::Filtered(Action::ContentDelete);
const RULES: Needs = Needs::Action(Action::RegistryRead);
const RULE: Needs = Needs::Action(Action::RegistryWrite);
const FEDERATIONS: Needs = Needs::Action(Action::FederationRead);
const FEDERATION: Needs = Needs::Action(Action::FederationWrite);
const FEDERATION_GONE: Needs = Needs::Action(Action::FederationDelete);
const SHARES: Needs = Needs::Action(Action::BreakGlassOpen);
const SETTINGS: Needs = Needs::Action(Action::SettingRead);
const SETTING: Needs = Needs::Action(Action::SettingWrite);
const GLASS: Needs = Needs::Nothing("the shares are the proof");
const TOKENS: Needs = Needs::Nothing("this is where credentials are exchanged");
const CLOUD: &str = "clients learn here where tokens are to be had";
const DOOR: Needs = Needs::Nothing("this is where people sign in");
const THEME: Needs = Needs::Nothing("nothing depends on it");
const REVIEWS: Needs = Needs::Nothing("an API server of a managed cluster sends no credentials");
const FILES: &str = "the files of the dashboard itself";
const HEALTH: &str = "whether it runs is no secret";
const CONTRACT: &str = "the description of the API says nothing about what is stored";

/// All of them.
pub(crate) const ALL: &[Route] = &[
    page("/", IMAGES, || get(dashboard::overview)),
    page("/repositories", IMAGES, || get(repositories::list)),
    page("/repositories/{*name}", IMAGES, || get(repositories::one)),
    page("/search", SEARCH, || get(finding::show)),
    page("/aging", IMAGES, || get(grown::list)),
    page("/credentials", SEARCH, || get(found::list)),
    page("/credentials/{fingerprint}", SEARCH, || get(found::one)),
    page("/upstreams", RULES, || get(elsewhere::show)),
    form("/upstreams", RULE, || post(elsewhere::add)),
    form("/upstreams/{name}/remove", RULE, || post(elsewhere::remove)),
    form("/mirrors", RULE, || post(elsewhere::add_mirror)),
    form("/mirrors/{name}/{what}", RULE, || post(elsewhere::mirror)),
    page("/storage", RULES, || get(shelves::show)),
    page("/storage/jobs", RULES, || get(shelves::jobs)),
    form("/storage/collect", RULE, || post(shelves::collect)),
    form("/storage/scrub", RULE, || post(shelves::scrub)),
    form("/storage/jobs/{id}/stop", RULE, || post(shelves::stop)),
    page("/images", IMAGES, || get(dashboard::images)),
    page("/images/{digest}", IMAGES, || get(dashboard::image)),
    page("/findings/new", VULNERABILITIES, || get(news::show)),
    page("/notifications", RULES, || get(told::show)),
    form("/notifications", RULE, || post(told::add)),
    form("/notifications/{name}/{what}", RULE, || post(told::act)),
    page("/vulnerabilities", VULNERABILITIES, || get(dashboard::vulnerabilities)),
    page("/vulnerabilities/{id}", VULNERABILITIES, || get(dashboard::vulnerability)),
    page("/feeds", FEEDS, || get(dashboard::feeds)),
    page("/policy", POLICIES, || get(dashboard::policy)),
    form("/policy/exceptions/{name}/{what}", APPROVE, || post(exceptions::act)),
    page("/log", AUDIT, || get(logbook::list)),
    page("/log/{index}", AUDIT, || get(logbook::entry)),
    page("/access", PRINCIPALS, || get(people::list)),
    form("/access", PRINCIPAL, || post(people::add)),
    page("/access/roles", ROLES, || get(people::all_roles)),
    page("/access/{name}", PRINCIPALS, || get(people::one)),
    form("/access/{name}/secret", PRINCIPAL, || post(people::new_secret)),
    form("/access/{name}/secret/remove", PRINCIPAL, || post(people::remove_secret)),
    form("/access/{name}/sign-out", PRINCIPAL, || post(people::sign_out)),
    form("/access/{name}/disable", PRINCIPAL, || post(people::disable)),
    form("/access/{name}/members", PRINCIPAL, || post(people::members)),
    form("/access/{name}/delete", PRINCIPAL_GONE, || post(people::delete)),
    form("/access/{name}/assign", Needs::Action(Action::AssignmentWrite), || post(people::assign)),
    form("/access/{name}/unassign", Needs::Action(Action::AssignmentDelete), || post(people::unassign)),
    page("/account", Needs::SignedIn, || get(account::show)),
    form("/account/password", Needs::SignedIn, || post(account::password)),
    form("/account/factor", Needs::SignedIn, || post(account::begin_factor)),
    form("/account/factor/confirm", Needs::SignedIn, || post(account::confirm_factor)),
    form("/account/factor/remove", Needs::SignedIn, || post(account::remove_factor)),
    form("/account/sign-out", Needs::SignedIn, || post(account::sign_out)),
    page("/about", Needs::SignedIn, || get(dashboard::about)),
    route(Kind::Page, "POST", "/sign-out", Needs::SignedIn, || post(door::leave)),
    route(Kind::Page, "GET", "/sign-in", DOOR, || get(door::form)),
    route(Kind::Page, "POST", "/sign-in", DOOR, || post(door::enter)),
    route(Kind::Page, "GET", "/sign-in/oidc", DOOR, || get(oidc::begin)),
    route(Kind::Page, "GET", "/sign-in/oidc/callback", DOOR, || get(oidc::finish)),
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
    program("/api/v1/images/{digest}/verdict", IMAGES, || get(ruling::show)),
    program("/api/v1/images/{digest}/pulls", IMAGES, || get(pulls::of_image)),
    program("/api/v1/images/{digest}/base", IMAGES, || get(bases::show)),
    program("/api/v1/images/{digest}/custody", IMAGES, || get(crate::browse::custody::show)),
    route(Kind::Program, "POST", "/api/v1/bases", IMAGES, || post(bases::ask)),
    program("/api/v1/aging", IMAGES, || get(aging::list)),
    program("/api/v1/credentials", SEARCH, || get(secrets::list)),
    program("/api/v1/credentials/{fingerprint}", SEARCH, || get(secrets::one)),
    program("/api/v1/search", SEARCH, || get(search::search)),
    program("/api/v1/findings/new", SEARCH, || get(findings::new)),
    program("/api/v1/findings/gone", SEARCH, || get(findings::gone)),
    program("/api/v1/notifications", REGISTRY, || get(notifications::list)),
    change("POST", "/api/v1/notifications", REGISTRY_CHANGE, || post(notifications::add)),
    change("DELETE", "/api/v1/notifications/{name}", REGISTRY_CHANGE, || delete(notifications::remove)),
    change("POST", "/api/v1/notifications/{name}/test", REGISTRY_CHANGE, || post(notifications::test)),
    program("/api/v1/notifications/{name}/deliveries", REGISTRY, || get(notifications::deliveries)),
    change("POST", "/api/v1/notifications/{name}/deliveries/{id}/redeliver", REGISTRY_CHANGE, || {
        post(notifications::redeliver)
    }),
    program("/api/v1/webhooks", REGISTRY, || get(webhooks::list)),
    change("POST", "/api/v1/webhooks", REGISTRY_CHANGE, || post(webhooks::add)),
    change("DELETE", "/api/v1/webhooks/{name}", REGISTRY_CHANGE, || delete(webhooks::remove)),
    change("POST", "/api/v1/webhooks/{name}/ping", REGISTRY_CHANGE, || post(webhooks::ping)),
    program("/api/v1/webhooks/{name}/deliveries", REGISTRY, || get(webhooks::deliveries)),
    change("POST", "/api/v1/webhooks/{name}/deliveries/{id}/redeliver", REGISTRY_CHANGE, || {
        post(webhooks::redeliver)
    }),
    program("/api/v1/retention/rules", REGISTRY, || get(retention::rules)),
    change("POST", "/api/v1/retention/rules", REGISTRY_CHANGE, || post(retention::add)),
    change("DELETE", "/api/v1/retention/rules/{name}", REGISTRY_CHANGE, || delete(retention::remove)),
    program("/api/v1/retention/plan", REGISTRY, || get(retention::plan)),
    change("POST", "/api/v1/retention/runs", REGISTRY_CHANGE, || post(retention::start)),
    program("/api/v1/garbage", REGISTRY, || get(storage::garbage)),
    change("POST", "/api/v1/garbage/collections", REGISTRY_CHANGE, || post(storage::collect)),
    program("/api/v1/garbage/settings", REGISTRY, || get(storage::show_settings)),
    change("PUT", "/api/v1/garbage/settings", REGISTRY_CHANGE, || put(storage::put_settings)),
    change("POST", "/api/v1/scrubs", REGISTRY_CHANGE, || post(storage::scrub)),
    program("/api/v1/jobs", REGISTRY, || get(storage::jobs)),
    program("/api/v1/jobs/{id}", REGISTRY, || get(storage::job)),
    change("DELETE", "/api/v1/jobs/{id}", REGISTRY_CHANGE, || delete(storage::stop)),
    program("/api/v1/storage", REGISTRY, || get(storage::storage)),
    program("/api/v1/vulnerabilities", VULNERABILITIES, || get(api::vulnerabilities)),
    program("/api/v1/vulnerabilities/{id}", VULNERABILITIES, || get(api::vulnerability)),
    program("/api/v1/feeds", FEEDS, || get(api::feeds)),
    program("/api/v1/policy", POLICIES, || get(api::policy)),
    program("/api/v1/policy/versions", POLICIES, || get(policies::list)),
    change("POST", "/api/v1/policy/versions", POLICY, || post(policies::apply)),
    program("/api/v1/policy/versions/{version}", POLICIES, || get(policies::one)),
    program("/api/v1/policy/exceptions", POLICIES, || get(exceptions::list)),
    change("POST", "/api/v1/policy/exceptions/{name}/approvals", APPROVE, || post(exceptions::approve)),
    change("DELETE", "/api/v1/policy/exceptions/{name}/approvals/{who}", APPROVE, || {
        delete(exceptions::revoke)
    }),
    program("/audit/checkpoint", AUDIT, || get(tiles::checkpoint)),
    program("/audit/tile/{*place}", AUDIT, || get(tiles::tile)),
    program("/audit/witness/latest", COSIGN, || get(witness::latest)),
    change("POST", "/audit/witness/add-checkpoint", COSIGN, || post(witness::add_checkpoint)),
    program("/api/v1/audit/witnessed-logs", SETTINGS, || get(witness::logs)),
    change("POST", "/api/v1/audit/witnessed-logs", SETTING, || post(witness::watch)),
    change("DELETE", "/api/v1/audit/witnessed-logs", SETTING, || delete(witness::forget)),
    program("/api/v1/audit/witnesses", SETTINGS, || get(witness::list)),
    change("POST", "/api/v1/audit/witnesses", SETTING, || post(witness::add)),
    change("DELETE", "/api/v1/audit/witnesses", SETTING, || delete(witness::remove)),
    change("POST", "/api/v1/audit/archive", SETTING, || post(standing::archive)),
    program("/api/v1/audit/sinks", SETTINGS, || get(sinks::list)),
    change("POST", "/api/v1/audit/sinks", SETTING, || post(sinks::add)),
    change("DELETE", "/api/v1/audit/sinks", SETTING, || delete(sinks::remove)),
    program("/api/v1/audit/records", AUDIT, || get(records::records)),
    program("/api/v1/audit/records/{index}", AUDIT, || get(records::record)),
    program("/api/v1/audit/records/{index}/proof", AUDIT, || get(records::proof)),
    program("/api/v1/audit/status", AUDIT, || get(standing::status)),
    program("/api/v1/audit/export", AUDIT, || get(export::export)),
    route(Kind::Program, "POST", "/api/v1/audit/verify", AUDIT, || post(standing::verify)),
    route(Kind::Program, "POST", "/api/v1/audit/ingest/kubernetes", INGEST, || post(ingest::kubernetes)),
    route(Kind::Program, "POST", "/api/v1/audit/ingest/docker", INGEST, || post(ingest::docker)),
    route(Kind::Program, "POST", "/api/v1/audit/ingest/docker-commands", INGEST, || {
        post(ingest::docker_commands)
    }),
    route(Kind::Program, "POST", "/api/v1/audit/ingest/node", INGEST, || post(ingest::node)),
    change("PUT", "/api/v1/hosts/{host}/running", INGEST, || put(running::report)),
    program("/api/v1/running", IMAGES, || get(running::locate)),
    change("POST", "/api/v1/workloads/{name}/token", WORKLOAD, || post(entra::workload::serve)),
    change("POST", "/api/v1/workloads/{name}/pull-token", WORKLOAD, || post(entra::pull::serve)),
    change("POST", "/api/v1/login", TOKENS, || post(login::login)),
    change("POST", "/api/v1/login/federated", TOKENS, || post(login::federated)),
    change("POST", "/api/v1/logout", Needs::SignedIn, || post(login::logout)),
    program("/api/v1/whoami", Needs::SignedIn, || get(me::whoami)),
    program("/api/v1/can-i", Needs::SignedIn, || get(me::can_i)),
    change("POST", "/api/v1/me/password", Needs::SignedIn, || post(me::password)),
    change("POST", "/api/v1/me/totp", Needs::SignedIn, || post(factor::begin)),
    change("DELETE", "/api/v1/me/totp", Needs::SignedIn, || delete(factor::remove)),
    change("POST", "/api/v1/me/totp/confirm", Needs::SignedIn, || post(factor::confirm)),
    program("/api/v1/principals", PRINCIPALS, || get(principals::list)),
    change("POST", "/api/v1/principals", PRINCIPAL, || post(principals::create)),
    program("/api/v1/principals/{name}", PRINCIPALS, || get(principals::one)),
    change("PATCH", "/api/v1/principals/{name}", PRINCIPAL, || patch(principals::change)),
    change("DELETE", "/api/v1/principals/{name}", PRINCIPAL_GONE, || delete(principals::delete)),
    change("DELETE", "/api/v1/principals/{name}/totp", CREDENTIALS, || delete(factor::remove_of)),
    change("POST", "/api/v1/principals/{name}/secrets", CREDENTIALS, || post(credentials::add_secret)),
    change("DELETE", "/api/v1/principals/{name}/secrets/{id}", CREDENTIALS, || {
        delete(credentials::remove_secret)
    }),
    change("POST", "/api/v1/principals/{name}/certificates", CREDENTIALS, || {
        post(credentials::add_certificate)
    }),
    change("DELETE", "/api/v1/principals/{name}/certificates/{sha256}", CREDENTIALS, || {
        delete(credentials::remove_certificate)
    }),
    program("/api/v1/roles", ROLES, || get(roles::list)),
    change("POST", "/api/v1/roles", ROLE, || post(roles::import)),
    change("DELETE", "/api/v1/roles/{id}", ROLE_GONE, || delete(roles::delete)),
    program("/api/v1/role-assignments", ASSIGNMENTS, || get(assignments::list)),
    change("POST", "/api/v1/role-assignments", ASSIGNMENT, || post(assignments::create)),
    change("DELETE", "/api/v1/role-assignments/{id}", ASSIGNMENT_GONE, || delete(assignments::delete)),
    program("/api/v1/scope-maps", SCOPE_MAPS, || get(scope_maps::list)),
    change("POST", "/api/v1/scope-maps", SCOPE_MAP, || post(scope_maps::put)),
    change("DELETE", "/api/v1/scope-maps/{name}", SCOPE_MAP_GONE, || delete(scope_maps::delete)),
    program("/api/v1/repositories/{repository}/locks", LOCKS, || get(locks::list)),
    change("PATCH", "/api/v1/repositories/{repository}/locks", LOCK, || patch(locks::change)),
    program("/api/v1/trash", LOCKS, || get(trash::list)),
    change("DELETE", "/api/v1/trash", PURGE, || delete(trash::purge)),
    change("POST", "/api/v1/trash/undelete", UNDELETE, || post(trash::undelete)),
    program("/api/v1/trash/settings", RULES, || get(trash::settings)),
    change("PATCH", "/api/v1/trash/settings", RULE, || patch(trash::change_settings)),
    program("/api/v1/immutable-tags", RULES, || get(rules::immutable)),
    change("POST", "/api/v1/immutable-tags", RULE, || post(rules::put_immutable)),
    change("DELETE", "/api/v1/immutable-tags/{name}", RULE, || delete(rules::remove_immutable)),
    program("/api/v1/quotas", RULES, || get(rules::quotas)),
    change("POST", "/api/v1/quotas", RULE, || post(rules::put_quota)),
    change("DELETE", "/api/v1/quotas", RULE, || delete(rules::remove_quota)),
    program("/api/v1/federations", FEDERATIONS, || get(federations::list)),
    change("POST", "/api/v1/federations", FEDERATION, || post(federations::create)),
    change("DELETE", "/api/v1/federations/{id}", FEDERATION_GONE, || delete(federations::delete)),
    change("POST", "/api/v1/break-glass/shares", SHARES, || post(break_glass::deal)),
    change("POST", "/api/v1/break-glass/open", GLASS, || post(break_glass::open)),
    program("/api/v1/settings/sign-in", SETTINGS, || get(sign_in::show)),
    change("PUT", "/api/v1/settings/sign-in", SETTING, || put(sign_in::put)),
    change("DELETE", "/api/v1/settings/sign-in", SETTING, || delete(sign_in::delete)),
    program("/api/v1/settings/admission", SETTINGS, || get(admission::setting::show)),
    change("PUT", "/api/v1/settings/admission", SETTING, || put(admission::setting::put)),
    change("POST", "/api/v1/clusters/{name}/webhook", SETTING, || post(admission::switch::switched)),
    route(Kind::Program, "POST", "/admission/validate", REVIEWS, || post(admission::validate)),
    route(Kind::Program, "POST", "/admission/mutate", REVIEWS, || post(admission::mutate)),
    program("/api/v1/upstreams", RULES, || get(upstreams::list)),
    change("POST", "/api/v1/upstreams", RULE, || post(upstreams::add)),
    program("/api/v1/upstreams/{name}", RULES, || get(upstreams::one)),
    change("DELETE", "/api/v1/upstreams/{name}", RULE, || delete(upstreams::remove)),
    program("/api/v1/mirrors", RULES, || get(mirrors::list)),
    change("POST", "/api/v1/mirrors", RULE, || post(mirrors::add)),
    program("/api/v1/mirrors/{name}", RULES, || get(mirrors::one)),
    change("PATCH", "/api/v1/mirrors/{name}", RULE, || patch(mirrors::change)),
    change("DELETE", "/api/v1/mirrors/{name}", RULE, || delete(mirrors::remove)),
    change("POST", "/api/v1/mirrors/{name}/runs", RULE, || post(mirrors::run)),
    program("/api/v1/imports", RULES, || get(imports::list)),
    change("POST", "/api/v1/imports", RULE, || post(imports::start)),
    program("/api/v1/imports/{id}", RULES, || get(imports::one)),
    change("DELETE", "/api/v1/imports/{id}", RULE, || delete(imports::stop)),
    open("/{tenant}/.well-known/openid-configuration", CLOUD, || get(entra::metadata)),
    open("/{tenant}/v2.0/.well-known/openid-configuration", CLOUD, || get(entra::metadata)),
    open("/{tenant}/discovery/v2.0/keys", CLOUD, || get(entra::keys)),
    open("/common/discovery/instance", CLOUD, || get(entra::instance)),
    change("POST", "/{tenant}/oauth2/token", TOKENS, || post(entra::token::serve)),
    change("POST", "/{tenant}/oauth2/v2.0/token", TOKENS, || post(entra::token::serve)),
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
