//! What new feeds find in the sample images an hour before it all happens.

use boltseal_model::{Digest, Kev, Severity, SnapshotInfo};
use boltseal_store::{Facts, ImageFilter, Outcome, Page, State};
use jiff::SignedDuration;

use super::now;

/// Judges some of the images by feeds that know more: a new finding each, one that became known to be exploited, one
/// that became more severe.
pub async fn arrive(facts: &Facts) {
    let all = facts.images(&ImageFilter::default(), Page::default()).await.unwrap();
    let judged =
        all.rows.into_iter().filter(|row| row.state == Some(State::Judged) && row.counts.total() > 1);
    let images: Vec<Digest> = judged.map(|row| row.digest).take(4).collect();
    let mut outcomes = Vec::new();
    for image in images {
        let Some(mut report) = facts.report(&image).await.unwrap() else { continue };
        let mut new = report.findings[0].clone();
        (new.id, new.title) =
            ("CVE-2024-55591".to_owned(), "authentication bypass by an alternate path".to_owned());
        (new.severity, new.kev) = (Severity::Critical, None);
        let added = "2024-12-16".parse().unwrap();
        report.findings[0].kev = Some(Kev { added, due: None, ransomware: false });
        report.findings[1].severity = Severity::Critical;
        report.findings.push(new);
        let built = now() - SignedDuration::from_hours(1);
        report.snapshot = Some(SnapshotInfo { id: "sha256:fresh".to_owned(), built, feeds: vec![] });
        outcomes.push((image, Outcome::Judged { report: Box::new(report), catalog_gaps: vec![] }));
    }
    facts.record(outcomes, now() - SignedDuration::from_hours(1)).await.unwrap();
}
