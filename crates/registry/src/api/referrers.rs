//! `/v2/<name>/referrers/<digest>`: what says something about a manifest.

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::IntoResponse,
};
use boltseal_image::manifest::{Descriptor, OCI_INDEX};
use boltseal_model::Digest;
use boltseal_store::Referrer;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, Call};
use crate::{
    failure::Failure,
    route::{Named, encode},
};

const FILTERS_APPLIED: HeaderName = HeaderName::from_static("oci-filters-applied");
/// Entries of a page.
const PAGE: usize = 1000;
/// Pages that are read until a filter leaves something, so that an answer costs a bounded number of reads.
const MAX_READS: usize = 8;
/// Entries of an old index that are looked at: each costs two reads, and clients kept a handful.
const MAX_OLD: usize = 1000;
/// Characters of a hash in a tag of older clients.
const MAX_HASH_IN_TAG: usize = 64;

/// A descriptor as it is listed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Entry {
    media_type: String,
    digest: Digest,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    annotations: Option<Value>,
}

impl Call {
    pub(super) async fn referrers(&self, repository: &str, subject: &Digest) -> Answer {
        let wanted = self.query.get("artifactType").filter(|wanted| !wanted.is_empty());
        let (mut entries, next) = self.page_of_referrers(repository, subject, wanted).await?;
        let unlisted = self.registry.0.facts.unlisted(repository).await?;
        entries.retain(|entry| unlisted.is_empty() || !unlisted.contains(&entry.digest.to_string()));
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries });
        let mut response = index.to_string().into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(OCI_INDEX));
        if wanted.is_some() {
            headers.insert(FILTERS_APPLIED, HeaderValue::from_static("artifactType"));
        }
        if let Some(next) = next {
            let filter = wanted.map(|wanted| format!("&artifactType={}", encode(wanted))).unwrap_or_default();
            let link = format!(
                "</v2/{repository}/referrers/{subject}?last={}{filter}>; rel=\"next\"",
                encode(&next)
            );
            headers.insert(header::LINK, HeaderValue::from_str(&link).map_err(Failure::fault)?);
        }
        Ok(response)
    }

    /// What the filter leaves, and after which digest the next page begins.
    async fn page_of_referrers(
        &self,
        repository: &str,
        subject: &Digest,
        wanted: Option<&str>,
    ) -> Result<(Vec<Entry>, Option<String>), Failure> {
        let mut last = self.query.get("last").unwrap_or_default().to_owned();
        let (mut entries, mut there) = (Vec::new(), Vec::new());
        if last.is_empty() {
            entries = self.fallback(repository, subject).await?;
            there = self.registry.0.referrers_there(repository, subject).await?;
        }
        for _ in 0..MAX_READS {
            let limit = PAGE as u64 + 1;
            let mut found = self.registry.0.facts.referrers(repository, subject, &last, limit).await?;
            let more = found.len() > PAGE;
            found.truncate(PAGE);
            last = found.last().map_or(last, |referrer| referrer.digest.to_string());
            entries.extend(found.into_iter().map(Entry::from));
            for entry in there.drain(..) {
                if entries.iter().all(|known| known.digest != entry.digest) {
                    entries.push(entry);
                }
            }
            if let Some(wanted) = wanted {
                entries.retain(|entry| entry.artifact_type.as_deref() == Some(wanted));
            }
            if !more {
                return Ok((entries, None));
            }
            if !entries.is_empty() {
                break;
            }
        }
        Ok((entries, Some(last)))
    }

    /// What older clients wrote into an index tagged `sha256-<hex>`, because their registry had no referrers, unless it
    /// is in the list anyway by its own subject. What is not stored here any more is not listed either.
    async fn fallback(&self, repository: &str, subject: &Digest) -> Result<Vec<Entry>, Failure> {
        #[derive(Deserialize)]
        struct Index {
            #[serde(default)]
            manifests: Vec<Entry>,
        }
        // Specification 1.1, "Referrers Tag Schema": 64 characters of the hash, whatever the algorithm.
        let hash: String = subject.hex().chars().take(MAX_HASH_IN_TAG).collect();
        let tag = format!("{}-{hash}", subject.algorithm().name());
        let Some(held) = self.registry.0.held(repository, &Named::Tag(tag)).await? else {
            return Ok(Vec::new());
        };
        let Ok(index) = serde_json::from_slice::<Index>(&held.bytes) else { return Ok(Vec::new()) };
        let facts = &self.registry.0.facts;
        let mut entries: Vec<Entry> = Vec::new();
        for entry in index.manifests.into_iter().take(MAX_OLD) {
            let known = entries.iter().any(|known| known.digest == entry.digest);
            let Some(stored) = facts.manifest(repository, &entry.digest).await?.filter(|_| !known) else {
                continue;
            };
            // In the order of digests, the first after all but the last character of one is that one, if it is there.
            let name = entry.digest.to_string();
            let before = name.get(..name.len().saturating_sub(1)).unwrap_or_default();
            let next = facts.referrers(repository, subject, before, 1).await?;
            if next.iter().all(|referrer| referrer.digest != entry.digest) {
                entries.push(Entry { media_type: stored.media_type, size: stored.size, ..entry });
            }
        }
        Ok(entries)
    }
}

impl From<Descriptor> for Entry {
    fn from(there: Descriptor) -> Self {
        Self {
            media_type: there.media_type,
            digest: there.digest,
            size: there.size,
            artifact_type: there.artifact_type,
            annotations: (!there.annotations.is_empty()).then(|| json!(there.annotations)),
        }
    }
}

impl From<Referrer> for Entry {
    fn from(referrer: Referrer) -> Self {
        Self {
            media_type: referrer.media_type,
            digest: referrer.digest,
            size: referrer.size,
            artifact_type: referrer.artifact_type,
            annotations: referrer.annotations.and_then(|text| serde_json::from_str(&text).ok()),
        }
    }
}
