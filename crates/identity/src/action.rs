//! What can be done, under the names that Azure gives it.
//!
//! Every place that asks for permission names one of these. The list is closed, so that a role is a set of bits and a
//! decision a bit test; the list is also where documentation, `can-i` and the test of all roles come from.

mod set;

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

pub use set::Actions;
pub(crate) use set::{Pattern, malformed};

/// Which half of a role speaks about an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Plane {
    /// Managing things: `actions` and `notActions` of a role.
    Control,
    /// What is inside them, such as images and secrets: `dataActions` and `notDataActions`.
    Data,
}

/// Why a text is not a known action.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no action is called `{found}`: `boltseal can-i --list` names all of them")]
pub struct UnknownAction {
    /// What was asked for, shortened.
    pub found: String,
}

macro_rules! actions {
    ($($variant:ident $plane:ident $name:literal $about:literal)*) => {
        /// Something that can be done.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Action {
            $(#[doc = $about] $variant,)*
        }

        impl Action {
            /// All of them, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Azure's name for it, or ours where Azure has none.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// Which half of a role grants it.
            pub const fn plane(self) -> Plane {
                match self { $(Self::$variant => Plane::$plane,)* }
            }

            /// One line for people.
            pub const fn about(self) -> &'static str {
                match self { $(Self::$variant => $about,)* }
            }
        }
    };
}

actions! {
    ContentRead Data "Microsoft.ContainerRegistry/registries/repositories/content/read" "Pull images of a repository."
    ContentWrite Data "Microsoft.ContainerRegistry/registries/repositories/content/write" "Push images to a repository."
    ContentDelete Data "Microsoft.ContainerRegistry/registries/repositories/content/delete" "Delete images of a repository."
    MetadataRead Data "Microsoft.ContainerRegistry/registries/repositories/metadata/read" "List tags and referrers of a repository."
    MetadataWrite Data "Microsoft.ContainerRegistry/registries/repositories/metadata/write" "Change what is said about a repository."
    MetadataDelete Data "Microsoft.ContainerRegistry/registries/repositories/metadata/delete" "Delete what is said about a repository."
    CatalogRead Data "Microsoft.ContainerRegistry/registries/catalog/read" "List all repositories of a registry."
    QuarantineRead Data "Microsoft.ContainerRegistry/registries/quarantinedArtifacts/read" "Pull images that the gate holds back."
    QuarantineWrite Data "Microsoft.ContainerRegistry/registries/quarantinedArtifacts/write" "Release images that the gate holds back, or hold them."
    TrustWrite Data "Microsoft.ContainerRegistry/registries/trustedCollections/write" "Push signatures."
    SecretGet Data "Microsoft.KeyVault/vaults/secrets/getSecret/action" "Read the value of a secret."
    SecretSet Data "Microsoft.KeyVault/vaults/secrets/setSecret/action" "Write the value of a secret."
    SecretReadMetadata Data "Microsoft.KeyVault/vaults/secrets/readMetadata/action" "List secrets and read all but their values."
    SecretUpdate Data "Microsoft.KeyVault/vaults/secrets/update/action" "Change what is said about a secret."
    SecretDelete Data "Microsoft.KeyVault/vaults/secrets/delete" "Delete a secret; it can be recovered for a while."
    SecretBackup Data "Microsoft.KeyVault/vaults/secrets/backup/action" "Take a backup of a secret."
    SecretRestore Data "Microsoft.KeyVault/vaults/secrets/restore/action" "Restore a secret from a backup."
    SecretRecover Data "Microsoft.KeyVault/vaults/secrets/recover/action" "Take back the deletion of a secret."
    SecretPurge Data "Microsoft.KeyVault/vaults/secrets/purge/action" "Destroy a deleted secret for good."
    KeyRead Data "Microsoft.KeyVault/vaults/keys/read" "List keys and read their public parts."
    KeyCreate Data "Microsoft.KeyVault/vaults/keys/create/action" "Make a key."
    KeyImport Data "Microsoft.KeyVault/vaults/keys/import/action" "Bring a key made elsewhere."
    KeyUpdate Data "Microsoft.KeyVault/vaults/keys/update/action" "Change what is said about a key."
    KeyRotate Data "Microsoft.KeyVault/vaults/keys/rotate/action" "Make a new version of a key."
    KeyDelete Data "Microsoft.KeyVault/vaults/keys/delete" "Delete a key; it can be recovered for a while."
    KeyBackup Data "Microsoft.KeyVault/vaults/keys/backup/action" "Take a backup of a key."
    KeyRestore Data "Microsoft.KeyVault/vaults/keys/restore/action" "Restore a key from a backup."
    KeyRecover Data "Microsoft.KeyVault/vaults/keys/recover/action" "Take back the deletion of a key."
    KeyPurge Data "Microsoft.KeyVault/vaults/keys/purge/action" "Destroy a deleted key for good."
    KeyEncrypt Data "Microsoft.KeyVault/vaults/keys/encrypt/action" "Encrypt with a key."
    KeyDecrypt Data "Microsoft.KeyVault/vaults/keys/decrypt/action" "Decrypt with a key."
    KeyWrap Data "Microsoft.KeyVault/vaults/keys/wrap/action" "Wrap another key with a key."
    KeyUnwrap Data "Microsoft.KeyVault/vaults/keys/unwrap/action" "Unwrap another key with a key."
    KeySign Data "Microsoft.KeyVault/vaults/keys/sign/action" "Sign with a key."
    KeyVerify Data "Microsoft.KeyVault/vaults/keys/verify/action" "Check a signature with a key."
    KeyRelease Data "Microsoft.KeyVault/vaults/keys/release/action" "Hand a key to an attested machine."
    KeyRotationRead Data "Microsoft.KeyVault/vaults/keyrotationpolicies/read" "Read when a key rotates."
    KeyRotationWrite Data "Microsoft.KeyVault/vaults/keyrotationpolicies/write" "Change when a key rotates."
    CertificateRead Data "Microsoft.KeyVault/vaults/certificates/read" "List and read certificates."
    CertificateCreate Data "Microsoft.KeyVault/vaults/certificates/create/action" "Make a certificate."
    CertificateImport Data "Microsoft.KeyVault/vaults/certificates/import/action" "Bring a certificate made elsewhere."
    CertificateUpdate Data "Microsoft.KeyVault/vaults/certificates/update/action" "Change what is said about a certificate."
    CertificateDelete Data "Microsoft.KeyVault/vaults/certificates/delete" "Delete a certificate; it can be recovered for a while."
    CertificateBackup Data "Microsoft.KeyVault/vaults/certificates/backup/action" "Take a backup of a certificate."
    CertificateRestore Data "Microsoft.KeyVault/vaults/certificates/restore/action" "Restore a certificate from a backup."
    CertificateRecover Data "Microsoft.KeyVault/vaults/certificates/recover/action" "Take back the deletion of a certificate."
    CertificatePurge Data "Microsoft.KeyVault/vaults/certificates/purge/action" "Destroy a deleted certificate for good."
    IssuerRead Data "Microsoft.KeyVault/vaults/certificatecas/read" "Read who issues certificates."
    IssuerWrite Data "Microsoft.KeyVault/vaults/certificatecas/write" "Change who issues certificates."
    IssuerDelete Data "Microsoft.KeyVault/vaults/certificatecas/delete" "Remove somebody who issues certificates."
    ContactWrite Data "Microsoft.KeyVault/vaults/certificatecontacts/write" "Change who is told about certificates."
    AuditRead Data "Boltseal/audit/records/read" "Read the audit log and prove its entries."
    AuditCosign Data "Boltseal/audit/checkpoints/write" "Cosign another server's checkpoints, as a witness."
    AuditIngest Data "Boltseal/audit/events/write" "Send events of clusters and engines to the audit log."
    WorkloadToken Data "Boltseal/workloads/tokens/issue/action" "Get tokens of a workload for containers that run as it."

    RegistryRead Control "Microsoft.ContainerRegistry/registries/read" "See that a registry exists and how it is set."
    RegistryWrite Control "Microsoft.ContainerRegistry/registries/write" "Make or change a registry."
    RegistryDelete Control "Microsoft.ContainerRegistry/registries/delete" "Delete a registry."
    ScopeMapRead Control "Microsoft.ContainerRegistry/registries/scopeMaps/read" "Read scope maps."
    ScopeMapWrite Control "Microsoft.ContainerRegistry/registries/scopeMaps/write" "Make or change scope maps."
    ScopeMapDelete Control "Microsoft.ContainerRegistry/registries/scopeMaps/delete" "Delete scope maps."
    VaultRead Control "Microsoft.KeyVault/vaults/read" "See that a vault exists and how it is set."
    VaultWrite Control "Microsoft.KeyVault/vaults/write" "Make or change a vault."
    VaultDelete Control "Microsoft.KeyVault/vaults/delete" "Delete a vault."
    ImageRead Control "Boltseal/images/read" "See images, their packages, findings and verdicts."
    ImageRescan Control "Boltseal/images/rescan/action" "Have an image read and judged again."
    VulnerabilityRead Control "Boltseal/vulnerabilities/read" "See which vulnerabilities are where."
    FeedRead Control "Boltseal/feeds/read" "See feeds and how old they are."
    FeedWrite Control "Boltseal/feeds/write" "Install feeds."
    PolicyRead Control "Boltseal/policies/read" "Read policies and exceptions."
    PolicyWrite Control "Boltseal/policies/write" "Change policies and exceptions."
    PolicyRollback Control "Boltseal/policies/rollback/action" "Put a policy in force that is older than the one that is."
    ExceptionApprove Control "Boltseal/policies/exceptions/approve/action" "Approve exceptions of policies, and take approvals back."
    PrincipalRead Control "Boltseal/principals/read" "See who there is."
    PrincipalWrite Control "Boltseal/principals/write" "Make and change principals, groups and credentials."
    PrincipalDelete Control "Boltseal/principals/delete" "Delete principals."
    FederationRead Control "Boltseal/federations/read" "See whose tokens are trusted."
    FederationWrite Control "Boltseal/federations/write" "Trust somebody else's tokens."
    FederationDelete Control "Boltseal/federations/delete" "Stop trusting somebody else's tokens."
    SettingRead Control "Boltseal/settings/read" "Read the settings of the server, and its figures."
    SettingWrite Control "Boltseal/settings/write" "Change the settings of the server."
    BreakGlassOpen Control "Boltseal/breakGlass/open/action" "Prepare break-glass: make and replace its shares."
    AssignmentRead Control "Microsoft.Authorization/roleAssignments/read" "See who holds which role where."
    AssignmentWrite Control "Microsoft.Authorization/roleAssignments/write" "Give roles to principals."
    AssignmentDelete Control "Microsoft.Authorization/roleAssignments/delete" "Take roles from principals."
    RoleRead Control "Microsoft.Authorization/roleDefinitions/read" "Read roles."
    RoleWrite Control "Microsoft.Authorization/roleDefinitions/write" "Make and change roles."
    RoleDelete Control "Microsoft.Authorization/roleDefinitions/delete" "Delete roles."
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Action {
    type Err = UnknownAction;

    /// Case does not matter, as in Azure.
    fn from_str(text: &str) -> Result<Self, UnknownAction> {
        let found = || text.chars().filter(|c| !c.is_control()).take(120).collect();
        let known = Self::ALL.iter().find(|action| action.name().eq_ignore_ascii_case(text));
        known.copied().ok_or_else(|| UnknownAction { found: found() })
    }
}

impl Serialize for Action {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
