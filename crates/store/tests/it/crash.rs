//! A process that is killed while it writes. The test runs itself again as that process.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use boltseal_model::Digest;
use boltseal_store::{Blobs, Facts};

use crate::facts::manifest;

/// Names the folder to write into; set only for the process that is to be killed.
const VICTIM: &str = "BOLTSEAL_STORE_VICTIM";
/// Lives of the writing process.
const KILLS: u64 = 20;

fn layer(number: u64) -> Vec<u8> {
    number.to_le_bytes().repeat(5000)
}

/// Pushes numbered images until it is killed, and says each number when it is acknowledged.
#[tokio::test]
async fn write_until_killed() {
    let Some(folder) = std::env::var_os(VICTIM) else { return };
    let folder = Path::new(&folder);
    let (facts, blobs) = (Facts::open(folder).await.unwrap(), Blobs::open(folder).unwrap());
    let first = facts.repositories("", u64::from(u32::MAX)).await.unwrap().len() as u64;
    for number in first.. {
        let repository = format!("r{number:08}");
        let digest = blobs.put(&layer(number)).unwrap();
        facts.add_blob(&repository, &digest, 40_000).await.unwrap();
        let name = blobs.put(repository.as_bytes()).unwrap();
        let missing = facts.put_manifest(manifest(&repository, "v1", &name, &[&digest])).await.unwrap();
        assert!(missing.is_empty());
        println!("acknowledged {number}");
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = Vec::new();
    for life in 0..KILLS {
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["crash::write_until_killed", "--exact", "--nocapture"])
            .env(VICTIM, folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines = BufReader::new(victim.stdout.take().unwrap()).lines();
        let mut said = lines
            .map_while(Result::ok)
            .filter_map(|line| line.strip_prefix("acknowledged ")?.parse::<u64>().ok());
        // A few pushes, then death at a moment that differs from life to life.
        acknowledged.extend(said.by_ref().take(3));
        std::thread::sleep(std::time::Duration::from_micros(life * 977 % 9000));
        victim.kill().unwrap();
        acknowledged.extend(said);
        victim.wait().unwrap();
    }
    assert!(acknowledged.len() as u64 >= 3 * KILLS);
    let (facts, blobs) = (Facts::open(folder.path()).await.unwrap(), Blobs::open(folder.path()).unwrap());
    for number in acknowledged {
        let repository = format!("r{number:08}");
        let name =
            facts.tag(&repository, "v1").await.unwrap().unwrap_or_else(|| panic!("{repository} is lost"));
        assert_eq!(blobs.content(&name, 100).unwrap(), repository.as_bytes());
        let digest = Digest::of(&layer(number));
        assert_eq!(facts.blob(&repository, &digest).await.unwrap(), Some(40_000));
        assert_eq!(blobs.content(&digest, 40_000).unwrap(), layer(number));
    }
    for file in std::fs::read_dir(folder.path().join("blobs/sha256")).unwrap() {
        let file = file.unwrap();
        let bytes = std::fs::read(file.path()).unwrap();
        assert_eq!(Digest::of(&bytes).hex(), file.file_name().to_str().unwrap(), "half a blob is visible");
    }
}
