//! `/v2/<name>/referrers/<digest>`: what says something about a manifest.

use std::collections::HashSet;

use axum::{
    http::{HeaderName, HeaderValue, header},
    response::IntoResponse,
};
use boltseal_image::manifest::OCI_INDEX;
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
const PAGE: u64 = 1000;

/// A descriptor as it is listed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
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
        let last = self.query.get("last").unwrap_or_default();
        let facts = &self.registry.0.facts;
        let mut found = facts.referrers(repository, subject, last, PAGE + 1).await?;
        let more = found.len() as u64 > PAGE;
        found.truncate(usize::try_from(PAGE).unwrap_or(usize::MAX));
        let next = found.last().filter(|_| more).map(|referrer| referrer.digest.to_string());
        let mut entries: Vec<Entry> = found.into_iter().map(Entry::from).collect();
        if last.is_empty() {
            let known: HashSet<Digest> = entries.iter().map(|entry| entry.digest.clone()).collect();
            let old = self.fallback(repository, subject).await?;
            entries.extend(old.into_iter().filter(|entry| !known.contains(&entry.digest)));
        }
        let wanted = self.query.get("artifactType").filter(|wanted| !wanted.is_empty());
        if let Some(wanted) = wanted {
            entries.retain(|entry| entry.artifact_type.as_deref() == Some(wanted));
        }
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

    /// What older clients wrote into an index tagged `sha256-<hex>`, because their registry had no referrers.
    async fn fallback(&self, repository: &str, subject: &Digest) -> Result<Vec<Entry>, Failure> {
        #[derive(Deserialize)]
        struct Index {
            manifests: Vec<Entry>,
        }
        let tag = format!("{}-{}", subject.algorithm().name(), subject.hex());
        let tag: String = tag.chars().take(128).collect();
        let Some(held) = self.registry.0.held(repository, &Named::Tag(tag)).await? else {
            return Ok(Vec::new());
        };
        let index: Result<Index, _> = serde_json::from_slice(&held.bytes);
        Ok(index.map(|index| index.manifests).unwrap_or_default())
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
