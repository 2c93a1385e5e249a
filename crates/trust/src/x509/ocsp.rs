//! Answers about single certificates (OCSP, RFC 6960), asked by somebody else and kept in a file.

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use boltseal_model::Timestamp;
use cms::cert::x509::der::{Decode as _, Encode as _, asn1::ObjectIdentifier};
use x509_ocsp::{
    BasicOcspResponse, CertId, CertStatus, OcspGeneralizedTime, OcspResponse, OcspResponseStatus,
    SingleResponse,
};

use super::{Certificate, Hash, after, first_inside, oid, verify_with};

const BASIC: ObjectIdentifier = oid("1.3.6.1.5.5.7.48.1.1");
/// What certificates of responders are for.
const RESPONDERS: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.9");
/// Names of issuers are mostly hashed with it. It finds a certificate; the signature proves that.
const SHA1: ObjectIdentifier = oid("1.3.14.3.2.26");

/// An answer about some certificates.
#[derive(Clone)]
pub struct Answer {
    signed: Vec<u8>,
    parsed: BasicOcspResponse,
}

impl Answer {
    pub fn read(der: &[u8]) -> Result<Self, String> {
        let outer = OcspResponse::from_der(der).map_err(|error| error.to_string())?;
        if outer.response_status != OcspResponseStatus::Successful {
            return Err(format!("whoever was asked answered {:?}", outer.response_status));
        }
        let inside = outer.response_bytes.filter(|bytes| bytes.response_type == BASIC);
        let inside = inside.ok_or("the answer is of an unknown kind")?;
        let der = inside.response.as_bytes();
        let parsed = BasicOcspResponse::from_der(der).map_err(|error| error.to_string())?;
        let signed = first_inside(der).ok_or("it is no sequence")?.to_vec();
        Ok(Self { signed, parsed })
    }

    /// Whether `one` is revoked; `None` where this says nothing about it, and why what it says does not count.
    pub fn about(
        &self,
        one: &Certificate,
        issuer: &Certificate,
        now: Timestamp,
    ) -> Option<Result<bool, String>> {
        let mut about = self.parsed.tbs_response_data.responses.iter();
        let found = about.find(|single| is_of(&single.cert_id, one, issuer))?;
        Some(self.check_signed(issuer, now).and_then(|()| said(found, now)))
    }

    /// When what it says begins to count, and when it counts no more.
    pub fn turns(&self) -> impl Iterator<Item = Timestamp> {
        self.parsed.tbs_response_data.responses.iter().flat_map(|single| {
            let until = single.next_update.as_ref().and_then(moment).and_then(after);
            moment(&single.this_update).into_iter().chain(until)
        })
    }

    /// By the issuer itself, or by somebody to whom it gave a certificate for that (section 4.2.2.2).
    fn check_signed(&self, issuer: &Certificate, now: Timestamp) -> Result<(), String> {
        let critical = self.parsed.tbs_response_data.response_extensions.iter().flatten();
        if critical.filter(|extension| extension.critical).count() > 0 {
            return Err("says something that is not known".to_owned());
        }
        let by = |signer: &Certificate| {
            let key = &signer.parsed().tbs_certificate.subject_public_key_info;
            let signature = self.parsed.signature.raw_bytes();
            verify_with(key, &self.parsed.signature_algorithm, &self.signed, signature)
        };
        if by(issuer).is_ok() {
            return Ok(());
        }
        for given in self.parsed.certs.iter().flatten() {
            let der = given.to_der().map_err(|error| error.to_string())?;
            let signer = Certificate::from_der(&der)?;
            let is_responder =
                matches!(signer.purposes()?, Some((_, purposes)) if purposes.0.contains(&RESPONDERS));
            let is_trusted =
                is_responder && signer.check_issued_by(issuer).is_ok() && signer.check_valid(now).is_ok();
            if is_trusted && by(&signer).is_ok() {
                return Ok(());
            }
        }
        Err("is signed neither by it nor by whom it named".to_owned())
    }
}

fn is_of(id: &CertId, one: &Certificate, issuer: &Certificate) -> bool {
    let above = &issuer.parsed().tbs_certificate;
    let Ok(name) = above.subject.to_der() else { return false };
    let hash = |bytes: &[u8]| match Hash::of_oid(&id.hash_algorithm.oid) {
        Some(hash) => Some(hash.of(bytes)),
        None if id.hash_algorithm.oid == SHA1 => {
            Some(digest(&SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec())
        }
        None => None,
    };
    id.serial_number == one.parsed().tbs_certificate.serial_number
        && hash(&name).as_deref() == Some(id.issuer_name_hash.as_bytes())
        && hash(above.subject_public_key_info.subject_public_key.raw_bytes()).as_deref()
            == Some(id.issuer_key_hash.as_bytes())
}

fn said(single: &SingleResponse, now: Timestamp) -> Result<bool, String> {
    let critical = single.single_extensions.iter().flatten().any(|extension| extension.critical);
    if critical {
        return Err("says something that is not known".to_owned());
    }
    let from = moment(&single.this_update).filter(|from| *from <= now);
    let until = single.next_update.as_ref().and_then(moment).filter(|until| *until >= now);
    match (&single.cert_status, from, until) {
        // Once revoked, always revoked.
        (CertStatus::Revoked(_), ..) => Ok(true),
        (CertStatus::Good(_), Some(_), Some(_)) => Ok(false),
        (CertStatus::Unknown(_), ..) => Err("says that it does not know".to_owned()),
        _ => Err("is not of now: get a new one".to_owned()),
    }
}

fn moment(time: &OcspGeneralizedTime) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(time.0.to_unix_duration().as_secs()).ok()?).ok()
}
