//! Which advisories speak about the same vulnerability: union-find over their ids and aliases.
//!
//! One rule keeps this honest: two CVEs are two vulnerabilities. An advisory that names several (a Debian security
//! advisory, an Ubuntu notice) therefore takes part once for each CVE and joins none of them together.

use super::{builder::Draft, words::cve_number};

/// An advisory that names more CVEs stands alone under its own id. The longest real ones (kernel updates) name some
/// 700; without a limit, one hostile record could multiply its ranges without end.
const MAX_CVES: usize = 1024;

/// One advisory, or one CVE of an advisory that names several.
pub(super) struct Part {
    /// Index of the draft.
    pub draft: usize,
    /// Any id of the vulnerability.
    pub root: u32,
    /// The draft's own id, where it is not an id of this vulnerability alone.
    pub umbrella: Option<u32>,
}

/// One vulnerability.
pub(super) struct Joined {
    /// Names; the first is a CVE if any is.
    pub ids: Vec<u32>,
    /// Indexes of parts, ascending.
    pub members: Vec<u32>,
    /// Names under which members are also known.
    pub umbrellas: Vec<u32>,
}

/// Splits drafts, given in their final order, into parts.
pub(super) fn parts<'a>(drafts: impl Iterator<Item = &'a Draft>, name: &dyn Fn(u32) -> &'a str) -> Vec<Part> {
    let mut parts = Vec::new();
    for (index, draft) in drafts.enumerate() {
        let is_cve = |id: &u32| cve_number(name(*id)).is_some();
        let mut cves: Vec<u32> = draft.aliases.iter().chain([&draft.id]).copied().filter(is_cve).collect();
        cves.sort_by_key(|cve| cve_number(name(*cve)));
        cves.dedup();
        if (2..=MAX_CVES).contains(&cves.len()) {
            let umbrella = |cve| Some(draft.id).filter(|id| *id != cve);
            parts.extend(cves.into_iter().map(|cve| Part {
                draft: index,
                root: cve,
                umbrella: umbrella(cve),
            }));
        } else {
            parts.push(Part { draft: index, root: draft.id, umbrella: None });
        }
    }
    parts
}

/// Joins parts to vulnerabilities, ordered by their first id.
pub(super) fn join<'a>(
    parts: &[Part],
    drafts: &[&'a Draft],
    name: &dyn Fn(u32) -> &'a str,
    names: usize,
) -> Vec<Joined> {
    let mut forest = Forest { parents: (0..).take(names).collect() };
    let mut mentioned: Vec<u32> = Vec::new();
    for part in parts {
        mentioned.push(part.root);
        let Some(draft) = drafts.get(part.draft).filter(|d| d.id == part.root && part_is_whole(d, name))
        else {
            continue;
        };
        for alias in &draft.aliases {
            mentioned.push(*alias);
            forest.union(draft.id, *alias);
        }
    }
    mentioned.sort_unstable();
    mentioned.dedup();
    let mut joined: Vec<Joined> = Vec::new();
    let mut place = vec![u32::MAX; names];
    let mut of = |forest: &mut Forest, id: u32, joined: &mut Vec<Joined>| {
        let root = forest.root(id) as usize;
        let slot = place.get_mut(root)?;
        if *slot == u32::MAX {
            *slot = u32::try_from(joined.len()).ok()?;
            joined.push(Joined { ids: Vec::new(), members: Vec::new(), umbrellas: Vec::new() });
        }
        Some(*slot as usize)
    };
    for id in mentioned {
        let Some(group) = of(&mut forest, id, &mut joined).and_then(|at| joined.get_mut(at)) else {
            continue;
        };
        group.ids.push(id);
    }
    for (index, part) in (0..).zip(parts) {
        let Some(group) = of(&mut forest, part.root, &mut joined).and_then(|at| joined.get_mut(at)) else {
            continue;
        };
        group.members.push(index);
        group.umbrellas.extend(part.umbrella);
    }
    let order = |id: &u32| {
        let number = cve_number(name(*id));
        (number.is_none(), number, name(*id))
    };
    for group in &mut joined {
        group.ids.sort_by_key(order);
        group.umbrellas.sort_by_key(order);
        group.umbrellas.dedup();
    }
    joined.sort_by(|a, b| a.ids.first().map(order).cmp(&b.ids.first().map(order)));
    joined
}

/// Whether the advisory names at most one CVE, or too many to be split.
fn part_is_whole<'a>(draft: &Draft, name: &dyn Fn(u32) -> &'a str) -> bool {
    let mut cves: Vec<u64> =
        draft.aliases.iter().chain([&draft.id]).filter_map(|id| cve_number(name(*id))).collect();
    cves.sort_unstable();
    cves.dedup();
    cves.len() < 2
}

struct Forest {
    parents: Vec<u32>,
}

impl Forest {
    fn root(&mut self, mut id: u32) -> u32 {
        while let Some(parent) = self.parents.get(id as usize).copied().filter(|parent| *parent != id) {
            // Halve the path on the way, so that chains stay short.
            let above = self.parents.get(parent as usize).copied().unwrap_or(parent);
            if let Some(slot) = self.parents.get_mut(id as usize) {
                *slot = above;
            }
            id = parent;
        }
        id
    }

    fn union(&mut self, a: u32, b: u32) {
        let (a, b) = (self.root(a), self.root(b));
        if let Some(slot) = self.parents.get_mut(a.max(b) as usize) {
            *slot = a.min(b);
        }
    }
}
