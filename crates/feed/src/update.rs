//! Fetching the public feeds: only what changed, from where a download stopped, one feed independent of the other.

use std::path::Path;
use std::time::Duration;

use boltseal_model::Timestamp;
use boltseal_wire::client::Client;
use url::Url;

use crate::format::Tally;
use crate::import::intake::Intake;
use crate::store::{self, lock};
use crate::{Error, Progress};

mod download;
mod lead;
mod sources;

use download::{Answer, Download};
pub use sources::{SOURCES, Source};

/// How to update.
#[derive(Clone, Debug)]
pub struct Update {
    /// Connections, proxies, certificates.
    pub client: Client,
    /// A server that has the same files at [`Source::paths`] below this address.
    pub mirror: Option<Url>,
    /// Ids of the feeds to fetch; empty means all of [`SOURCES`]. `osv` stands for all that start with `osv:`.
    pub only: Vec<String>,
    /// How often a lost connection is taken up again.
    pub attempts: u32,
    /// How long to wait before that; doubles each time.
    pub pause: Duration,
}

impl Update {
    /// Everything, from its publishers.
    pub fn new(client: Client) -> Self {
        Self { client, mirror: None, only: Vec::new(), attempts: 4, pause: Duration::from_secs(1) }
    }
}

/// What became of one feed.
#[derive(Debug)]
pub struct Fetched {
    /// The feed.
    pub id: String,
    /// What happened.
    pub outcome: Outcome,
}

/// What became of one feed.
#[derive(Debug)]
pub enum Outcome {
    /// New data is in place.
    Updated(Box<Tally>),
    /// The publisher has nothing newer.
    Unchanged,
    /// The publisher does not have it (yet), which is expected of this one: a branch to come.
    Absent,
    /// The old data, if there was any, is still in place.
    Failed(Error),
}

/// Fetches feeds into the folder `raw`. A feed that fails does not stop the others.
pub fn update(
    raw: &Path,
    how: &Update,
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<Vec<Fetched>, Error> {
    let wanted = sources::choose(&how.only)?;
    let _lock = lock::changing(raw)?;
    let mut fetched = Vec::new();
    for source in wanted {
        let outcome = one(raw, how, source, now, progress).unwrap_or_else(Outcome::Failed);
        fetched.push(Fetched { id: source.id.to_owned(), outcome });
    }
    Ok(fetched)
}

fn one(
    raw: &Path,
    how: &Update,
    source: &Source,
    now: Timestamp,
    progress: &dyn Progress,
) -> Result<Outcome, Error> {
    let known = store::find(raw, source.id)?;
    let mut intake = Intake::new(raw, now);
    let mut changed = false;
    let mut downloads = Vec::new();
    for file in source.files {
        let url = lead::resolve(how, file)?;
        let part = known.as_ref().and_then(|known| known.parts.iter().find(|part| part.source == url));
        let mut download = Download::new(raw, source.id, url.clone())?;
        match download.run(how, part, progress)? {
            Answer::Unchanged => continue,
            Answer::Absent if source.optional => return Ok(Outcome::Absent),
            Answer::Absent => return Err(download.refused(404)),
            Answer::Complete => {}
        }
        changed = true;
        intake.origin = download.origin();
        let size = std::fs::metadata(download.file()).map(|meta| meta.len()).ok();
        progress.begin(&format!("reading {}", source.id), size);
        let read = crate::container::documents(download.file(), "", progress, &mut |mut found| {
            source.group().clone_into(&mut found.group);
            source.group().clone_into(&mut found.stem);
            intake.document(found, &url).map(|_| ())
        });
        progress.end(source.id);
        read?;
        downloads.push(download);
    }
    if !changed {
        confirm(raw, source.id, now)?;
        return Ok(Outcome::Unchanged);
    }
    if intake.ids() != [source.id] {
        let what = intake.ids().join(", ");
        let what = if what.is_empty() { "something else" } else { &what };
        return Err(Error::broken(
            source.files.first().map_or("", |file| file.url),
            source.id,
            format!("it is {what}"),
        ));
    }
    let closed = intake.close(&mut Vec::new())?;
    if let Some(error) = closed.empty.into_iter().next() {
        return Err(error);
    }
    for download in downloads {
        download.done();
    }
    if closed.imported.iter().all(|imported| imported.kept_newer) {
        return Ok(Outcome::Unchanged);
    }
    let mut tally = Tally::default();
    for imported in &closed.imported {
        tally.add(&imported.tally);
    }
    Ok(Outcome::Updated(Box::new(tally)))
}

/// The publisher says that ours is the newest: that is as good as having fetched it now.
fn confirm(raw: &Path, id: &str, now: Timestamp) -> Result<(), Error> {
    let _lock = lock::exclusive(raw)?;
    if let Some(mut stored) = store::find(raw, id)? {
        stored.fetched = now;
        store::commit(raw, &stored)?;
    }
    Ok(())
}
