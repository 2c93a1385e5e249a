//! A list of revoked certificates (RFC 5280, section 5; of version 1 as in X.509 of 1988), as large authorities publish them:
//! some hundred thousand serial numbers.
//!
//! ```text
//! CertificateList { tbs { version?, algorithm, issuer, thisUpdate, nextUpdate?, [entry…]?, extensions? }, algorithm, signature }
//! ```
//!
//! The entries are walked once, where they lie; what is kept of each is where its number stands, in the order of the numbers. So
//! a list costs its own bytes and four more for every entry, and a number is found by halving. A signature over all of it is
//! verified once per issuer. Only DER is read: other forms of the same bytes would not be what was signed.

use std::{
    cmp::Ordering,
    sync::{Mutex, PoisonError},
};

use boltseal_model::Timestamp;
use cms::cert::x509::{
    der::{
        Encode as _,
        asn1::{BitString, ObjectIdentifier},
    },
    ext::Extensions,
    name::Name,
    spki::AlgorithmIdentifierOwned,
    time::Time,
};

use super::{Certificate, moment, oid, verify_with, walk::Walk};

/// Bytes of a list. Large public authorities publish some 10 MB; half a million numbers of 20 bytes have 20 MB.
pub const MAX_LIST: usize = 64 << 20;
/// Issuers of one name whose keys were tried. There are two while a key is replaced.
const MAX_TRIED: usize = 8;
/// Says that a list has only what changed.
const DELTA: ObjectIdentifier = oid("2.5.29.27");
/// DER of `true`.
const TRUE: [u8; 3] = [0x01, 1, 0xff];
const INTEGER: u8 = 0x02;
const SEQUENCE: u8 = 0x30;
const TIMES: [u8; 2] = [0x17, 0x18];
/// `[0] EXPLICIT`
const EXTENSIONS: u8 = 0xa0;

/// Whether an issuer signed it, by the issuer's certificate.
type Tried = (Vec<u8>, Result<(), String>);

/// A list.
pub struct List {
    /// The part that is signed.
    signed: Vec<u8>,
    /// Where in it the numbers of entries stand, by the numbers.
    numbers: Vec<u32>,
    issuer: Name,
    from: Time,
    until: Option<Time>,
    /// The algorithm as the signed part names it, and as the list does.
    algorithms: [AlgorithmIdentifierOwned; 2],
    signature: BitString,
    /// Why it says nothing, whoever signed it.
    partial: Option<String>,
    tried: Mutex<Vec<Tried>>,
}

impl List {
    /// Reads DER.
    pub fn read(der: &[u8]) -> Result<Self, String> {
        if der.len() > MAX_LIST {
            return Err(format!("{} bytes are more than {MAX_LIST}", der.len()));
        }
        let mut whole = Walk::over(der);
        let mut outer = whole.inside(SEQUENCE)?;
        whole.ended()?;
        let signed = outer.element(SEQUENCE)?.to_vec();
        let algorithm = parsed(outer.element(SEQUENCE)?, "its algorithm")?;
        let signature = parsed(outer.any()?, "its signature")?;
        outer.ended()?;

        let mut walk = Walk::over(&signed).inside(SEQUENCE)?;
        let newer = walk.next_is(INTEGER);
        if newer && walk.element(INTEGER)? != [INTEGER, 1, 1] {
            return Err("it is neither of version 1 nor of version 2".to_owned());
        }
        let inner = parsed(walk.element(SEQUENCE)?, "its algorithm")?;
        let issuer = parsed(walk.element(SEQUENCE)?, "its issuer")?;
        let from = parsed(walk.any()?, "its time")?;
        let later = TIMES.iter().any(|tag| walk.next_is(*tag));
        let until = later.then(|| parsed(walk.any()?, "the time of the next one")).transpose()?;
        let entries = if walk.next_is(SEQUENCE) { Some(walk.inside(SEQUENCE)?) } else { None };
        let mut partial = None;
        if walk.next_is(EXTENSIONS) {
            let mut extensions = walk.inside(EXTENSIONS)?;
            if !newer {
                return Err("a list of version 1 has no extensions".to_owned());
            }
            partial = critical(extensions.element(SEQUENCE)?)?;
            extensions.ended()?;
        }
        walk.ended()?;
        let (numbers, inside) = match entries {
            Some(entries) => numbers(&signed, entries, newer)?,
            None => Default::default(),
        };
        let partial = partial.or(inside);
        let (algorithms, tried) = ([inner, algorithm], Mutex::default());
        Ok(Self { signed, numbers, issuer, from, until, algorithms, signature, partial, tried })
    }

    /// Whether it is of whom `issuer` is called. Whether `issuer` signed it is another question.
    pub fn is_by(&self, issuer: &Certificate) -> bool {
        self.issuer == issuer.parsed().tbs_certificate.subject
    }

    /// Why it says nothing about what `issuer` issued.
    pub fn check_signed(&self, issuer: &Certificate) -> Result<(), String> {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, known)) = tried.iter().find(|(der, _)| der == issuer.der()) {
            return known.clone();
        }
        let found = self.verify(issuer);
        tried.truncate(MAX_TRIED - 1);
        tried.insert(0, (issuer.der().to_vec(), found.clone()));
        found
    }

    fn verify(&self, issuer: &Certificate) -> Result<(), String> {
        let [inner, outer] = &self.algorithms;
        if inner != outer {
            return Err("names two algorithms".to_owned());
        }
        let key = &issuer.parsed().tbs_certificate.subject_public_key_info;
        verify_with(key, outer, &self.signed, self.signature.raw_bytes())
            .map_err(|why| format!("is not signed by it: {why}"))?;
        if issuer.usage()?.is_some_and(|(_, usage)| !usage.crl_sign()) {
            return Err("is not its to sign (key usage)".to_owned());
        }
        self.partial.clone().map_or(Ok(()), Err)
    }

    /// From when, and until when it is the newest one.
    pub fn bounds(&self) -> (Option<Timestamp>, Option<Timestamp>) {
        (moment(self.from), self.until.and_then(moment))
    }

    /// Whether a certificate that it does not name is not revoked.
    pub fn is_of(&self, now: Timestamp) -> bool {
        matches!(self.bounds(), (Some(from), Some(until)) if from <= now && now <= until)
    }

    /// Whether it has the number of `one`.
    pub fn names(&self, one: &Certificate) -> bool {
        let Ok(number) = one.parsed().tbs_certificate.serial_number.to_der() else { return false };
        let wanted = number_at(&number, 0);
        self.numbers.binary_search_by(|at| order(number_at(&self.signed, *at), wanted)).is_ok()
    }

    /// How many certificates it names.
    pub const fn len(&self) -> usize {
        self.numbers.len()
    }
}

/// Where the numbers of `entries` stand, by the numbers; and why they say something else than they seem to.
fn numbers(signed: &[u8], mut entries: Walk<'_>, newer: bool) -> Result<(Vec<u32>, Option<String>), String> {
    let (mut found, mut partial) = (Vec::new(), None);
    while !entries.is_over() {
        let mut entry = entries.inside(SEQUENCE)?;
        let at = u32::try_from(entry.at()).map_err(|_| "it is too long".to_owned())?;
        entry.content(INTEGER)?;
        if !TIMES.iter().any(|tag| entry.next_is(*tag)) {
            return Err("a number has no time".to_owned());
        }
        entry.any()?;
        if !entry.is_over() {
            if !newer {
                return Err("a number in a list of version 1 has extensions".to_owned());
            }
            // Such as that somebody else issued it (RFC 5280, section 5.3.3).
            let critical = critical(entry.element(SEQUENCE)?)?;
            partial = partial.or(critical);
            entry.ended()?;
        }
        found.push(at);
    }
    found.sort_unstable_by(|a, b| order(number_at(signed, *a), number_at(signed, *b)));
    Ok((found, partial))
}

/// The content of the integer that stands at `at`: it was walked over before.
fn number_at(signed: &[u8], at: u32) -> &[u8] {
    let at = usize::try_from(at).unwrap_or(usize::MAX);
    Walk::from(signed, at).content(INTEGER).unwrap_or_default()
}

/// Any order that is the same everywhere: in DER a number has one form.
fn order(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// Why a list with these extensions counts for nothing here.
fn critical(extensions: &[u8]) -> Result<Option<String>, String> {
    // Most entries have one that is not critical; those without any `true` in them need no further look.
    if !extensions.windows(3).any(|three| three == TRUE) {
        return Ok(None);
    }
    let all: Extensions = parsed(extensions, "its extensions")?;
    let critical = all.iter().find(|extension| extension.critical).map(|extension| extension.extn_id);
    Ok(critical.map(|id| match id {
        DELTA => "has only what changed".to_owned(),
        other => format!("says only a part, or something that is not known ({other})"),
    }))
}

fn parsed<'d, T: cms::cert::x509::der::Decode<'d>>(der: &'d [u8], what: &str) -> Result<T, String> {
    T::from_der(der).map_err(|error| format!("{what} cannot be read: {error}"))
}
