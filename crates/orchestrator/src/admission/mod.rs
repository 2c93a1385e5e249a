//! What an API server asks before it stores something, and what it is answered: `admission.k8s.io/v1`.
//!
//! ```
//! use boltseal_orchestrator::admission::{Answer, Review};
//!
//! let body = br#"{"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
//!   "uid": "1", "operation": "CREATE", "namespace": "shop", "kind": {"group": "", "version": "v1", "kind": "Pod"},
//!   "object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"},
//!              "spec": {"containers": [{"name": "web", "image": "nginx:1"}]}}}}"#;
//! let review = Review::read(body)?;
//! let image = &review.images()[0];
//! assert_eq!((image.reference.known().unwrap().as_str(), image.pointer.as_str()), ("nginx:1", "/spec/containers/0/image"));
//! let answer = Answer { refused: vec!["nginx is not ours".to_owned()], ..Answer::default() };
//! assert!(answer.body(&review.uid).contains("\"allowed\":false"));
//! # Ok::<(), boltseal_orchestrator::admission::ReviewError>(())
//! ```
//!
//! What only ends, connects, scales or reports status runs nothing new and has no images. Of a change, only what differs
//! from before is asked about: whatever runs already must stay manageable when a policy changes or a server is down.

mod answer;
mod asked;

use std::{collections::HashSet, sync::Arc};

use thiserror::Error;

use crate::{
    document::{self, At, DocumentError, Node, Value},
    hit::Hit,
    kubernetes,
    leaf::{Leaf, Place},
    pss::{self, Control, Level, Version, named},
    read::Read,
    workload::Workload,
};

pub use answer::{Answer, MAX_REASONS, Patch};
pub use asked::Asked;

/// The largest body: etcd takes objects of 1.5 MiB, and a review holds two of them.
pub const MAX_BODY: usize = 4 << 20;
/// Values of one review: a pod with all that API servers write into it has about 500.
const MAX_VALUES: usize = 100_000;
/// Images of one review: a pod has a handful, and each is looked up while the cluster waits.
pub const MAX_IMAGES: usize = 1_000;
/// Bytes at the beginning of a body within which an API server writes the id of the review.
const HEAD: usize = 4 << 10;
/// Characters of an id that an API server gives: UUIDs have 36.
const MAX_UID: usize = 128;

/// Why a body is no review.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ReviewError {
    /// It is no document.
    #[error("not a document: {0}")]
    Document(#[from] DocumentError),
    /// It is something else, or of another version.
    #[error("not an AdmissionReview of admission.k8s.io/v1: {0} is missing or wrong")]
    Shape(&'static str),
    /// It is longer than any review.
    #[error("more than {MAX_BODY} bytes")]
    Long,
    /// It has more than can be looked at in time.
    #[error("{0}")]
    Many(&'static str),
}

/// What is asked.
#[derive(Clone, Debug)]
pub struct Review {
    /// By which the answer is known.
    pub uid: String,
    /// `CREATE`, `UPDATE`, `DELETE`, `CONNECT`
    pub operation: String,
    /// The kind of what is asked about: `Pod`.
    pub kind: String,
    /// What it is called, or what its name begins with; absent where it gets one later.
    pub name: Option<String>,
    /// Who wants it, as the API server says.
    pub user: Option<String>,
    /// Where; absent for what belongs to the whole cluster.
    pub namespace: Option<String>,
    /// `ephemeralcontainers`
    pub sub_resource: Option<String>,
    /// Whether nothing will be stored.
    pub dry_run: bool,
    workloads: Vec<Workload>,
    before: Vec<Workload>,
}

/// An image that would run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// `container "web"`, `volume "models"`
    pub who: String,
    /// As it is written.
    pub reference: Leaf<String>,
    /// Where it stands, as RFC 6901 writes it.
    pub pointer: String,
}

impl Review {
    /// Reads a body.
    pub fn read(body: &[u8]) -> Result<Self, ReviewError> {
        if body.len() > MAX_BODY {
            return Err(ReviewError::Long);
        }
        let documents = document::read_within(body, MAX_VALUES)?;
        let [node] = documents.as_slice() else { return Err(ReviewError::Shape("one document")) };
        let top = At::top(node);
        if top.get("kind").word() != Some("AdmissionReview") {
            return Err(ReviewError::Shape("kind"));
        }
        if top.get("apiVersion").word() != Some("admission.k8s.io/v1") {
            return Err(ReviewError::Shape("apiVersion"));
        }
        let request = top.get("request");
        let text = |at: At<'_>| at.word().filter(|text| !text.is_empty()).map(ToOwned::to_owned);
        let uid = text(request.get("uid")).filter(|uid| uid.chars().count() <= MAX_UID);
        let is_known = |word: &String| matches!(word.as_str(), "CREATE" | "UPDATE" | "DELETE" | "CONNECT");
        let operation = text(request.get("operation")).filter(is_known);
        let operation = operation.ok_or(ReviewError::Shape("request.operation"))?;
        let kind = text(request.down(&["kind", "kind"])).ok_or(ReviewError::Shape("request.kind"))?;
        let sub_resource = text(request.get("subResource"));
        let object = request.get("object");
        let stored = matches!(operation.as_str(), "CREATE" | "UPDATE");
        let runs = matches!(sub_resource.as_deref(), None | Some("ephemeralcontainers" | "resize"));
        if stored && runs && !object.is_map() {
            return Err(ReviewError::Shape("request.object"));
        }
        let relevant = |at: &At<'_>| if stored && runs { workloads(at) } else { Ok(Vec::new()) };
        let review = Self {
            uid: uid.ok_or(ReviewError::Shape("request.uid"))?,
            workloads: relevant(&object)?,
            before: relevant(&request.get("oldObject")).unwrap_or_default(),
            namespace: text(request.get("namespace")),
            name: text(request.get("name"))
                .or_else(|| text(object.down(&["metadata", "name"])))
                .or_else(|| text(object.down(&["metadata", "generateName"]))),
            user: text(request.down(&["userInfo", "username"])),
            dry_run: request.get("dryRun").flag().is_on(),
            operation,
            kind,
            sub_resource,
        };
        if review.images().len() > MAX_IMAGES {
            return Err(ReviewError::Many("more than 1,000 images"));
        }
        Ok(review)
    }

    /// The id in a body that is no review that can be read, so that it can be refused by its id: an API server that gets no
    /// answer by that may let in what it asked about.
    pub fn id(body: &[u8]) -> Option<String> {
        let head = body.get(..HEAD.min(body.len()))?;
        let text = String::from_utf8_lossy(head);
        let (_, rest) = text.split_once("\"request\"")?;
        let (_, rest) = rest.split_once("\"uid\"")?;
        let (uid, _) =
            rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?.split_once('"')?;
        let is_plain = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '-' | '_' | '.');
        (!uid.is_empty() && uid.len() <= MAX_UID && uid.chars().all(is_plain)).then(|| uid.to_owned())
    }

    /// Whether it is about a pod itself rather than about what makes pods.
    pub fn is_pod(&self) -> bool {
        self.kind == "Pod"
    }

    /// Whether it would run anything new.
    pub fn runs_anything(&self) -> bool {
        !self.workloads.is_empty()
    }

    /// The images that would run and did not before.
    pub fn images(&self) -> Vec<Image> {
        let before: HashSet<(String, String)> = self
            .before
            .iter()
            .flat_map(images)
            .filter_map(|image| Some((image.who, image.reference.known()?.clone())))
            .collect();
        let known = |image: &Image| {
            image
                .reference
                .known()
                .is_some_and(|reference| before.contains(&(image.who.clone(), reference.clone())))
        };
        self.workloads.iter().flat_map(images).filter(|image| !known(image)).collect()
    }

    /// What breaks the Pod Security Standards and did not before.
    pub fn broken(&self, level: Level, version: Version) -> Vec<(&'static Control, Hit)> {
        let judged = |workloads: &[Workload]| -> Vec<(&'static Control, Hit)> {
            workloads.iter().flat_map(|workload| pss::judge(workload, level, version)).collect()
        };
        let before = judged(&self.before);
        let same = |one: &(&Control, Hit), other: &(&Control, Hit)| {
            one.0.id == other.0.id && one.1.found == other.1.found
        };
        let new = |one: &(&'static Control, Hit)| !before.iter().any(|other| same(one, other));
        judged(&self.workloads).into_iter().filter(new).collect()
    }
}

/// What an object would run. What a request says of kind and version holds for an object that does not say it itself.
fn workloads(at: &At<'_>) -> Result<Vec<Workload>, ReviewError> {
    let Some(node) = at.node().filter(|node| matches!(node.value, Value::Map(_))) else {
        return Ok(Vec::new());
    };
    let mut out = Read::default();
    let file: Arc<str> = Arc::from("request");
    kubernetes::read(&file, &Node::clone(node), &mut out);
    if out.gaps.iter().any(|gap| gap.why == kubernetes::MANY) {
        return Err(ReviewError::Many(kubernetes::MANY));
    }
    Ok(out.workloads)
}

fn images(workload: &Workload) -> Vec<Image> {
    let containers = workload.containers.iter().map(|container| Image {
        who: named(container.role, &container.name),
        reference: container.image.clone(),
        pointer: pointer(container.image.place()),
    });
    let volumes = workload.volumes.iter().filter(|volume| volume.kind == "image").map(|volume| Image {
        who: format!("volume \"{}\"", volume.name),
        reference: volume.from.clone(),
        pointer: pointer(volume.from.place()),
    });
    containers.chain(volumes).collect()
}

/// `spec.containers[0].image` as `/spec/containers/0/image`. The keys on the way to an image hold no signs of either.
fn pointer(place: &Place) -> String {
    let mut out = String::with_capacity(place.path.len() + 1);
    out.push('/');
    for sign in place.path.chars() {
        match sign {
            '.' | '[' => out.push('/'),
            ']' => {}
            sign => out.push(sign),
        }
    }
    out
}
