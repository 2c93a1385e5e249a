//! Names in certificates, and the part of one that a trust policy asks for (`x509.subject`, RFC 4514).

use std::{collections::BTreeMap, fmt};

use cms::cert::x509::{
    der::asn1::ObjectIdentifier,
    name::{Name, RdnSequence},
};

use super::oid;

/// Attributes that have a short name (RFC 4514, section 3, and RFC 4519).
const KNOWN: [(&str, ObjectIdentifier); 10] = [
    ("CN", oid("2.5.4.3")),
    ("SERIALNUMBER", oid("2.5.4.5")),
    ("C", oid("2.5.4.6")),
    ("L", oid("2.5.4.7")),
    ("ST", oid("2.5.4.8")),
    ("STREET", oid("2.5.4.9")),
    ("O", oid("2.5.4.10")),
    ("OU", oid("2.5.4.11")),
    ("POSTALCODE", oid("2.5.4.17")),
    ("DC", oid("0.9.2342.19200300.100.1.25")),
];
/// Without these a name could be anybody's ("Trusted identities").
const NEEDED: [&str; 3] = ["C", "ST", "O"];

/// Values by short name, or by object identifier where there is none.
type Pairs = BTreeMap<String, String>;

/// What a name must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName(Pairs);

impl DistinguishedName {
    /// Reads `C=US, ST=WA, O=wabbit-networks.io`.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.contains("=#") {
            return Err("names with `=#` are not read".to_owned());
        }
        let mut pairs = Pairs::new();
        for part in split(text)? {
            let (kind, value) = part.split_once('=').ok_or_else(|| format!("`{part}` has no `=`"))?;
            let kind = kind.trim().to_ascii_uppercase();
            let kind = if kind == "S" { "ST".to_owned() } else { kind };
            let value = unescaped(value.trim_start())?;
            if kind.is_empty() || value.is_empty() {
                return Err(format!("`{part}` is not complete"));
            }
            if pairs.insert(kind.clone(), value).is_some() {
                return Err(format!("`{kind}` is there twice"));
            }
        }
        needed(&pairs)?;
        Ok(Self(pairs))
    }

    /// That of a certificate.
    pub(crate) fn of(name: &Name) -> Result<Self, String> {
        let RdnSequence(parts) = name;
        let mut pairs = Pairs::new();
        for part in parts {
            let mut attributes = part.0.iter();
            let (Some(attribute), None) = (attributes.next(), attributes.next()) else {
                return Err("its subject has a part with several values".to_owned());
            };
            let kind = KNOWN
                .iter()
                .find(|(_, known)| *known == attribute.oid)
                .map_or_else(|| attribute.oid.to_string(), |(short, _)| (*short).to_owned());
            let value = std::str::from_utf8(attribute.value.value());
            let value = value.map_err(|_| format!("`{kind}` of its subject is not UTF-8"))?;
            if pairs.insert(kind.clone(), value.to_owned()).is_some() {
                return Err(format!("its subject has `{kind}` twice"));
            }
        }
        needed(&pairs)?;
        Ok(Self(pairs))
    }

    /// Whether all that is in it is in `other` as well.
    pub fn is_part_of(&self, other: &Self) -> bool {
        self.0.iter().all(|(kind, value)| other.0.get(kind) == Some(value))
    }
}

impl fmt::Display for DistinguishedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|(kind, value)| format!("{kind}={value}")).collect();
        f.write_str(&parts.join(", "))
    }
}

fn needed(pairs: &Pairs) -> Result<(), String> {
    match NEEDED.iter().find(|kind| !pairs.contains_key(**kind)) {
        Some(kind) => Err(format!("a name without `{kind}` could be anybody's: it needs C, ST and O")),
        None => Ok(()),
    }
}

/// The parts between commas that are not escaped.
fn split(text: &str) -> Result<Vec<String>, String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars();
    while let Some(one) = chars.next() {
        match one {
            ',' | ';' => parts.push(String::new()),
            '+' => return Err("a part with several values (`+`) is not read".to_owned()),
            '"' => return Err("quotes are not read: escape with `\\`".to_owned()),
            _ => {
                let Some(last) = parts.last_mut() else { break };
                last.push(one);
                if one == '\\' {
                    last.push(chars.next().ok_or("it ends in `\\`")?);
                }
            }
        }
    }
    Ok(parts)
}

/// `value` without escapes and spaces at its end (RFC 4514, section 3).
fn unescaped(value: &str) -> Result<String, String> {
    let mut bytes = Vec::new();
    // Up to here nothing is trimmed: an escaped space counts.
    let mut kept = 0;
    let mut chars = value.chars().peekable();
    while let Some(one) = chars.next() {
        if one == '\\' {
            let next = chars.next().ok_or("it ends in `\\`")?;
            if let Some(high) = next.to_digit(16) {
                let low = chars.next().and_then(|low| low.to_digit(16)).ok_or("a broken `\\`")?;
                bytes.push(u8::try_from(high * 16 + low).unwrap_or_default());
            } else {
                bytes.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes());
            }
            kept = bytes.len();
        } else {
            bytes.extend_from_slice(one.encode_utf8(&mut [0; 4]).as_bytes());
            if one != ' ' {
                kept = bytes.len();
            }
        }
    }
    bytes.truncate(kept);
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}
