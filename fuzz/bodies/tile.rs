//! Any bytes as the path of a tile, as a bundle and as hashes: reading them never panics, and whatever is read is
//! written as the same bytes again.

use boltseal_audit::log::{Tile, push_entry, read_entries, read_hashes, write_hashes};

/// Reads `bytes` as a path, and what follows its first byte, a width, as entries and as hashes.
pub fn body(bytes: &[u8]) {
    if let Some(tile) = str::from_utf8(bytes).ok().and_then(|text| text.parse::<Tile>().ok()) {
        assert_eq!(tile.to_string().as_bytes(), bytes);
        assert!((1..=256).contains(&tile.width));
        assert!(!tile.to_string().contains(".."));
        let widest = Tile::at(tile.kind, tile.index, u64::MAX);
        assert!(widest.is_none_or(|widest| widest.first_entry() == tile.first_entry()));
    }
    let Some((width, rest)) = bytes.split_first() else { return };
    let width = u16::from(*width) + 1;
    if let Ok(entries) = read_entries(rest, width).collect::<Result<Vec<&[u8]>, _>>() {
        assert_eq!(entries.len(), usize::from(width));
        let mut written = Vec::new();
        for entry in entries {
            assert!(push_entry(&mut written, entry).is_ok());
        }
        assert_eq!(written, rest);
    }
    if let Ok(hashes) = read_hashes(rest, width) {
        assert_eq!(hashes.len(), usize::from(width));
        assert_eq!(write_hashes(&hashes), rest);
    }
}
