//! What somebody should look at, told from what is stored.

use boltseal_api::audit::{Status, Verified};
use boltseal_identity::{Directory, Principal};
use boltseal_model::{SnapshotInfo, Timestamp};
use boltseal_store::{Severities, Totals};

use crate::{
    pages::{
        access::credentials::{self, Ending},
        feeds, images,
    },
    parts::{place, words},
    recorder::Lately,
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

/// Failed sign-ins of a day that are many: a few people mistype, more than this is somebody who guesses.
const MANY_REFUSED: u64 = 10;
const DAY: i64 = 86_400;
/// Credentials that are named; the rest stand on the page of access.
const MAX_ENDING: usize = 4;

/// What of access and of the log somebody should look at, as far as they may see it. The worst first.
pub(crate) fn concerns(
    log: Option<(&Status, &Lately)>,
    directory: Option<&Directory>,
    now: Timestamp,
) -> Vec<Attention> {
    let mut items = Vec::new();
    let mut add = |class, what: String, why, address: &str| {
        items.push(Attention { class, what, why, address: address.to_owned() });
    };
    if let Some((status, lately)) = log {
        if matches!(status.verified, Verified::Broken { .. }) {
            add(
                "deny",
                "The audit log".to_owned(),
                "is not what was signed: nothing is changed any more",
                "/log",
            );
        } else if status.closed.is_some() {
            add("deny", "The audit log".to_owned(), "is closed: nothing is changed any more", "/log");
        } else if status.failing.is_some() {
            add("warn", "The audit log".to_owned(), "is not being sealed", "/log");
        }
        let yesterday = Timestamp::from_second(now.as_second() - DAY).unwrap_or(Timestamp::MIN);
        if let Some(glass) = lately.glass.as_ref().filter(|glass| glass.at > yesterday) {
            let what = format!("The glass was broken {}", words::distance(glass.at, now));
            add("deny", what, "for an hour everything could be done", &format!("/log/{}", glass.index));
        }
        let refused: u64 = lately.since(yesterday).map(|(_, count)| count.refused).sum();
        if refused >= MANY_REFUSED {
            let what = words::count(refused, "failed sign-in");
            add("warn", what, "in the last day", "/log?class=authentication&outcome=failure");
        }
    }
    for (one, ending) in directory.into_iter().flat_map(|directory| ending(directory, now)) {
        let why = if ending == Ending::Over { "has ended" } else { "ends within two weeks" };
        add("warn", format!("A credential of {}", one.name), why, &place::address(one));
    }
    items
}

/// Principals that are in use, and of which a secret or certificate ends soon or has ended.
fn ending(directory: &Directory, now: Timestamp) -> Vec<(&Principal, Ending)> {
    let soonest = |one: &Principal| credentials::ends(&one.credentials).min();
    let mut those: Vec<_> = directory
        .principals()
        .filter(|one| !one.disabled)
        .filter_map(|one| soonest(one).map(|end| (end, one, Ending::of(Some(end), now))))
        .filter(|(.., ending)| *ending != Ending::Later)
        .collect();
    those.sort_by_key(|(end, one, _)| (*end, one.id));
    those.into_iter().take(MAX_ENDING).map(|(_, one, ending)| (one, ending)).collect()
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
