//! `/acr/v1/…`: what is known about repositories, tags and manifests, in the shapes of ACR's data plane.
//!
//! `createdTime` of a tag or a manifest is the time of its last
//! push, the only one that is kept.

use axum::{Json, body::Body, http::Method, response::IntoResponse};
use boltseal_image::manifest::{Document, parse};
use boltseal_model::{Digest, QuarantineState, Timestamp};
use boltseal_store::{
    AttributeOrder, AttributePage, Attributes, Kind, Locked, ManifestAttributes, TagAttributes,
};
use serde_json::{Value, json};

use super::{
    Answer, Call, auth,
    lists::{listing, shorten},
    not_allowed,
};
use crate::{
    failure::{Code, Failure},
    gate::Passage,
    route::{Named, Route},
};

/// Entries of a page when the client does not say.
const PAGE: u64 = 100;
/// Entries of a page at most; each costs some reads.
const MAX_PAGE: u64 = 1000;

impl Call {
    pub(super) async fn acr(&self, route: Route, body: Body) -> Answer {
        let get = matches!(self.parts.method, Method::GET | Method::HEAD);
        match route {
            Route::AcrCatalog if get => self.catalog("/acr/v1/_catalog", PAGE).await,
            Route::AcrRepository { repository } if get => self.repository_attributes(&repository).await,
            Route::AcrTags { repository } if get => self.tags_attributes(&repository).await,
            Route::AcrTag { repository, tag } if get => self.tag_attributes(&repository, &tag).await,
            Route::AcrManifests { repository } if get => self.manifests_attributes(&repository).await,
            Route::AcrManifest { repository, digest } if get => {
                self.manifest_attributes(&repository, &digest).await
            }
            Route::AcrTag { repository, tag } if self.parts.method == Method::DELETE => {
                self.delete_tag(repository, tag).await
            }
            Route::AcrRepository { repository } if self.parts.method == Method::PATCH => {
                self.change_attributes(&repository, Locked::Repository, body).await
            }
            Route::AcrTag { repository, tag } if self.parts.method == Method::PATCH => {
                self.change_attributes(&repository, Locked::Tag(tag), body).await
            }
            Route::AcrManifest { repository, digest } if self.parts.method == Method::PATCH => {
                self.change_manifest(repository, digest, body).await
            }
            route => Err(not_allowed(&route, &self.parts.method)),
        }
    }

    pub(super) async fn repository_attributes(&self, repository: &str) -> Answer {
        let found = self.registry.0.facts.attributes_of_repository(repository).await?;
        let found = found.ok_or_else(|| no_repository(repository))?;
        let mut answer = self.about(repository);
        add(&mut answer, "createdTime", found.created.to_string());
        add(&mut answer, "lastUpdateTime", found.updated.to_string());
        add(&mut answer, "manifestCount", found.manifests);
        add(&mut answer, "tagCount", found.tags);
        add(&mut answer, "changeableAttributes", self.changeable(repository, Locked::Repository).await?);
        Ok(Json(answer).into_response())
    }

    async fn tags_attributes(&self, repository: &str) -> Answer {
        let (limit, page) = self.attribute_page()?;
        let of = self.query.get("digest").map(crate::route::digest).transpose()?;
        let facts = &self.registry.0.facts;
        let mut rows = facts.tag_attributes(repository, of.as_ref(), page).await?;
        if rows.is_empty() && !facts.has_repository(repository).await? {
            return Err(no_repository(repository));
        }
        let more = shorten(&mut rows, limit);
        let next = rows.last().filter(|_| more).map(|row| row.name.clone());
        let mut answer = self.about(repository);
        let unlisted = facts.unlisted(repository).await?;
        let mut tags = Vec::with_capacity(rows.len());
        for row in rows.iter().filter(|row| !unlisted.contains(&row.name)) {
            tags.push(self.tag(repository, row).await?);
        }
        add(&mut answer, "tags", tags);
        let filter = of.map(|digest| format!("digest={digest}")).unwrap_or_default();
        Ok(listing(answer, &self.path(&format!("{repository}/_tags"), &filter), limit, next))
    }

    pub(super) async fn tag_attributes(&self, repository: &str, name: &str) -> Answer {
        let found = self.registry.0.facts.attributes_of_tag(repository, name).await?.ok_or_else(|| {
            Failure::new(Code::ManifestUnknown, format!("{repository}:{name} is not stored here"))
        })?;
        let mut answer = self.about(repository);
        add(&mut answer, "tag", self.tag(repository, &found).await?);
        Ok(Json(answer).into_response())
    }

    async fn manifests_attributes(&self, repository: &str) -> Answer {
        let (limit, page) = self.attribute_page()?;
        let facts = &self.registry.0.facts;
        let mut rows = facts.manifest_attributes(repository, page).await?;
        if rows.is_empty() && !facts.has_repository(repository).await? {
            return Err(no_repository(repository));
        }
        let more = shorten(&mut rows, limit);
        let next = rows.last().filter(|_| more).map(|row| row.digest.to_string());
        let unlisted = facts.unlisted(repository).await?;
        let mut manifests = Vec::with_capacity(rows.len());
        for row in rows {
            if !unlisted.is_empty() && unlisted.contains(&row.digest.to_string()) {
                continue;
            }
            let mut manifest = self.manifest(repository, row).await?;
            // Details may be long: they are for whoever asks for one.
            if let Some(fields) = manifest.get_mut("changeableAttributes").and_then(Value::as_object_mut) {
                fields.remove("quarantineDetails");
            }
            manifests.push(manifest);
        }
        let mut answer = self.about(repository);
        add(&mut answer, "manifests", manifests);
        Ok(listing(answer, &self.path(&format!("{repository}/_manifests"), ""), limit, next))
    }

    pub(super) async fn manifest_attributes(&self, repository: &str, digest: &Digest) -> Answer {
        let found = self.registry.0.facts.attributes_of_manifest(repository, digest).await?;
        let row = found.ok_or_else(|| {
            Failure::new(Code::ManifestUnknown, format!("{repository}@{digest} is not stored here"))
        })?;
        let mut manifest = self.manifest(repository, row).await?;
        if let Some(held) = self.registry.0.held(repository, &Named::Digest(digest.clone())).await? {
            match parse(&held.bytes, None) {
                Ok(Document::Index(index)) => {
                    let references: Vec<Value> = index
                        .manifests
                        .iter()
                        .map(|child| {
                            let platform = child.platform.as_ref();
                            json!({
                                "digest": child.digest,
                                "architecture": platform.map(|platform| &platform.architecture),
                                "os": platform.map(|platform| &platform.os),
                            })
                        })
                        .collect();
                    add(&mut manifest, "references", references);
                }
                Ok(Document::Manifest(document)) => {
                    add(&mut manifest, "configMediaType", document.config.media_type);
                }
                Err(_) => {}
            }
        }
        let mut answer = self.about(repository);
        add(&mut answer, "manifest", manifest);
        Ok(Json(answer).into_response())
    }

    /// One manifest, with what the gate says about it.
    async fn manifest(&self, repository: &str, row: ManifestAttributes) -> Result<Value, Failure> {
        let mut attributes = self.changeable(repository, Locked::Manifest(row.digest.clone())).await?;
        let gate = &self.registry.0.gate;
        let (state, details) = match gate.decision(repository, &row.digest).await? {
            Some(decision) => {
                add(&mut attributes, "quarantineBy", decision.by);
                add(&mut attributes, "quarantineTime", decision.at.to_string());
                (Some(decision.state), decision.details)
            }
            None if row.kind == Kind::Image => match gate.ruling(&row.digest).await?.as_deref() {
                Some(Passage::Pass { .. }) => (Some(QuarantineState::Passed), None),
                Some(ruling @ Passage::Refuse { .. }) => {
                    let details = json!({ "state": ruling.sentence(), "scanner": "boltseal" });
                    (Some(QuarantineState::Failed), Some(details.to_string()))
                }
                None => (Some(QuarantineState::Quarantined), None),
            },
            None => (None, None),
        };
        if let Some(state) = state {
            add(&mut attributes, "quarantineState", state.word());
        }
        if let Some(details) = details {
            add(&mut attributes, "quarantineDetails", details);
        }
        let mut manifest = json!({
            "digest": row.digest,
            "imageSize": row.size.saturating_add(row.content_size),
            "createdTime": row.pushed.to_string(),
            "lastUpdateTime": row.pushed.to_string(),
            "mediaType": row.media_type,
            "changeableAttributes": attributes,
        });
        if let Some(platform) = row.platform {
            add(&mut manifest, "architecture", platform.architecture);
            add(&mut manifest, "os", platform.os);
        }
        if !row.tags.is_empty() {
            add(&mut manifest, "tags", row.tags);
        }
        Ok(manifest)
    }

    async fn tag(&self, repository: &str, row: &TagAttributes) -> Result<Value, Failure> {
        let time = Timestamp::to_string(&row.updated);
        Ok(json!({
            "name": row.name,
            "digest": row.digest,
            "createdTime": time,
            "lastUpdateTime": time,
            "signed": false,
            "changeableAttributes": self.changeable(repository, Locked::Tag(row.name.clone())).await?,
        }))
    }

    /// What is allowed with something, in ACR's words.
    async fn changeable(&self, repository: &str, target: Locked) -> Result<Value, Failure> {
        let lock = self.registry.0.facts.lock(repository, target).await?;
        let mut attributes = json!({
            "deleteEnabled": lock.attributes.delete,
            "writeEnabled": lock.attributes.write,
            "readEnabled": lock.attributes.read,
            "listEnabled": lock.attributes.list,
        });
        if lock.attributes != Attributes::default() {
            add(&mut attributes, "lockedBy", lock.by);
            add(&mut attributes, "lockedTime", lock.at.to_string());
            add(&mut attributes, "note", lock.note);
        }
        Ok(attributes)
    }

    /// How every answer about a repository begins: where it is, by the name the client used.
    fn about(&self, repository: &str) -> Value {
        let url = auth::base_url(&self.registry, &self.parts);
        let host = url.split_once("://").map_or(url.as_str(), |(_, host)| host);
        json!({ "registry": host, "imageName": repository })
    }

    /// Entries wanted, and the page with one more, which says whether there is another page.
    fn attribute_page(&self) -> Result<(u64, AttributePage<'_>), Failure> {
        let (limit, last) = self.page(PAGE)?;
        let limit = limit.min(MAX_PAGE);
        let order = match self.query.get("orderby") {
            None | Some("" | "none") => AttributeOrder::Name,
            Some("timeasc") => AttributeOrder::Oldest,
            Some("timedesc") => AttributeOrder::Newest,
            Some(_) => {
                let message = "orderby must be none, timeasc or timedesc";
                return Err(
                    Failure::new(Code::Unsupported, message).status(axum::http::StatusCode::BAD_REQUEST)
                );
            }
        };
        Ok((limit, AttributePage { order, last, limit: limit.saturating_add(1) }))
    }

    /// The path of the next page, with what the client asked for.
    fn path(&self, path: &str, filter: &str) -> String {
        let order = self.query.get("orderby").filter(|order| matches!(*order, "timeasc" | "timedesc"));
        let order = order.map(|order| format!("orderby={order}")).unwrap_or_default();
        let parameters: Vec<&str> = [filter, &order].into_iter().filter(|text| !text.is_empty()).collect();
        let mark = if parameters.is_empty() { "" } else { "?" };
        format!("/acr/v1/{path}{mark}{}", parameters.join("&"))
    }
}

fn add(object: &mut Value, name: &str, value: impl Into<Value>) {
    if let Some(fields) = object.as_object_mut() {
        fields.insert(name.to_owned(), value.into());
    }
}

fn no_repository(repository: &str) -> Failure {
    Failure::new(Code::NameUnknown, format!("there is no repository {repository}"))
}
