//! The first principal of an empty installation.

use boltseal_identity::{
    Assignment, AssignmentId, Edit, Principal, PrincipalId, PrincipalKind, RoleId, ScopePattern,
    secret::Secret,
};
use boltseal_model::Timestamp;
use uuid::Uuid;

use super::{Access, Error};

/// Its name.
pub const FIRST: &str = "admin";
/// What it holds at `/`. Owner alone carries no right to images, secrets or the log.
const ROLES: [&str; 5] = [
    "SecurityAdmin",
    "Auditor",
    "Container Registry Repository Contributor",
    "Container Registry Repository Catalog Lister",
    "Owner",
];

/// Makes it, or gives it what it lacks, and a new secret that is shown once; all in one commit.
pub(super) async fn make(access: &Access, now: Timestamp) -> Result<Secret, Error> {
    let directory = access.authority().directory();
    let known = directory.principal_named(FIRST);
    let mut credentials = known.map(|known| known.credentials.clone()).unwrap_or_default();
    let secret = credentials.rotate_secret(now, None).map_err(|_| Error::Randomness)?;
    let (id, edit) = if let Some(known) = known {
        let (principal, credentials) = (known.id, Box::new(credentials));
        (principal, Edit::SetCredentials { principal, credentials, end_sessions: true })
    } else {
        let id = PrincipalId(Uuid::new_v4());
        let mut admin = Principal::new(id, PrincipalKind::User, FIRST.parse()?);
        "The first principal".clone_into(&mut admin.display);
        admin.credentials = credentials;
        (id, Edit::CreatePrincipal(Box::new(admin)))
    };
    let root = ScopePattern::root();
    let lacking = ROLES.iter().filter_map(|name| directory.role_named(name)).filter(|role| {
        let has = |held: &Assignment| held.principal == id && held.role == role.id && held.scope == root;
        !directory.assignments().any(has)
    });
    let assignments = lacking.map(|role| Edit::Assign(assignment(id, role.id, now)));
    let edits = std::iter::once(edit).chain(assignments).collect();
    access.edit_unasked(edits, "whoever may start the server on this folder").await?;
    Ok(secret)
}

fn assignment(principal: PrincipalId, role: RoleId, created: Timestamp) -> Assignment {
    Assignment {
        id: AssignmentId(Uuid::new_v4()),
        principal,
        role,
        scope: ScopePattern::root(),
        condition: None,
        created,
        by: PrincipalId::SYSTEM,
        expires: None,
        reason: "the first start".to_owned(),
    }
}
