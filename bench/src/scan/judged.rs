//! What the push gate pays for an image whose base it knows.

use std::{fs::File, io::Read};

use anyhow::{Context as _, Result, ensure};
use boltseal_flow::Cache;
use boltseal_image::{Blobs, Error};
use boltseal_model::Digest;
use boltseal_policy::Policy;
use boltseal_registry::{Beside, FlowJudge, Judge as _, Request};
use boltseal_store::Outcome;
use nix::sys::{
    resource::{UsageWho, getrusage},
    time::TimeValLike as _,
};

use super::{RUNS, images::Layout};
use crate::figures::{Figures, print_ratio};

struct Stored<'l>(&'l Layout);

impl Blobs for Stored<'_> {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        let file = File::open(self.0.blob(digest)).map_err(|error| Error::blob(digest, error))?;
        Ok(Box::new(file))
    }
}

pub fn run(base: &Layout, application: &Layout) -> Result<()> {
    let mut rows = Vec::new();
    for (what, cached) in [("without a cache", false), ("on a known base", true)] {
        let mut cpu = Figures::default();
        for _ in 0..RUNS {
            let folder = tempfile::tempdir()?;
            let judge = FlowJudge::new("bench", None, Policy::built_in().clone().into());
            let judge = if cached { judge.with_cache(Cache::at(folder.path())) } else { judge };
            judged(&judge, base)?;
            let before = used()?;
            judged(&judge, application)?;
            cpu.push(used()? - before);
        }
        cpu.print(&format!("judge a second image {what}, CPU"), "ms");
        rows.push(cpu);
    }
    let (cold, known) = (rows.first().context("a row")?, rows.last().context("a row")?);
    print_ratio("judge without a cache / on a known base", cold, known);
    Ok(())
}

fn judged(judge: &FlowJudge, image: &Layout) -> Result<()> {
    let outcome = judge.judge(&Request {
        digest: &image.manifest,
        media_type: "application/vnd.oci.image.manifest.v1+json",
        repository: "bench",
        blobs: &Stored(image),
        beside: &Beside::default(),
    });
    ensure!(matches!(outcome, Outcome::Judged { .. }), "not judged: {outcome:?}");
    Ok(())
}

/// CPU time of this process, milliseconds.
fn used() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    Ok((usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e3)
}
