//! Any text as the header of a pull and of a chunk: nothing panics, and what is asked for is there.

use boltseal_registry::range::{Part, chunk};

/// The first eight bytes say how large the blob is.
pub fn body(bytes: &[u8]) {
    let Some((size, text)) = bytes.split_first_chunk::<8>() else { return };
    let (size, text) = (u64::from_le_bytes(*size), String::from_utf8_lossy(text));
    if let Part::Some { start, length } = Part::parse(&text, size) {
        assert!(length > 0 && start < size && length <= size - start, "{text}: {start}+{length} of {size}");
        let again = format!("bytes={start}-{}", start + length - 1);
        assert_eq!(Part::parse(&again, size), Part::Some { start, length });
    }
    if let Some((first, Some(many))) = chunk(&text) {
        let last = first + (many - 1);
        assert_eq!(chunk(&format!("{first}-{last}")), Some((first, Some(many))));
    }
}
