//! A process that is killed in the middle of uploads. The test runs itself again as that process.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use boltseal_model::{Algorithm, Digest, Timestamp};
use boltseal_store::Error;

use super::{
    servers::ADDRESS,
    world::{PART, World, bytes},
};

/// Names the folder of the facts; set only for the process that is to be killed.
const VICTIM: &str = "BOLTSEAL_STORE_OBJECTS_VICTIM";
/// Lives of the writing process.
const KILLS: u64 = 5;

/// Uploads until it is killed, and says what it has.
#[test]
fn upload_until_killed() {
    let (Some(folder), Ok(address)) = (std::env::var_os(VICTIM), std::env::var(ADDRESS)) else { return };
    let world = World::open(Path::new(&folder), Some(&address));
    let (saved, open) = (world.blobs.start_upload("a").unwrap(), world.blobs.start_upload("a").unwrap());
    world.patch(&saved, &bytes(PART + 1000, 1));
    let mut writer = world.writer(&bytes(2 * PART, 2), Algorithm::Sha256);
    let mut upload = world.resume(&open);
    println!("uploading {saved} {open}");
    for seed in 3.. {
        let more = bytes(PART / 2, seed);
        writer.write(&more).unwrap();
        upload.write(&more).unwrap();
    }
}

/// Whatever was on its way is gone in the end; what was acknowledged goes on.
pub fn check(address: &str) {
    let folder = tempfile::tempdir().unwrap();
    for life in 0..KILLS {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["objects::killed::upload_until_killed", "--exact", "--nocapture"])
            .env(VICTIM, folder.path())
            .env(ADDRESS, address)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let said = lines.map_while(Result::ok).find(|line| line.contains("uploading ")).unwrap();
        std::thread::sleep(Duration::from_micros(life * 77_777 % 300_000));
        victim.kill().unwrap();
        victim.wait().unwrap();

        let ids = said.split_once("uploading ").unwrap().1;
        let (saved, open) = ids.split_once(' ').unwrap();
        let world = World::open(folder.path(), Some(address));
        assert!(matches!(world.blobs.resume(open, "a"), Err(Error::Busy(_))), "its claim lasts a minute");
        assert!(world.leftovers() >= 2);
        let mut upload = world.resume(saved);
        upload.write(b"the end").unwrap();
        let whole = [bytes(PART + 1000, 1), b"the end".to_vec()].concat();
        let stored = upload.finish(&Digest::of(&whole)).unwrap();
        world.add(Some(saved), stored);
        assert_eq!(world.blobs.content(&Digest::of(&whole), 1 << 30).unwrap(), whole);

        world.runtime.block_on(world.facts.remove_upload(open)).unwrap();
        world.blobs.sweep_uploads(Duration::ZERO).unwrap();
        assert_eq!(world.leftovers(), 0);
        // So that the store is as it was.
        world.runtime.block_on(world.facts.remove_blob("a", &Digest::of(&whole))).unwrap();
        let later = Timestamp::from_second(4_000_000_000).unwrap();
        let condemned = world.runtime.block_on(world.facts.condemn(later, 10)).unwrap();
        for contents in &condemned {
            world.blobs.remove(contents).unwrap();
        }
        world.runtime.block_on(world.facts.bury(condemned)).unwrap();
    }
}
