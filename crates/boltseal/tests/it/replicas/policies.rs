//! Two servers that start at one moment, each with a signed policy file of its own: one policy counts, at both.

use std::{
    fs::{self, File},
    process::Child,
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::Value;

use super::Shared;
use crate::{
    binary::User,
    service::{PATIENCE, Service, UP},
};

const POLICY: &str = ".local/share/boltseal/policy.yaml";
/// Rounds: which of the two is first, the machine decides.
const ROUNDS: u64 = 3;

/// Writes a policy with this revision for `user`, signed by `signer`.
fn sign(signer: &User, user: &User, revision: u64) {
    let text = format!(
        "version: 1\nname: number-{revision}\nrevision: {revision}\nrules: [{{ name: gaps, effect: warn, coverage: {{}} }}]\n"
    );
    let file = user.write(POLICY, text);
    let (key, word) = (signer.home().join("ours.key"), signer.home().join("word"));
    let key = ["--key", key.to_str().unwrap(), "--password-file", word.to_str().unwrap()];
    signer.run(&[&["policy", "sign", &file][..], &key].concat()).ended(0);
}

struct Starting {
    child: Child,
    log: std::path::PathBuf,
}

impl Starting {
    fn new(shared: &Shared, user: &User, signer: &User) -> Self {
        let log = user.home().join("up.log");
        let (keys, ours) =
            (shared.keys.path().to_string_lossy().into_owned(), signer.home().join("ours.pub"));
        let more = ["--keys", &keys, "--policy-signed-by", ours.to_str().unwrap()];
        let mut command = user.command(&[&["serve"], &UP[1..], &more].concat());
        command.env("BOLTSEAL_DATABASE", &shared.database).env("BOLTSEAL_BLOBS", shared.bucket.address());
        command.envs(shared.bucket.environment());
        command.stdout(File::create(user.home().join("up.out")).unwrap()).stderr(File::create(&log).unwrap());
        Self { child: command.spawn().unwrap(), log }
    }

    fn said(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }

    /// Whether it serves; or else why it ended.
    fn settled(&mut self) -> Result<(), String> {
        let until = Instant::now() + 2 * PATIENCE;
        loop {
            if self.said().contains("ready everything=") {
                return Ok(());
            }
            if let Some(status) = self.child.try_wait().unwrap() {
                assert_eq!(status.code(), Some(2), "{}", self.said());
                return Err(self.said());
            }
            assert!(Instant::now() < until, "neither ready nor ended: {}", self.said());
            sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

#[test]
fn of_two_policy_files_one_counts() {
    let Some(shared) = Shared::new() else { return };
    let (signer, one, two) = (User::new(), User::new(), User::new());
    signer.write("word", "horse staple\n");
    signer.run(&["key", "generate", "ours", "--password-file", "word"]).ended(0);
    // The first start makes what all need, and tells the secret.
    sign(&signer, &one, 1);
    let mut first = Starting::new(&shared, &one, &signer);
    first.settled().unwrap();
    let printed = fs::read_to_string(one.home().join("up.out")).unwrap();
    let secret = printed.lines().find_map(|line| line.strip_prefix("secret:")).unwrap().trim().to_owned();
    drop(first);

    for round in 1..=ROUNDS {
        let (older, newer) = (2 * round, 2 * round + 1);
        sign(&signer, &one, older);
        sign(&signer, &two, newer);
        let mut all = [Starting::new(&shared, &one, &signer), Starting::new(&shared, &two, &signer)];
        let [ended, right] = all.each_mut().map(Starting::settled);
        right.unwrap();
        if let Err(said) = ended {
            // The newer one was first: this one is refused before it judges anything.
            println!("round {round}: the newer one was first");
            let words = format!("it is revision {older}, and revision {newer} is in force");
            assert!(said.contains(&words), "{said}");
        } else {
            // It was first, and has to give way.
            println!("round {round}: the older one was first");
            let words = format!("policy in use policy=\"number-{newer}\"");
            let until = Instant::now() + PATIENCE;
            while !all[0].said().contains(&words) {
                assert!(Instant::now() < until, "the older one stays: {}", all[0].said());
                sleep(Duration::from_millis(50));
            }
        }
        for server in all.iter().filter(|server| server.said().contains("ready everything=")) {
            assert_eq!(in_force(&shared, server, &secret), format!("number-{newer}"));
        }
    }

    // What another server put in force, and is not signed by whom this one believes, is told and not taken.
    sign(&signer, &two, 100);
    let mut newest = Starting::new(&shared, &two, &signer);
    newest.settled().unwrap();
    drop(newest);
    let stranger = User::new();
    stranger.write("word", "horse staple\n");
    stranger.run(&["key", "generate", "ours", "--password-file", "word"]).ended(0);
    sign(&stranger, &one, 200);
    let mut other = Starting::new(&shared, &one, &stranger);
    other.settled().unwrap();
    sign(&signer, &two, 300);
    let mut again = Starting::new(&shared, &two, &signer);
    again.settled().unwrap();
    let until = Instant::now() + PATIENCE;
    while !other.said().contains("another server has put the policy file `number-300`") {
        assert!(Instant::now() < until, "{}", other.said());
        sleep(Duration::from_millis(50));
    }
    assert_eq!(in_force(&shared, &other, &secret), "number-200");
}

/// The policy by which a server judges.
fn in_force(shared: &Shared, server: &Starting, secret: &str) -> String {
    let said = server.said();
    let ready = said.lines().find(|line| line.contains("ready everything=")).unwrap();
    let https = ready.split_whitespace().find_map(|word| word.strip_prefix("everything=https://")).unwrap();
    let policy: Value = Service::client(https, shared.authority(), secret).get("/api/v1/policy").unwrap();
    policy["name"].as_str().unwrap().to_owned()
}
