//! Images whose credentials have no fingerprints, because a version before the inventory of credentials looked at them, are
//! looked at again: as a job that is asked for at a start, once for as long as there are such images.
//!
//! ```text
//! start ──there are some, and the judge has a key──▶ job ──one image after the other──▶ judged anew, with fingerprints
//! ```
//!
//! The verdict that an image has holds until the new one is written, so no pull is refused meanwhile. An image that cannot
//! be opened keeps what is known of it and stays in the count; the job says how many those are, and the next start tries
//! again. After each image there is a pause as long as it took: pushes and pulls go first.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use boltseal_model::Timestamp;
use boltseal_store::{Job, Progress};

use crate::{
    Error, Registry,
    work::{Ended, Reporter, Running},
};

/// As in the facts.
pub(crate) const KIND: &str = "reopen";
/// Images listed at a time.
const PAGE: u64 = 100;
/// The longest pause between two images.
const PAUSE: Duration = Duration::from_secs(30);

/// The function of this kind of work.
pub(crate) fn run(registry: Registry, job: Job, reporter: Arc<Reporter>) -> Running {
    Box::pin(async move {
        match registry.reopen(&job, &reporter).await {
            Ok(ended) => ended,
            Err(error) => Ended::Failed(error.to_string()),
        }
    })
}

impl Registry {
    /// Asks for the job where there is something for it to do.
    pub(crate) async fn reopen_if_due(self) {
        if !self.0.judging.recognises() {
            return;
        }
        let facts = &self.0.facts;
        let asked = async {
            if !facts.unrecognised(None, 1).await?.is_empty() {
                facts.request_job(KIND, "{}", "schedule").await?;
            }
            Ok::<_, Error>(())
        };
        if let Err(error) = asked.await {
            tracing::error!(%error, "asking for images to be looked at again");
        }
    }

    async fn reopen(&self, job: &Job, reporter: &Reporter) -> Result<Ended, Error> {
        let (facts, judging) = (&self.0.facts, &self.0.judging);
        let left = facts.observations(Timestamp::now()).await?.unrecognised;
        let mut last = job.resume.as_deref().and_then(|text| text.parse().ok());
        let mut sum = Sum { done: job.done, failed: 0 };
        let total = job.done.saturating_add(left);
        loop {
            let page = facts.unrecognised(last.as_ref(), PAGE).await?;
            if page.is_empty() {
                return Ok(Ended::Done(sum.sentence()));
            }
            for image in page {
                let begun = Instant::now();
                if let Some(why) = judging.reopen(&image).await? {
                    tracing::warn!(%image, why, "an image could not be looked at again");
                    sum.failed += 1;
                }
                sum.done += 1;
                let progress = Progress {
                    done: sum.done,
                    total: total.max(sum.done),
                    resume: Some(image.to_string()),
                    message: Some(sum.sentence()),
                };
                last = Some(image);
                if !reporter.report(progress).await {
                    return Ok(Ended::Stopped(sum.sentence()));
                }
                tokio::time::sleep(begun.elapsed().min(PAUSE)).await;
            }
        }
    }
}

/// What was done so far.
struct Sum {
    done: u64,
    /// By this process.
    failed: u64,
}

impl Sum {
    fn sentence(&self) -> String {
        let images = if self.done == 1 { "1 image".to_owned() } else { format!("{} images", self.done) };
        match self.failed {
            0 => format!("looked at {images} again"),
            1 => format!("looked at {images} again; 1 could not be opened: push it again"),
            failed => format!("looked at {images} again; {failed} could not be opened: push them again"),
        }
    }
}
