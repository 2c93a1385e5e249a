//! Chains of certificates: each issued by the next, the last by itself, and each made for what it is used for.

use cms::cert::x509::{der::asn1::ObjectIdentifier, ext::pkix::KeyUsage};

use super::{Certificate, MAX_CHAIN, Scheme, oid};

const ANY_PURPOSE: ObjectIdentifier = oid("2.5.29.37.0");
const SERVERS: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.1");
const CLIENTS: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.2");
const MAIL: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.4");
const CLOCKS: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.8");
const OCSP: ObjectIdentifier = oid("1.3.6.1.5.5.7.3.9");
/// Extensions that are looked at here: basic constraints, key usage and extended key usage.
const KNOWN: [ObjectIdentifier; 3] = [oid("2.5.29.19"), oid("2.5.29.15"), oid("2.5.29.37")];

/// What the leaf of a chain is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Signing images.
    Code,
    /// Telling the time (RFC 3161, section 2.3).
    Clock,
}

/// Whether `chain`, leaf first, holds together and ends in a root. Whether anybody believes that root is another question,
/// and so is when its certificates are valid.
pub fn check_chain(chain: &[Certificate], purpose: Purpose) -> Result<(), String> {
    let Some((leaf, above)) = chain.split_first() else { return Err("there is no certificate".to_owned()) };
    if chain.len() > MAX_CHAIN {
        return Err(format!("{} certificates are more than {MAX_CHAIN} for a chain", chain.len()));
    }
    chain.iter().try_for_each(check_known)?;
    if above.is_empty() {
        leaf.check_issued_by(leaf)?;
    }
    for (place, (one, issuer)) in chain.iter().zip(above).enumerate() {
        if one.is_self_signed() {
            return Err(format!("`{}` is its own issuer, but not the last of the chain", one.subject()));
        }
        one.check_issued_by(issuer)?;
        check_authority(issuer, place, purpose)?;
    }
    if let Some(root) = above.last() {
        root.check_issued_by(root).map_err(|why| format!("the chain does not end in a root: {why}"))?;
    }
    check_leaf(leaf, purpose)
}

/// The chain from `leaf` to one of `roots` over certificates that came with it.
pub fn path_to(
    roots: &[Certificate],
    leaf: &Certificate,
    given: &[Certificate],
) -> Result<Vec<Certificate>, String> {
    let mut path = vec![leaf.clone()];
    while path.len() < MAX_CHAIN {
        let Some(last) = path.last() else { break };
        if roots.iter().any(|root| root.is(last)) {
            return Ok(path);
        }
        let next = roots.iter().chain(given).find(|one| !one.is(last) && last.check_issued_by(one).is_ok());
        match next {
            // Two that issue each other would lead round and round, up to the limit.
            Some(next) => path.push(next.clone()),
            None => break,
        }
    }
    Err(format!("no path leads from `{}` to a root that is believed", leaf.subject()))
}

/// What is critical and not known here, name constraints among it, is refused (RFC 5280, section 4.2).
fn check_known(one: &Certificate) -> Result<(), String> {
    let all = one.parsed().tbs_certificate.extensions.iter().flatten();
    match all.filter(|extension| extension.critical).find(|extension| !KNOWN.contains(&extension.extn_id)) {
        None => Ok(()),
        Some(other) => Err(format!(
            "`{}` has a critical extension that is not known here: {}",
            one.subject(),
            other.extn_id
        )),
    }
}

/// `below` is how many authorities stand between it and the leaf.
fn check_authority(one: &Certificate, below: usize, purpose: Purpose) -> Result<(), String> {
    let subject = one.subject();
    match one.basic()? {
        Some((true, basic)) if basic.ca => {
            if basic.path_len_constraint.is_some_and(|most| usize::from(most) < below) {
                return Err(format!("`{subject}` may not have {below} authorities below it"));
            }
        }
        _ => return Err(format!("`{subject}` is no authority (critical basic constraints)")),
    }
    if usage(one, purpose)?.key_cert_sign() {
        return Ok(());
    }
    Err(format!("`{subject}` may not sign certificates (key usage)"))
}

fn check_leaf(leaf: &Certificate, purpose: Purpose) -> Result<(), String> {
    let subject = leaf.subject();
    if leaf.basic()?.is_some_and(|(_, basic)| basic.ca) {
        return Err(format!("`{subject}` is an authority, and signs nothing but certificates"));
    }
    let usage = usage(leaf, purpose)?;
    if !usage.digital_signature() {
        return Err(format!("`{subject}` may not sign (key usage)"));
    }
    let more = usage.key_encipherment()
        || usage.data_encipherment()
        || usage.key_agreement()
        || usage.key_cert_sign()
        || usage.crl_sign()
        || usage.encipher_only()
        || usage.decipher_only();
    if more {
        return Err(format!("`{subject}` may do more than sign (key usage)"));
    }
    let purposes = leaf.purposes()?;
    match purpose {
        Purpose::Code => {
            let wrong = [ANY_PURPOSE, SERVERS, CLIENTS, MAIL, CLOCKS, OCSP];
            if purposes.is_some_and(|(_, those)| those.0.iter().any(|one| wrong.contains(one))) {
                return Err(format!("`{subject}` is for something else than code (extended key usage)"));
            }
            Scheme::of_key(&leaf.parsed().tbs_certificate.subject_public_key_info).map(drop)
        }
        Purpose::Clock => match purposes {
            Some((true, those)) if those.0 == [CLOCKS] => Ok(()),
            _ => Err(format!("`{subject}` is not for time alone (critical extended key usage)")),
        },
    }
}

/// How the key may be used. For code it must be said as critical; for clocks it should.
fn usage(one: &Certificate, purpose: Purpose) -> Result<KeyUsage, String> {
    match one.usage()? {
        Some((critical, usage)) if critical || purpose == Purpose::Clock => Ok(usage),
        _ => Err(format!("`{}` does not say what its key is for (critical key usage)", one.subject())),
    }
}
