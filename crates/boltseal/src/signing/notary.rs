//! Signatures in Notary Project's form: which form, with whose certificates, until when.

use std::path::PathBuf;

use boltseal_flow::signing::attach_envelope;
use boltseal_image::remote::Name;
use boltseal_model::Timestamp;
use boltseal_trust::{
    Certificate, Form,
    notary::{Holder, Target},
};
use clap::ValueEnum;
use jiff::SignedDuration;

use super::{Said, Subject, by::Ready, checked};
use crate::{exit::Failure, given};

/// Bytes of a file with a chain of certificates.
const MAX_CHAIN_FILE: usize = 1 << 20;
/// Days after which a signature may expire at most.
const MAX_DAYS: i64 = 36_500;

/// How a signature is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Shape {
    /// A bundle of sigstore, as cosign 3 makes
    #[default]
    Bundle,
    /// Notary Project's envelope in JWS, as notation makes
    Jws,
    /// The same in COSE
    Cose,
}

/// What only Notary Project's form knows.
#[derive(Debug, clap::Args)]
pub struct Notary {
    /// How the signature is written: `jws` and `cose` are those of Notary Project, and need --certificate
    #[arg(long, value_name = "FORM", default_value = "bundle")]
    form: Shape,
    /// PEM file with the certificate of the key and those above it, up to the root, in any order
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
    /// Days after which the signature expires; only with `--form jws` and `cose`
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i64).range(1..=MAX_DAYS))]
    expires_in: Option<i64>,
}

impl Notary {
    /// The form, if it is one of Notary Project; what does not go together is refused before anything is asked.
    pub fn form(&self, by_key_alone: bool) -> Result<Option<(Form, &PathBuf)>, Failure> {
        let form = match self.form {
            Shape::Bundle if self.certificate.is_some() || self.expires_in.is_some() => {
                return Err(Failure::usage(
                    "a bundle of sigstore has no chain of certificates, and does not expire",
                )
                .next("leave --certificate and --expires-in out, or add --form jws"));
            }
            Shape::Bundle => return Ok(None),
            Shape::Jws => Form::NotaryJws,
            Shape::Cose => Form::NotaryCose,
        };
        if !by_key_alone {
            return Err(Failure::usage("Notary Project knows neither signing without a key nor a log")
                .next("leave --keyless and --rekor out; --tsa URL says when it was signed"));
        }
        let path = self.certificate.as_ref().ok_or_else(|| {
            Failure::usage("Notary Project believes certificates, not bare keys")
                .next("give --certificate FILE: the chain of the key, in PEM")
        })?;
        Ok(Some((form, path)))
    }

    /// Signs the image and stores the envelope beside it, or in `file`.
    pub fn sign(
        &self,
        (form, path): (Form, &PathBuf),
        subject: &Subject,
        by: &Ready,
        file: Option<&PathBuf>,
    ) -> Result<Said, Failure> {
        if by.clocks().len() > 1 {
            return Err(Failure::usage("an envelope of Notary Project has room for one clock")
                .next("give --tsa once"));
        }
        let wrong = |why: &dyn std::fmt::Display| Failure::usage(format_args!("{}: {why}", path.display()));
        let text = given::bounded(path, MAX_CHAIN_FILE)?;
        let certificates = Certificate::all(text.as_bytes()).map_err(|why| wrong(&why))?;
        let now = Timestamp::now();
        let holder = Holder::new(by.key(), &certificates, now).map_err(|why| wrong(&why))?;
        let expiry = self.expires_in.map(|days| now.checked_add(SignedDuration::from_hours(days * 24)));
        let expiry = expiry.transpose().map_err(Failure::usage)?;
        let repository = subject.repository().ok_or_else(|| Failure::usage("the image is in no registry"))?;
        let head = repository.head(Name::Digest(&subject.digest))?;
        let (Some(size), false) = (head.size, head.media_type.is_empty()) else {
            return Err(Failure::undecided(
                "the registry does not say of what size and type the manifest is",
            ));
        };
        let target = Target { media_type: &head.media_type, digest: &subject.digest, size };
        let draft = holder.sign(form, target, now, expiry).map_err(Failure::usage)?;
        let stamp = by.stamps(draft.signature())?.pop();
        let envelope = draft.finish(stamp.as_ref()).map_err(Failure::fault)?;
        checked::envelope(&envelope, form, &subject.digest, &certificates, now)?;
        let mut said = Said::of(subject, by, form.media_type());
        said.certificate = Some(holder.subject());
        if let Some(path) = file {
            said.keep(path, &envelope)?;
            return Ok(said);
        }
        let marks = holder.thumbprints();
        let attached = attach_envelope(repository, &subject.digest, &envelope, form, &marks, now)?;
        said.referrer = Some(attached.digest);
        Ok(said)
    }
}
