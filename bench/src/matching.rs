//! Advisories and catalogs: building the snapshot, opening it, matching 1,000 packages, re-matching 10,000 catalogs.
//!
//! The data is that of `../shared/data/vulns`, and `match TIMES` repeats all advisories so many times under other
//! names, because the world's data is some fifteen times larger than ours. EPSS is generated at its real size.

use std::{
    fs::{self, File},
    io::{BufWriter, Write as _},
    path::Path,
    time::Instant,
};

use anyhow::{Context as _, Result};
use boltseal_feed::{Silent, Sink};
use boltseal_model::{Advisory, Catalog, Digest, Enrichment, FeedInfo, Timestamp};
use boltseal_scan::{Builder, Fleet, Matching, Snapshot, findings, fleet};

use crate::figures::Figures;

const FEEDS: &[&str] = &[
    "osv/PyPI/all.zip",
    "osv/npm/all.zip",
    "osv/Go/all.zip",
    "osv/crates.io/all.zip",
    "native/debian/tracker-from-dsa-dla.json.zst",
    "native/debian/tracker-bookworm-from-changelogs.json.zst",
    "native/debian/DSA.list.zst",
    "native/debian/DLA.list.zst",
    "native/kev",
];
/// Rows of the real file in 2026.
const EPSS_ROWS: u32 = 340_000;
const CATALOGS: usize = 10_000;
const PACKAGES: usize = 1_000;
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

pub fn run(arguments: &[String]) -> Result<()> {
    let times: u32 = arguments.first().map_or(Ok(1), |times| times.parse()).context("TIMES is a number")?;
    let folder = tempfile::tempdir()?;
    let raw = folder.path().join("raw");
    import(&raw, folder.path())?;
    let path = folder.path().join("snapshot");
    build(&raw, &path, times)?;
    open(&path)?;
    let corpus = boltseal_testkit::corpus().context("../shared/data is needed")?;
    let snapshot = Snapshot::open(boltseal_sys::map(&File::open(&path)?)?)?;
    thousand(&snapshot, &corpus);
    ten_thousand(&snapshot, &corpus)
}

pub fn import(raw: &Path, folder: &Path) -> Result<()> {
    let epss = folder.join("epss.csv");
    let mut file = BufWriter::new(File::create(&epss)?);
    writeln!(file, "#model_version:v2025.03.14,score_date:2026-01-01T00:00:00+0000\ncve,epss,percentile")?;
    for row in 0..EPSS_ROWS {
        let (year, number) = (2000 + row % 26, 1000 + row / 26);
        writeln!(file, "CVE-{year}-{number},{:.5},{:.5}", f64::from(row % 1000) / 1e5, f64::from(row) / 4e5)?;
    }
    file.flush()?;
    let shared = |path: &&str| boltseal_testkit::shared(&format!("data/vulns/{path}"));
    let mut paths: Vec<_> =
        FEEDS.iter().map(shared).collect::<Option<_>>().context("../shared/data is needed")?;
    let secdb = boltseal_testkit::unpacked("data/vulns/native/alpine/secdb.tar.zst")
        .context("../shared/data is needed")?;
    paths.extend([epss, secdb.root().to_owned()]);
    let began = Instant::now();
    let report = boltseal_feed::import(raw, &paths, NOW, &Silent)?;
    for (what, error) in &report.failed {
        println!("not imported: {what:?}: {error}");
    }
    println!(
        "{:44} {:>10.2} ms",
        "import of raw feeds, checked and kept",
        began.elapsed().as_secs_f64() * 1e3
    );
    Ok(())
}

/// Adds every advisory several times, each time under other names.
struct Repeated {
    builder: Builder,
    times: u32,
    advisories: u64,
}

impl Sink for Repeated {
    fn advisory(&mut self, advisory: Advisory) {
        for round in 0..self.times {
            let mut advisory = advisory.clone();
            if round > 0 {
                let renamed = |id: &String| format!("{id}-{round}");
                advisory.id = renamed(&advisory.id);
                advisory.aliases = advisory.aliases.iter().map(renamed).collect();
                for affected in &mut advisory.affected {
                    affected.package = renamed(&affected.package);
                }
            }
            self.advisories += 1;
            self.builder.advisory(advisory).expect("room for more");
        }
    }
    fn enrichment(&mut self, enrichment: Enrichment) {
        self.builder.enrichment(enrichment);
    }
    fn feed(&mut self, feed: FeedInfo) {
        self.builder.feed(feed);
    }
    fn rejected(&mut self, _: &str, _: &str) {}
}

pub fn build(raw: &Path, path: &Path, times: u32) -> Result<()> {
    let began = Instant::now();
    let mut repeated = Repeated { builder: Builder::new()?, times, advisories: 0 };
    boltseal_feed::read_all(raw, &mut repeated)?;
    let read = began.elapsed();
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let info = repeated.builder.finish(NOW, &mut out)?;
    out.flush()?;
    let all = began.elapsed();
    println!(
        "snapshot {}: {} records, {} MiB",
        info.id,
        repeated.advisories,
        fs::metadata(path)?.len() >> 20
    );
    println!("{:44} {:>10.2} ms", "build: reading and parsing raw feeds", read.as_secs_f64() * 1e3);
    println!("{:44} {:>10.2} ms", "build: joining, sorting, writing", (all - read).as_secs_f64() * 1e3);
    println!("{:44} {:>10.2} MiB", "build: peak memory of this process", peak());
    Ok(())
}

fn open(path: &Path) -> Result<()> {
    let mut figures = Figures::default();
    for _ in 0..200 {
        let began = Instant::now();
        let snapshot = Snapshot::open(boltseal_sys::map(&File::open(path)?)?)?;
        figures.push(began.elapsed().as_secs_f64() * 1e3);
        drop(snapshot);
    }
    figures.print("snapshot open, warm (bar 2)", "ms");
    let began = Instant::now();
    Snapshot::open(boltseal_sys::map(&File::open(path)?)?)?.verify()?;
    println!("{:44} {:>10.2} ms", "snapshot verify, once at install", began.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

/// One catalog of a thousand different packages of one release and four languages.
fn thousand(snapshot: &Snapshot, corpus: &[(String, Catalog)]) {
    let mut catalog = Catalog::default();
    for (_, image) in corpus {
        let debian = image.distro.as_ref().is_some_and(|distro| distro.name == "debian-11");
        if debian && catalog.packages.len() < PACKAGES {
            catalog.distro = image.distro.clone();
            catalog.packages.extend(image.packages.iter().cloned());
            catalog.packages.sort();
            catalog.packages.dedup();
        }
    }
    catalog.packages.truncate(PACKAGES);
    let mut figures = Figures::default();
    let mut found = 0;
    for _ in 0..50 {
        let began = Instant::now();
        found = findings(&catalog, snapshot, NOW).findings.len();
        figures.push(began.elapsed().as_secs_f64() * 1e3);
    }
    println!("{} packages, {found} findings", catalog.packages.len());
    figures.print("1,000 packages matched, warm (bar 5)", "ms");
}

fn ten_thousand(snapshot: &Snapshot, corpus: &[(String, Catalog)]) -> Result<()> {
    let mut fleet = Fleet::default();
    let began = Instant::now();
    let mut packages = 0;
    for (number, (_, catalog)) in corpus.iter().cycle().take(CATALOGS).enumerate() {
        packages += catalog.packages.len();
        fleet.insert(Digest::of(&number.to_le_bytes()), catalog);
    }
    println!("{:44} {:>10.2} ms", "10,000 catalogs into memory", began.elapsed().as_secs_f64() * 1e3);
    println!("{packages} packages, {} of them different", fleet.distinct());
    let (mut rematching, mut comparing) = (Figures::default(), Figures::default());
    let mut old = None;
    for _ in 0..7 {
        let began = Instant::now();
        let new = fleet.rematch(snapshot, &Matching::at(NOW));
        rematching.push(began.elapsed().as_secs_f64() * 1e3);
        let began = Instant::now();
        let differing = fleet::changed(old.as_ref().unwrap_or(&new), &new).len();
        comparing.push(began.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(differing == 0, "{differing} images differ without a reason");
        old = Some(new);
    }
    let found: usize = old.iter().flat_map(|all| all.images.values()).map(|image| image.findings.len()).sum();
    println!("{found} findings");
    rematching.print("10,000 catalogs re-matched (bar 1000)", "ms");
    comparing.print("… and compared with the answers before", "ms");
    println!("{:44} {:>10.2} MiB", "peak memory of this process", peak());
    let began = Instant::now();
    let stored: Vec<Vec<u8>> =
        corpus.iter().map(|(_, catalog)| fleet::encode(catalog)).collect::<Result<_, _>>()?;
    let bytes: usize = stored.iter().map(Vec::len).sum();
    println!(
        "{:44} {:>10.2} ms, {} KiB each",
        "732 catalogs encoded",
        began.elapsed().as_secs_f64() * 1e3,
        (bytes >> 10) / stored.len()
    );
    let began = Instant::now();
    for bytes in &stored {
        fleet::decode(bytes)?;
    }
    println!("{:44} {:>10.2} ms", "732 catalogs decoded", began.elapsed().as_secs_f64() * 1e3);
    Ok(())
}

/// The largest resident set so far, MiB.
fn peak() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|number| number.parse::<f64>().ok()).unwrap_or_default() / 1024.0
}
