//! Changed bytes, dropped entries, missing files and rewritten logs: all are found, and the first bad entry is named.

use boltseal_audit::log::{
    Broken, Kind, Log, Memory, Reader, Signer, Storage as _, Tile, Verifier, push_entry, read_entries,
    verify, write_hashes,
};

use super::{ORIGIN, check, entry, files, log};

/// The files that a checkpoint over `size` entries depends on.
fn needed(size: u64) -> Vec<String> {
    let kinds = [Kind::Entries, Kind::Hashes(0), Kind::Hashes(1), Kind::Hashes(2)];
    let tiles = kinds.into_iter().flat_map(|kind| (0..).map_while(move |index| Tile::at(kind, index, size)));
    let mut paths: Vec<String> = tiles.map(|tile| tile.to_string()).collect();
    paths.push("checkpoint".to_owned());
    paths
}

/// Flips one bit of a file and gives what is found; the file is put back.
fn flipped(disk: &Memory, verifier: &Verifier, path: &str, byte: usize) -> Broken {
    let good = disk.read(path).unwrap().unwrap();
    let mut bad = good.clone();
    bad[byte] ^= 1 << (byte % 8);
    disk.write(path, &bad).unwrap();
    let result = verify(&Reader::new(disk, verifier.clone()), None, &mut |_| ());
    disk.write(path, &good).unwrap();
    result.expect_err(&format!("byte {byte} of {path} flipped, and nothing found"))
}

/// Which entry of the log byte `byte` of a bundle belongs to.
fn entry_of(bundle: &[u8], first: u64, byte: usize) -> u64 {
    let mut end = 0;
    for (index, entry) in (first..).zip(read_entries(bundle, 256).map_while(Result::ok)) {
        end += 2 + entry.len();
        if byte < end {
            return index;
        }
    }
    panic!("byte {byte} is in no entry")
}

/// That the right entry and file are named.
fn check_named(disk: &Memory, path: &str, byte: usize, broken: &Broken) {
    let Ok(tile) = path.parse::<Tile>() else {
        assert!(matches!(broken, Broken::Unreadable(_)), "{path}: {broken}");
        return;
    };
    let bytes = disk.read(path).unwrap().unwrap();
    let first = tile.first_entry().unwrap();
    let wanted = match tile.kind {
        Kind::Entries => entry_of(&bytes, first, byte),
        Kind::Hashes(level) => first + (u64::try_from(byte / 32).unwrap() << (8 * u32::from(level))),
    };
    assert_eq!(broken.index(), Some(wanted), "byte {byte} of {path}: {broken}");
    assert!(broken.to_string().contains(path), "byte {byte} of {path}: {broken}");
}

#[test]
fn any_flipped_byte_of_a_small_log_is_found_and_named() {
    let log = log(&[10, 270]);
    let (disk, verifier) = (files(&log), log.signer().verifier().clone());
    assert_eq!(check(&log.reader()), Ok(280));
    let paths = needed(280);
    assert_eq!(paths.len(), 6, "{paths:?}");
    for path in paths {
        for byte in 0..disk.read(&path).unwrap().unwrap().len() {
            check_named(&disk, &path, byte, &flipped(&disk, &verifier, &path, byte));
        }
    }
}

#[test]
fn flipped_bytes_in_a_log_of_three_levels_are_found_and_named() {
    let log = log(&[70_000]);
    let (disk, verifier) = (files(&log), log.signer().verifier().clone());
    assert_eq!(check(&log.reader()), Ok(70_000));
    let paths = needed(70_000);
    assert_eq!(paths.len(), 274 + 274 + 2 + 1 + 1, "the example of the specification");
    let (middle, levels) = paths.split_at(2 * 274);
    let sample = middle.iter().step_by(61).chain([&middle[273], &middle[547]]).chain(levels);
    for (round, path) in sample.enumerate() {
        let length = disk.read(path).unwrap().unwrap().len();
        let byte = (round * 7919 + 13) % length;
        check_named(&disk, path, byte, &flipped(&disk, &verifier, path, byte));
    }
}

#[test]
fn missing_short_and_long_files_are_found_and_named() {
    let log = log(&[600]);
    let (disk, verifier) = (files(&log), log.signer().verifier().clone());
    for path in needed(600) {
        let good = disk.read(&path).unwrap().unwrap();
        let reader = Reader::new(&disk, verifier.clone());
        let mut found = Vec::new();
        disk.remove(&path).unwrap();
        found.push(("missing", check(&reader)));
        for (what, bytes) in [
            ("empty", Vec::new()),
            ("cut", good[..good.len() - 1].to_vec()),
            ("longer", [&good[..], b"\0"].concat()),
            ("twice", good.repeat(2)),
        ] {
            disk.write(&path, &bytes).unwrap();
            found.push((what, check(&reader)));
        }
        disk.write(&path, &good).unwrap();
        for (what, result) in found {
            let error = result.expect_err(&format!("{path} is {what}"));
            assert!(error.contains(&path), "{path} is {what}: {error}");
            let is_named = error.starts_with("Some") == path.starts_with("tile");
            assert!(is_named, "{path} is {what}: {error}");
        }
    }
}

/// A bundle of these entries.
fn bundle(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in entries {
        push_entry(&mut bytes, entry).unwrap();
    }
    bytes
}

#[test]
fn dropped_swapped_and_inserted_entries_are_found_and_named() {
    let log = log(&[600]);
    let (disk, verifier) = (files(&log), log.signer().verifier().clone());
    let good: Vec<Vec<u8>> = (256..512).map(entry).collect();
    let edit = |change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut entries = good.clone();
        change(&mut entries);
        entries
    };
    for (what, entries, first_bad) in [
        ("the first dropped", edit(&|all| drop(all.remove(0))), 256),
        ("one dropped", edit(&|all| drop(all.remove(100))), 356),
        ("the last dropped", edit(&|all| drop(all.pop())), 511),
        ("two swapped", edit(&|all| all.swap(7, 8)), 263),
        ("one inserted", edit(&|all| all.insert(50, b"new".to_vec())), 306),
        (
            "one inserted and one dropped",
            edit(&|all| {
                all.insert(50, b"new".to_vec());
                all.truncate(256);
            }),
            306,
        ),
        ("one behind the last", edit(&|all| all.push(b"new".to_vec())), 512),
    ] {
        disk.write("tile/entries/001", &bundle(&entries)).unwrap();
        let error = verify(&Reader::new(&disk, verifier.clone()), None, &mut |_| ()).expect_err(what);
        assert_eq!(error.index(), Some(first_bad), "{what}: {error}");
        // Its hashes rewritten too: now the tile above speaks against it.
        let leaves: Vec<_> = entries.iter().map(|entry| boltseal_audit::log::Hash::leaf(entry)).collect();
        let tile = disk.read("tile/0/001").unwrap().unwrap();
        disk.write("tile/0/001", &write_hashes(&leaves)).unwrap();
        let error = verify(&Reader::new(&disk, verifier.clone()), None, &mut |_| ()).expect_err(what);
        if entries.len() == 256 {
            assert_eq!(
                (error.index(), error.to_string().contains("tile/1/000.p/2")),
                (Some(256), true),
                "{error}"
            );
        }
        disk.write("tile/0/001", &tile).unwrap();
    }
}

#[test]
fn a_rewritten_log_has_another_root_than_the_signed_one() {
    let log = log(&[600]);
    let kept = log.signer().to_pkcs8().unwrap();
    let disk = Memory::default();
    let mut forged = Log::open(&disk, Signer::from_pkcs8(ORIGIN, &kept).unwrap()).unwrap();
    let mut entries: Vec<Vec<u8>> = (0..600).map(entry).collect();
    entries[300] = b"nothing happened".to_vec();
    forged.append(&entries).unwrap();
    drop(forged);
    disk.write("checkpoint", log.checkpoint().to_string().as_bytes()).unwrap();
    let error = verify(&Reader::new(&disk, log.signer().verifier().clone()), None, &mut |_| ()).unwrap_err();
    assert!(matches!(error, Broken::Root { size: 600, .. }), "{error}");
    let opened = Log::open(&disk, Signer::from_pkcs8(ORIGIN, &kept).unwrap());
    assert!(opened.is_err(), "refused at the start too");
}

#[test]
fn the_right_edge_is_checked_at_the_start() {
    let log = log(&[300]);
    let kept = log.signer().to_pkcs8().unwrap();
    let disk = files(&log);
    for path in ["checkpoint", "tile/entries/001.p/44", "tile/0/001.p/44", "tile/1/000.p/1"] {
        let good = disk.read(path).unwrap().unwrap();
        for byte in 0..good.len() {
            let mut bad = good.clone();
            bad[byte] ^= 1;
            disk.write(path, &bad).unwrap();
            let opened = Log::open(&disk, Signer::from_pkcs8(ORIGIN, &kept).unwrap());
            assert!(opened.is_err(), "byte {byte} of {path}");
        }
        disk.write(path, &good).unwrap();
    }
    Log::open(&disk, Signer::from_pkcs8(ORIGIN, &kept).unwrap()).unwrap();
}

#[test]
fn since_a_checkpoint_only_what_came_later_is_read() {
    for (old, new) in
        [(0, 700), (1, 2), (255, 256), (256, 700), (256, 256), (300, 300), (300, 700), (512, 513)]
    {
        let mut log = log(&[old]);
        let since = log.checkpoint().checkpoint().clone();
        let more: Vec<Vec<u8>> = (old..new).map(entry).collect();
        log.append(&more).unwrap();
        let disk = files(&log);
        // What lies in full bundles before is not looked at.
        for index in 0..old / 256 {
            disk.remove(&Tile { kind: Kind::Entries, index, width: 256 }.to_string()).unwrap();
        }
        let reader = Reader::new(&disk, log.signer().verifier().clone());
        let mut told = 0;
        let verified = verify(&reader, Some(&since), &mut |entries| told = entries).unwrap();
        assert_eq!(verified.first, old / 256 * 256, "{old} to {new}");
        assert_eq!(told, new - verified.first, "{old} to {new}");
        // A tree that does not begin with the older one.
        let mut wrong = since.clone();
        wrong.root = boltseal_audit::log::Hash::leaf(b"another");
        let error = verify(&reader, Some(&wrong), &mut |_| ()).unwrap_err();
        assert!(matches!(error, Broken::Root { size, .. } if size == old), "{old} to {new}: {error}");
    }
}

#[test]
fn since_a_later_checkpoint_or_one_of_another_log_is_refused() {
    let (short, long) = (log(&[5]), log(&[9]));
    let error = verify(&short.reader(), Some(long.checkpoint().checkpoint()), &mut |_| ()).unwrap_err();
    assert!(matches!(error, Broken::Shrunk { had: 9, has: 5 }), "{error}");
    let mut other = short.checkpoint().checkpoint().clone();
    other.origin = "other/log".to_owned();
    let error = verify(&short.reader(), Some(&other), &mut |_| ()).unwrap_err();
    assert!(matches!(error, Broken::Origin { .. }), "{error}");
}
