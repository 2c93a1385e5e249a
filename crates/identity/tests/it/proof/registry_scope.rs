//! Scopes of registry tokens.

use boltseal_identity::registry_scope::{MAX_SCOPES, RegistryAction, RegistryScope, RegistryScopes};

#[test]
fn scopes_are_read_and_written() {
    let check = |asked: &str, wanted: &str| {
        let parsed: Vec<String> = RegistryScope::parse_all([asked]).iter().map(ToString::to_string).collect();
        assert_eq!(parsed.join(" "), wanted, "{asked}");
        let again: Vec<String> = RegistryScope::parse_all([wanted]).iter().map(ToString::to_string).collect();
        assert_eq!(again.join(" "), wanted, "written and read again");
    };
    check("repository:team/app:pull,push", "repository:team/app:pull,push");
    check("repository:app:push,pull,pull", "repository:app:pull,push");
    check("repository:app:*", "repository:app:pull,push,delete,metadata_read,metadata_write");
    check("repository:foo:metadata_read", "repository:foo:metadata_read");
    check("registry:catalog:*", "registry:catalog:*");
    check("repository(plugin):app:pull", "repository:app:pull");
    check(
        "repository:a:pull registry:catalog:* repository:b:push",
        "repository:a:pull registry:catalog:* repository:b:push",
    );
    // Twice the same repository is one entry.
    check(
        "repository:a:pull repository:b:pull repository:a:push",
        "repository:a:pull,push repository:b:pull",
    );
    // Nothing is granted by what is malformed or unknown.
    check("nonsense", "");
    check("repository:A:pull", "");
    check("repository:a:", "");
    check("repository:a:frobnicate", "");
    check("repository:a:pull,frobnicate", "repository:a:pull");
    check("repository:../a:pull", "");
    check("registry:catalog:pull", "");
    check("registry:other:*", "");
    check("  ", "");
    check("repository:localhost:5000/a:pull", "");
    check(&format!("repository:{}:pull", "a".repeat(300)), "");
}

#[test]
fn more_than_a_client_ever_asks_for_is_left_out() {
    let many: Vec<String> = (0..1000).map(|n| format!("repository:a{n}:pull")).collect();
    assert_eq!(RegistryScope::parse_all(many.iter().map(String::as_str)).len(), MAX_SCOPES);
}

#[test]
fn what_is_listed_is_allowed_and_nothing_else() {
    let listed = RegistryScopes::Listed(RegistryScope::parse_all([
        "repository:a/b:pull,push repository:c:pull",
        "registry:catalog:*",
    ]));
    let check = |scopes: &RegistryScopes, repository: &str, action: RegistryAction, wanted: bool| {
        assert_eq!(scopes.allow(repository, action), wanted, "{repository} {}", action.word());
    };
    check(&listed, "a/b", RegistryAction::Push, true);
    check(&listed, "a/b", RegistryAction::Delete, false);
    check(&listed, "a", RegistryAction::Pull, false);
    check(&listed, "c", RegistryAction::Pull, true);
    check(&listed, "c", RegistryAction::Push, false);
    check(&listed, "c", RegistryAction::MetadataRead, false);
    assert!(listed.allow_catalog() && listed.pushing("a/b") && !listed.pushing("c"));
    let nothing = RegistryScopes::Listed(Vec::new());
    check(&nothing, "a", RegistryAction::Pull, false);
    assert!(!nothing.allow_catalog());
    for action in RegistryAction::ALL {
        check(&RegistryScopes::All, "x", action, true);
        assert!(action.needs().starts_with("Microsoft.ContainerRegistry/registries/repositories/"));
    }
    assert!(RegistryScopes::All.allow_catalog() && !RegistryScopes::All.pushing("x"));
}
