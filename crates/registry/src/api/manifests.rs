//! `/v2/<name>/manifests/<reference>`: pull through the gate, push with everything checked, delete.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::IntoResponse,
};
use boltseal_audit::{
    Record,
    record::{Activity, Outcome, Why},
};
use boltseal_identity::{Action, Caller};
use boltseal_image::{
    MAX_MANIFEST,
    manifest::{DOCKER_LIST, DOCKER_MANIFEST, Descriptor, Document, OCI_INDEX, OCI_MANIFEST, parse},
};
use boltseal_model::{Algorithm, Digest, Hasher, Timestamp};
use boltseal_store::{Blobs, Kind, NewManifest, Pusher, Refusal, StoredManifest};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, CONTENT_DIGEST, Call, blocking, body::document, uncancelled};
use crate::{
    Inner, classify, described,
    failure::{Code, Failure},
    route::{self, Named},
    upstream::Stale,
};

const OCI_SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const OCI_TAG: HeaderName = HeaderName::from_static("oci-tag");
/// Tags that one push may set.
const MAX_TAGS: usize = 64;
/// Holes that a refusal lists.
const MAX_MISSING: usize = 20;

/// A manifest in memory, with its headers made.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) digest: Digest,
    pub(super) kind: Kind,
    pub(super) bytes: Bytes,
    /// Why it may not be pulled by this name.
    pub(super) locked: Option<Refusal>,
    content_type: HeaderValue,
    digest_header: HeaderValue,
    etag: HeaderValue,
}

impl Held {
    pub(super) fn new(stored: StoredManifest, bytes: Vec<u8>, locked: Option<Refusal>) -> Self {
        let value = |text: &str| HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static(""));
        let name = stored.digest.to_string();
        Self {
            content_type: value(&stored.media_type),
            digest_header: value(&name),
            etag: value(&format!("\"{name}\"")),
            digest: stored.digest,
            kind: stored.kind,
            bytes: bytes.into(),
            locked,
        }
    }

    pub(crate) fn weight(&self) -> usize {
        512 + self.bytes.len()
    }
}

impl Call {
    pub(super) async fn get_manifest(&self, repository: &str, reference: &Named) -> Answer {
        let inner = &self.registry.0;
        let stale = inner.pull_through(repository, reference).await?;
        let Some(held) = inner.held(repository, reference).await? else {
            return Err(inner.no_manifest(repository, reference).await?);
        };
        let (mut warning, mut inspected) = (None, false);
        let record = about(self.record.clone(), reference).digest(&held.digest);
        // Whoever is in the middle of a push asks by HEAD what is there already; that gives away nothing but a digest.
        let pushing = self.is_head() && self.caller.scopes.pushing(repository);
        if !pushing && let Some(refusal) = &held.locked {
            return Err(self.locked(&record, refusal).await);
        }
        if !pushing {
            match inner.gate.pass(repository, &held.digest, held.kind).await {
                Ok(passed) => warning = passed,
                Err(failure) => {
                    self.held_back(repository, &record, failure).await?;
                    inspected = true;
                }
            }
        }
        if !self.is_head() {
            self.registry.note_pull(&record).await?;
        }
        if !inspected {
            self.count(repository, reference, &held.digest);
        }
        let mut response = if self.header(header::IF_NONE_MATCH).is_some_and(|tags| matches(tags, &held.etag))
        {
            StatusCode::NOT_MODIFIED.into_response()
        } else {
            // hyper drops the body of an answer to HEAD and keeps its length.
            Body::from(held.bytes.clone()).into_response()
        };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, held.content_type.clone());
        headers.insert(CONTENT_DIGEST, held.digest_header.clone());
        headers.insert(header::ETAG, held.etag.clone());
        for warning in warning.into_iter().chain(stale.iter().flat_map(Stale::warnings)) {
            headers.append(header::WARNING, warning);
        }
        Ok(response)
    }

    pub(super) async fn put_manifest(&self, repository: String, reference: Named, body: Body) -> Answer {
        let (bytes, room) = document(body, usize::try_from(MAX_MANIFEST).unwrap_or(usize::MAX)).await?;
        let said = self.header(header::CONTENT_TYPE).map(str::to_owned);
        let mut tags: Vec<String> =
            self.query.all("tag").take(MAX_TAGS + 1).map(route::tag).collect::<Result<_, _>>()?;
        if tags.len() > MAX_TAGS {
            return Err(Failure::new(Code::ManifestInvalid, format!("more than {MAX_TAGS} tags at once")));
        }
        let announced = match reference {
            Named::Digest(digest) => Some(digest),
            Named::Tag(tag) => {
                tags.push(tag);
                None
            }
        };
        let inner = self.registry.0.clone();
        let record = self.record.clone();
        let name = repository.clone();
        let blobs = inner.blobs.clone();
        let work = move || {
            Ok(prepare(name, announced, said.as_deref(), &bytes, tags, &blobs).map(|new| (new, bytes)))
        };
        let (mut manifest, bytes) = blocking(work).await??;
        let Caller { id, name, .. } = &self.caller;
        manifest.by = Some(Pusher { principal: id.to_string(), name: name.to_string() });
        let mut response = created(&manifest);
        uncancelled(async move {
            let _as_long_as_its_bytes = room;
            inner.put_manifest(manifest, bytes, record).await
        })
        .await?;
        for tag in self.query.all("tag") {
            if let Ok(tag) = HeaderValue::from_str(tag) {
                response.headers_mut().append(OCI_TAG, tag);
            }
        }
        Ok(response)
    }

    pub(super) async fn delete_manifest(&self, repository: String, digest: Digest) -> Answer {
        let inner = self.registry.0.clone();
        let facts = self.recording(&self.record.clone().digest(&digest));
        let by = self.caller.name.to_string();
        uncancelled(async move {
            let removed = facts.remove_manifest_by(&by, &repository, &digest).await?;
            if inner.facts.quarantine(&repository, &digest).await?.is_some() {
                inner.facts.set_quarantine(&repository, &digest, None).await?;
            }
            inner.deleted();
            inner.judging.attached_changed().await;
            if !removed {
                return Err(unknown(&repository, &Named::Digest(digest)));
            }
            Ok(StatusCode::ACCEPTED.into_response())
        })
        .await
    }

    pub(super) async fn delete_tag(&self, repository: String, tag: String) -> Answer {
        let inner = self.registry.0.clone();
        let named = Named::Tag(tag.clone());
        let facts =
            self.recording(&about(self.record.clone(), &named).status(format!("the tag {tag} was removed")));
        uncancelled(async move {
            let removed = facts.remove_tag(&repository, &tag).await?;
            inner.deleted();
            inner.judging.attached_changed().await;
            if removed {
                return Ok(StatusCode::ACCEPTED.into_response());
            }
            Err(unknown(&repository, &Named::Tag(tag)))
        })
        .await
    }
}

impl Call {
    /// Counts a pull. Looking a tag up is none, but tells what the pull after it is for.
    fn count(&self, repository: &str, reference: &Named, digest: &Digest) {
        let (pulls, who) = (&self.registry.0.pulls, self.caller.id);
        let puller = (who, &self.caller.name);
        match reference {
            Named::Tag(tag) if self.is_head() => pulls.looked_up(who, repository, digest, tag),
            Named::Digest(_) if self.is_head() => {}
            Named::Tag(tag) => pulls.pulled(puller, repository, digest, Some(tag), Timestamp::now()),
            Named::Digest(_) => pulls.pulled(puller, repository, digest, None, Timestamp::now()),
        }
    }

    /// A held image passes for whoever inspects what is held; that is a role, and every use of it is in the log. Its
    /// manifest alone also passes for whoever signs it, by role or in the middle of a push: clients read what they attach
    /// something to, and without its configuration, which stays back, no runtime can run it.
    async fn held_back(&self, repository: &str, record: &Record, failure: Failure) -> Result<(), Failure> {
        if self.may(repository, Action::QuarantineRead)
            || self.caller.scopes.pushing(repository)
            || self.principal_may(repository, Action::TrustWrite)
        {
            return Ok(());
        }
        let record =
            record.clone().outcome(Outcome::Denied).why(Why::rule("the gate")).status(failure.message());
        self.registry.note(&record).await?;
        Err(failure)
    }
}

/// Names the thing by what the client called it.
fn about(record: Record, reference: &Named) -> Record {
    match reference {
        Named::Tag(tag) => record.named(tag.clone()),
        Named::Digest(_) => record,
    }
}

fn pushed(record: Record, manifest: &NewManifest) -> Record {
    let record = record
        .digest(&manifest.digest)
        .detail("media_type", manifest.media_type.clone())
        .detail("kind", manifest.kind.word());
    let tags: Vec<&str> = manifest.tags.iter().map(String::as_str).collect();
    match tags.as_slice() {
        [] => record,
        tags => record.named(tags.join(",")),
    }
}

/// A tag that pointed elsewhere is a change of its own.
fn moved(record: &Record, manifest: &NewManifest, tag: &str, before: &Digest) -> Option<Record> {
    (*before != manifest.digest).then(|| {
        Record { activity: Activity::Update, ..record.clone() }
            .digest(&manifest.digest)
            .named(tag)
            .detail("before", before.to_string())
            .status(format!("the tag {tag} was moved"))
    })
}

/// A manifest from another registry.
pub(crate) struct Arrival {
    /// Here.
    pub(crate) repository: String,
    pub(crate) digest: Digest,
    /// As the other registry says, if it does.
    pub(crate) media_type: Option<String>,
    pub(crate) bytes: Bytes,
    /// To point to it here.
    pub(crate) tags: Vec<String>,
}

impl Inner {
    /// Stores a manifest from another registry, whose blobs are here. What an index lists may come later.
    pub(crate) async fn take_in(&self, arrival: Arrival, record: Record) -> Result<(), Failure> {
        let Arrival { repository, digest, media_type, bytes, tags } = arrival;
        let (blobs, content) = (self.blobs.clone(), bytes.clone());
        let work =
            move || Ok(prepare(repository, Some(digest), media_type.as_deref(), &content, tags, &blobs));
        let manifest = blocking(work).await??;
        self.store_manifest(manifest, bytes, record, true).await
    }

    async fn put_manifest(&self, manifest: NewManifest, bytes: Bytes, record: Record) -> Result<(), Failure> {
        self.store_manifest(manifest, bytes, record, false).await
    }

    /// `sparse`: an index is stored though not all that it lists is here.
    async fn store_manifest(
        &self,
        mut manifest: NewManifest,
        bytes: Bytes,
        record: Record,
        sparse: bool,
    ) -> Result<(), Failure> {
        let digest = manifest.digest.clone();
        let (repository, kind) = (manifest.repository.clone(), manifest.kind);
        let names: Vec<String> = manifest.tags.iter().cloned().chain([digest.to_string()]).collect();
        let targets = manifest.blobs.clone();
        // A tag of cosign's older form attaches, too, and so does an index what is attached to it.
        let attaches = kind != Kind::Image || manifest.subject.is_some();
        // Others may be built on it, or on what it lists.
        let bases: Vec<Digest> = match kind {
            Kind::Image => vec![digest.clone()],
            Kind::Index => manifest.manifests.clone(),
            Kind::Artifact => Vec::new(),
        };
        let _nobody_removes_it_meanwhile = self.blobs.lock(&digest).await;
        let blobs = self.blobs.clone();
        manifest.place = blocking(move || blobs.put_as(&bytes, &digest)).await?.place;
        let mut records = vec![pushed(record.clone(), &manifest)];
        for tag in &manifest.tags {
            // Two pushes of one tag at the same moment may both name the digest before them.
            let before = self.facts.tag(&repository, tag).await?;
            records.extend(before.and_then(|before| moved(&record, &manifest, tag, &before)));
        }
        let entries = records.iter().map(Record::entry).collect();
        let facts = self.facts.recording(entries);
        let missing = if sparse {
            facts.put_sparse_manifest(manifest).await?
        } else {
            facts.put_manifest(manifest).await?
        };
        if !missing.is_empty() {
            return Err(incomplete(&missing));
        }
        self.changed(&repository, names.into_iter(), targets.iter());
        if attaches {
            self.judging.attached_changed().await;
        }
        if kind == Kind::Image {
            self.judging.wake();
        }
        let judging = Arc::clone(&self.judging);
        tokio::spawn(async move { judging.bases_came(bases).await });
        Ok(())
    }
}

/// Reads and checks a manifest, and says what must be stored with it.
fn prepare(
    repository: String,
    announced: Option<Digest>,
    said: Option<&str>,
    bytes: &[u8],
    tags: Vec<String>,
    blobs: &Blobs,
) -> Result<NewManifest, Failure> {
    let digest = check(announced, bytes)?;
    let invalid = |why: String| Failure::new(Code::ManifestInvalid, why);
    let document = parse(bytes, said).map_err(|error| invalid(error.to_string()))?;
    let media_type = media_type(&document, said)?;
    let kind = classify::kind(&document, blobs);
    let descriptors = |list: &[Descriptor]| list.iter().map(|d| d.digest.clone()).collect::<Vec<_>>();
    let annotations = annotations(bytes).map_err(|error| invalid(error.to_string()))?;
    let about = described::of(&document, kind == Kind::Image, blobs);
    let mut new = NewManifest {
        repository,
        media_type,
        size: bytes.len() as u64,
        place: String::new(),
        content_size: 0,
        kind,
        platform: None,
        subject: None,
        artifact_type: None,
        annotations,
        about,
        blobs: Vec::new(),
        manifests: Vec::new(),
        tags,
        by: None,
        at: Timestamp::now(),
        digest,
    };
    match document {
        Document::Index(index) => {
            new.content_size = index.manifests.iter().map(|m| m.size).fold(0, u64::saturating_add);
            new.manifests = descriptors(&index.manifests);
            new.subject = index.subject.map(|subject| subject.digest);
            new.artifact_type = index.artifact_type;
        }
        Document::Manifest(manifest) => {
            new.platform = classify::platform(&manifest, blobs).filter(|_| kind == Kind::Image);
            let layers: Vec<Descriptor> =
                manifest.layers.iter().filter(|layer| !classify::is_foreign(layer)).cloned().collect();
            let sizes = layers.iter().map(|layer| layer.size);
            new.content_size = sizes.fold(manifest.config.size, u64::saturating_add);
            new.blobs = descriptors(&layers);
            new.blobs.push(manifest.config.digest.clone());
            new.subject = manifest.subject.map(|subject| subject.digest);
            // Specification 1.1, "Listing Referrers": the type of the configuration stands in for an absent one.
            let own = manifest.artifact_type.filter(|text| !text.is_empty());
            new.artifact_type = own.or(Some(manifest.config.media_type));
        }
    }
    new.artifact_type = new.artifact_type.filter(|text| !text.is_empty());
    if new.artifact_type.as_ref().is_some_and(|text| text.contains('\0')) {
        return Err(invalid("the type of the artifact has the character NUL".to_owned()));
    }
    Ok(new)
}

/// The digest of the bytes, which must be the announced one.
fn check(announced: Option<Digest>, bytes: &[u8]) -> Result<Digest, Failure> {
    let algorithm = announced.as_ref().map_or(Algorithm::Sha256, Digest::algorithm);
    let mut hasher = Hasher::new(algorithm);
    hasher.update(bytes);
    let actual = hasher.finish();
    match announced {
        Some(announced) if announced != actual => {
            let message = format!("the manifest has digest {actual}, not {announced}");
            Err(Failure::new(Code::DigestInvalid, message))
        }
        _ => Ok(actual),
    }
}

/// The type under which a manifest is served again: as the client said, without parameters; else as it says itself.
fn media_type(document: &Document, said: Option<&str>) -> Result<String, Failure> {
    let (own, index) = match document {
        Document::Index(index) => (index.media_type.as_deref(), true),
        Document::Manifest(manifest) => (manifest.media_type.as_deref(), false),
    };
    let said = said.map(|text| text.split(';').next().unwrap_or(text).trim()).filter(|text| !text.is_empty());
    let chosen = match (said, own) {
        (Some(said), Some(own)) if said != own => {
            let message = format!("Content-Type is {said}, the manifest says it is {own}");
            return Err(Failure::new(Code::ManifestInvalid, message));
        }
        (Some(said), _) => said,
        (None, Some(own)) => own,
        (None, None) if index => OCI_INDEX,
        (None, None) => OCI_MANIFEST,
    };
    if [OCI_MANIFEST, OCI_INDEX, DOCKER_MANIFEST, DOCKER_LIST].contains(&chosen) {
        return Ok(chosen.to_owned());
    }
    let shown: String = chosen.chars().take(120).collect();
    let message = format!("manifests of type {shown} are not stored here: push it as {OCI_MANIFEST}");
    Err(Failure::new(Code::ManifestInvalid, message))
}

/// The annotations as they were sent, as a JSON object.
fn annotations(bytes: &[u8]) -> Result<Option<String>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Annotated {
        annotations: Option<serde_json::Map<String, serde_json::Value>>,
    }
    let found: Annotated = serde_json::from_slice(bytes)?;
    found.annotations.filter(|map| !map.is_empty()).map(|map| serde_json::to_string(&map)).transpose()
}

fn created(manifest: &NewManifest) -> axum::response::Response {
    let location = format!("/v2/{}/manifests/{}", manifest.repository, manifest.digest);
    let headers = [(header::LOCATION, location), (CONTENT_DIGEST, manifest.digest.to_string())];
    let mut response = (StatusCode::CREATED, headers).into_response();
    if let Some(subject) = &manifest.subject
        && let Ok(subject) = HeaderValue::from_str(&subject.to_string())
    {
        response.headers_mut().insert(OCI_SUBJECT, subject);
    }
    response
}

fn incomplete(missing: &[Digest]) -> Failure {
    let listed: Vec<&Digest> = missing.iter().take(MAX_MISSING).collect();
    let message = format!("push these first, the manifest points to them: {}", missing.len());
    Failure::new(Code::ManifestBlobUnknown, message).detail(json!({ "digests": listed }))
}

pub(super) fn unknown(repository: &str, reference: &Named) -> Failure {
    let name = match reference {
        Named::Tag(tag) => format!("{repository}:{tag}"),
        Named::Digest(digest) => format!("{repository}@{digest}"),
    };
    Failure::new(Code::ManifestUnknown, format!("{name} is not stored here"))
}

/// RFC 9110, section 13.1.2.
pub(super) fn matches(wanted: &str, etag: &HeaderValue) -> bool {
    let etag = etag.to_str().unwrap_or_default();
    wanted.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == etag)
}
