//! Which packages containers use, so that the server can be told: looked at again and again, without what is wrong with them.
//!
//! An image is looked into once, which takes as long as a scan, and what was found is kept on disk. After that a look costs
//! reading `/proc`. What a container was seen to use is remembered as long as it runs.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use boltseal_api::running::{Used, UsedPackage};
use boltseal_flow::uses;
use boltseal_inventory::How;
use boltseal_model::{Digest, Timestamp};
use boltseal_runtime::start::Started;

use super::{Wanted, containers, images::Looker, key, name, seen};
use crate::groups::engine::{Inner, lock};

/// How often it is looked.
const OFTEN: Duration = Duration::from_secs(20);
/// How long an image that could not be looked into is not tried again.
const FAILED: Duration = Duration::from_mins(5);
/// Packages of one container that are told, the first by name: real ones use some dozens.
const MAX_PACKAGES: usize = 1_000;
/// Packages of all containers of a node that are told, some 10 MB. Of containers after that, nothing.
const MAX_TOLD: usize = 100_000;

/// Packages by the containers that use them: their names, and since when they run.
pub type Told = BTreeMap<(String, Timestamp), Vec<UsedPackage>>;

/// Looks as long as the engine is there.
pub async fn run(inner: Weak<Inner>) {
    let mut uses = Uses::default();
    loop {
        let Some(there) = inner.upgrade() else { return };
        let handle = tokio::runtime::Handle::current();
        let looked = tokio::task::spawn_blocking(move || {
            let told = uses.look(&there, &handle);
            *lock(&there.stock.used) = told;
            uses
        });
        // Whoever stops meanwhile needs none.
        let Ok(again) = looked.await else { return };
        uses = again;
        tokio::time::sleep(OFTEN).await;
    }
}

/// What was seen so far.
#[derive(Default)]
struct Uses {
    images: HashMap<Digest, Result<Owners, Instant>>,
    /// By containers, as the inventory calls them: their packages by their place in [`Owners`].
    seen: HashMap<String, BTreeMap<u32, How>>,
}

/// Which package a file of an image belongs to.
struct Owners {
    files: HashMap<Box<str>, u32>,
    /// Names and versions.
    packages: Vec<(String, String)>,
}

impl Uses {
    fn look(&mut self, inner: &Arc<Inner>, handle: &tokio::runtime::Handle) -> Told {
        let mut runs: BTreeMap<String, Started> = BTreeMap::new();
        let mut of: HashMap<String, (String, Timestamp, Digest)> = HashMap::new();
        let mut looker = None;
        for (group, at, started, since) in containers(inner) {
            let called = name(&group, at);
            let image = group.containers.get(at).and_then(|one| {
                lock(&group.kept).images.iter().find(|image| image.name == one.plan.image).cloned()
            });
            let Some(image) = image else { continue };
            let wanted = Wanted { key: key(&image), group, image };
            let is_known = match self.images.get(&wanted.key) {
                Some(Err(at)) => at.elapsed() < FAILED,
                known => known.is_some(),
            };
            if !is_known {
                let looker = looker.get_or_insert_with(|| Looker::new(inner, handle));
                let owners = looker.known(&wanted).map(|known| Owners::of(&known)).map_err(|error| {
                    tracing::info!(image = wanted.image.name, %error, "what is used of an image is not known");
                    Instant::now()
                });
                self.images.insert(wanted.key.clone(), owners);
            }
            let id = format!("{called} {} {}", started.pid, started.since);
            runs.insert(id.clone(), started);
            of.insert(id, (called, since, wanted.key));
        }
        self.images.retain(|image, _| of.values().any(|(.., key)| key == image));
        self.seen.retain(|id, _| of.contains_key(id));
        for (id, path, how) in seen::now(&runs) {
            let owners = of.get(&id).and_then(|(.., key)| self.images.get(key)?.as_ref().ok());
            let package = owners.and_then(|owners| owners.files.get(path.trim_start_matches('/')));
            if let Some(package) = package {
                let known = self.seen.entry(id).or_default().entry(*package).or_insert(how);
                *known = how.max(*known);
            }
        }
        self.told(&of)
    }

    fn told(&self, of: &HashMap<String, (String, Timestamp, Digest)>) -> Told {
        let mut told = Told::new();
        let mut left = MAX_TOLD;
        for (id, (called, since, key)) in of {
            let Some(Ok(owners)) = self.images.get(key) else { continue };
            let used = self.seen.get(id).into_iter().flatten();
            let mut packages: Vec<UsedPackage> = used
                .filter_map(|(package, how)| {
                    let (package, version) = owners.packages.get(*package as usize)?.clone();
                    let how = match how {
                        How::Executed => Used::Executed,
                        How::Loaded => Used::Loaded,
                    };
                    Some(UsedPackage { package, version, how })
                })
                .collect();
            packages.sort();
            packages.truncate(MAX_PACKAGES);
            let Some(rest) = left.checked_sub(packages.len()) else { continue };
            left = rest;
            told.insert((called.clone(), *since), packages);
        }
        told
    }
}

impl Owners {
    fn of(known: &uses::Known) -> Self {
        let owned = known
            .files
            .iter()
            .filter_map(|file| Some((file.path.as_str().into(), u32::try_from(file.package?).ok()?)));
        let packages = known.catalog.packages.iter();
        Self {
            files: owned.collect(),
            packages: packages.map(|one| (one.name.clone(), one.version.clone())).collect(),
        }
    }
}
