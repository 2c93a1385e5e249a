//! Exceptions of a policy for people.

use boltseal_api::exceptions::Exception;

use super::{
    packages::grid,
    paint::{Paint, count},
};

/// What is shown of one, wherever it is from.
pub struct Cells<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it pardons.
    pub scope: &'a str,
    /// Why.
    pub reason: &'a str,
    /// Who answers for it.
    pub owner: &'a str,
    /// Its last day.
    pub until: String,
    /// Who approved it.
    pub approved_by: Vec<String>,
    /// How many must.
    pub needed: usize,
    /// Whether its last day is over.
    pub ended: bool,
}

/// One a line.
pub fn table<'a>(all: impl Iterator<Item = Cells<'a>>, paint: Paint) -> String {
    let rows = all.map(|one| {
        let state = match one.needed.saturating_sub(one.approved_by.len()) {
            _ if one.ended => "ended".to_owned(),
            0 => "counts".to_owned(),
            missing => format!("does not count: {} missing", count(missing, "approval")),
        };
        let cells = [one.name, one.scope, one.reason, one.owner].map(str::to_owned);
        let [name, scope, reason, owner] = cells;
        [name, scope, reason, owner, one.until, one.approved_by.join(" "), state]
    });
    grid(&["exception", "pardons", "why", "owner", "until", "approved by", "state"], rows, paint)
}

/// Those of a server.
pub fn exceptions(all: &[Exception], paint: Paint) -> String {
    let cells = all.iter().map(|one| Cells {
        name: &one.name,
        scope: &one.scope,
        reason: &one.reason,
        owner: &one.owner,
        until: one.expires.to_string(),
        approved_by: one.approvals.iter().map(|one| one.by.clone()).collect(),
        needed: one.needed,
        ended: one.ended,
    });
    table(cells, paint)
}

/// One that was just approved.
pub fn told(one: &Exception) -> String {
    let state = if one.counts { "counts" } else { "does not count yet" };
    format!(
        "exception: {}\ndigest: {}\napprovals: {} of {}\nstate: {state}\n",
        one.name,
        one.digest,
        one.approvals.len(),
        one.needed
    )
}
