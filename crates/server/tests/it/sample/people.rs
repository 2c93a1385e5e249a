//! The people and programs of the shop, made forty days ago.

use std::{collections::BTreeSet, sync::OnceLock};

use boltseal_audit::record::Source;
use boltseal_identity::{
    Assignment, AssignmentId, Caller, Credentials, Edit, Principal, PrincipalId, PrincipalKind, ScopeMap,
    password::PasswordHash, token::Method, totp::Totp,
};
use boltseal_model::Timestamp;
use boltseal_server::Access;
use jiff::SignedDuration;
use uuid::Uuid;

/// Name, kind, what it is, and its roles: `ROLE at SCOPE`.
const PEOPLE: [(&str, PrincipalKind, &str, &[&str]); 9] = [
    ("ada", PrincipalKind::User, "Ada Nilsson, platform", &["Owner at /"]),
    ("lin", PrincipalKind::User, "Lin Okafor, security", &["SecurityAdmin at /", "Auditor at /"]),
    ("sam@shop.example", PrincipalKind::User, "Sam, new here", &[]),
    (
        "build",
        PrincipalKind::ServicePrincipal,
        "builds of the shop",
        &["AcrPush at /registries/main/repositories/shop/*"],
    ),
    (
        "deploy",
        PrincipalKind::ServicePrincipal,
        "rolls out to clusters",
        &["AcrPull at /registries/main/repositories/shop/*"],
    ),
    (
        "old-ci",
        PrincipalKind::ServicePrincipal,
        "the CI before this one",
        &["AcrPush at /registries/main/repositories/*"],
    ),
    ("east", PrincipalKind::Workload, "kubelets of cluster east", &["AcrPull at /"]),
    (
        "developers",
        PrincipalKind::Group,
        "whoever writes code",
        &[
            "Reader at /",
            "AcrPull at /registries/main/repositories/shop/*",
            "AcrPull at /registries/main/repositories/base/*",
        ],
    ),
    ("kiosk", PrincipalKind::Token, "the kiosk in the lobby", &[]),
];

/// When they were made.
pub fn long_ago() -> Timestamp {
    super::now().checked_sub(SignedDuration::from_hours(40 * 24)).unwrap()
}

/// Makes them, in the name of the first principal.
pub async fn make(access: &Access) {
    let admin = access.authority().directory().principal_named(super::NAME).unwrap().id;
    let admin = access.authority().caller(admin, Method::Link).unwrap();
    let edit =
        async |edit: Edit| access.edit(&admin, Source::https([192, 0, 2, 10], 51_820), edit).await.unwrap();
    edit(Edit::PutScopeMap(ScopeMap {
        id: AssignmentId(Uuid::from_u128(7)),
        name: "kiosk-pull".to_owned(),
        description: "one image, pulled once a night".to_owned(),
        registry: "main".to_owned(),
        actions: vec!["repositories/shop/web/content/read".to_owned()],
    }))
    .await;
    for (name, kind, display, roles) in PEOPLE {
        let principal = principal(access, name, kind, display);
        let id = principal.id;
        edit(Edit::CreatePrincipal(Box::new(principal))).await;
        for role in roles {
            edit(Edit::Assign(assignment(access, &admin, id, role, name == "east"))).await;
        }
    }
    let id = |name| access.authority().directory().principal_named(name).unwrap().id;
    let add: BTreeSet<PrincipalId> = ["lin", "sam@shop.example", "deploy"].map(id).into();
    edit(Edit::ChangeMembers { group: id("developers"), add, remove: BTreeSet::new() }).await;
    let principal = id("old-ci");
    edit(Edit::UpdatePrincipal { principal, display: None, disabled: Some(true), scope_map: None }).await;
}

fn principal(access: &Access, name: &str, kind: PrincipalKind, display: &str) -> Principal {
    let mut made = Principal::new(PrincipalId(Uuid::new_v4()), kind, name.parse().unwrap());
    display.clone_into(&mut made.display);
    made.scope_map = (kind == PrincipalKind::Token).then(|| "kiosk-pull".to_owned());
    let days = |days: i64| Some(super::now().checked_add(SignedDuration::from_hours(24 * days)).unwrap());
    let credentials: &mut Credentials = &mut made.credentials;
    match name {
        "ada" => {
            credentials.password = Some(password());
            let seed = Totp::new([7; 20]);
            credentials.totp = Some(seed.seal(access.authority().keys(), made.id.0).unwrap());
            credentials.renew_recovery().unwrap();
        }
        "lin" => credentials.password = Some(password()),
        "build" => drop(credentials.add_secret(long_ago(), days(9)).unwrap()),
        "deploy" => {
            credentials.add_secret(long_ago(), days(140)).unwrap();
            credentials.add_secret(long_ago(), None).unwrap();
        }
        "old-ci" => drop(credentials.add_secret(long_ago(), days(-12)).unwrap()),
        "kiosk" => drop(credentials.add_secret(long_ago(), None).unwrap()),
        _ => {}
    }
    made
}

fn assignment(access: &Access, by: &Caller, principal: PrincipalId, role: &str, near: bool) -> Assignment {
    let (role, scope) = role.split_once(" at ").unwrap();
    Assignment {
        id: AssignmentId(Uuid::new_v4()),
        principal,
        role: access.authority().directory().role_named(role).unwrap().id,
        scope: scope.parse().unwrap(),
        condition: near.then(|| "repository like \"shop/*\"".parse().unwrap()),
        created: Timestamp::UNIX_EPOCH,
        by: by.id,
        expires: near.then(|| super::now().checked_add(SignedDuration::from_hours(24 * 20)).unwrap()),
        reason: if near { "until the new cluster is there".to_owned() } else { String::new() },
    }
}

/// Hashed once for all tests.
fn password() -> PasswordHash {
    static HASH: OnceLock<PasswordHash> = OnceLock::new();
    HASH.get_or_init(|| PasswordHash::new("ada", super::PASSWORD).unwrap()).clone()
}
