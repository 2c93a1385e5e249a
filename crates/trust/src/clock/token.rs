//! What a clock says: a token of RFC 3161 over the signature, in CMS (RFC 5652).

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use boltseal_model::Timestamp;
use cms::{
    cert::{
        CertificateChoices,
        x509::der::{
            Any, Decode as _, Encode as _, Reader as _, SliceReader, Tag, Tagged as _,
            asn1::{ObjectIdentifier, OctetStringRef},
        },
        x509::spki::AlgorithmIdentifierOwned,
    },
    content_info::ContentInfo,
    signed_data::{SignedData, SignerIdentifier, SignerInfo},
};

use crate::x509::{Certificate, Hash, Purpose, check_chain, oid, path_to, same, verify_hashed, verify_with};

/// Bytes of a token. With its chain it has some 6 kB.
const MAX_TOKEN: usize = 256 << 10;

/// How exact a clock is that does not say it, in microseconds: the second that ETSI EN 319 421 wants of clocks.
const UNKNOWN_ACCURACY: i64 = 1_000_000;

const SIGNED_DATA: ObjectIdentifier = oid("1.2.840.113549.1.7.2");
const TST_INFO: ObjectIdentifier = oid("1.2.840.113549.1.9.16.1.4");
const CONTENT_TYPE: ObjectIdentifier = oid("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = oid("1.2.840.113549.1.9.4");
/// Which certificate signed, by its SHA-1 (RFC 2634) or any hash (RFC 5035).
const SIGNING_CERTIFICATE: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_2: ObjectIdentifier = oid("1.2.840.113549.1.9.16.2.47");
const RSA: ObjectIdentifier = oid("1.2.840.113549.1.1.1");

/// A moment, as exact as the clock is.
pub struct Stamp {
    pub at: Timestamp,
    pub earliest: Timestamp,
    pub latest: Timestamp,
    /// The certificates of the clock, leaf first.
    pub chain: Vec<Certificate>,
}

/// Whether `token` is of a clock below one of `roots`, over `signature`; `between` may stand between clock and root.
pub fn check(
    token: &[u8],
    signature: &[u8],
    roots: &[Certificate],
    between: &[Certificate],
) -> Result<Stamp, String> {
    if token.len() > MAX_TOKEN {
        return Err(format!("{} bytes are more than {MAX_TOKEN} for a timestamp", token.len()));
    }
    let (data, content) = read(token)?;
    let content = content.as_slice();
    let info = Info::read(content)?;
    if info.hash.of(signature) != info.imprint {
        return Err("the timestamp is of another signature".to_owned());
    }
    let mut given = certificates(&data)?;
    given.extend_from_slice(between);
    let mut signers = data.signer_infos.0.iter();
    let (Some(signer), None) = (signers.next(), signers.next()) else {
        return Err("the timestamp is not signed by one clock".to_owned());
    };
    let clock = given.iter().find(|one| is_named(one, &signer.sid));
    let clock = clock.ok_or("the certificate of the clock is not in the timestamp")?;
    check_signer(signer, content, clock)?;
    let path = path_to(roots, clock, &given)?;
    check_chain(&path, Purpose::Clock)?;
    let Info { at, earliest, latest, .. } = info;
    path.iter().try_for_each(|one| one.check_valid(at))?;
    Ok(Stamp { at, earliest, latest, chain: path })
}

/// The hash of what `token` is about, whoever made it.
pub fn imprint(token: &[u8]) -> Result<(Hash, Vec<u8>), String> {
    let (_, content) = read(token)?;
    let info = Info::read(&content)?;
    Ok((info.hash, info.imprint))
}

/// What is signed, and the `TSTInfo` in it.
fn read(token: &[u8]) -> Result<(SignedData, Vec<u8>), String> {
    let broken = |error: cms::cert::x509::der::Error| format!("the timestamp cannot be read: {error}");
    let outer = ContentInfo::from_der(token).map_err(broken)?;
    if outer.content_type != SIGNED_DATA {
        return Err("the timestamp is not signed".to_owned());
    }
    let data: SignedData = outer.content.decode_as().map_err(broken)?;
    if data.encap_content_info.econtent_type != TST_INFO {
        return Err("what is signed is no timestamp".to_owned());
    }
    let content = data.encap_content_info.econtent.as_ref().filter(|any| any.tag() == Tag::OctetString);
    let content = content.ok_or("the timestamp is empty")?.value().to_vec();
    Ok((data, content))
}

fn certificates(data: &SignedData) -> Result<Vec<Certificate>, String> {
    let mut found = Vec::new();
    for choice in data.certificates.iter().flat_map(|all| all.0.iter()) {
        if let CertificateChoices::Certificate(one) = choice {
            let der = one.to_der().map_err(|error| error.to_string())?;
            found.push(Certificate::from_der(&der)?);
        }
    }
    Ok(found)
}

fn is_named(one: &Certificate, sid: &SignerIdentifier) -> bool {
    let certificate = &one.parsed().tbs_certificate;
    match sid {
        SignerIdentifier::IssuerAndSerialNumber(name) => {
            certificate.issuer == name.issuer && certificate.serial_number == name.serial_number
        }
        SignerIdentifier::SubjectKeyIdentifier(wanted) => {
            let found = certificate.get::<cms::cert::x509::ext::pkix::SubjectKeyIdentifier>();
            matches!(found, Ok(Some((_, found))) if found == *wanted)
        }
    }
}

/// That `clock` signed `content` (RFC 5652, section 5.4), and says that it did (RFC 5816).
fn check_signer(signer: &SignerInfo, content: &[u8], clock: &Certificate) -> Result<(), String> {
    let hash = Hash::of_oid(&signer.digest_alg.oid).ok_or("the timestamp has an unknown hash")?;
    let attributes = signer.signed_attrs.as_ref().ok_or("the timestamp has no signed attributes")?;
    let one = |wanted: ObjectIdentifier| -> Option<Any> {
        let mut found = attributes.iter().filter(|attribute| attribute.oid == wanted);
        let (attribute, None) = (found.next()?, found.next()) else { return None };
        let mut values = attribute.values.iter();
        match (values.next(), values.next()) {
            (Some(value), None) => Some(value.clone()),
            _ => None,
        }
    };
    if one(CONTENT_TYPE).is_none_or(|value| !same(&value, &TST_INFO)) {
        return Err("the clock signed something else than a timestamp".to_owned());
    }
    let digest = one(MESSAGE_DIGEST).ok_or("the timestamp has no digest")?;
    let digest = digest.decode_as::<OctetStringRef<'_>>().map_err(|error| error.to_string())?;
    if digest.as_bytes() != hash.of(content) {
        return Err("the timestamp was changed".to_owned());
    }
    let named = match (one(SIGNING_CERTIFICATE_2), one(SIGNING_CERTIFICATE)) {
        (Some(value), _) => names(&value, clock, true),
        (None, Some(value)) => names(&value, clock, false),
        (None, None) => None,
    };
    if named != Some(true) {
        return Err("the clock does not say which certificate is its own".to_owned());
    }
    let message = attributes.to_der().map_err(|error| error.to_string())?;
    let key = &clock.parsed().tbs_certificate.subject_public_key_info;
    let bytes = signer.signature.as_bytes();
    if signer.signature_algorithm.oid == RSA {
        return verify_hashed(key, true, hash, &message, bytes);
    }
    verify_with(key, &signer.signature_algorithm, &message, bytes)
}

/// Whether the first certificate that `value` names by its hash is `clock`.
fn names(value: &Any, clock: &Certificate, any_hash: bool) -> Option<bool> {
    let der = value.to_der().ok()?;
    let mut reader = SliceReader::new(&der).ok()?;
    let found = reader.sequence(|outer| {
        let found = outer.sequence(|all| {
            let first = all.sequence(|one| {
                let algorithm = if any_hash && one.peek_tag()? == Tag::Sequence {
                    Some(AlgorithmIdentifierOwned::decode(one)?)
                } else {
                    None
                };
                let hash = OctetStringRef::decode(one)?.as_bytes().to_vec();
                one.read_slice(one.remaining_len())?;
                Ok((algorithm, hash))
            });
            all.read_slice(all.remaining_len())?;
            first
        });
        outer.read_slice(outer.remaining_len())?;
        found
    });
    let (algorithm, hash) = found.ok()?;
    let computed = match (any_hash, algorithm) {
        (true, None) => Hash::Sha256.of(clock.der()),
        (true, Some(algorithm)) => Hash::of_oid(&algorithm.oid)?.of(clock.der()),
        (false, _) => digest(&SHA1_FOR_LEGACY_USE_ONLY, clock.der()).as_ref().to_vec(),
    };
    Some(computed == hash)
}

/// `TSTInfo` (RFC 3161, section 2.4.2), as much of it as counts.
struct Info {
    hash: Hash,
    imprint: Vec<u8>,
    at: Timestamp,
    earliest: Timestamp,
    latest: Timestamp,
}

impl Info {
    fn read(der: &[u8]) -> Result<Self, String> {
        let mut reader = SliceReader::new(der).map_err(|error| error.to_string())?;
        let read = reader.sequence(|info| {
            let version = u8::decode(info)?;
            let _policy = ObjectIdentifier::decode(info)?;
            let (algorithm, imprint) = info.sequence(|imprint| {
                let algorithm = AlgorithmIdentifierOwned::decode(imprint)?;
                Ok((algorithm, OctetStringRef::decode(imprint)?.as_bytes().to_vec()))
            })?;
            let _serial = info.tlv_bytes()?;
            let at = Any::decode(info)?;
            let more = !info.remaining_len().is_zero();
            let accuracy = if more && info.peek_tag()? == Tag::Sequence {
                Some(info.tlv_bytes()?.to_vec())
            } else {
                None
            };
            info.read_slice(info.remaining_len())?;
            Ok((version, algorithm, imprint, at, accuracy))
        });
        let (version, algorithm, imprint, at, accuracy) =
            read.map_err(|error| format!("the timestamp cannot be read: {error}"))?;
        if version != 1 {
            return Err(format!("the timestamp is of version {version}"));
        }
        let hash = Hash::of_oid(&algorithm.oid).ok_or("the timestamp has an unknown hash")?;
        let at = (at.tag() == Tag::GeneralizedTime).then(|| moment(at.value())).flatten();
        let at = at.ok_or("the timestamp has no time that can be told")?;
        let within = accuracy
            .as_deref()
            .map_or(Some(UNKNOWN_ACCURACY), micros)
            .ok_or("its accuracy cannot be read")?;
        let within = jiff::SignedDuration::from_micros(within);
        let moved = |moved: Result<Timestamp, jiff::Error>| moved.map_err(|error| error.to_string());
        let (earliest, latest) = (moved(at.checked_sub(within))?, moved(at.checked_add(within))?);
        Ok(Self { hash, imprint, at, earliest, latest })
    }
}

/// `20240618062933.25Z`; DER knows no other zone.
fn moment(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    if whole.len() != 14 || !part.bytes().chain(whole.bytes()).all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (date, time) = whole.split_at_checked(8)?;
    let nice = format!(
        "{}-{}-{}T{}:{}:{}.{}Z",
        date.get(..4)?,
        date.get(4..6)?,
        date.get(6..)?,
        time.get(..2)?,
        time.get(2..4)?,
        time.get(4..)?,
        part.get(..part.len().min(9))?,
    );
    nice.parse().ok()
}

/// `Accuracy`, in microseconds.
fn micros(der: &[u8]) -> Option<i64> {
    let mut reader = SliceReader::new(der).ok()?;
    let parts = reader.sequence(|inside| {
        let mut parts = Vec::new();
        while !inside.is_finished() {
            parts.push(Any::decode(inside)?);
        }
        Ok(parts)
    });
    let mut sum: i64 = 0;
    for part in parts.ok()? {
        let number = part.value().iter().try_fold(0_i64, |sum, byte| {
            sum.checked_mul(256).and_then(|sum| sum.checked_add(i64::from(*byte)))
        })?;
        let unit = match part.tag() {
            Tag::Integer => 1_000_000,
            Tag::ContextSpecific { number, .. } if number.value() == 0 => 1000,
            Tag::ContextSpecific { number, .. } if number.value() == 1 => 1,
            _ => return None,
        };
        sum = sum.checked_add(number.checked_mul(unit)?)?;
    }
    Some(sum)
}
