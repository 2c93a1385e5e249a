//! What is signed about an image, and whose that is by the names of a policy: the facts that rules about trust look at.
//!
//! ```text
//! Place (a registry, a layout, our store, files) ──attached──▶ Attached ──open──▶ evidence ─┐
//!                                                          Policy ──Believed──▶ authorities ─┼─trust::verify─▶ Signature
//!                                                                                    image ─┘
//! ```
//!
//! ```no_run
//! use boltseal_flow::statements::{Believed, Place, check};
//! # use boltseal_model::{Digest, Reference, Timestamp};
//! # use boltseal_policy::Policy;
//! # fn example(place: &dyn Place, image: &Digest, name: &Reference, policy: &Policy) -> Result<(), Box<dyn std::error::Error>> {
//! let believed = Believed::of(policy)?;
//! let authorities = believed.about(Some(name), Timestamp::now());
//! for signature in check(place, std::slice::from_ref(image), &authorities)? {
//!     println!("{}: {}", signature.place, signature.by.join(", "));
//! }
//! # Ok(()) }
//! ```
//!
//! Everything in a place was put there by whoever may push. Whose it is, only verification says: annotations, names and who
//! pushed it say nothing. A signature of an index counts for the images that the index lists, because their digests are in
//! what is signed. What cannot be read or checked stays in the list, with the reason.
//!
//! Limits: [`MAX_ATTACHED`] artifacts of an image, [`MAX_PARTS`] signatures in one; what is beyond them is told as not
//! checked, never passed over.

mod believed;
mod given;
mod kept;
mod vex;
mod witness;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_image::manifest::{Descriptor, Document};
use boltseal_model::{Digest, Fault, FaultKind, Provenance, Signature};
use boltseal_trust::{
    Evidence, Form, MAX_EVIDENCE, Refusal, Signer, Statement, Unfit, Weighed, notary::SIGNATURE_TYPE,
    predicate::Predicate,
};
use serde_json::Value;

pub use believed::{Believed, BelievedError};
pub use boltseal_trust::Authority;
pub use given::check_files;
pub use kept::{InLayout, InRegistry, bounded, whole};
pub use vex::{Authors, Pusher, hear};
pub use witness::witness;

use crate::Error;

/// Artifacts of one image that are looked at. An image that is signed at every build of a year has some hundred.
pub const MAX_ATTACHED: usize = 500;
/// Signatures in one artifact of cosign's older form, which adds one with every call.
pub const MAX_PARTS: usize = 100;
/// Bytes of a bundle that are read for the type that it claims to have.
const MAX_PEEK: usize = 1 << 20;

/// What cosign signs when it says no more than "I signed this".
const PLAIN: &str = "https://sigstore.dev/cosign/sign/v1";
/// Referrers that hold bundles of sigstore.
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";

/// One artifact that is attached to an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Of its manifest; of the content itself, where there is no manifest.
    pub digest: Digest,
    /// Where it is, in words: `referrer df6421aaa1a1`.
    pub place: String,
    /// As its manifest or its descriptor says.
    pub artifact_type: Option<String>,
    /// Attached by a tag of cosign's older form.
    pub by_tag: bool,
}

/// Where what is attached to images is kept.
pub trait Place {
    /// What is attached to `subject` and `wanted`, in any number.
    fn attached(&self, subject: &Digest, wanted: &dyn Fn(&Attached) -> bool) -> Result<Vec<Attached>, Error>;

    /// The manifest of an artifact, or why there is none to read.
    fn manifest(&self, digest: &Digest) -> Result<Document, String>;

    /// The content of a layer, of which `limit` bytes are read at most.
    fn blob(&self, layer: &Descriptor, limit: usize) -> Result<Vec<u8>, String>;
}

impl Attached {
    /// A referrer as registries list them.
    pub fn referrer(digest: Digest, artifact_type: Option<String>) -> Self {
        let place = format!("referrer {}", digest.short());
        Self { digest, place, artifact_type, by_tag: false }
    }

    /// What one of cosign's older tags points to: `sha256-HEX.sig`, `sha256-HEX.att`.
    pub fn tagged(digest: Digest, tag: &str) -> Self {
        let (stem, suffix) = tag.rsplit_once('.').unwrap_or((tag, ""));
        let place = format!("tag {}….{suffix}", stem.get(..19).unwrap_or(stem));
        Self { digest, place, artifact_type: None, by_tag: true }
    }

    /// Whether it may be a signature or an attestation; anything else need not be opened.
    pub fn may_be_signed(&self) -> bool {
        let kind = self.artifact_type.as_deref().unwrap_or_default();
        self.by_tag
            || kind.starts_with(BUNDLE)
            || kind == SIGNATURE_TYPE
            || Form::of_media_type(kind).is_some()
    }
}

/// The two tags by which cosign's older form attaches something to `subject`.
pub fn tags_of(subject: &Digest) -> [String; 2] {
    let stem = format!("{}-{}", subject.algorithm().name(), subject.hex());
    [format!("{stem}.sig"), format!("{stem}.att")]
}

/// All that is signed in `place` about an image, which goes by `subjects`: its own digest, and those of indexes that list it.
pub fn check(
    place: &dyn Place,
    subjects: &[Digest],
    authorities: &[Authority],
) -> Result<Vec<Signature>, Error> {
    let mut found = Vec::new();
    for subject in subjects {
        let attached = place.attached(subject, &Attached::may_be_signed)?;
        for one in attached.iter().take(MAX_ATTACHED) {
            Opened { place, subject, authorities, one }.read(&mut found);
        }
        if attached.len() > MAX_ATTACHED {
            let why =
                format!("only {MAX_ATTACHED} artifacts of an image are looked at: remove those of old keys");
            found.push(nothing(subject, "the rest", FaultKind::Unchecked, why));
        }
    }
    found.sort_by(|a, b| (&a.place, &a.digest).cmp(&(&b.place, &b.digest)));
    found.dedup();
    Ok(found)
}

/// One artifact of one image.
struct Opened<'a> {
    place: &'a dyn Place,
    subject: &'a Digest,
    authorities: &'a [Authority],
    one: &'a Attached,
}

impl Opened<'_> {
    fn read(&self, found: &mut Vec<Signature>) {
        let (one, bad) = (self.one, FaultKind::Bad);
        let layers = match self.place.manifest(&one.digest) {
            Ok(Document::Manifest(manifest)) => manifest.layers,
            Ok(Document::Index(_)) => {
                return found.push(nothing(
                    &one.digest,
                    &one.place,
                    bad,
                    "it is an index, not an artifact".into(),
                ));
            }
            // It may be a good one that cannot be fetched now.
            Err(why) => return found.push(nothing(&one.digest, &one.place, FaultKind::Unchecked, why)),
        };
        let before = found.len();
        for layer in layers.iter().take(MAX_PARTS) {
            if let Some(form) = Form::of_media_type(&layer.media_type) {
                found.push(self.layer(form, layer));
            }
        }
        if layers.len() > MAX_PARTS {
            let why = format!("only {MAX_PARTS} signatures of an artifact are looked at");
            found.push(nothing(&one.digest, &one.place, FaultKind::Unchecked, why));
        }
        if found.len() == before {
            let why = "it is of a kind that is not read here".to_owned();
            found.push(nothing(&one.digest, &one.place, FaultKind::Unchecked, why));
        }
    }

    fn layer(&self, form: Form, layer: &Descriptor) -> Signature {
        let place = &self.one.place;
        if layer.size > MAX_EVIDENCE as u64 {
            let why =
                Refusal::TooLarge { bytes: usize::try_from(layer.size).unwrap_or(usize::MAX) }.to_string();
            return nothing(&layer.digest, place, FaultKind::Bad, why);
        }
        match self.place.blob(layer, MAX_EVIDENCE) {
            Err(why) => nothing(&layer.digest, place, FaultKind::Unchecked, why),
            Ok(bytes) => {
                let evidence = Evidence { form, bytes: &bytes, annotations: &layer.annotations };
                weigh(&evidence, &layer.digest, place, self.subject, self.authorities).0
            }
        }
    }
}

/// Whose one piece of evidence is: held against everybody who is believed, since a rule may want several of them. And what
/// is said, where that is more than "I signed this".
fn weigh(
    evidence: &Evidence<'_>,
    digest: &Digest,
    place: &str,
    subject: &Digest,
    authorities: &[Authority],
) -> (Signature, Option<Value>) {
    let Weighed { outcome, until } = boltseal_trust::weigh(evidence, subject, authorities);
    let whose = match outcome {
        Ok(whose) => whose,
        Err(refusal) => {
            let (kind, why) = blame(refusal);
            let claimed = claimed_type(evidence);
            return (Signature { predicate_type: claimed, until, ..nothing(digest, place, kind, why) }, None);
        }
    };
    let Some(first) = whose.first() else {
        return (nothing(digest, place, FaultKind::Stranger, "nobody is believed".to_owned()), None);
    };
    let statement = first.statement.as_ref();
    let signature = Signature {
        place: place.to_owned(),
        digest: digest.clone(),
        by: whose.iter().map(|signed| signed.authority.clone()).collect(),
        signer: Some(signer(&first.by)),
        at: first.at.clone(),
        logged: whose.iter().any(|signed| signed.logged),
        until,
        remarks: whose.iter().flat_map(|signed| signed.remarks.clone()).collect(),
        predicate_type: statement.map(|statement| statement.predicate_type.clone()),
        provenance: statement.and_then(provenance),
        fault: None,
    };
    (signature, statement.map(|statement| statement.predicate.clone()))
}

/// How the image was built, if the statement says that.
fn provenance(statement: &Statement) -> Option<Provenance> {
    match statement.says() {
        Predicate::Provenance(said) => {
            Some(Provenance { builder: said.builder, build_type: said.build_type, source: said.source })
        }
        _ => None,
    }
}

fn nothing(digest: &Digest, place: &str, kind: FaultKind, why: String) -> Signature {
    Signature {
        place: place.to_owned(),
        digest: digest.clone(),
        by: Vec::new(),
        signer: None,
        at: Vec::new(),
        logged: false,
        until: None,
        remarks: Vec::new(),
        predicate_type: None,
        provenance: None,
        fault: Some(Fault { kind, why }),
    }
}

/// What is wrong, in one word and in a sentence.
fn blame(refusal: Refusal) -> (FaultKind, String) {
    let why = refusal.to_string();
    let tried: Vec<(String, Unfit)> = match refusal {
        Refusal::Nobody { tried } => tried,
        Refusal::Unsupported(_) => return (FaultKind::Unchecked, why),
        _ => return (FaultKind::Bad, why),
    };
    let any = |is: fn(&Unfit) -> bool| tried.iter().any(|(_, unfit)| is(unfit));
    // What could not be checked must not look like a stranger's.
    let kind = if any(|unfit| matches!(unfit, Unfit::Unsupported(_))) {
        FaultKind::Unchecked
    } else if any(is_broken) {
        FaultKind::Bad
    } else {
        FaultKind::Stranger
    };
    (kind, why)
}

/// Whether it is somebody's, and counts for nothing all the same.
const fn is_broken(why: &Unfit) -> bool {
    matches!(
        why,
        Unfit::Certificate(_)
            | Unfit::Log(_)
            | Unfit::Time(_)
            | Unfit::Early { .. }
            | Unfit::Late { .. }
            | Unfit::AfterRevocation { .. }
            | Unfit::Expired(_)
            | Unfit::Revoked(_)
    )
}

fn signer(by: &Signer) -> String {
    match by {
        Signer::Key(digest) => format!("key {digest}"),
        Signer::Identity { .. } => by.to_string(),
    }
}

/// What a bundle that counts for nothing claims to be: only for words.
fn claimed_type(evidence: &Evidence<'_>) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Bundle {
        #[serde(rename = "dsseEnvelope")]
        envelope: Envelope,
    }
    #[derive(serde::Deserialize)]
    struct Envelope {
        payload: String,
    }
    #[derive(serde::Deserialize)]
    struct Payload {
        #[serde(rename = "predicateType")]
        kind: String,
    }
    if evidence.bytes.len() > MAX_PEEK {
        return None;
    }
    let bundle: Bundle = serde_json::from_slice(evidence.bytes).ok()?;
    let payload = STANDARD.decode(&bundle.envelope.payload).ok()?;
    let payload: Payload = serde_json::from_slice(&payload).ok()?;
    Some(payload.kind).filter(|kind| kind != PLAIN)
}
