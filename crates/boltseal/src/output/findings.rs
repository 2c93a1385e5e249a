//! What became newly vulnerable, for people.

use std::fmt::Write as _;

use boltseal_api::findings::{Change, Place};

use super::{access::moment, packages::grid, paint::Paint};

/// Places named in a line.
const PLACES: usize = 2;

/// Changes, one a line.
pub fn changes(all: &[Change], gone: bool, more: bool, paint: Paint) -> String {
    let rows = all.iter().map(|one| {
        let exploited = if one.now.exploited { " exploited" } else { "" };
        [
            moment(one.noticed),
            format!("{}{exploited}", one.now.severity),
            one.vulnerability.clone(),
            format!("{} {}", one.package, one.installed),
            one.now.fixed.clone().unwrap_or_else(|| "-".to_owned()),
            places(&one.places),
            one.cause.clone(),
            one.since.map_or_else(|| "-".to_owned(), moment),
        ]
    });
    let when = if gone { "gone" } else { "noticed" };
    let head = [when, "severity", "vulnerability", "package", "fix", "image", "cause", "since"];
    let mut out = grid(&head, rows, paint);
    if more {
        let _ = writeln!(out, "\n{}", paint.dim("there are more: raise --limit, or narrow it down"));
    }
    out
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
