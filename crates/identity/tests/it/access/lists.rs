//! Filters of lists.

use boltseal_identity::{Action, Scope};

use super::world::{id, now, world};

#[test]
fn filters_know_when_there_is_nothing_to_ask() {
    let directory = world(
        "user | ada
        user | bob
        map | m | repositories/a/content/read repositories/b/*/content/read
        token | t | m
        give | AcrPull | ada | /registries/main
        give | AcrPull | ada | /registries/*/repositories/public
        give | AcrPull | bob | /registries/main | if repository like 'b*'",
    );
    for (who, scope, contains, all) in [
        ("ada", "/registries/main/repositories/x", true, true),
        ("ada", "/registries/main", true, true),
        ("ada", "/registries/east", false, false),
        ("ada", "/registries/east/repositories/public/x", true, true),
        ("bob", "/registries/main", false, false),
        ("bob", "/registries/main/repositories/b", true, false),
        ("t", "/registries/main/repositories/a", true, false),
        ("t", "/registries/main/repositories/a/x", false, false),
        ("t", "/registries/main/repositories/b", false, false),
        ("t", "/registries/main/repositories/b/x", true, true),
        ("nobody", "/registries/main", false, false),
    ] {
        let visible = directory.visible(id(who), Action::ContentRead, now());
        let scope: Scope = scope.parse().unwrap();
        assert_eq!((visible.contains(&scope), visible.is_all_of(&scope)), (contains, all), "{who} {scope}");
    }
    assert!(directory.visible(id("nobody"), Action::ContentRead, now()).is_nothing());
    assert!(directory.visible(id("ada"), Action::SecretGet, now()).is_nothing());
    assert!(!directory.visible(id("ada"), Action::ContentRead, now()).is_nothing());
}
