//! What the registry does when feeds change: 10,000 images judged again from what is stored of them, without opening
//! one. The whole way: reading and decoding catalogs, matching, deciding, and committing verdicts with their records.
//!
//! *Judging* is matching and deciding alone, which the bar is about; the rest is the database's.

use std::{fs::File, io::Read, sync::Arc};

use anyhow::{Context as _, Result, ensure};
use boltseal_identity::{Authority, Directory, Keys, RootKey, token::Revoked};
use boltseal_model::{Catalog, Digest, Subject, Timestamp};
use boltseal_policy::Policy;
use boltseal_registry::{Again, Beside, Config, FlowJudge, Judge, Registry};
use boltseal_scan::Snapshot;
use boltseal_store::{Blobs, Facts, Kind, Material, NewManifest};

use crate::{figures::Figures, matching};

const IMAGES: usize = 10_000;
/// Images of one commit while the store is filled.
const BATCH: usize = 500;
const ROUNDS: usize = 3;

pub fn run(_: &[String]) -> Result<()> {
    tokio::runtime::Runtime::new()?.block_on(rejudge())
}

async fn rejudge() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (raw, path) = (folder.path().join("raw"), folder.path().join("snapshot"));
    matching::import(&raw, folder.path())?;
    matching::build(&raw, &path, 1)?;
    let snapshot = Arc::new(Snapshot::open(boltseal_sys::map(&File::open(&path)?)?)?);
    let corpus = boltseal_testkit::corpus().context("../shared/data is needed")?;

    let facts = Facts::open(folder.path()).await?;
    let policy = Arc::new(Policy::built_in().clone());
    let judge = Arc::new(FlowJudge::new("registry.test", None, policy));
    fill(&facts, &judge, &corpus).await?;
    let authority = Authority::new(
        Directory::empty()?,
        Keys::new(&RootKey::generate().map_err(|_| anyhow::anyhow!("no randomness"))?, None)?,
        "bench",
        Revoked::new(),
    );
    let blobs = Blobs::open(folder.path())?;
    let registry = Registry::new(facts.clone(), blobs, authority, Arc::clone(&judge) as _, Config::default());

    let (mut judging, mut all) = (Figures::default(), Figures::default());
    for round in 0..ROUNDS {
        // With and without feeds in turn, so that every round changes every image's basis, and most verdicts.
        judge.use_snapshot((round % 2 == 0).then(|| Arc::clone(&snapshot)));
        let done = registry.rejudge("bench").await?;
        ensure!(done.images == IMAGES as u64, "{} images were judged again", done.images);
        if round % 2 == 0 {
            judging.push(done.judging.as_secs_f64() * 1e3);
            all.push(done.took.as_secs_f64() * 1e3);
        }
    }
    judging.print("10,000 images: matching and deciding", "ms");
    all.print("… with decoding, commits and records", "ms");

    // Another policy over the same feeds: verdicts change, findings do not, as with most updates of feeds.
    let mut same = Figures::default();
    for round in 0..ROUNDS {
        let text = format!("version: 1\nname: round-{round}\nrules: []\n");
        judge.use_policy(Arc::new(Policy::parse(&text).map_err(|wrong| anyhow::anyhow!("{wrong}"))?));
        same.push(registry.rejudge("bench").await?.took.as_secs_f64() * 1e3);
    }
    same.print("… where findings stay the same", "ms");
    println!("{:44} {:>10}", "records of changed verdicts", *facts.entered().borrow());
    Ok(())
}

/// Stores images made of real catalogs, judged without feeds.
async fn fill(facts: &Facts, judge: &FlowJudge, corpus: &[(String, Catalog)]) -> Result<()> {
    let images: Vec<(Digest, &Catalog)> = corpus
        .iter()
        .cycle()
        .take(IMAGES)
        .enumerate()
        .map(|(number, (_, catalog))| (Digest::of(&number.to_le_bytes()), catalog))
        .collect();
    for batch in images.chunks(BATCH) {
        let mut materials = Vec::with_capacity(batch.len());
        for (digest, catalog) in batch {
            facts.put_manifest(manifest(digest)).await?;
            let subject = Subject {
                reference: format!("registry.test/bench@{digest}"),
                name: None,
                digest: Some(digest.clone()),
                config: None,
                platform: None,
            };
            let material = Material { subject, layers: Vec::new(), catalog: (*catalog).clone() };
            materials.push(Again { digest: digest.clone(), material, beside: Beside::default() });
        }
        facts.record(judge.rejudge(materials, &Nothing), Timestamp::now()).await?;
    }
    Ok(())
}

/// Nothing is attached to these images, so nothing of them is read.
struct Nothing;

impl boltseal_image::Blobs for Nothing {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, boltseal_image::Error> {
        Err(boltseal_image::Error::NoBlob { digest: digest.clone(), place: "nowhere".to_owned() })
    }
}

fn manifest(digest: &Digest) -> NewManifest {
    NewManifest {
        repository: "bench".to_owned(),
        digest: digest.clone(),
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        size: 1,
        place: String::new(),
        about: None,
        content_size: 1,
        kind: Kind::Image,
        platform: None,
        subject: None,
        artifact_type: None,
        annotations: None,
        blobs: Vec::new(),
        manifests: Vec::new(),
        tags: Vec::new(),
        by: None,
        at: Timestamp::now(),
    }
}
