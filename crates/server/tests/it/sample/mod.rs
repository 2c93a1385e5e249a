//! A small shop with images of every standing, in a real store, judged by the built-in policy. The vulnerabilities
//! and versions are real ones; `cves.txt` and `images.txt` say them, so that a case more is a line more.

mod history;
pub mod news;
mod people;
mod registry;
mod seen;
mod text;

use std::{path::Path, sync::Arc};

use boltseal_model::{
    Coverage, Digest, FeedInfo, Gap, GapKind, Omitted, Platform, Report, SnapshotInfo, Subject, Timestamp,
};
use boltseal_policy::{Facts as Known, Policy, decide};
use boltseal_server::{Access, ActivePolicy, Exchange, LastUse, Recorder, Site, State, recorder};
use boltseal_store::{Facts, Kind, NewManifest, Outcome};
use jiff::SignedDuration;
use tokio::sync::watch;

#[cfg(test)]
pub use registry::attach_evil;
#[cfg(test)]
pub use seen::fingerprint;
pub use text::Described;

/// The name of the first principal.
pub const NAME: &str = "admin";
/// The password of `ada` and `lin`.
pub const PASSWORD: &str = "seven tall ships at anchor";

/// An installation and what opens it.
pub struct Sample {
    pub state: State,
    /// The first principal's secret.
    pub secret: String,
}

/// When it all happens.
pub fn now() -> Timestamp {
    "2024-12-16T09:30:00Z".parse().unwrap()
}

/// An installation with the sample images, kept in `folder`.
pub async fn installation(folder: &Path) -> Sample {
    let Sample { state, secret } = made(folder, history::entries()).await;
    let snapshot = snapshot();
    for described in images() {
        put(&state.facts, &described, &snapshot).await;
    }
    registry::furnish(&state.facts).await;
    heed(&state.facts).await;
    state.recorder.seal().await.unwrap();
    Sample { state: State { snapshot: watch::channel(Some(Arc::new(snapshot))).1, ..state }, secret }
}

/// An installation on its first day: no feeds, no images.
pub async fn empty(folder: &Path) -> Sample {
    made(folder, Vec::new()).await
}

async fn made(folder: &Path, history: Vec<Vec<u8>>) -> Sample {
    let active = ActivePolicy::of_file(Policy::default(), Policy::built_in_text().to_owned());
    let facts = Facts::open(folder).await.unwrap();
    let config = recorder::Config {
        keys: folder.join("keys"),
        data: folder.to_owned(),
        origin: "boltseal.example/audit".to_owned(),
        anchors: folder.join("anchors"),
        accept_restored: None,
    };
    let recorder = Recorder::open(config, &facts).await.unwrap();
    let (access, secret) = if history.is_empty() {
        Access::open_with(&folder.join("keys"), &facts, false, now).await.unwrap()
    } else {
        let (access, secret) =
            Access::open_with(&folder.join("keys"), &facts, false, people::long_ago).await.unwrap();
        people::make(&access).await;
        facts.append(history).await.unwrap();
        (Access::open_with(&folder.join("keys"), &facts, false, now).await.unwrap().0, secret)
    };
    let state = State {
        exchange: Exchange::open(folder, &folder.join("keys"), &facts, &recorder, access.authority())
            .unwrap(),
        recorder,
        facts,
        snapshot: watch::channel(None).1,
        policy: watch::channel(Arc::new(active)).1,
        policies: Arc::default(),
        access,
        last_use: Arc::new(LastUse::default()),
        admission: Arc::default(),
        admission_log: Arc::default(),
        site: Arc::new(Site {
            version: "0.1.0".to_owned(),
            registry: "127.0.0.1:5000".to_owned(),
            tls: false,
        }),
        now,
    };
    Sample { state, secret: secret.unwrap().expose().to_owned() }
}

/// Judges again what something was attached to, as the registry does at once.
async fn heed(facts: &Facts) {
    let images = facts.unheeded(1_000).await.unwrap();
    for (image, bearing) in facts.bearing(&images).await.unwrap() {
        let report = Box::new(facts.report(&image).await.unwrap().unwrap());
        let catalog_gaps = facts.material(&image).await.unwrap().unwrap().catalog.gaps;
        let outcome = Outcome::Judged { report, catalog_gaps };
        let heeded = std::collections::HashMap::from([(image.clone(), bearing.changes)]);
        facts.record_heeding(vec![(image, outcome)], heeded, now()).await.unwrap();
    }
}

/// The images of `images.txt`, not stored yet.
pub fn images() -> Vec<Described> {
    text::images()
}

/// Stores and judges one image as the registry would.
pub async fn put(facts: &Facts, described: &Described, snapshot: &SnapshotInfo) -> Digest {
    let digest = described.digest();
    let at = now().checked_sub(SignedDuration::from_secs(described.seconds_ago)).unwrap();
    for layer in described.layers() {
        let Some(blob) = layer.digest else { continue };
        facts.add_blob(&described.repository, &blob, layer.size).await.unwrap();
    }
    let manifest = NewManifest {
        repository: described.repository.clone(),
        digest: digest.clone(),
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        size: 1200,
        place: String::new(),
        content_size: described.bytes,
        kind: Kind::Image,
        platform: Some("linux/amd64".parse().unwrap()),
        subject: None,
        artifact_type: None,
        annotations: None,
        about: Some(registry::about(described, at)),
        blobs: Vec::new(),
        manifests: Vec::new(),
        tags: described.tags.clone(),
        by: None,
        at,
    };
    facts.put_manifest(manifest).await.unwrap();
    if described.pending {
        return digest;
    }
    let outcome = if described.failed {
        let layer = Digest::of(b"foreign").short();
        Outcome::Failed {
            error: format!("layer sha256:{layer}…: windows layers are not read; push a Linux image"),
        }
    } else {
        judged(described, &digest, snapshot)
    };
    facts.record(vec![(digest.clone(), outcome)], at).await.unwrap();
    digest
}

fn judged(described: &Described, digest: &Digest, snapshot: &SnapshotInfo) -> Outcome {
    let gaps = if described.gap { vec![end_of_life(described)] } else { Vec::new() };
    let mut findings = described.findings();
    findings.sort_by(boltseal_model::Finding::rank);
    let platform: Platform = "linux/amd64".parse().unwrap();
    let seen::Seen { leaks, misconfigurations, unowned, malware } = seen::of(described);
    let mut report = Report {
        leaks: Some(leaks),
        misconfigurations,
        unowned,
        malware,
        subject: Subject {
            reference: format!("docker://127.0.0.1:5000/{}:{}", described.repository, described.tags[0]),
            name: format!("127.0.0.1:5000/{}:{}", described.repository, described.tags[0]).parse().ok(),
            digest: Some(digest.clone()),
            config: Some(Digest::of(digest.to_string().as_bytes())),
            platform: Some(platform),
        },
        snapshot: Some(snapshot.clone()),
        coverage: Coverage::of(gaps.clone()),
        distro: Some(described.distro()),
        layers: described.layers(),
        packages: described.packages.iter().map(|(package, _)| package.clone()).collect(),
        findings,
        signatures: None,
        bases: None,
        vex: Vec::new(),
        omitted: Omitted::default(),
        verdict: None,
    };
    report.verdict = Some(decide(&Policy::default(), &Known::from(&report), now()));
    Outcome::Judged { report: Box::new(report), catalog_gaps: gaps }
}

fn end_of_life(described: &Described) -> Gap {
    let name = described.distro().name;
    Gap::new(
        GapKind::EndOfLife,
        name.clone(),
        format!("{name} gets no security fixes since 2021-11-01: rebuild on a supported release"),
    )
}

/// Feeds of every age.
pub fn snapshot() -> SnapshotInfo {
    let feed = |id: &str, records, hours_ago: i64, spaces: &[&str]| {
        let published = now().checked_sub(SignedDuration::from_hours(hours_ago)).ok();
        FeedInfo {
            id: id.to_owned(),
            source: format!("https://feeds.example/{id}"),
            records,
            published,
            fetched: now().checked_sub(SignedDuration::from_hours(1)).unwrap(),
            spaces: spaces.iter().map(|space| (*space).to_owned()).collect(),
        }
    };
    let alpine: Vec<String> = (11..=20).map(|minor| format!("alpine:v3.{minor}")).collect();
    let alpine: Vec<&str> = alpine.iter().map(String::as_str).collect();
    SnapshotInfo {
        id: Digest::of(b"snapshot").short(),
        built: now().checked_sub(SignedDuration::from_mins(52)).unwrap(),
        feeds: vec![
            feed("alpine-secdb", 18_204, 9, &alpine),
            feed("debian-tracker", 112_873, 3, &["debian:10", "debian:11", "debian:12", "debian:13"]),
            feed("epss", 264_310, 14, &[]),
            feed("kev", 1_233, 60, &[]),
            feed("osv:Go", 4_377, 5, &["golang"]),
            feed("osv:PyPI", 16_930, 5, &["pypi"]),
            feed("osv:crates.io", 1_641, 26 * 24, &["cargo"]),
            feed("osv:npm", 24_118, 5, &["npm"]),
        ],
    }
}
