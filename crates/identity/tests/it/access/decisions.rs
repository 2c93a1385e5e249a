//! Who may do what where, as a table.

use boltseal_identity::{Action, Decision, Directory, Scope};

use super::world::{id, now, world};

const WORLD: &str = "
    user | ada
    user | bob
    user | eve
    sp | ci
    sp | scanner
    workload | shop
    group | team | ada ci
    group | everyone-at-work | team bob
    group | closed | eve
    map | samples | repositories/samples/*/content/read repositories/hello/content/read repositories/hello/metadata/read
    token | t | samples
    give | Owner | ada | /
    give | AcrPull | ci | /registries/main/repositories/team/*
    give | AcrPush | team | /registries/main/repositories/team
    give | Container Registry Repository Writer | bob | /registries/main | if ((!(ActionMatches{'Microsoft.ContainerRegistry/registries/repositories/content/write'})) OR (@Request[Microsoft.ContainerRegistry/registries/repositories:name] StringStartsWith 'bob/'))
    give | Key Vault Secrets User | everyone-at-work | /vaults/prod/secrets/db
    give | Key Vault Secrets User | shop | /vaults/*/secrets/shop
    give | Container Registry Repository Catalog Lister | scanner | /registries/main
    give | AcrPull | scanner | / | until 2026-11-25T13:00:00Z
    give | AcrPull | anonymous | /registries/main/repositories/public
    give | Reader | authenticated | /clusters
    give | Key Vault Administrator | closed | /
    disable | closed
";

/// The role that grants, and the group if there is one; or a dash.
fn check(directory: &Directory, who: &str, action: Action, scope: &str, wanted: &str) {
    let scope: Scope = scope.parse().unwrap();
    let decision = directory.decide(id(who), action, &scope, now());
    let found = match &decision {
        Decision::Granted { role, through: None, .. } => role.to_string(),
        Decision::Granted { role, through: Some(group), .. } => format!("{role} through {group}"),
        Decision::Missing { .. } => "-".to_owned(),
    };
    assert_eq!(found, wanted, "{who} {action:?} {scope}: {decision:?}");
}

#[test]
fn decisions() {
    use Action::{
        AssignmentWrite, CatalogRead, ContentDelete, ContentRead, ContentWrite, ImageRead, MetadataRead,
        PolicyWrite, SecretGet, SecretReadMetadata, SecretSet, VulnerabilityRead,
    };
    let directory = world(WORLD);
    for (who, action, scope, wanted) in [
        // Owner manages, and sees nothing inside.
        ("ada", PolicyWrite, "/", "Owner"),
        ("ada", AssignmentWrite, "/registries/main/repositories/team/a", "Owner"),
        ("ada", ContentRead, "/registries/main/repositories/other", "-"),
        ("ada", SecretGet, "/vaults/prod/secrets/web", "-"),
        // A role of a group.
        ("ada", ContentWrite, "/registries/main/repositories/team/a", "AcrPush through team"),
        ("ada", ContentWrite, "/registries/main/repositories/team", "AcrPush through team"),
        ("ada", ContentWrite, "/registries/main/repositories/teams", "-"),
        ("ada", ContentDelete, "/registries/main/repositories/team/a", "-"),
        // A star is one segment, and everything below; the broader scope is named.
        ("ci", ContentRead, "/registries/main/repositories/team/a", "AcrPush through team"),
        ("ci", ContentRead, "/registries/main/repositories/team", "AcrPush through team"),
        ("ci", ContentRead, "/registries/other/repositories/team/a", "-"),
        ("ci", ContentRead, "/registries/main/repositories/other/b", "-"),
        ("shop", SecretGet, "/vaults/prod/secrets/shop", "Key Vault Secrets User"),
        ("shop", SecretGet, "/vaults/test/secrets/shop/v1", "Key Vault Secrets User"),
        ("shop", SecretGet, "/vaults/prod/secrets/other", "-"),
        ("shop", SecretGet, "/vaults/prod/keys/shop", "-"),
        ("shop", SecretGet, "/vaults", "-"),
        // Groups in groups.
        ("ci", SecretGet, "/vaults/prod/secrets/db", "Key Vault Secrets User through everyone-at-work"),
        (
            "bob",
            SecretReadMetadata,
            "/vaults/prod/secrets/db",
            "Key Vault Secrets User through everyone-at-work",
        ),
        ("bob", SecretSet, "/vaults/prod/secrets/db", "-"),
        // A condition about one of the actions only.
        (
            "bob",
            ContentWrite,
            "/registries/main/repositories/bob/app",
            "Container Registry Repository Writer",
        ),
        ("bob", ContentWrite, "/registries/main/repositories/team/app", "-"),
        (
            "bob",
            ContentRead,
            "/registries/main/repositories/team/app",
            "Container Registry Repository Writer",
        ),
        ("bob", CatalogRead, "/registries/main", "-"),
        // Listing is a right of its own.
        ("scanner", CatalogRead, "/registries/main", "Container Registry Repository Catalog Lister"),
        ("scanner", ContentRead, "/registries/main/repositories/x", "AcrPull"),
        // Everybody, and everybody who signed in.
        ("anonymous", ContentRead, "/registries/main/repositories/public/a", "AcrPull"),
        ("anonymous", ContentRead, "/registries/main/repositories/team/a", "-"),
        ("anonymous", ImageRead, "/clusters/east", "-"),
        ("eve", ContentRead, "/registries/main/repositories/public/a", "AcrPull through anonymous"),
        ("eve", VulnerabilityRead, "/clusters/east", "Reader through authenticated"),
        ("eve", VulnerabilityRead, "/", "-"),
        // Nothing passes through a disabled group.
        ("eve", SecretGet, "/vaults/prod/secrets/db", "-"),
        // A token has its scope map, and what needs no signing in.
        ("t", ContentRead, "/registries/main/repositories/hello", "scope map samples"),
        ("t", MetadataRead, "/registries/main/repositories/hello", "scope map samples"),
        ("t", ContentRead, "/registries/main/repositories/hello/world", "-"),
        ("t", ContentRead, "/registries/main/repositories/samples/a/b", "scope map samples"),
        ("t", ContentRead, "/registries/main/repositories/samples", "-"),
        ("t", MetadataRead, "/registries/main/repositories/samples/a", "-"),
        ("t", ContentRead, "/registries/main/repositories/public/a", "AcrPull through anonymous"),
        ("t", VulnerabilityRead, "/clusters/east", "-"),
        // Break-glass does everything but destroy; the server itself asks nobody.
        ("break-glass", SecretGet, "/vaults/prod/secrets/db", "BreakGlass"),
        ("break-glass", AssignmentWrite, "/", "BreakGlass"),
        ("break-glass", Action::SecretPurge, "/vaults/prod/secrets/db", "-"),
        ("system", PolicyWrite, "/", "-"),
        // Nobody.
        ("mallory", ContentRead, "/registries/main/repositories/public/a", "-"),
    ] {
        check(&directory, who, action, scope, wanted);
    }
}

#[test]
fn rights_end() {
    let directory = world(WORLD);
    let scope = Scope::repository("main", "x").unwrap();
    let end = "2026-11-25T13:00:00Z".parse().unwrap();
    assert!(directory.decide(id("scanner"), Action::ContentRead, &scope, now()).is_granted());
    assert!(!directory.decide(id("scanner"), Action::ContentRead, &scope, end).is_granted());
}

#[test]
fn the_disabled_may_do_nothing() {
    let directory = world(&format!("{WORLD}\ndisable | ci\ndisable | eve"));
    for (who, scope) in [
        ("ci", "/registries/main/repositories/team/a"),
        ("ci", "/registries/main/repositories/public/a"),
        ("eve", "/registries/main/repositories/public/a"),
    ] {
        check(&directory, who, Action::ContentRead, scope, "-");
    }
}

#[test]
fn what_is_missing_is_named_with_the_smallest_role() {
    let directory = world("user | ada");
    let decision =
        directory.decide(id("ada"), Action::SecretGet, &Scope::secret("prod", "db").unwrap(), now());
    let Decision::Missing { action, scope, nearest } = decision else { panic!("{decision:?}") };
    assert_eq!((action, scope.as_str()), (Action::SecretGet, "/vaults/prod/secrets/db"));
    assert_eq!(nearest.map(|nearest| nearest.name), Some("Key Vault Secrets User"));
    for action in Action::ALL {
        let nearest = boltseal_identity::Nearest::to(*action);
        let none = [Action::AuditCosign, Action::AuditIngest, Action::KeyRelease];
        assert!(nearest.is_some() || none.contains(action), "{action}");
    }
}

/// Many stars on the way to one place, which must not make the walk miss one.
#[test]
fn stars_beside_names() {
    let directory = world(
        "user | ada
        give | AcrPull | ada | /registries/*/repositories/app
        give | AcrDelete | ada | /registries/main/repositories/*/x
        give | AcrPush | ada | /*/main/*/deep/*
        give | Reader | ada | /registries/main",
    );
    for (action, scope, wanted) in [
        (Action::ContentRead, "/registries/main/repositories/app", "AcrPull"),
        (Action::ContentDelete, "/registries/main/repositories/app/x", "AcrDelete"),
        (Action::ContentRead, "/registries/main/repositories/app/x", "AcrPull"),
        (Action::ContentDelete, "/registries/main/repositories/app", "-"),
        (Action::ContentWrite, "/registries/main/repositories/deep/y", "AcrPush"),
        (Action::ContentWrite, "/registries/main/repositories/deep", "-"),
        (Action::ImageRead, "/registries/main/repositories/deep/y/z", "Reader"),
    ] {
        check(&directory, "ada", action, scope, wanted);
    }
}
