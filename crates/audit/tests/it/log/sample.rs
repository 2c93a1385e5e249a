//! A log that is not ours: every checkpoint, entry, proof and tile of a sample log of Tessera.

use boltseal_audit::log::{Folder, Hash, Memory, Reader, SignedCheckpoint, Storage as _, Tile, tree, verify};

/// As in the README beside the sample.
const KEY: &str = "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";

/// The sample log in memory. Its tiles lie at `tile/0/000.p/1` to `15` and `tile/entries/000.p/1` to `15`, and an older
/// `checkpoint.N` stands for the tree of N entries.
fn sample() -> Option<(Memory, Vec<SignedCheckpoint>)> {
    let root = boltseal_testkit::shared("data/secrets/tlog/tessera-log")?;
    let (disk, folder) = (Memory::default(), Folder::open(&root).unwrap());
    let mut checkpoints = Vec::new();
    for number in 0..=15_u64 {
        let bytes = folder.read(&format!("checkpoint.{number}")).unwrap().unwrap();
        let checkpoint = SignedCheckpoint::open(&bytes, &KEY.parse().unwrap()).unwrap();
        assert_eq!(checkpoint.checkpoint().size, number);
        assert_eq!(checkpoint.to_string().as_bytes(), bytes, "printed as it was read");
        checkpoints.push(checkpoint);
        for path in [format!("tile/0/000.p/{number}"), format!("tile/entries/000.p/{number}")] {
            if path.parse::<Tile>().is_ok() {
                disk.write(&path, &folder.read(&path).unwrap().unwrap()).unwrap();
            }
        }
    }
    disk.write("checkpoint", &folder.read("checkpoint").unwrap().unwrap()).unwrap();
    Some((disk, checkpoints))
}

#[test]
fn every_checkpoint_of_the_sample_log_verifies() {
    let Some((disk, checkpoints)) = sample() else { return };
    for checkpoint in checkpoints {
        disk.write("checkpoint", checkpoint.to_string().as_bytes()).unwrap();
        let verified = verify(&Reader::new(&disk, KEY.parse().unwrap()), None, &mut |_| ()).unwrap();
        assert_eq!(verified.checkpoint, checkpoint);
    }
}

#[test]
fn every_entry_and_every_pair_of_checkpoints_of_the_sample_log_is_proven() {
    let Some((disk, checkpoints)) = sample() else { return };
    let reader = Reader::new(&disk, KEY.parse().unwrap());
    for new in &checkpoints {
        let new = new.checkpoint();
        for index in 0..new.size {
            let leaf = Hash::leaf(&reader.entry(index, new.size).unwrap());
            let path = reader.inclusion(index, new.size).unwrap();
            tree::verify_inclusion(index, new.size, &leaf, &path, &new.root).unwrap();
        }
        for old in checkpoints
            .iter()
            .map(SignedCheckpoint::checkpoint)
            .filter(|old| (1..=new.size).contains(&old.size))
        {
            let proof = reader.consistency(old.size, new.size).unwrap();
            tree::verify_consistency(old.size, new.size, &old.root, &new.root, &proof).unwrap();
        }
    }
}
