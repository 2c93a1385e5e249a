//! PEM (RFC 7468) as people have it: text around the blocks is skipped, and lines may have any length.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

/// Blocks in one file. A bundle of all public certificate authorities has about 150.
pub const MAX_BLOCKS: usize = 1000;

/// One block.
pub struct Block {
    /// Such as `CERTIFICATE`.
    pub label: String,
    pub bytes: Zeroizing<Vec<u8>>,
}

/// All blocks of `text`, in order.
pub fn blocks(text: &str) -> Result<Vec<Block>, String> {
    let mut found = Vec::new();
    let mut lines = text.lines().map(str::trim);
    while let Some(line) = lines.next() {
        let Some(label) = line.strip_prefix("-----BEGIN ").and_then(|rest| rest.strip_suffix("-----")) else {
            continue;
        };
        if found.len() == MAX_BLOCKS {
            return Err(format!("more than {MAX_BLOCKS} blocks of PEM"));
        }
        let end = format!("-----END {label}-----");
        let mut encoded = Zeroizing::new(String::new());
        loop {
            match lines.next() {
                None => return Err(format!("the block `{label}` has no end")),
                Some(line) if line == end => break,
                // What older programs write above the bytes: `Proc-Type: 4,ENCRYPTED`.
                Some(line) if line.contains(':') => return Err(format!("the block `{label}` has headers")),
                Some(line) => encoded.push_str(line),
            }
        }
        let bytes = STANDARD.decode(encoded.as_bytes());
        let bytes = bytes.map_err(|error| format!("the block `{label}` is not base64: {error}"))?;
        found.push(Block { label: label.to_owned(), bytes: Zeroizing::new(bytes) });
    }
    Ok(found)
}

/// `bytes` as a block.
pub fn written(label: &str, bytes: &[u8]) -> Zeroizing<String> {
    let encoded = Zeroizing::new(STANDARD.encode(bytes));
    let mut text = Zeroizing::new(format!("-----BEGIN {label}-----\n"));
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}
