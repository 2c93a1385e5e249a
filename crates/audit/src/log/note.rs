//! Notes: text, a blank line, and signatures (C2SP signed-note).

use std::{collections::HashSet, fmt};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::key::{Verifier, is_name};

/// The largest note. The format wants at least 16 signatures, post-quantum ones have 5 kB, and text comes on top.
pub const MAX_NOTE: usize = 256 << 10;
/// Most signatures of a note: four times what the format wants. Each known one costs a verification.
pub const MAX_SIGNATURES: usize = 64;
/// Starts a signature line: em dash and space.
const MARK: &str = "\u{2014} ";
/// Bytes of a key id.
const ID: usize = 4;

/// One signature of a note. Its text is the signature line with its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    pub(super) name: String,
    pub(super) id: u32,
    pub(super) bytes: Vec<u8>,
}

/// Text with signatures. Trust it only as far as [`Note::verify`] says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub(super) text: String,
    pub(super) signatures: Vec<Signature>,
}

/// A signature that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// Name of the key.
    pub name: String,
    /// When a cosignature was made, in seconds since 1970; 0 for other signatures.
    pub time: u64,
}

/// Why bytes are not a note, or not one to trust.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More than a note may have.
    #[error("the note has {found} bytes; at most {MAX_NOTE} are read")]
    TooLarge {
        /// Its bytes.
        found: usize,
    },
    /// Not UTF-8, or a control character other than a line end.
    #[error("the note has bytes that are not plain UTF-8 text")]
    Text,
    /// No blank line, or text or signatures without a line end.
    #[error("not a note: text, a blank line, and lines that begin with an em dash")]
    Form,
    /// A line after the text that is not a signature.
    #[error("signature {number} is not an em dash, a name, and at least 5 bytes in base64")]
    Line {
        /// From 1.
        number: usize,
    },
    /// More signatures than are looked at.
    #[error("the note has more than {MAX_SIGNATURES} signatures")]
    TooMany,
    /// A signature names a key we know, and is not by it.
    #[error("the signature that says `{name}` is not by that key: the text was changed")]
    Forged {
        /// The name it carries.
        name: String,
    },
    /// No signature by a key we know.
    #[error("none of {found} signatures is by a key that is known here")]
    Unsigned {
        /// How many there are.
        found: usize,
    },
}

impl Signature {
    /// Name of the key it says it is by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads signature lines, each with its line end, and nothing else; at least one.
    pub fn parse_lines(lines: &str) -> Result<Vec<Self>, NoteError> {
        let lines = lines.strip_suffix('\n').ok_or(NoteError::Form)?;
        let mut signatures = Vec::new();
        for (number, line) in (1..).zip(lines.split('\n')) {
            if number > MAX_SIGNATURES {
                return Err(NoteError::TooMany);
            }
            signatures.push(Self::parse(line).ok_or(NoteError::Line { number })?);
        }
        Ok(signatures)
    }

    fn parse(line: &str) -> Option<Self> {
        let (name, bytes) = line.strip_prefix(MARK)?.split_once(' ')?;
        let bytes = STANDARD.decode(bytes).ok()?;
        let (id, bytes) = bytes.split_first_chunk::<ID>()?;
        if !is_name(name) || bytes.is_empty() {
            return None;
        }
        Some(Self { name: name.to_owned(), id: u32::from_be_bytes(*id), bytes: bytes.to_vec() })
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.bytes);
        writeln!(f, "{MARK}{} {}", self.name, STANDARD.encode(bytes))
    }
}

impl Note {
    /// Reads a note. What it prints is the same bytes again.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        let whole = plain(bytes)?;
        let (text, lines) = whole.rsplit_once("\n\n").ok_or(NoteError::Form)?;
        Ok(Self { text: format!("{text}\n"), signatures: Signature::parse_lines(lines)? })
    }

    /// The signed text, with its last line end.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, checked or not.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The signatures that are by one of the `known` keys.
    ///
    /// Signatures by other keys are passed over. One that names a known key and is not by it makes the note worthless,
    /// and so does the lack of any by a known key.
    pub fn verify(&self, known: &[Verifier]) -> Result<Vec<Signed>, NoteError> {
        let mut signed = Vec::new();
        let mut seen = HashSet::new();
        for signature in &self.signatures {
            let Some(key) = known.iter().find(|key| key.is_named_by(signature)) else { continue };
            let forged = || NoteError::Forged { name: signature.name.clone() };
            let time = key.check(&self.text, signature).ok_or_else(forged)?;
            if seen.insert((&signature.name, signature.id)) {
                signed.push(Signed { name: signature.name.clone(), time });
            }
        }
        if signed.is_empty() {
            return Err(NoteError::Unsigned { found: self.signatures.len() });
        }
        Ok(signed)
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| signature.fmt(f))
    }
}

/// The bytes as text of a note: bounded, UTF-8, no control characters but line ends.
fn plain(bytes: &[u8]) -> Result<&str, NoteError> {
    if bytes.len() > MAX_NOTE {
        return Err(NoteError::TooLarge { found: bytes.len() });
    }
    if bytes.iter().any(|byte| *byte < b' ' && *byte != b'\n') {
        return Err(NoteError::Text);
    }
    std::str::from_utf8(bytes).map_err(|_| NoteError::Text)
}
