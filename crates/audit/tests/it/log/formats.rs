//! Paths, bundles and tiles, well formed and hostile.

use boltseal_audit::log::{Kind, MAX_ENTRY, Tile, TileError, push_entry, read_entries, read_hashes};

#[test]
fn paths_are_written_and_read() {
    let (hashes, entries) = (Kind::Hashes, Kind::Entries);
    for (path, kind, index, width) in [
        ("tile/0/000", hashes(0), 0, 256),
        ("tile/0/000.p/1", hashes(0), 0, 1),
        ("tile/3/x001/000", hashes(3), 1000, 256),
        ("tile/0/x001/x234/067", hashes(0), 1_234_067, 256),
        ("tile/0/x001/x234/067.p/255", hashes(0), 1_234_067, 255),
        ("tile/63/999.p/7", hashes(63), 999, 7),
        ("tile/entries/000", entries, 0, 256),
        ("tile/entries/x039/062.p/128", entries, 39_062, 128),
        ("tile/entries/x018/x446/x744/x073/x709/x551/615", entries, u64::MAX, 256),
    ] {
        let tile = Tile { kind, index, width };
        assert_eq!(path.parse(), Ok(tile), "{path}");
        assert_eq!(tile.to_string(), path);
    }
}

#[test]
fn other_paths_are_refused() {
    for path in [
        "",
        "tile",
        "tile/",
        "tile/0",
        "tile/0/",
        "/tile/0/000",
        "tile/0/000/",
        "tile/0/0",
        "tile/0/0000",
        "tile/0/1000",
        "tile/00/000",
        "tile/+0/000",
        "tile/0/+00",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/x000/001",
        "tile/0/001/001",
        "tile/0/x001",
        "tile/0/X001/000",
        "tile/0/x001/x000",
        "tile/0/x001//000",
        "tile/0/000.p",
        "tile/0/000.p/",
        "tile/0/000.p/0",
        "tile/0/000.p/01",
        "tile/0/000.p/256",
        "tile/0/000.p/1/2",
        "tile/0/000.p/1.p/1",
        "tile/0/../../etc/passwd",
        "tile/entries/..",
        "tile/data/000",
        "tile/0/000\0",
        "tile/0/٠٠٠",
        "tile/entries/x018/x446/x744/x073/x709/x551/616",
        "tile/entries/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/x999/999",
    ] {
        assert_eq!(path.parse::<Tile>(), Err(TileError::Path), "{path}");
    }
}

#[test]
fn tiles_of_a_size_are_those_of_the_specification() {
    // The example of C2SP tlog-tiles, "Partial Tiles".
    let at = |kind, index, size| Tile::at(kind, index, size).map(|tile| tile.width);
    for (kind, index, size, width) in [
        (Kind::Hashes(0), 272, 70_000, Some(256)),
        (Kind::Hashes(0), 273, 70_000, Some(112)),
        (Kind::Hashes(0), 274, 70_000, None),
        (Kind::Hashes(1), 0, 70_000, Some(256)),
        (Kind::Hashes(1), 1, 70_000, Some(17)),
        (Kind::Hashes(2), 0, 70_000, Some(1)),
        (Kind::Hashes(3), 0, 70_000, None),
        (Kind::Entries, 273, 70_000, Some(112)),
        (Kind::Hashes(0), 0, 256, Some(256)),
        (Kind::Hashes(1), 0, 256, Some(1)),
        (Kind::Hashes(0), 0, 0, None),
        (Kind::Hashes(63), 0, u64::MAX, None),
        (Kind::Entries, u64::MAX, u64::MAX, None),
    ] {
        assert_eq!(at(kind, index, size), width, "{kind:?} {index} of {size}");
    }
}

#[test]
fn the_first_entry_of_a_tile_is_known_as_long_as_it_can_be_counted() {
    for (path, first) in [
        ("tile/0/001", Some(256)),
        ("tile/entries/002.p/3", Some(512)),
        ("tile/1/003", Some(3 << 16)),
        ("tile/7/000", Some(0)),
        ("tile/7/001", None),
        ("tile/63/001", None),
    ] {
        assert_eq!(path.parse::<Tile>().unwrap().first_entry(), first, "{path}");
    }
}

#[test]
fn bundles_end_with_their_last_entry() {
    let mut bytes = Vec::new();
    push_entry(&mut bytes, b"").unwrap();
    push_entry(&mut bytes, b"ab").unwrap();
    assert_eq!(bytes, b"\0\0\0\x02ab");
    assert_eq!(push_entry(&mut bytes, &vec![0; MAX_ENTRY + 1]).unwrap_err().found, 65_536);
    let read = |bytes, width| read_entries(bytes, width).collect::<Result<Vec<&[u8]>, _>>();
    assert_eq!(read(&bytes, 2), Ok(vec![&b""[..], b"ab"]));
    for (bytes, width, wrong) in [
        (&bytes[..], 1, TileError::Rest { bytes: 4, width: 1 }),
        (&bytes[..], 3, TileError::Cut { entry: 2, width: 3 }),
        (&bytes[..5], 2, TileError::Cut { entry: 1, width: 2 }),
        (&bytes[..3], 2, TileError::Cut { entry: 1, width: 2 }),
        (b"", 1, TileError::Cut { entry: 0, width: 1 }),
        (b"\xff\xffshort", 1, TileError::Cut { entry: 0, width: 1 }),
    ] {
        assert_eq!(read(bytes, width), Err(wrong), "{bytes:?} as {width}");
    }
}

#[test]
fn the_longest_entries_fill_a_bundle() {
    let mut bytes = Vec::new();
    (0..256).for_each(|_| push_entry(&mut bytes, &vec![7; MAX_ENTRY]).unwrap());
    assert_eq!(
        read_entries(&bytes, 256).filter(|entry| entry.is_ok_and(|entry| entry.len() == MAX_ENTRY)).count(),
        256
    );
}

#[test]
fn tiles_have_as_many_bytes_as_hashes() {
    assert_eq!(read_hashes(&[1; 64], 2).unwrap().len(), 2);
    for found in [0, 31, 32, 63, 65, 96] {
        assert_eq!(
            read_hashes(&vec![0; found], 2),
            Err(TileError::Size { found, width: 2 }),
            "{found} bytes"
        );
    }
}
