//! What somebody should look at, told from what is stored.

use boltseal_model::{SnapshotInfo, Timestamp};
use boltseal_store::{Severities, Totals};

use crate::{
    pages::{feeds, images},
    parts::words,
};

/// One thing to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Attention {
    /// Colour and glyph: `deny`, `warn`, `unknown`.
    pub class: &'static str,
    /// What it is; becomes a link.
    pub what: String,
    /// Why it matters; may be empty.
    pub why: &'static str,
    /// Where to look.
    pub address: String,
}

/// The worst first.
pub(crate) fn attention(
    totals: &Totals,
    severities: &Severities,
    snapshot: Option<&SnapshotInfo>,
    now: Timestamp,
) -> Vec<Attention> {
    let mut items = Vec::new();
    let mut add = |class, what: String, why, address: &str| {
        items.push(Attention { class, what, why, address: address.to_owned() });
    };
    if severities.kev > 0 {
        let what = words::count(severities.kev, "vulnerability");
        add("deny", what, "known to be exploited", "/vulnerabilities?kev=yes");
    }
    if totals.denied > 0 {
        add(
            "deny",
            words::count(totals.denied, "image"),
            "refused by the policy",
            &images::with_verdict("deny"),
        );
    }
    if totals.unknown > 0 {
        let what = words::count(totals.unknown, "image");
        add("unknown", what, "without a verdict, so refused", &images::with_verdict("unknown"));
    }
    match snapshot {
        None => add("unknown", "No feeds".to_owned(), "so nothing can be judged", "/feeds"),
        Some(snapshot) => {
            let stale = snapshot.feeds.iter().filter(|feed| feeds::stale(feed, now)).count() as u64;
            if stale > 0 {
                let why = if stale == 1 { "is stale" } else { "are stale" };
                add("warn", words::count(stale, "feed"), why, "/feeds");
            }
        }
    }
    if totals.pending > 0 {
        let what = words::count(totals.pending, "image");
        add("pending", what, "waiting for the first scan", &images::with_verdict("pending"));
    }
    items
}
