//! Referrers of an image in a cache: those that the upstream lists, whether they are here or not.

use std::sync::Arc;

use boltseal_model::{Digest, Timestamp};
use boltseal_store::Checked;
use tokio::task::spawn_blocking;

use super::{Trouble, pull::is_within};
use crate::{Inner, api::Entry, failure::Failure};

/// Entries of an upstream's list that are handed on. An image with a signature per build has some hundred.
const MAX_ENTRIES: usize = 1000;

impl Inner {
    /// What the upstream of `repository` lists, or listed when it could last be asked.
    pub(crate) async fn referrers_there(
        self: &Arc<Self>,
        repository: &str,
        subject: &Digest,
    ) -> Result<Vec<Entry>, Failure> {
        let Some(known) = self.upstreams.of(repository).await? else { return Ok(Vec::new()) };
        let name = format!("referrers of {subject}");
        let before = self.facts.upstream_check(repository, &name).await?;
        let fresh = before.as_ref().is_some_and(|checked| is_within(checked.at, known.setting.ttl));
        if known.setting.enabled && !fresh {
            let asked = self.ask_referrers(&known, repository, subject).await;
            self.note_asked(&known, asked.as_ref().err()).await;
            match asked {
                Ok(entries) => {
                    let body = Some(serde_json::to_string(&entries).map_err(Failure::fault)?);
                    let checked = Checked { at: Timestamp::now(), body };
                    self.facts.note_upstream_check(repository, &name, checked).await?;
                    return Ok(entries);
                }
                Err(Trouble::Ours(failure)) => return Err(failure),
                // Nobody is to hear that there are no signatures when nobody knows.
                Err(trouble) if before.is_none() && !matches!(trouble, Trouble::Missing(_)) => {
                    return Err(trouble.answer(super::Wanted::Manifest));
                }
                Err(trouble) => {
                    tracing::warn!(repository, why = trouble.sentence(), "referrers as they were");
                }
            }
        }
        let body = before.and_then(|checked| checked.body);
        Ok(body.and_then(|body| serde_json::from_str(&body).ok()).unwrap_or_default())
    }

    async fn ask_referrers(
        self: &Arc<Self>,
        known: &super::Known,
        repository: &str,
        subject: &Digest,
    ) -> Result<Vec<Entry>, Trouble> {
        if let Some(resting) = known.resting(false) {
            return Err(resting);
        }
        let from = self.bring(known, repository).await?.from;
        let wanted = subject.clone();
        let found = spawn_blocking(move || from.referrers(&wanted, None)).await.map_err(Trouble::ended)?;
        let found = found.map_err(|error| Trouble::of(&error))?;
        Ok(found.into_iter().take(MAX_ENTRIES).map(Entry::from).collect())
    }
}
