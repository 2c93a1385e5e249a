//! What is in the images that run here, and what of it is used: asked for when somebody wants to know.
//!
//! ```text
//! groups ──▶ images ──look, once for each digest──▶ packages, files ┐
//! vulnerability data of this node, or reports of the server ────────┼──▶ inventory ──▶ answers
//! /proc of the containers' processes ───────────────────────────────┘
//! ```
//!
//! An image is looked into when it is first asked about; what is in it is kept on disk by its digest, since neither changes. So
//! asking again costs matching with new vulnerability data where there is any, and reading `/proc`.
//!
//! *Executed* and *loaded* is what processes of a container have open as code while somebody asks, or had when somebody asked
//! before: what ended in between was not seen, so that *present* is never unused.
//!
//! What is not known is said: an image that could not be looked into, and that there is no vulnerability data.
//!
//! It must not know: how verdicts come about, HTTP.

pub mod answers;
mod images;
mod seen;
pub mod used;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Instant,
};

use boltseal_api::groups::State;
use boltseal_inventory::{Container, Inventory};
use boltseal_model::{Digest, Timestamp};
use boltseal_runtime::start::Started;

use self::{
    answers::{Findings, Fix, Running, Source, Unlooked, Where},
    images::{Looked, Looker},
};
use super::{
    engine::{Engine, Inner, lock},
    group::{Group, KeptImage},
    rollout,
};

/// What is known of the images and containers of a node.
#[derive(Default)]
pub struct Stock {
    told: Mutex<Told>,
    /// Which packages are used, where a server is to be told.
    pub used: Mutex<used::Told>,
}

/// What the inventory was told.
#[derive(Default)]
struct Told {
    inventory: Inventory,
    images: BTreeMap<Digest, Looked>,
    /// Containers, as the inventory calls them.
    runs: BTreeMap<String, Started>,
    /// Reports of the server, and when they were asked for.
    reports: BTreeMap<Digest, (Instant, images::Report)>,
}

/// An image of a group, and by what it is known here.
struct Wanted {
    group: Arc<Group>,
    image: KeptImage,
    key: Digest,
}

impl Engine {
    /// Every container that runs, and how vulnerable it is. Takes a while where an image is new; for a thread that may wait.
    pub fn findings(&self, handle: &tokio::runtime::Handle) -> Findings {
        let mut told = lock(&self.0.stock.told);
        let source = told.renew(&self.0, handle);
        let images: BTreeMap<String, String> = containers(&self.0)
            .into_iter()
            .map(|(group, at, ..)| (name(&group, at), image_name(&group, at)))
            .collect();
        let rows = told.inventory.running();
        let containers = rows
            .into_iter()
            .map(|mut row| {
                let looked = told.images.get(&row.container.image);
                let unknown = looked.and_then(|looked| looked.unknown().map(str::to_owned));
                if unknown.is_some() {
                    row.findings = None;
                }
                Running {
                    image: images.get(&row.container.name).cloned().unwrap_or_default(),
                    fix: looked.and_then(|looked| looked.fix.clone()),
                    gaps: looked.map(|looked| looked.gaps.clone()).unwrap_or_default(),
                    unknown,
                    row,
                }
            })
            .collect();
        Findings { source, containers }
    }

    /// Which images and containers of this node have what `text` names. For a thread that may wait.
    pub fn locate(&self, text: &str, handle: &tokio::runtime::Handle) -> Where {
        let mut told = lock(&self.0.stock.told);
        let source = told.renew(&self.0, handle);
        let answer = told.inventory.find(text);
        let why = |looked: &Looked| looked.unknown().map(str::to_owned);
        let unlooked = told
            .images
            .iter()
            .filter_map(|(image, looked)| {
                Some(Unlooked { image: image.clone(), names: looked.names.clone(), why: why(looked)? })
            })
            .collect();
        Where { asked: text.to_owned(), source, answer, unlooked }
    }
}

impl Told {
    /// Makes it what is so now.
    fn renew(&mut self, inner: &Inner, handle: &tokio::runtime::Handle) -> Source {
        let groups: Vec<_> = lock(&inner.groups).values().cloned().collect();
        let mut wanted: BTreeMap<Digest, Wanted> = BTreeMap::new();
        let mut names: BTreeMap<Digest, BTreeSet<String>> = BTreeMap::new();
        for group in &groups {
            for image in &lock(&group.kept).images {
                let key = key(image);
                names.entry(key.clone()).or_default().insert(image.name.clone());
                let one = || Wanted { group: Arc::clone(group), image: image.clone(), key: key.clone() };
                wanted.entry(key.clone()).or_insert_with(one);
            }
        }
        let gone: Vec<Digest> =
            self.images.keys().filter(|key| !wanted.contains_key(*key)).cloned().collect();
        for key in gone {
            self.images.remove(&key);
            self.inventory.forget(&key);
        }
        self.reports.retain(|key, _| wanted.contains_key(key));
        let mut looker = Looker::new(inner, handle);
        for (key, one) in wanted {
            let names = names.remove(&key).unwrap_or_default().into_iter().collect();
            looker.look(self, &one, names);
        }
        self.follow(inner);
        looker.source()
    }

    /// What runs, and what it uses.
    fn follow(&mut self, inner: &Inner) {
        let node = inner.settings.host.clone();
        let mut now = BTreeMap::new();
        for (group, at, started, since) in containers(inner) {
            let name = name(&group, at);
            let id = format!("{name} {} {}", started.pid, started.since);
            let image = group.containers.get(at).and_then(|one| {
                let kept = lock(&group.kept);
                kept.images.iter().find(|image| image.name == one.plan.image).map(key)
            });
            let Some(image) = image else { continue };
            if !self.runs.contains_key(&id) {
                // Nobody sees what it does between two questions.
                let node = node.clone();
                self.inventory.start(Container {
                    id: id.clone(),
                    name,
                    node,
                    image,
                    since,
                    is_watched: false,
                });
            }
            now.insert(id, started);
        }
        for gone in self.runs.keys().filter(|id| !now.contains_key(*id)) {
            self.inventory.stop(gone);
        }
        for (id, path, how) in seen::now(&now) {
            self.inventory.saw(&id, &path, how);
        }
        self.runs = now;
    }
}

/// Containers that run: of which group, its place in that, its first process, since when.
fn containers(inner: &Inner) -> Vec<(Arc<Group>, usize, Started, Timestamp)> {
    let groups: Vec<_> = lock(&inner.groups).values().cloned().collect();
    let mut found = Vec::new();
    for group in groups {
        for (at, one) in group.containers.iter().enumerate() {
            let seen = one.seen();
            if let (Some(started), State::Running { since, .. }) = (seen.started, &seen.state) {
                found.push((Arc::clone(&group), at, started, *since));
            }
        }
    }
    found
}

fn name(group: &Group, at: usize) -> String {
    let one = group.containers.get(at).map_or("", |one| one.name());
    format!("{}/{one}", rollout::called(group))
}

fn image_name(group: &Group, at: usize) -> String {
    group.containers.get(at).map_or_else(String::new, |one| one.plan.image.clone())
}

/// By what an image is known: the digest of its manifest, or where it has none, of its layers.
pub fn key(image: &KeptImage) -> Digest {
    image.digest.clone().unwrap_or_else(|| {
        let layers: Vec<String> = image.layers.iter().map(ToString::to_string).collect();
        Digest::of(layers.join("\n").as_bytes())
    })
}

/// The one thing to do that removes the worst and the most.
fn fix(findings: &[boltseal_model::Finding]) -> Option<Fix> {
    let upgrades = boltseal_flow::upgrades(findings);
    let first = upgrades.first()?;
    Some(Fix {
        package: first.name.clone(),
        from: first.installed.to_owned(),
        to: first.version?.to_owned(),
        removes: first.vulnerabilities(),
    })
}
