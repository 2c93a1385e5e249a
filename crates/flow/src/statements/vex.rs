//! VEX documents that are attached to an image: which of them count is said by the policy, and by nobody else.
//!
//! A document is a signed statement of that type about the image, or an artifact of a media type of VEX. It counts where an
//! authority that the policy names for that signed it (the statement, or the artifact), or where somebody pushed it who holds a
//! role that the policy names. Everything else is told, with the reason, and changes nothing.

use boltseal_image::manifest::Document as Manifest;
use boltseal_model::{Digest, Report, Signature, VexDocument};
use boltseal_policy::VexAuthors;
use boltseal_scan::vex::{self, Document, MAX_BYTES, Origin};
use boltseal_trust::{Authority, Evidence, Form, MAX_EVIDENCE};

use super::{Attached, MAX_ATTACHED, MAX_PARTS, Place, check, weigh};
use crate::{Error, vex::is_document};

/// Predicate types of statements that are VEX documents: `OpenVEX` with its versions, and formats that cosign attaches as they
/// are.
const PREDICATES: [&str; 3] =
    ["https://openvex.dev/ns", "https://cyclonedx.org/vex", "https://docs.oasis-open.org/csaf/csaf"];

/// Somebody who pushed a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pusher {
    /// Their name.
    pub name: String,
    /// Names of the roles that they hold for the repository now.
    pub roles: Vec<String>,
}

/// Who may set findings aside, and what is known of who pushed what.
#[derive(Clone, Copy)]
pub struct Authors<'a> {
    /// As the policy says.
    pub wanted: &'a VexAuthors,
    /// Its authorities.
    pub authorities: &'a [Authority],
    /// Who pushed an artifact; `None` where that cannot be known.
    pub pushers: &'a dyn Fn(&Digest) -> Option<Vec<Pusher>>,
}

/// Sets aside what accepted documents in `place` say does no harm in the image of `report`, which goes by `subjects`, and tells
/// of each document whether it counts.
pub fn hear(
    place: &dyn Place,
    subjects: &[Digest],
    authors: Authors<'_>,
    report: &mut Report,
) -> Result<(), Error> {
    let mut heard = Heard { place, authors, documents: Vec::new(), told: Vec::new() };
    for subject in subjects {
        let wanted =
            |one: &Attached| one.may_be_signed() || one.artifact_type.as_deref().is_some_and(is_document);
        for one in place.attached(subject, &wanted)?.iter().take(MAX_ATTACHED) {
            if one.artifact_type.as_deref().is_some_and(is_document) {
                heard.artifact(one)?;
            } else {
                heard.statements(one, subject);
            }
        }
    }
    let Heard { documents, mut told, .. } = heard;
    vex::apply(&documents, report, subjects);
    told.sort_by(|a, b| (&a.place, &a.digest).cmp(&(&b.place, &b.digest)));
    told.dedup();
    report.vex = told;
    Ok(())
}

struct Heard<'a> {
    place: &'a dyn Place,
    authors: Authors<'a>,
    documents: Vec<Document>,
    told: Vec<VexDocument>,
}

impl Heard<'_> {
    /// A document that is an artifact of its own.
    fn artifact(&mut self, one: &Attached) -> Result<(), Error> {
        let accepted = match self.pushed(one) {
            Ok(accepted) => Ok(accepted),
            // Opened only if it could count: most are somebody else's.
            Err(why) => self.signed(one)?.ok_or(why),
        };
        let read = accepted.and_then(|accepted| Ok((accepted, self.content(one)?)));
        self.tell(one, read);
        Ok(())
    }

    /// Statements in bundles.
    fn statements(&mut self, one: &Attached, subject: &Digest) {
        let Ok(Manifest::Manifest(manifest)) = self.place.manifest(&one.digest) else { return };
        for layer in manifest.layers.iter().take(MAX_PARTS) {
            let Some(form) = Form::of_media_type(&layer.media_type) else { continue };
            let Ok(bytes) = self.place.blob(layer, MAX_EVIDENCE) else { continue };
            let evidence = Evidence { form, bytes: &bytes, annotations: &layer.annotations };
            let (signature, predicate) =
                weigh(&evidence, &layer.digest, &one.place, subject, self.authors.authorities);
            if !signature.predicate_type.as_deref().is_some_and(is_vex) {
                continue;
            }
            let accepted = match (self.by(&signature), &signature.fault) {
                (Some(name), _) => Ok(format!("signed by {name}")),
                (None, Some(fault)) => Err(fault.why.clone()),
                (None, None) => Err(format!(
                    "signed by {}, whose documents the policy does not accept",
                    signature.by.join(", ")
                )),
            };
            let read = accepted.and_then(|accepted| {
                let text = predicate.map(|value| value.to_string()).unwrap_or_default();
                Ok((accepted, parsed(one, text.as_bytes())?))
            });
            self.tell(one, read);
        }
    }

    fn tell(&mut self, one: &Attached, read: Result<(String, Document), String>) {
        let (place, digest) = (one.place.clone(), one.digest.clone());
        let told = match read {
            Err(why) => VexDocument { place, digest, accepted: None, refused: Some(why) },
            Ok((accepted, document)) => {
                let unsound = document.unsound.join("; ");
                let refused = Some(unsound).filter(|text| !text.is_empty());
                self.documents.push(document);
                VexDocument { place, digest, accepted: Some(accepted), refused }
            }
        };
        self.told.push(told);
    }

    /// By whom of those whose documents count.
    fn by(&self, signature: &Signature) -> Option<String> {
        let accepted = |name: &&String| self.authors.wanted.signed_by.contains(name);
        signature.by.iter().find(accepted).cloned()
    }

    /// Whether somebody pushed it whose documents count; else why not.
    fn pushed(&self, one: &Attached) -> Result<String, String> {
        let wanted = &self.authors.wanted.pushed_by;
        if wanted.is_empty() {
            return Err("not signed by anybody whose documents the policy accepts".to_owned());
        }
        let Some(pushers) = (self.authors.pushers)(&one.digest) else {
            return Err("who pushed it only its registry knows".to_owned());
        };
        for pusher in &pushers {
            let role =
                pusher.roles.iter().find(|role| wanted.iter().any(|one| one.eq_ignore_ascii_case(role)));
            if let Some(role) = role {
                return Ok(format!("pushed by {}, who holds {role}", pusher.name));
            }
        }
        let names: Vec<&str> = pushers.iter().map(|pusher| pusher.name.as_str()).collect();
        let who = if names.is_empty() { "nobody that is known".to_owned() } else { names.join(", ") };
        Err(format!("pushed by {who}, without the role {}", wanted.join(" or ")))
    }

    /// Whether the artifact itself is signed by somebody whose documents count.
    fn signed(&self, one: &Attached) -> Result<Option<String>, Error> {
        if self.authors.wanted.signed_by.is_empty() {
            return Ok(None);
        }
        let signatures = check(self.place, std::slice::from_ref(&one.digest), self.authors.authorities)?;
        let mut plain = signatures.iter().filter(|signature| signature.is_plain());
        Ok(plain.find_map(|signature| self.by(signature)).map(|name| format!("signed by {name}")))
    }

    fn content(&self, one: &Attached) -> Result<Document, String> {
        let Manifest::Manifest(manifest) = self.place.manifest(&one.digest)? else {
            return Err("it is an index, not an artifact".to_owned());
        };
        let layer = manifest.layers.iter().find(|layer| is_document(&layer.media_type));
        let layer = layer.or(manifest.layers.first().filter(|_| manifest.layers.len() == 1));
        let layer = layer.ok_or("it has no layer that is a VEX document")?;
        if layer.size > MAX_BYTES as u64 {
            return Err(format!("it is longer than {MAX_BYTES} bytes"));
        }
        parsed(one, &self.place.blob(layer, MAX_BYTES)?)
    }
}

fn parsed(one: &Attached, bytes: &[u8]) -> Result<Document, String> {
    vex::read(bytes, &one.place, Origin::Attached).map_err(|why| why.to_string())
}

fn is_vex(predicate_type: &str) -> bool {
    PREDICATES.iter().any(|kind| {
        predicate_type.strip_prefix(kind).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}
