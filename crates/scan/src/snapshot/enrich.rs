//! What KEV and EPSS say about CVEs, until the vulnerabilities are known that they belong to.

use std::collections::HashMap;

use boltseal_model::{Enrichment, Kev};

use super::{
    layout::{self, Group},
    words::{cve_number, day_number},
};

/// By CVE, as a number: the 340,000 rows of EPSS take 10 MB.
#[derive(Default)]
pub(super) struct Enrichments {
    kev: HashMap<u64, Kev>,
    epss: HashMap<u64, (u32, u32)>,
}

impl Enrichments {
    /// Keeps it. Where two disagree the more alarming one counts, whichever comes first.
    pub(super) fn add(&mut self, enrichment: Enrichment) {
        match enrichment {
            Enrichment::Kev { cve, kev } => {
                let Some(cve) = cve_number(&cve) else { return };
                let known = self.kev.entry(cve).or_insert_with(|| kev.clone());
                known.added = known.added.min(kev.added);
                known.due = known.due.into_iter().chain(kev.due).min();
                known.ransomware |= kev.ransomware;
            }
            Enrichment::Epss { cve, epss } => {
                let Some(cve) = cve_number(&cve) else { return };
                let numbers = (billionths(epss.score), billionths(epss.percentile));
                let known = self.epss.entry(cve).or_insert(numbers);
                *known = numbers.max(*known);
            }
        }
    }

    /// Adds to `group` what is known about `cve`.
    pub(super) fn join(&self, cve: u64, group: &mut Group) {
        if let Some(kev) = self.kev.get(&cve) {
            group.flags |= layout::KEV | if kev.ransomware { layout::RANSOMWARE } else { 0 };
            let earlier = |a: i32, b: i32| if a == 0 || b == 0 { a.max(b) } else { a.min(b) };
            group.kev_added = earlier(group.kev_added.get(), day_number(Some(kev.added))).into();
            group.kev_due = earlier(group.kev_due.get(), day_number(kev.due)).into();
        }
        if let Some((score, percentile)) = self.epss.get(&cve) {
            group.flags |= layout::EPSS;
            if (*score, *percentile) > (group.epss_score.get(), group.epss_percentile.get()) {
                group.epss_score = (*score).into();
                group.epss_percentile = (*percentile).into();
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to what fits")]
fn billionths(fraction: f64) -> u32 {
    (fraction.clamp(0.0, 1.0) * layout::BILLION).round() as u32 // NaN becomes 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_survive() {
        for text in ["0.00043", "0.94321", "0.943210001", "1", "0", "0.000000001"] {
            let fraction: f64 = text.parse().unwrap();
            assert!(
                (f64::from(billionths(fraction)) / layout::BILLION - fraction).abs() < f64::EPSILON * 0.5,
                "{text}"
            );
        }
        assert_eq!(billionths(f64::NAN), 0);
        assert_eq!(billionths(7.0), 1_000_000_000);
    }
}
