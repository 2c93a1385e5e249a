//! What is in images, and what is known to be wrong with them.

use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

use boltseal_flow::{Cache, Looking, feeds::Feeds, launch, uses};
use boltseal_image::Index;
use boltseal_inventory::{File, Image};
use boltseal_model::{Coverage, Digest, Finding, Package, Timestamp};
use boltseal_scan::Snapshot;

use super::{
    Told, Wanted,
    answers::{Fix, Source},
    fix,
};
use crate::groups::{
    Error, Judge, ask,
    engine::{Inner, lock},
    group::{private, replace},
};

/// How long what a server found counts here: it finds something new about once an hour.
const REPORTED: Duration = Duration::from_mins(1);
/// How long an image that could not be looked into is not tried again.
const FAILED: Duration = Duration::from_secs(30);
/// Bytes of what is kept of one image.
const MAX_KEPT: u64 = 64 << 20;
/// What there is to be done without vulnerability data.
const NO_FEEDS: &str = "there is no vulnerability data on this node: run `boltseal feeds update`";

/// What was found in an image, as far as the inventory was told.
pub struct Looked {
    /// As groups name it.
    pub names: Vec<String>,
    /// By what its findings are known; empty where they are not.
    by: String,
    /// Why it could not be looked into, and when that was tried.
    failed: Option<(String, Instant)>,
    /// Why its findings are not known.
    unmatched: Option<String>,
    /// What was not covered.
    pub gaps: Vec<String>,
    /// What to do first.
    pub fix: Option<Fix>,
}

impl Looked {
    /// Why its findings are not known.
    pub fn unknown(&self) -> Option<&str> {
        self.failed.as_ref().map(|(why, _)| why.as_str()).or(self.unmatched.as_deref())
    }
}

/// What a server found.
pub type Report = Result<Box<boltseal_model::Report>, String>;

/// Looks into images.
pub struct Looker<'a> {
    inner: &'a Inner,
    handle: &'a tokio::runtime::Handle,
    snapshot: Result<Option<Snapshot>, String>,
    cache: Cache,
}

impl<'a> Looker<'a> {
    /// With the vulnerability data there is now.
    pub fn new(inner: &'a Inner, handle: &'a tokio::runtime::Handle) -> Self {
        let data = &inner.settings.feeds;
        let snapshot = match &*inner.judge {
            Judge::Server(_) => Ok(None),
            Judge::Own(_) | Judge::Nobody => Feeds::at(data).open().map_err(|error| error.to_string()),
        };
        Self { inner, handle, snapshot, cache: Cache::at(data) }
    }

    /// By what findings are known.
    pub fn source(&self) -> Source {
        if let Judge::Server(gate) = &*self.inner.judge {
            return Source::Server { address: gate.address().to_owned() };
        }
        match &self.snapshot {
            Ok(Some(snapshot)) => {
                let info = snapshot.info();
                Source::Feeds { id: info.id.clone(), built: info.built }
            }
            Ok(None) => Source::Nothing { why: NO_FEEDS.to_owned() },
            Err(why) => Source::Nothing { why: why.clone() },
        }
    }

    /// Tells the inventory of an image, unless it knows already.
    pub fn look(&mut self, told: &mut Told, wanted: &Wanted, names: Vec<String>) {
        let report = match &*self.inner.judge {
            Judge::Server(_) => Some(self.report(told, wanted)),
            Judge::Own(_) | Judge::Nobody => None,
        };
        let by = match (&report, &self.snapshot) {
            (Some(Ok(report)), _) => report.snapshot.as_ref().map(|info| info.id.clone()).unwrap_or_default(),
            (None, Ok(Some(snapshot))) => snapshot.info().id.clone(),
            _ => String::new(),
        };
        let is_known = told.images.get(&wanted.key).is_some_and(|looked| {
            let waits = looked.failed.as_ref().is_none_or(|(_, at)| at.elapsed() < FAILED);
            waits && looked.by == by && looked.names == names && !by.is_empty()
        });
        if is_known {
            return;
        }
        let looked = match self.known(wanted) {
            Ok(known) => self.put(told, wanted, &known, report, by, names),
            Err(why) => {
                let why = format!("it could not be looked into: {why}");
                told.inventory.forget(&wanted.key);
                let failed = Some((why, Instant::now()));
                Looked { names, by, failed, unmatched: None, gaps: Vec::new(), fix: None }
            }
        };
        told.images.insert(wanted.key.clone(), looked);
    }

    fn put(
        &self,
        told: &mut Told,
        wanted: &Wanted,
        known: &uses::Known,
        report: Option<Report>,
        by: String,
        names: Vec<String>,
    ) -> Looked {
        let (findings, keys, gaps, unmatched) = self.matched(known, report);
        let layers: Vec<Digest> = known
            .layers
            .iter()
            .flat_map(|layer| [&layer.digest, &layer.diff_id])
            .flatten()
            .cloned()
            .collect();
        let packages: &[Package] = &known.catalog.packages;
        let files: &[File] = &known.files;
        told.inventory.put(&Image {
            digest: &wanted.key,
            names: &names,
            layers: &layers,
            packages,
            findings: &findings,
            keys: &keys,
            files: Some(files),
            is_complete: gaps.is_empty() && unmatched.is_none(),
        });
        Looked { names, by, failed: None, unmatched, gaps, fix: fix(&findings) }
    }

    /// Findings, whose signatures there are, what was not covered, and why findings are not known.
    fn matched(
        &self,
        known: &uses::Known,
        report: Option<Report>,
    ) -> (Vec<Finding>, Vec<String>, Vec<String>, Option<String>) {
        let said = |coverage: Coverage| coverage.gaps.iter().map(|gap| gap.detail.clone()).collect();
        match report {
            Some(Ok(report)) => {
                let signatures = report.signatures.as_deref().unwrap_or_default();
                let counts = signatures.iter().filter(|one| !one.by.is_empty());
                let keys = counts.flat_map(|one| one.by.iter().cloned().chain(one.signer.clone())).collect();
                (report.findings, keys, said(report.coverage), None)
            }
            Some(Err(why)) => (Vec::new(), Vec::new(), Vec::new(), Some(why)),
            None => match &self.snapshot {
                Ok(Some(snapshot)) => {
                    let matched = boltseal_flow::findings(&known.catalog, Some(snapshot), Timestamp::now());
                    let gaps = known.catalog.gaps.iter().cloned().chain(matched.gaps).collect();
                    (matched.findings, Vec::new(), said(Coverage::of(gaps)), None)
                }
                Ok(None) => (Vec::new(), Vec::new(), Vec::new(), Some(NO_FEEDS.to_owned())),
                Err(why) => (Vec::new(), Vec::new(), Vec::new(), Some(why.clone())),
            },
        }
    }

    /// What the server found.
    fn report(&self, told: &mut Told, wanted: &Wanted) -> Report {
        if let Some((at, report)) = told.reports.get(&wanted.key)
            && at.elapsed() < REPORTED
        {
            return report.clone();
        }
        let Judge::Server(gate) = &*self.inner.judge else { return Err(NO_FEEDS.to_owned()) };
        let report = match &wanted.image.digest {
            None => Err("it has no digest by which a server could know it".to_owned()),
            Some(digest) => self
                .handle
                .block_on(gate.report(digest))
                .map(Box::new)
                .map_err(|error| format!("{} has no report about it: {error}", gate.address())),
        };
        told.reports.insert(wanted.key.clone(), (Instant::now(), report.clone()));
        report
    }

    /// What is in an image: remembered, or looked at.
    pub fn known(&self, wanted: &Wanted) -> Result<uses::Known, Error> {
        let path = self.place(&wanted.key)?;
        let is_kept = fs::metadata(&path).is_ok_and(|meta| meta.len() <= MAX_KEPT);
        // Damage is a reason to look again, and none to fail.
        let kept = is_kept.then(|| fs::read(&path).ok()).flatten();
        if let Some(known) = kept.and_then(|text| serde_json::from_slice(&text).ok()) {
            return Ok(known);
        }
        let known = self.read(wanted)?;
        let text = serde_json::to_vec(&known).map_err(|error| Error::io(path.display())(error.into()))?;
        replace(&path, &text).map_err(Error::io(path.display()))?;
        Ok(known)
    }

    fn read(&self, wanted: &Wanted) -> Result<uses::Known, Error> {
        let run = lock(&wanted.group.kept).run.clone();
        let read = ask::read(&run)?;
        let (target, options) = self.inner.target(&run, &read, &wanted.image.name, self.handle)?;
        let pinned = wanted.image.digest.as_ref().and_then(|digest| launch::pinned(&target, digest));
        let target = pinned.unwrap_or(target);
        let layers: Vec<&Index> = wanted
            .image
            .layers
            .iter()
            .filter_map(|layer| wanted.group.layers.get(layer).map(|layer| &layer.index))
            .collect();
        if layers.len() != wanted.image.layers.len() {
            return Err(Error::Runtime("a layer of it is not on this node any more".to_owned()));
        }
        let wanted_of_flow = boltseal_flow::Wanted {
            target: &target,
            options: &options,
            cache: Some(&self.cache),
            looking: Looking::default(),
        };
        let known = uses::known(&wanted_of_flow, &layers)
            .map_err(|error| Error::Runtime(format!("{target}: {error}")))?;
        // Its name, or the file that it was in, may mean another image by now.
        let ids = known.layers.iter().filter_map(|layer| layer.diff_id.as_ref());
        if !ids.eq(wanted.image.layers.iter()) {
            return Err(Error::Runtime(format!("{target} is another image by now")));
        }
        Ok(known)
    }

    /// By which program, too: a newer one may find more.
    fn place(&self, key: &Digest) -> Result<PathBuf, Error> {
        let folder = self.inner.settings.data.join("known");
        private(&folder)?;
        let (algorithm, version) = (key.algorithm().name(), env!("CARGO_PKG_VERSION"));
        Ok(folder.join(format!("{algorithm}-{}-{version}.json", key.hex())))
    }
}
