//! Microsoft's baseline of Container Instances, row by row: what holds, what does not, and what nobody here can tell.

use serde::Serialize;

use crate::{
    checks::{self, run},
    read::Read,
};

/// How a row of the baseline stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// The definition does what the row asks.
    Pass,
    /// It does not.
    Fail,
    /// It cannot be told from the file.
    Unknown,
    /// Microsoft does it.
    Inherited,
    /// Somebody has to look elsewhere.
    Manual,
    /// The service does not have it.
    NotSupported,
    /// It makes no sense for this service.
    NotApplicable,
}

/// A row of the baseline.
#[derive(Debug)]
pub struct Row {
    /// `NS-1`
    pub control: &'static str,
    /// As the baseline calls it.
    pub feature: &'static str,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// It holds unless one of these checks finds something.
    Checks(&'static [&'static str]),
    Fixed(Standing),
}

const fn row(control: &'static str, feature: &'static str, kind: Kind) -> Row {
    Row { control, feature, kind }
}

use Kind::{Checks, Fixed};
use Standing::{Inherited, Manual, NotApplicable, NotSupported};

/// Every row, in the order of the baseline.
pub const ROWS: &[Row] = &[
    row("NS-1", "Network Security Group Support", Fixed(Manual)),
    row("NS-1", "Virtual Network Integration", Checks(&["aci-public-address", "aci-no-subnet"])),
    row("NS-2", "Azure Private Link", Fixed(NotSupported)),
    row("NS-2", "Disable Public Network Access", Fixed(NotSupported)),
    row("IM-1", "Azure AD Authentication Required for Data Plane Access", Fixed(NotSupported)),
    row("IM-1", "Local Authentication Methods for Data Plane Access", Fixed(NotSupported)),
    row("IM-3", "Managed Identities", Checks(&["aci-no-identity", "aci-registry-identity"])),
    row("IM-3", "Service Principals", Fixed(NotSupported)),
    row("IM-7", "Conditional Access for Data Plane", Fixed(Manual)),
    row(
        "IM-8",
        "Service Credential and Secrets Support Integration and Storage in Azure Key Vault",
        // Beyond the baseline, which is older than secret references.
        Checks(&[
            "aci-registry-password",
            "aci-secret-volume",
            "aci-storage-key",
            "aci-workspace-key",
            "plain-secret",
        ]),
    ),
    row("PA-1", "Local Admin Accounts", Fixed(NotApplicable)),
    row("PA-7", "Azure RBAC for Data Plane", Fixed(Manual)),
    row("PA-8", "Customer Lockbox", Fixed(NotSupported)),
    row("DP-1", "Sensitive Data Discovery and Classification", Fixed(NotApplicable)),
    row("DP-2", "Data Leakage/Loss Prevention", Fixed(NotApplicable)),
    row("DP-3", "Data in Transit Encryption", Fixed(NotApplicable)),
    row("DP-4", "Data at Rest Encryption Using Platform Keys", Fixed(Inherited)),
    row("DP-5", "Data at Rest Encryption Using CMK", Checks(&["aci-no-own-key"])),
    row("DP-6", "Key Management in Azure Key Vault", Checks(&["aci-no-own-key", "aci-key-rotation"])),
    row("DP-7", "Certificate Management in Azure Key Vault", Fixed(NotSupported)),
    row(
        "AM-2",
        "Azure Policy Support",
        Checks(&["aci-no-logs", "aci-no-own-key", "aci-no-subnet", "aci-no-zone", "aci-public-address"]),
    ),
    row("AM-5", "Microsoft Defender for Cloud - Adaptive Application Controls", Fixed(NotApplicable)),
    row("LT-1", "Microsoft Defender for Service / Product Offering", Fixed(NotApplicable)),
    row("LT-4", "Azure Resource Logs", Checks(&["aci-no-logs"])),
    row("PV-3", "Azure Automation State Configuration", Fixed(NotApplicable)),
    row("PV-3", "Azure Policy Guest Configuration Agent", Fixed(NotApplicable)),
    row("PV-3", "Custom Containers Images", Fixed(NotApplicable)),
    row("PV-3", "Custom VM Images", Fixed(NotApplicable)),
    row("PV-5", "Vulnerability Assessment using Microsoft Defender", Fixed(NotApplicable)),
    row("PV-6", "Azure Automation Update Management", Fixed(NotApplicable)),
    row("ES-1", "EDR Solution", Fixed(NotApplicable)),
    row("ES-2", "Anti-Malware Solution", Fixed(NotApplicable)),
    row("ES-3", "Anti-Malware Solution Health Monitoring", Fixed(NotApplicable)),
    row("BR-1", "Azure Backup", Fixed(NotSupported)),
    row("BR-1", "Service Native Backup Capability", Fixed(NotSupported)),
];

/// How one row stands for one group.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The file as it was named.
    pub file: String,
    /// `containerGroup shop`
    pub subject: String,
    /// `NS-1`
    pub control: &'static str,
    /// As the baseline calls it.
    pub feature: &'static str,
    /// How it stands.
    pub standing: Standing,
    /// The checks that found something.
    pub checks: Vec<&'static str>,
}

/// Every row for every container group.
pub fn judge(read: &Read) -> Vec<Outcome> {
    let mut all = Vec::new();
    for workload in read.workloads.iter().filter(|workload| workload.source.orchestrator == "aci") {
        for row in ROWS {
            let (standing, found) = match row.kind {
                Fixed(standing) => (standing, Vec::new()),
                Checks(ids) => {
                    let looked = ids.iter().filter_map(|id| checks::by_id(id));
                    let hits: Vec<_> = looked.map(|check| (check.id, run::look(check, workload))).collect();
                    let certain = hits.iter().any(|(_, hits)| hits.iter().any(|hit| hit.sure));
                    let doubtful = hits.iter().any(|(_, hits)| !hits.is_empty());
                    let found = hits.into_iter().filter(|(_, hits)| !hits.is_empty()).map(|(id, _)| id);
                    let standing = match (certain, doubtful) {
                        (true, _) => Standing::Fail,
                        (false, true) => Standing::Unknown,
                        (false, false) => Standing::Pass,
                    };
                    (standing, found.collect())
                }
            };
            all.push(Outcome {
                file: workload.source.file.to_string(),
                subject: workload.title(),
                control: row.control,
                feature: row.feature,
                standing,
                checks: found,
            });
        }
    }
    all
}
