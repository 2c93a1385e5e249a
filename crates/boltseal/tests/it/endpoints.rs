//! Every endpoint × every built-in role, driven through the real routers, against `docs/reference/access.md`.
//!
//! What an endpoint answers to somebody with one role, held everywhere, is compared with the reviewed file line by
//! line, and with what the role's own list of actions says. After a change that is meant, `BOLTSEAL_BLESS=1` writes
//! the file anew, and the difference is reviewed like code.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path, sync::Arc};

use axum::{
    Router,
    body::Body,
    http::{Request, StatusCode},
};
use boltseal_audit::record::Source;
use boltseal_flow::access::{Endpoint, Needs};
use boltseal_identity::{
    Assignment, AssignmentId, Caller, Edit, Principal, PrincipalId, PrincipalKind, Role, ScopePattern,
    registry_scope::RegistryScopes,
    token::{Kind, Method},
};
use boltseal_model::{Digest, Timestamp};
use boltseal_policy::Policy;
use boltseal_registry::{Again, Basis, Config, Judge, Registry};
use boltseal_server::{Access, ActivePolicy, Exchange, LastUse, Recorder, Site, State, recorder};
use boltseal_store::{Blobs, Facts, Outcome};
use tokio::sync::watch;
use tower::ServiceExt as _;
use uuid::Uuid;

const FILE: &str = "../../docs/reference/access.md";
/// Somebody who signed in and was given nothing.
const NO_ROLE: &str = "(no role)";
/// Nobody in particular.
const ANONYMOUS: &str = "(anonymous)";
/// Endpoints that need nothing and refuse what they were not shown, whoever asks.
const PROVE: [&str; 8] = [
    "/sign-in",
    "/sign-in/oidc",
    "/sign-in/oidc/callback",
    "/token",
    "/oauth2/token",
    "/oauth2/exchange",
    "/api/v1/login",
    "/api/v1/break-glass/open",
];

#[tokio::test(flavor = "multi_thread")]
async fn what_every_role_may_is_as_reviewed() {
    let house = House::new().await;
    let mut rows = Vec::new();
    for endpoint in boltseal_server::endpoints() {
        rows.push(house.row(&house.server, endpoint).await);
    }
    for endpoint in boltseal_registry::endpoints() {
        rows.push(house.row(&house.registry, endpoint).await);
    }
    rows.sort();
    let found = page(&rows);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if std::env::var_os("BOLTSEAL_BLESS").is_some() {
        fs::write(&path, &found).unwrap();
    }
    let reviewed = fs::read_to_string(&path).unwrap_or_default();
    for (found, reviewed) in found.lines().zip(reviewed.lines()) {
        assert_eq!(found, reviewed, "docs/reference/access.md says otherwise");
    }
    assert_eq!(found.lines().count(), reviewed.lines().count(), "an endpoint is new or gone");
}

fn page(rows: &[String]) -> String {
    let mut page = "# Who may ask for what\n\n\
        Every endpoint, what it needs, and the built-in roles that allow it where they are held everywhere (`/`). \
        Written and held against the running server by the tests; a change is reviewed like code.\n\n\
        “Filtered” means that whoever is signed in may ask, and is shown or may do only what they are allowed at \
        the place it is about.\n\n\
        | method | path | needs | who may |\n|---|---|---|---|\n"
        .to_owned();
    for row in rows {
        page.push_str(row);
    }
    page
}

/// A server and a registry over one store, and one principal for each role.
struct House {
    server: Router,
    registry: Router,
    access: Access,
    roles: BTreeMap<String, Option<Arc<Role>>>,
    _folder: tempfile::TempDir,
}

impl House {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path();
        let facts = Facts::open(data).await.unwrap();
        let config = recorder::Config {
            keys: data.join("keys"),
            data: data.to_owned(),
            origin: "boltseal.example/audit".to_owned(),
            anchors: data.join("anchors"),
            accept_restored: None,
        };
        let recorder = Recorder::open(config, &facts).await.unwrap();
        let (access, _) = Access::open(&data.join("keys"), &facts, false).await.unwrap();
        let blobs = Blobs::open(data).unwrap();
        let authority = access.authority().clone();
        let registry = Registry::new(facts.clone(), blobs, authority, Arc::new(NoJudge), Config::default());
        let active = ActivePolicy::of_file(Policy::default(), Policy::built_in_text().to_owned());
        let state = State {
            exchange: Exchange::open(data, &data.join("keys"), &facts, &recorder, access.authority())
                .unwrap(),
            facts,
            snapshot: watch::channel(None).1,
            policy: watch::channel(Arc::new(active)).1,
            policies: Arc::default(),
            access: access.clone(),
            recorder,
            last_use: Arc::new(LastUse::default()),
            admission: Arc::default(),
            admission_log: Arc::default(),
            site: Arc::new(Site {
                version: "1".to_owned(),
                registry: "127.0.0.1:5000".to_owned(),
                tls: true,
            }),
            now: Timestamp::now,
        };
        let mut roles: BTreeMap<String, Option<Arc<Role>>> =
            Role::built_in().iter().map(|role| (role.name.clone(), Some(Arc::clone(role)))).collect();
        roles.insert(NO_ROLE.to_owned(), None);
        let house = Self {
            server: boltseal_server::router(state),
            registry: registry.router(),
            access,
            roles,
            _folder: folder,
        };
        house.people().await;
        house
    }

    /// Makes somebody for every role, who holds it everywhere and nothing else.
    async fn people(&self) {
        let authority = self.access.authority();
        let admin = authority.directory().principal_named("admin").unwrap().id;
        let admin = authority.caller(admin, Method::Link).unwrap();
        let edit = async |edit| {
            self.access.edit(&admin, Source::local(), edit).await.unwrap();
        };
        for (name, role) in &self.roles {
            let id = PrincipalId(Uuid::new_v4());
            let named = user(name).parse().unwrap();
            let principal = Principal::new(id, PrincipalKind::ServicePrincipal, named);
            edit(Edit::CreatePrincipal(Box::new(principal))).await;
            // Break-glass is opened, not given.
            let Some(role) = role.as_ref().filter(|role| role.name != "BreakGlass") else { continue };
            edit(Edit::Assign(Assignment {
                id: AssignmentId(Uuid::new_v4()),
                principal: id,
                role: role.id,
                scope: ScopePattern::root(),
                condition: None,
                created: Timestamp::UNIX_EPOCH,
                by: admin.id,
                expires: None,
                reason: String::new(),
            }))
            .await;
        }
    }

    /// A fresh token each time, since some endpoints end all there are.
    fn token(&self, name: &str) -> String {
        let authority = self.access.authority();
        let caller = if name == "BreakGlass" {
            authority.caller(PrincipalId::BREAK_GLASS, Method::Shares)
        } else {
            let directory = authority.directory();
            directory.principal_named(&user(name)).and_then(|one| authority.caller(one.id, Method::Link))
        };
        let caller: Caller = caller.unwrap();
        let now = Timestamp::now();
        let issued = authority.issue(&caller, Kind::Access, RegistryScopes::All, 600, now).unwrap();
        issued.token.expose().to_owned()
    }

    async fn row(&self, router: &Router, endpoint: Endpoint) -> String {
        let Endpoint { method, path, needs } = endpoint;
        let who = match needs {
            Needs::Nothing(_) => {
                if !PROVE.contains(&path) {
                    let status = ask(router, method, path, None).await;
                    assert!(
                        !refuses(status, ANONYMOUS),
                        "{method} {path}: {status} for nobody in particular"
                    );
                }
                "everybody".to_owned()
            }
            Needs::SignedIn | Needs::Filtered(_) | Needs::Action(_) => self.who(router, endpoint).await,
        };
        let needs = match needs {
            Needs::Nothing(why) => format!("nothing: {why}"),
            Needs::SignedIn => "to be signed in".to_owned(),
            Needs::Action(action) => format!("`{}`", action.name()),
            Needs::Filtered(action) => format!("filtered by `{}`", action.name()),
        };
        let mut row = String::new();
        writeln!(row, "| {method} | `{path}` | {needs} | {who} |").unwrap();
        row
    }

    async fn who(&self, router: &Router, endpoint: Endpoint) -> String {
        let Endpoint { method, path, needs } = endpoint;
        let status = ask(router, method, path, None).await;
        assert!(refuses(status, ANONYMOUS), "{method} {path}: {status} for nobody in particular");
        let mut asking = tokio::task::JoinSet::new();
        for name in self.roles.keys().cloned() {
            let (router, token) = (router.clone(), self.token(&name));
            asking.spawn(async move {
                let status = ask(&router, method, path, Some(&token)).await;
                (name, status)
            });
        }
        let mut may = Vec::new();
        for (name, status) in asking.join_all().await {
            assert!(!status.is_server_error() || status == 503, "{method} {path}: {status} for {name}");
            if !refuses(status, &name) {
                may.push(name);
            }
        }
        may.sort();
        if let Needs::Action(action) = needs {
            let grants = |role: &Role| role.permitted().contains(action);
            let plain = |role: &&Arc<Role>| role.condition.is_none();
            for role in self.roles.values().flatten().filter(plain) {
                let says = grants(role);
                assert_eq!(may.contains(&role.name), says, "{method} {path}: {} and its list", role.name);
            }
        }
        match may.len() {
            0 => "nobody by one role alone".to_owned(),
            all if all == self.roles.len() => "whoever is signed in".to_owned(),
            _ => may.join(", "),
        }
    }
}

/// The name of whoever holds a role.
fn user(role: &str) -> String {
    role.chars().filter(char::is_ascii_alphanumeric).collect()
}

fn refuses(status: StatusCode, name: &str) -> bool {
    // A browser without a session is sent to the door.
    let sent_away = name == ANONYMOUS && status == StatusCode::SEE_OTHER;
    sent_away || matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

async fn ask(router: &Router, method: &str, path: &str, token: Option<&str>) -> StatusCode {
    let digest = Digest::of(b"nothing").to_string();
    let path = path
        .replace("/api/v1/repositories/{repository}", "/api/v1/repositories/team%2Fapp")
        .replace("{repository}", "team/app")
        .replace("{digest}", &digest)
        .replace("{reference}", "latest")
        .replace("{id}", "6a2c9c4e-3c67-4d3c-8f0b-1f2d1f1c0a01")
        .replace("{index}", "0")
        .replace("{*place}", "0/000")
        .replace("{*name}", "team/app")
        .replace("{what}", "tags")
        .replace("{who}", "nobody")
        .replace("{version}", "1")
        .replace("{sha256}", "00")
        .replace("{fingerprint}", "00112233445566778899aabbccddeeff")
        .replace("{tenant}", "adfs")
        .replace("{host}", "node")
        .replace("{name}", "nobody-of-this-name")
        .replace("/ingest/kubernetes", "/ingest/kubernetes?cluster=east")
        .replace("/ingest/docker", "/ingest/docker?host=node");
    assert!(!path.contains('{'), "{path}: say what stands there");
    let mut request = Request::builder().method(method).uri(&path).header("host", "127.0.0.1:5000");
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
}

/// Nothing is pushed, so nothing is judged.
struct NoJudge;

impl Judge for NoJudge {
    fn judge(&self, _: &boltseal_registry::Request<'_>) -> Outcome {
        Outcome::Failed { error: "nothing is judged here".to_owned() }
    }

    fn rejudge(&self, _: Vec<Again>, _: &dyn boltseal_image::Blobs) -> Vec<(Digest, Outcome)> {
        Vec::new()
    }

    fn basis(&self) -> Basis {
        Basis { snapshot: None, policy: Digest::of(b"policy") }
    }
}
