//! What runs, and what it was seen to use.

use std::collections::HashMap;

use boltseal_model::Severity;

use crate::{
    Container, Counted, How, Inventory, Row, Use, Why, Worst,
    stored::{Hit, Stored, StoredFile},
};

/// Files that are remembered of one container. Real ones use some hundreds; after that, what it does counts as lost.
pub const MAX_SEEN: usize = 20_000;

/// A container that runs.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    pub container: Container,
    /// By the numbers of their paths.
    seen: HashMap<u32, How>,
    lost: bool,
}

impl Run {
    pub fn new(container: Container) -> Self {
        Self { container, seen: HashMap::new(), lost: false }
    }
}

impl Inventory {
    /// The container `id` was seen to use the file at `path`, as the kernel names it within.
    pub fn saw(&mut self, id: &str, path: &str, how: How) {
        let Some(image) = self.runs.get(id).map(|run| &run.container.image) else { return };
        let has_files = self.image_of(image).is_some_and(|image| image.files.is_some());
        let path = self.names.known(path.trim_start_matches('/'));
        let Some(run) = self.runs.get_mut(id) else { return };
        let Some(path) = path else {
            // What no image has is no name worth keeping: a container could make any number of them. But this one's may be
            // told later, and then it was seen for nothing.
            run.lost |= !has_files;
            return;
        };
        if run.seen.len() >= MAX_SEEN && !run.seen.contains_key(&path) {
            run.lost = true;
            return;
        }
        let known = run.seen.entry(path).or_insert(how);
        *known = how.max(*known);
    }

    /// Not all was seen that the container `id` did.
    pub fn lost(&mut self, id: &str) {
        if let Some(run) = self.runs.get_mut(id) {
            run.lost = true;
        }
    }

    /// Every container and how vulnerable it is, by name.
    pub fn running(&self) -> Vec<Row> {
        let mut rows: Vec<Row> = self.runs.values().map(|run| self.row(run)).collect();
        rows.sort_by(|one, other| {
            one.container.name.cmp(&other.container.name).then(one.container.id.cmp(&other.container.id))
        });
        rows
    }

    fn row(&self, run: &Run) -> Row {
        let container = run.container.clone();
        let Some(image) = self.image_of(&container.image) else {
            return Row { container, names: Vec::new(), findings: None, worst: None, is_complete: false };
        };
        let used = used_packages(run, image);
        let mut counts =
            Severity::WORST_FIRST.map(|severity| Counted { severity, all: 0, executed: 0, loaded: 0 });
        for hit in image.hits.iter().filter_map(|hit| self.hits.get(*hit as usize)) {
            let Some(count) = counts.iter_mut().find(|count| count.severity == hit.severity) else {
                continue;
            };
            count.all += 1;
            match used.get(&hit.package) {
                Some(How::Executed) => count.executed += 1,
                Some(How::Loaded) => count.loaded += 1,
                None => {}
            }
        }
        let findings = counts.into_iter().filter(|count| count.all > 0).collect();
        let hits = image.hits.iter().filter_map(|hit| self.hits.get(*hit as usize));
        // Of several as bad and as much used, the first by its id, whatever numbers they have.
        let worst = hits.max_by(|one, other| {
            let rank = |hit: &Hit| (hit.severity, used.get(&hit.package).copied());
            let name = |hit: &Hit| (self.names.text(hit.id), hit.package);
            rank(one).cmp(&rank(other)).then_with(|| name(other).cmp(&name(one)))
        });
        let worst =
            worst.map(|hit| Worst { found: self.found_by(hit), used: used.get(&hit.package).copied() });
        Row {
            container,
            names: image.names.clone(),
            findings: Some(findings),
            worst,
            is_complete: image.is_complete,
        }
    }

    /// What `run` does with those files of its image that `is_meant`.
    pub(crate) fn used(&self, run: &Run, image: &Stored, is_meant: impl Fn(&StoredFile) -> bool) -> Use {
        let seen = run.seen.iter().filter(|(path, _)| file(image, **path).is_some_and(&is_meant));
        let best = seen.max_by(|(one, how), (other, than)| {
            // Of several, the first by name.
            how.cmp(than).then_with(|| self.names.text(**other).cmp(self.names.text(**one)))
        });
        let Some((path, how)) = best else { return Use::Present { why: why(run, image, is_meant) } };
        let path = self.names.text(*path).to_owned();
        match how {
            How::Executed => Use::Executed { path },
            How::Loaded => Use::Loaded { path },
        }
    }
}

/// The packages of which a file was used.
fn used_packages(run: &Run, image: &Stored) -> HashMap<u32, How> {
    let mut used = HashMap::new();
    for (path, how) in &run.seen {
        if let Some(package) = file(image, *path).and_then(|file| file.package) {
            let known = used.entry(package).or_insert(*how);
            *known = (*known).max(*how);
        }
    }
    used
}

fn why(run: &Run, image: &Stored, is_meant: impl Fn(&StoredFile) -> bool) -> Why {
    match &image.files {
        None => Why::NoIndex,
        Some(files) if !files.iter().any(is_meant) => Why::NoFiles,
        Some(_) if !run.container.is_watched => Why::NotWatched,
        Some(_) if run.lost => Why::Lost,
        Some(_) => Why::NotSeen,
    }
}

fn file(image: &Stored, path: u32) -> Option<&StoredFile> {
    let files = image.files.as_ref()?;
    files.get(files.binary_search_by_key(&path, |file| file.path).ok()?)
}
