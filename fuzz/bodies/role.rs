//! Any text: reading it as a role definition never panics, and what was read is kept as it is and grants no more than
//! everything.

use boltseal_identity::{Actions, Plane, Role, RoleId};

/// Reads `text` as what Azure's tools write.
pub fn body(text: &str) {
    let Ok(imported) = Role::import(text, || RoleId::OWNER) else { return };
    for role in imported.roles {
        let everything = Actions::all_of(Plane::Control).union(Actions::all_of(Plane::Data));
        assert!(role.permitted().without(everything).is_empty() && !role.built_in);
        let stored = serde_json::to_string(&role).unwrap_or_default();
        assert_eq!(serde_json::from_str::<Role>(&stored).ok().as_ref(), Some(&role), "{stored}");
        for entry in role.unknown() {
            assert!(entry.contains('/') || entry == "*");
        }
    }
}
