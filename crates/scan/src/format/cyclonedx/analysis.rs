//! What somebody concluded about a vulnerability: a VEX document, otherwise the vendor.

use boltseal_model::{Statement, Status, VexStatus};

use super::shape::Analysis;

/// What a VEX document says, in CycloneDX's words where it has them.
pub(super) fn of_statement(statement: &Statement) -> Analysis {
    let state = match statement.status {
        VexStatus::NotAffected => "not_affected",
        VexStatus::Fixed => "resolved",
        VexStatus::UnderInvestigation => "in_triage",
        VexStatus::Affected => "exploitable",
    };
    Analysis {
        state,
        justification: statement.justification.as_deref().and_then(justification),
        response: Vec::new(),
        detail: statement.sentence().into(),
        last_updated: statement.said,
    }
}

/// CycloneDX's own word, or the one that means the same as OpenVEX' and CSAF's.
fn justification(word: &str) -> Option<&'static str> {
    const OWN: [&str; 9] = [
        "code_not_present",
        "code_not_reachable",
        "requires_configuration",
        "requires_dependency",
        "requires_environment",
        "protected_by_compiler",
        "protected_at_runtime",
        "protected_at_perimeter",
        "protected_by_mitigating_control",
    ];
    match word {
        "component_not_present" | "vulnerable_code_not_present" => Some("code_not_present"),
        "vulnerable_code_not_in_execute_path" => Some("code_not_reachable"),
        "inline_mitigations_already_exist" => Some("protected_by_mitigating_control"),
        other => OWN.into_iter().find(|own| *own == other),
    }
}

/// What the vendor says. A plain hit needs no analysis: nobody has analysed it.
pub(super) fn of_vendor(status: Status) -> Option<Analysis> {
    let (state, response, detail) = match status {
        Status::Affected => return None,
        Status::NotAffected => ("not_affected", vec![], "the vendor says that the package is not affected"),
        Status::UnderInvestigation => ("in_triage", vec![], "the vendor is still looking"),
        Status::WillNotFix => {
            ("exploitable", vec!["will_not_fix"], "the vendor will not fix it in this release")
        }
        Status::EndOfLife => {
            ("exploitable", vec!["can_not_fix"], "the vendor has stopped supporting the package")
        }
    };
    Some(Analysis { state, justification: None, response, detail: detail.into(), last_updated: None })
}
