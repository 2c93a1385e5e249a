//! Snapshots of real feeds and of advisories written on a line; trees of files.

use std::{
    io::Cursor,
    path::{Path, PathBuf},
};

use boltseal_model::{
    Advisory, Affected, Catalog, Distro, Enrichment, FeedInfo, File, FileMeta, Layer, Package, Range, Source,
    Status, Timestamp, Tree,
};
use boltseal_scan::{Builder, Snapshot};

/// When every test takes place.
pub const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Hands what feeds say to a builder.
pub struct Into(pub Builder);

impl boltseal_feed::Sink for Into {
    fn advisory(&mut self, advisory: Advisory) {
        self.0.advisory(advisory).unwrap();
    }
    fn enrichment(&mut self, enrichment: Enrichment) {
        self.0.enrichment(enrichment);
    }
    fn feed(&mut self, feed: FeedInfo) {
        self.0.feed(feed);
    }
    fn rejected(&mut self, _: &str, _: &str) {}
}

/// A snapshot of the feeds in files below `../shared/data/vulns`.
pub fn real(files: &[&str]) -> Option<Snapshot> {
    let paths: Option<Vec<PathBuf>> =
        files.iter().map(|file| boltseal_testkit::shared(&format!("data/vulns/{file}"))).collect();
    Some(imported(&paths?))
}

/// A snapshot of the feeds in `paths`.
pub fn imported(paths: &[PathBuf]) -> Snapshot {
    let raw = tempfile::tempdir().unwrap();
    let report = boltseal_feed::import(raw.path(), paths, NOW, &boltseal_feed::Silent).unwrap();
    assert!(report.failed.is_empty(), "not imported: {:?}", report.failed);
    let mut sink = Into(Builder::new().unwrap());
    boltseal_feed::read_all(raw.path(), &mut sink).unwrap();
    open(bytes(sink.0))
}

/// The bytes of a finished snapshot.
pub fn bytes(builder: Builder) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    builder.finish(NOW, &mut file).unwrap();
    file.into_inner()
}

/// An intact snapshot.
pub fn open(bytes: Vec<u8>) -> Snapshot {
    let snapshot = Snapshot::open(bytes).unwrap();
    snapshot.verify().unwrap();
    snapshot
}

/// A feed that covers `spaces`, fetched [`NOW`].
pub fn feed(id: &str, spaces: &[&str]) -> FeedInfo {
    FeedInfo {
        id: id.to_owned(),
        source: "a test".to_owned(),
        records: 1,
        published: None,
        fetched: NOW,
        spaces: spaces.iter().map(|space| (*space).to_owned()).collect(),
    }
}

/// `id[=alias…] space/package range…`, all of feed `feed`; a range is `from..fixed`, `from..=last`, `..`, `=version`,
/// the word of a status, or `cpu:A,B`.
pub fn advisory(feed: &str, line: &str) -> Advisory {
    let mut words = line.split_whitespace();
    let mut ids = words.next().unwrap().split('=').map(str::to_owned);
    let (space, package) = words.next().unwrap().rsplit_once('/').unwrap();
    let mut affected = Affected { space: space.into(), package: package.into(), ..Affected::default() };
    for word in words {
        let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let statuses =
            [Status::NotAffected, Status::UnderInvestigation, Status::WillNotFix, Status::EndOfLife];
        if let Some(cpus) = word.strip_prefix("cpu:") {
            affected.architectures = cpus.split(',').map(str::to_owned).collect();
        } else if let Some(status) = statuses.into_iter().find(|status| status.word() == word) {
            affected.status = status;
        } else if let Some(version) = word.strip_prefix('=') {
            affected.versions.push(version.to_owned());
        } else {
            let (from, to) = word.split_once("..").unwrap();
            let last_affected = to.strip_prefix('=').map(str::to_owned);
            let fixed = if last_affected.is_none() { some(to) } else { None };
            affected.ranges.push(Range { introduced: some(from), fixed, last_affected, fixed_on: None });
        }
    }
    Advisory {
        id: ids.next().unwrap(),
        aliases: ids.collect(),
        feed: feed.to_owned(),
        summary: format!("about {package}"),
        affected: vec![affected],
        ..Advisory::default()
    }
}

/// A snapshot of lines as [`advisory`] reads them, each behind `feed: `.
pub fn written(lines: &[&str]) -> Snapshot {
    let mut builder = Builder::new().unwrap();
    for line in lines {
        let (name, line) = line.split_once(": ").unwrap();
        let advisory = advisory(name, line);
        let spaces: Vec<&str> = advisory.affected.iter().map(|affected| affected.space.as_str()).collect();
        builder.feed(feed(name, &spaces));
        builder.advisory(advisory).unwrap();
    }
    open(bytes(builder))
}

/// A package of `ecosystem`: `name version`, or `name version source/version`; then perhaps `cpu:C`.
pub fn package(ecosystem: &str, line: &str) -> Package {
    let mut words = line.split_whitespace().map(str::to_owned);
    let (name, version) = (words.next().unwrap(), words.next().unwrap());
    let mut words: Vec<String> = words.collect();
    let cpu = words.last().and_then(|word| word.strip_prefix("cpu:")).map(str::to_owned);
    words.truncate(words.len() - usize::from(cpu.is_some()));
    let source = words.pop().map(|source| {
        let (name, version) = source.split_once('/').unwrap();
        Source { name: name.to_owned(), version: version.to_owned() }
    });
    let purl = format!("pkg:{ecosystem}/{name}@{version}");
    Package {
        ecosystem: ecosystem.to_owned(),
        name,
        version,
        purl,
        source,
        architecture: cpu,
        ..Package::default()
    }
}

/// A catalog of one distribution, `debian 12`, or of none.
pub fn catalog(distro: &str, packages: Vec<Package>) -> Catalog {
    let distro = distro.split_once(' ').map(|(id, version)| Distro {
        id: id.to_owned(),
        version: version.to_owned(),
        name: format!("{id} {version}"),
        end_of_life: None,
    });
    Catalog { distro, packages, ..Catalog::default() }
}

/// A tree of one layer with these files.
pub fn tree(files: Vec<(String, Vec<u8>)>) -> Tree {
    let digest = Some(boltseal_model::Digest::of(b"layer"));
    let layer = Layer { digest: digest.clone(), diff_id: digest, size: 1, created_by: None };
    let mut tree = Tree { layers: vec![layer], ..Tree::default() };
    for (path, content) in files {
        let file = File { layer: 0, meta: FileMeta::default(), content: content.into(), earlier: Vec::new() };
        tree.files.insert(path.trim_start_matches("./").into(), file);
    }
    tree
}

/// Every file below `root`, as a tree.
pub fn tree_below(root: &Path) -> Tree {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let inside = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                files.push((inside, std::fs::read(&path).unwrap()));
            }
        }
    }
    tree(files)
}
