//! Where a key is in a token: `pkcs11:` URIs (RFC 7512).
//!
//! ```text
//! pkcs11:token=releases;object=signing;type=private?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/run/pin
//! ```

use std::path::{Path, PathBuf};

/// What every such URI begins with.
const SCHEME: &str = "pkcs11:";
/// Characters of a URI: six texts of 32 to 64 bytes, each byte in three.
const MAX_URI: usize = 4_096;

/// Which key, in which token, by which module. What is absent fits any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenUri {
    /// Label of the token.
    pub token: Option<String>,
    /// Who made it.
    pub manufacturer: Option<String>,
    /// Its model.
    pub model: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Number of its slot, which may be another one tomorrow.
    pub slot: Option<u64>,
    /// Label of the key.
    pub object: Option<String>,
    /// `CKA_ID` of the key.
    pub id: Option<Vec<u8>>,
    /// The library that speaks with the token.
    pub module: Option<PathBuf>,
    /// File whose first line is the PIN.
    pub pin: Option<PathBuf>,
}

impl TokenUri {
    /// Whether `path` is such a URI and no file.
    pub fn is(path: &Path) -> bool {
        path.to_str().is_some_and(|text| text.starts_with(SCHEME))
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`TokenUriError`]: it is none, or says something that is not known, or names no key.
    pub fn parse(text: &str) -> Result<Self, TokenUriError> {
        read(text).map_err(TokenUriError)
    }
}

/// Why a text names no key in a token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key is no pkcs11: URI: {0}")]
pub struct TokenUriError(String);

fn read(text: &str) -> Result<TokenUri, String> {
    if text.len() > MAX_URI {
        return Err(format!("{} characters are more than {MAX_URI}", text.len()));
    }
    let rest = text.strip_prefix(SCHEME).ok_or("it does not begin with pkcs11:")?;
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut uri = TokenUri::default();
    for (name, value) in pairs(path, ';')? {
        let text = || String::from_utf8(value.clone()).map_err(|_| format!("`{name}` is no text"));
        match name {
            "token" => once(&mut uri.token, name, text()?)?,
            "manufacturer" => once(&mut uri.manufacturer, name, text()?)?,
            "model" => once(&mut uri.model, name, text()?)?,
            "serial" => once(&mut uri.serial, name, text()?)?,
            "object" => once(&mut uri.object, name, text()?)?,
            "id" => once(&mut uri.id, name, value.clone())?,
            "slot-id" => {
                let number = text()?.parse().map_err(|_| "`slot-id` is no number".to_owned())?;
                once(&mut uri.slot, name, number)?;
            }
            "type" if value == b"private" => {}
            "type" => return Err("`type` is private: nothing else signs".to_owned()),
            // Whatever it says, what it names is not known, so nothing would fit.
            other => return Err(format!("`{other}` is not known here")),
        }
    }
    for (name, value) in pairs(query, '&')? {
        let text = || String::from_utf8(value.clone()).map_err(|_| format!("`{name}` is no text"));
        match name {
            "module-path" => once(&mut uri.module, name, PathBuf::from(text()?))?,
            "pin-source" => {
                let source = text()?;
                let file = source.strip_prefix("file:").unwrap_or(&source);
                let file = file.strip_prefix("//").map_or(file, |rest| rest);
                if source.starts_with('|') || file.is_empty() {
                    return Err("`pin-source` is a file here: no program is run for a PIN".to_owned());
                }
                once(&mut uri.pin, name, PathBuf::from(file))?;
            }
            "pin-value" => {
                return Err("`pin-value` is for everybody who sees the list of processes: write pin-source=FILE, or give \
                            --password-file FILE"
                    .to_owned());
            }
            other => return Err(format!("`{other}` is not known here")),
        }
    }
    if uri.object.is_none() && uri.id.is_none() {
        return Err("it names no key: write object=LABEL or id=%01".to_owned());
    }
    Ok(uri)
}

fn once<T>(place: &mut Option<T>, name: &str, value: T) -> Result<(), String> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(format!("`{name}` stands twice")),
    }
}

/// Names with their values, whose escapes are undone.
fn pairs(text: &str, between: char) -> Result<Vec<(&str, Vec<u8>)>, String> {
    let parts = text.split(between).filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').ok_or_else(|| format!("`{part}` has no value"))?;
            Ok((name, plain(value)?))
        })
        .collect()
}

fn plain(text: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let pair: String = bytes.by_ref().take(2).map(char::from).collect();
        let digits = pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
        let one = u8::from_str_radix(&pair, 16).ok().filter(|_| digits);
        out.push(one.ok_or("`%` stands before two digits of base 16")?);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris() {
        let uri = read(
            "pkcs11:token=The%20Software%20PKCS%2311;object=my-key;type=private?module-path=/m.so&pin-source=file:/run/pin",
        );
        let wanted = TokenUri {
            token: Some("The Software PKCS#11".to_owned()),
            object: Some("my-key".to_owned()),
            module: Some(PathBuf::from("/m.so")),
            pin: Some(PathBuf::from("/run/pin")),
            ..TokenUri::default()
        };
        assert_eq!(uri, Ok(wanted));
        for (text, expected) in [
            ("pkcs11:id=%69%95;serial=1;slot-id=7", ""),
            ("pkcs11:object=a?pin-source=///run/pin", ""),
            ("pkcs11:token=a", "names no key"),
            ("pkcs11:", "names no key"),
            ("pkcs11:object=a;object=b", "`object` stands twice"),
            ("pkcs11:object=a;colour=red", "`colour` is not known here"),
            ("pkcs11:object=a;type=cert", "`type` is private"),
            ("pkcs11:object=a;slot-id=x", "`slot-id` is no number"),
            ("pkcs11:object=a?pin-value=1234", "`pin-value` is for everybody"),
            ("pkcs11:object=a?pin-source=|/bin/echo%201234", "no program is run"),
            ("pkcs11:object", "`object` has no value"),
            ("pkcs11:object=%zz", "`%` stands before"),
            ("pkcs11:object=%f", "`%` stands before"),
            ("pkcs11:object=%ff", "`object` is no text"),
        ] {
            match (read(text), expected) {
                (Ok(_), "") => {}
                (Err(why), expected) if !expected.is_empty() => {
                    assert!(why.contains(expected), "{text}: {why}");
                }
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
