//! What became newly vulnerable, for people.

use std::fmt::Write as _;

use boltseal_api::findings::{Change, Place};
use boltseal_model::Timestamp;

use super::{packages::grid_without_gaps, paint::Paint};

/// Places named in a line.
const PLACES: usize = 2;

/// Changes, one a line.
pub fn changes(all: &[Change], gone: bool, more: bool, paint: Paint) -> String {
    let rows = all.iter().map(|one| {
        [
            day(if gone { Some(one.noticed) } else { one.since }),
            one.now.severity.clone(),
            cause(one),
            format!("{} {}", one.package, one.installed),
            one.now.fixed.clone().unwrap_or_else(|| "-".to_owned()),
            places(&one.places),
            one.vulnerability.clone(),
        ]
    });
    let when = if gone { "gone" } else { "since" };
    let head = [when, "severity", "why", "package", "fix", "image", "vulnerability"];
    let mut out = grid_without_gaps(&head, rows, paint);
    if more {
        let _ = writeln!(out, "\n{}", paint.dim("there are more: raise --limit, or narrow it down"));
    }
    out
}

/// Why it is in the list; with the day, where it was known before.
fn cause(one: &Change) -> String {
    let known = one.now.exploited && !matches!(one.cause.as_str(), "exploited" | "gone");
    let exploited = if known { ", exploited" } else { "" };
    let noticed = day(Some(one.noticed));
    let later = one.cause != "gone" && day(one.since) != noticed;
    let noticed = if later { format!(" {noticed}") } else { String::new() };
    format!("{}{exploited}{noticed}", one.cause)
}

fn day(time: Option<Timestamp>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| time.strftime("%Y-%m-%d").to_string())
}

fn places(all: &[Place]) -> String {
    let mut names: Vec<String> = all.iter().take(PLACES).map(name).collect();
    if all.len() > PLACES {
        names.push(format!("and {} more", all.len() - PLACES));
    }
    names.join(", ")
}

fn name(place: &Place) -> String {
    match place.tags.as_slice() {
        [] => format!("{} (no tag)", place.repository),
        [tag] => format!("{}:{tag}", place.repository),
        [tag, rest @ ..] => format!("{}:{tag} +{}", place.repository, rest.len()),
    }
}
