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

/// Makes it, or gives it what it lacks, and a new secret that is shown once.
pub(super) async fn make(access: &Access, now: Timestamp) -> Result<Secret, Error> {
    const WHY: &str = "whoever may start the server on this folder";
    let known = access.authority().directory().principal_named(FIRST).cloned();
    let mut credentials = known.as_ref().map(|known| known.credentials.clone()).unwrap_or_default();
    let secret = credentials.rotate_secret(now, None).map_err(|_| Error::Randomness)?;
    let id = match known {
        Some(known) => {
            let (principal, credentials) = (known.id, Box::new(credentials));
            access
                .edit_unasked(Edit::SetCredentials { principal, credentials, end_sessions: true }, WHY)
                .await?;
            principal
        }
        None => {
            let id = PrincipalId(Uuid::new_v4());
            let name = FIRST.parse()?;
            let mut admin = Principal::new(id, PrincipalKind::User, name);
            "The first principal".clone_into(&mut admin.display);
            admin.credentials = credentials;
            access.edit_unasked(Edit::CreatePrincipal(Box::new(admin)), WHY).await?;
            id
        }
    };
    for name in ROLES {
        let directory = access.authority().directory();
        let Some(role) = directory.role_named(name).map(|role| role.id) else { continue };
        let has = |held: &Assignment| {
            held.principal == id && held.role == role && held.scope == ScopePattern::root()
        };
        if !directory.assignments().any(has) {
            access.edit_unasked(Edit::Assign(assignment(id, role, now)), WHY).await?;
        }
    }
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
