//! The roles that are the same everywhere.
//!
//! Numbers and actions of Azure's roles are Azure's, without the entries for services that are not here. A test writes
//! all of them against all actions into a table that is reviewed.

use std::sync::{Arc, LazyLock};

use uuid::{Uuid, uuid};

use super::Role;
use crate::RoleId;

/// The roles that Key Vault Data Access Administrator may give and take, as in Azure's own condition.
const DATA_ACCESS: &str = "((!(ActionMatches{'Microsoft.Authorization/roleAssignments/write'})) OR \
    (@Request[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {\
    00482a5a-887f-4fb3-b363-3b7fe8e74483, a4417e6f-fecd-4de8-b567-7b0420556985, \
    14b46e9e-c2b7-41b4-b07b-48a6ebf60603, e147488a-f6f5-4113-8e2d-b22465e65bf6, \
    12338af0-0e69-4776-bea7-57ae8d297424, 21090545-7ca7-4776-b22c-e363652d74d2, \
    b86a8fe4-44ce-4948-aee5-eccb2c155cd7, 4633458b-17de-408a-b874-0445c86b69e6})) AND \
    ((!(ActionMatches{'Microsoft.Authorization/roleAssignments/delete'})) OR \
    (@Resource[Microsoft.Authorization/roleAssignments:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {\
    00482a5a-887f-4fb3-b363-3b7fe8e74483, a4417e6f-fecd-4de8-b567-7b0420556985, \
    14b46e9e-c2b7-41b4-b07b-48a6ebf60603, e147488a-f6f5-4113-8e2d-b22465e65bf6, \
    12338af0-0e69-4776-bea7-57ae8d297424, 21090545-7ca7-4776-b22c-e363652d74d2, \
    b86a8fe4-44ce-4948-aee5-eccb2c155cd7, 4633458b-17de-408a-b874-0445c86b69e6}))";

struct Given {
    id: Uuid,
    name: &'static str,
    description: &'static str,
    actions: &'static [&'static str],
    not_actions: &'static [&'static str],
    data: &'static [&'static str],
    not_data: &'static [&'static str],
    condition: Option<&'static str>,
}

const fn control(
    id: Uuid,
    name: &'static str,
    description: &'static str,
    actions: &'static [&'static str],
    not_actions: &'static [&'static str],
) -> Given {
    Given { id, name, description, actions, not_actions, data: &[], not_data: &[], condition: None }
}

const fn data(
    id: Uuid,
    name: &'static str,
    description: &'static str,
    actions: &'static [&'static str],
    data: &'static [&'static str],
) -> Given {
    Given { id, name, description, actions, not_actions: &[], data, not_data: &[], condition: None }
}

const GENERAL: &[Given] = &[
    control(
        uuid!("8e3af657-a8ff-443c-a75c-2fe8c4bcb635"),
        "Owner",
        "Manages everything and gives roles; sees no images and no secrets.",
        &["*"],
        &[],
    ),
    control(
        uuid!("b24988ac-6180-42a0-ab88-20f7382dd24c"),
        "Contributor",
        "Manages everything but who may do what; sees no images and no secrets.",
        &["*"],
        &[
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            // In Azure these lie in the directory, which Contributor does not reach.
            "Boltseal/principals/write",
            "Boltseal/principals/delete",
            "Boltseal/federations/write",
            "Boltseal/federations/delete",
            "Boltseal/breakGlass/*",
            // Who manages does not approve.
            "Boltseal/policies/exceptions/approve/action",
        ],
    ),
    control(
        uuid!("acdd72a7-3385-48ef-bd42-f606fba81ae7"),
        "Reader",
        "Sees everything that is managed; sees no images and no secrets.",
        &["*/read"],
        &[],
    ),
    control(
        uuid!("18d7d88d-d35e-4fb5-a5c3-7773c20a72d9"),
        "User Access Administrator",
        "Gives and takes roles.",
        &["*/read", "Microsoft.Authorization/*"],
        &[],
    ),
];

const VAULT: &[Given] = &[
    data(
        uuid!("00482a5a-887f-4fb3-b363-3b7fe8e74483"),
        "Key Vault Administrator",
        "Does everything with secrets, keys and certificates.",
        &["Microsoft.Authorization/*/read"],
        &["Microsoft.KeyVault/vaults/*"],
    ),
    data(
        uuid!("21090545-7ca7-4776-b22c-e363652d74d2"),
        "Key Vault Reader",
        "Sees secrets, keys and certificates, but no value of a secret.",
        &["Microsoft.Authorization/*/read"],
        &["Microsoft.KeyVault/vaults/*/read", "Microsoft.KeyVault/vaults/secrets/readMetadata/action"],
    ),
    data(
        uuid!("b86a8fe4-44ce-4948-aee5-eccb2c155cd7"),
        "Key Vault Secrets Officer",
        "Does everything with secrets.",
        &["Microsoft.Authorization/*/read"],
        &["Microsoft.KeyVault/vaults/secrets/*"],
    ),
    data(
        uuid!("4633458b-17de-408a-b874-0445c86b69e6"),
        "Key Vault Secrets User",
        "Reads the values of secrets.",
        &[],
        &[
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ],
    ),
    data(
        uuid!("14b46e9e-c2b7-41b4-b07b-48a6ebf60603"),
        "Key Vault Crypto Officer",
        "Does everything with keys.",
        &["Microsoft.Authorization/*/read"],
        &["Microsoft.KeyVault/vaults/keys/*", "Microsoft.KeyVault/vaults/keyrotationpolicies/*"],
    ),
    data(
        uuid!("12338af0-0e69-4776-bea7-57ae8d297424"),
        "Key Vault Crypto User",
        "Uses keys.",
        &[],
        &[
            "Microsoft.KeyVault/vaults/keys/read",
            "Microsoft.KeyVault/vaults/keys/update/action",
            "Microsoft.KeyVault/vaults/keys/backup/action",
            "Microsoft.KeyVault/vaults/keys/encrypt/action",
            "Microsoft.KeyVault/vaults/keys/decrypt/action",
            "Microsoft.KeyVault/vaults/keys/wrap/action",
            "Microsoft.KeyVault/vaults/keys/unwrap/action",
            "Microsoft.KeyVault/vaults/keys/sign/action",
            "Microsoft.KeyVault/vaults/keys/verify/action",
        ],
    ),
    data(
        uuid!("e147488a-f6f5-4113-8e2d-b22465e65bf6"),
        "Key Vault Crypto Service Encryption User",
        "Wraps and unwraps with keys.",
        &[],
        &[
            "Microsoft.KeyVault/vaults/keys/read",
            "Microsoft.KeyVault/vaults/keys/wrap/action",
            "Microsoft.KeyVault/vaults/keys/unwrap/action",
        ],
    ),
    data(
        uuid!("a4417e6f-fecd-4de8-b567-7b0420556985"),
        "Key Vault Certificates Officer",
        "Does everything with certificates.",
        &["Microsoft.Authorization/*/read"],
        &[
            "Microsoft.KeyVault/vaults/certificatecas/*",
            "Microsoft.KeyVault/vaults/certificates/*",
            "Microsoft.KeyVault/vaults/certificatecontacts/write",
        ],
    ),
    data(
        uuid!("db79e9a7-68ee-4b58-9aeb-b90e7c24fcba"),
        "Key Vault Certificate User",
        "Reads certificates with their private keys.",
        &[],
        &[
            "Microsoft.KeyVault/vaults/certificates/read",
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
            "Microsoft.KeyVault/vaults/keys/read",
        ],
    ),
    Given {
        condition: Some(DATA_ACCESS),
        ..control(
            uuid!("8b54135c-b56d-4d72-a534-26097cfdc8d8"),
            "Key Vault Data Access Administrator",
            "Gives and takes eight of the roles for vaults, and no others.",
            &[
                "Microsoft.Authorization/*/read",
                "Microsoft.Authorization/roleAssignments/delete",
                "Microsoft.Authorization/roleAssignments/write",
            ],
            &[],
        )
    },
];

const REGISTRY: &[Given] = &[
    data(
        uuid!("7f951dda-4ed3-4680-a7ca-43fe172d538d"),
        "AcrPull",
        "Pulls images.",
        &["Microsoft.ContainerRegistry/registries/pull/read"],
        &[],
    ),
    data(
        uuid!("8311e382-0749-4cb8-b61a-304f252e45ec"),
        "AcrPush",
        "Pulls and pushes images.",
        &[
            "Microsoft.ContainerRegistry/registries/pull/read",
            "Microsoft.ContainerRegistry/registries/push/write",
        ],
        &[],
    ),
    data(
        uuid!("c2f4ef07-c644-48eb-af81-4b1b4947fb11"),
        "AcrDelete",
        "Deletes images.",
        &["Microsoft.ContainerRegistry/registries/artifacts/delete"],
        &[],
    ),
    data(
        uuid!("6cef56e8-d556-48e5-a04f-b8e64114680f"),
        "AcrImageSigner",
        "Pushes signatures.",
        &["Microsoft.ContainerRegistry/registries/sign/write"],
        &["Microsoft.ContainerRegistry/registries/trustedCollections/write"],
    ),
    data(
        uuid!("cdda3590-29a3-44f6-95f2-9f980659eb04"),
        "AcrQuarantineReader",
        "Pulls images that the gate holds back.",
        &["Microsoft.ContainerRegistry/registries/quarantine/read"],
        &["Microsoft.ContainerRegistry/registries/quarantinedArtifacts/read"],
    ),
    data(
        uuid!("c8d4ff99-41c3-41a8-9f60-21dfdad59608"),
        "AcrQuarantineWriter",
        "Pulls and releases images that the gate holds back.",
        &[
            "Microsoft.ContainerRegistry/registries/quarantine/read",
            "Microsoft.ContainerRegistry/registries/quarantine/write",
        ],
        &[
            "Microsoft.ContainerRegistry/registries/quarantinedArtifacts/read",
            "Microsoft.ContainerRegistry/registries/quarantinedArtifacts/write",
        ],
    ),
    data(
        uuid!("b93aa761-3e63-49ed-ac28-beffa264f7ac"),
        "Container Registry Repository Reader",
        "Pulls images and reads what is said about them.",
        &[],
        &[
            "Microsoft.ContainerRegistry/registries/repositories/metadata/read",
            "Microsoft.ContainerRegistry/registries/repositories/content/read",
        ],
    ),
    data(
        uuid!("2a1e307c-b015-4ebd-883e-5b7698a07328"),
        "Container Registry Repository Writer",
        "Pulls and pushes images.",
        &[],
        &[
            "Microsoft.ContainerRegistry/registries/repositories/metadata/read",
            "Microsoft.ContainerRegistry/registries/repositories/content/read",
            "Microsoft.ContainerRegistry/registries/repositories/metadata/write",
            "Microsoft.ContainerRegistry/registries/repositories/content/write",
        ],
    ),
    data(
        uuid!("2efddaa5-3f1f-4df3-97df-af3f13818f4c"),
        "Container Registry Repository Contributor",
        "Pulls, pushes and deletes images.",
        &[],
        &[
            "Microsoft.ContainerRegistry/registries/repositories/metadata/read",
            "Microsoft.ContainerRegistry/registries/repositories/content/read",
            "Microsoft.ContainerRegistry/registries/repositories/metadata/write",
            "Microsoft.ContainerRegistry/registries/repositories/content/write",
            "Microsoft.ContainerRegistry/registries/repositories/metadata/delete",
            "Microsoft.ContainerRegistry/registries/repositories/content/delete",
        ],
    ),
    data(
        uuid!("bfdb9389-c9a5-478a-bb2f-ba9ca092c3c7"),
        "Container Registry Repository Catalog Lister",
        "Lists all repositories.",
        &[],
        &["Microsoft.ContainerRegistry/registries/catalog/read"],
    ),
];

const OWN: &[Given] = &[
    data(
        uuid!("b0175ea1-0000-4000-9000-000000000001"),
        "Auditor",
        "Reads the audit log and everything that is managed; sees no images and no secrets.",
        &["*/read"],
        &["Boltseal/audit/records/read"],
    ),
    control(
        uuid!("b0175ea1-0000-4000-9000-000000000002"),
        "SecurityAdmin",
        "Manages policies, feeds, principals, roles and federations; gives no roles, sees no images and no secrets.",
        &[
            "*/read",
            "Boltseal/policies/*",
            "Boltseal/feeds/*",
            "Boltseal/images/rescan/action",
            "Boltseal/principals/*",
            "Boltseal/federations/*",
            "Microsoft.Authorization/roleDefinitions/*",
            "Microsoft.ContainerRegistry/registries/scopeMaps/*",
        ],
        // Whoever writes exceptions does not approve them.
        &["Boltseal/policies/exceptions/approve/action"],
    ),
    Given {
        not_data: &[
            // An emergency is no reason to destroy for good, or to speak for witnesses and clusters.
            "Microsoft.KeyVault/vaults/*/purge/action",
            "Boltseal/audit/checkpoints/write",
            "Boltseal/audit/events/write",
            "Boltseal/workloads/tokens/issue/action",
        ],
        ..data(
            uuid!("b0175ea1-0000-4000-9000-000000000003"),
            "BreakGlass",
            "Does everything but destroy for good, for an hour, in sight of everybody.",
            &["*"],
            &["*"],
        )
    },
    data(
        uuid!("b0175ea1-0000-4000-9000-000000000004"),
        "Event Reporter",
        "Sends what a cluster or an engine reports about itself to the audit log.",
        &[],
        &["Boltseal/audit/events/write"],
    ),
    data(
        uuid!("b0175ea1-0000-4000-9000-000000000005"),
        "Witness Client",
        "Has the checkpoints of another server's log cosigned here.",
        &[],
        &["Boltseal/audit/checkpoints/write"],
    ),
    data(
        uuid!("b0175ea1-0000-4000-9000-000000000006"),
        "Node Agent",
        "Asks for verdicts about images, and reports what is asked of the engine beside it.",
        &["Boltseal/images/read"],
        &["Boltseal/audit/events/write"],
    ),
    control(
        uuid!("b0175ea1-0000-4000-9000-000000000007"),
        "Exception Approver",
        "Approves exceptions of policies that somebody else answers for.",
        &["Boltseal/policies/read", "Boltseal/images/read", "Boltseal/policies/exceptions/approve/action"],
        &[],
    ),
    data(
        uuid!("b0175ea1-0000-4000-9000-000000000008"),
        "Workload Token Issuer",
        "Gets tokens of workloads for containers that run as them: for agents, at /workloads/NAME.",
        &[],
        &["Boltseal/workloads/tokens/issue/action"],
    ),
];

static ALL: LazyLock<Vec<Arc<Role>>> = LazyLock::new(|| {
    [GENERAL, VAULT, REGISTRY, OWN].into_iter().flatten().map(|given| Arc::new(given.role())).collect()
});

pub(super) fn all() -> &'static [Arc<Role>] {
    &ALL
}

impl Given {
    fn role(&self) -> Role {
        let list = |entries: &[&str]| entries.iter().copied().map(str::to_owned).collect();
        Role {
            description: self.description.to_owned(),
            built_in: true,
            actions: list(self.actions),
            not_actions: list(self.not_actions),
            data_actions: list(self.data),
            not_data_actions: list(self.not_data),
            // A test reads every one of them; a condition that could not be read would grant nothing.
            condition: self.condition.map(|text| text.parse().unwrap_or_else(|_| crate::Condition::never())),
            ..Role::new(RoleId(self.id), self.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_stands_for_something() {
        for role in all() {
            assert_eq!(role.unknown().collect::<Vec<_>>(), Vec::<&str>::new(), "{}", role.name);
            assert!(!role.permitted().is_empty(), "{}", role.name);
        }
        for given in [GENERAL, VAULT, REGISTRY, OWN].into_iter().flatten() {
            assert!(
                given.condition.is_none_or(|text| text.parse::<crate::Condition>().is_ok()),
                "{}",
                given.name
            );
        }
    }
}
