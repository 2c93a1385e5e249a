//! What one server changes, the other does not go on answering from memory.

use std::{
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_testkit::image::Built;
use boltseal_wire::client::Method;

use crate::{
    binary::User,
    crash::{Server, image},
};

/// Longer than a change may take to be seen. docs/guide/replicas.md says milliseconds; this is for a busy machine.
const SEEN: Duration = Duration::from_secs(5);
/// How often the first server is asked before the change: then it answers from memory, if it ever does.
const ASKED: usize = 5;
const ROUNDS: usize = 5;
const REPOSITORY: &str = "shared/app";

/// Everything that the first server may remember, changed at the second; `user` is logged in there.
pub fn changes_are_seen_at_once(first: &Server, second: &Server, user: &User) {
    let (one, other) = (image(1_000_000), image(1_000_001));
    // Whoever may decide about images may pull them whatever was decided, so this is not whoever pulls.
    let scanner = robot(user, "scanner");
    given(user, "AcrQuarantineWriter", "scanner", "/registries/main");
    let pair = Pair { first, second, user, scanner, one, other };
    push_blobs(first, &pair.other);
    put(first, &pair.other, "other");
    let mut slowest = Duration::ZERO;
    for round in 0..ROUNDS {
        for change in [
            Pair::tag_removed,
            Pair::manifest_removed,
            Pair::blob_removed,
            Pair::tag_moved,
            Pair::tag_locked,
            Pair::decided,
            Pair::role_taken_away,
        ] {
            push_blobs(first, &pair.one);
            put(first, &pair.one, "v1");
            let (what, took) = change(&pair, round);
            println!("round {round}: {what} was seen after {took:?}");
            slowest = slowest.max(took);
        }
    }
    println!("the slowest change was seen after {slowest:?}");
}

/// Two servers, and what is in the repository of both.
struct Pair<'s> {
    first: &'s Server,
    second: &'s Server,
    /// Logged in at the second.
    user: &'s User,
    /// The header of somebody who decides about images.
    scanner: String,
    one: Built,
    other: Built,
}

type Found = (&'static str, Duration);

impl Pair<'_> {
    fn remove(&self, path: &str) {
        assert_eq!(self.second.send(Method::Delete, path, "text/plain", b""), Some(202));
    }

    fn patch(&self, authorization: Option<&str>, path: &str, body: &serde_json::Value) {
        let (path, body) = (format!("/acr/v1/{REPOSITORY}/{path}"), body.to_string());
        let (kind, body) = ("application/json", body.as_bytes());
        let status = match authorization {
            Some(authorization) => self.second.send_as(authorization, Method::Patch, &path, kind, body),
            None => self.second.send(Method::Patch, &path, kind, body),
        };
        assert_eq!(status, Some(200), "{path}");
    }

    fn tag_removed(&self, _: usize) -> Found {
        let path = manifest("v1");
        remembered(|| self.first.status(&path), &200);
        self.remove(&path);
        let took = seen("a removed tag", || self.first.status(&path), &404);
        assert_eq!(
            self.first.status(&manifest(&self.one.manifest.to_string())),
            Some(200),
            "its manifest stays"
        );
        ("a removed tag", took)
    }

    fn manifest_removed(&self, _: usize) -> Found {
        let (by_tag, by_digest) = (manifest("v1"), manifest(&self.one.manifest.to_string()));
        for path in [&by_tag, &by_digest] {
            remembered(|| self.first.status(path), &200);
        }
        self.remove(&by_digest);
        let took = seen("the tag of a removed manifest", || self.first.status(&by_tag), &404);
        ("a removed manifest", took.max(seen("a removed manifest", || self.first.status(&by_digest), &404)))
    }

    fn blob_removed(&self, _: usize) -> Found {
        // The second layer: the other image has the first one, too.
        let layer = self.one.layers().pop().unwrap();
        let path = format!("/v2/{REPOSITORY}/blobs/{layer}");
        remembered(|| self.first.status(&path), &200);
        self.remove(&path);
        ("a removed blob", seen("a removed blob", || self.first.status(&path), &404))
    }

    fn tag_moved(&self, _: usize) -> Found {
        let path = manifest("v1");
        let stands_for = || self.first.get(&path)?.header("docker-content-digest").map(str::to_owned);
        remembered(stands_for, &self.one.manifest.to_string());
        put(self.second, &self.other, "v1");
        ("a moved tag", seen("a moved tag", stands_for, &self.other.manifest.to_string()))
    }

    fn tag_locked(&self, _: usize) -> Found {
        let path = manifest("v1");
        remembered(|| self.first.status(&path), &200);
        self.patch(None, "_tags/v1", &serde_json::json!({ "readEnabled": false }));
        let took = seen("a lock", || self.first.status(&path), &405);
        self.patch(None, "_tags/v1", &serde_json::json!({ "readEnabled": true }));
        ("a lock", took.max(seen("the end of a lock", || self.first.status(&path), &200)))
    }

    /// Somebody holds an image back whose verdict lets it pass.
    fn decided(&self, _: usize) -> Found {
        let path = manifest("v1");
        remembered(|| self.first.status(&path), &200);
        let decide = |state: &str| {
            let body = serde_json::json!({ "quarantineState": state, "quarantineDetails": "by hand" });
            self.patch(Some(&self.scanner), &format!("_manifests/{}", self.one.manifest), &body);
        };
        decide("Failed");
        let took = seen("a decision", || self.first.status(&path), &403);
        decide("Passed");
        ("a decision", took.max(seen("another decision", || self.first.status(&path), &200)))
    }

    fn role_taken_away(&self, round: usize) -> Found {
        let (path, name) = (manifest("v1"), format!("robot-{round}"));
        let authorization = robot(self.user, &name);
        let scope = format!("/registries/main/repositories/{REPOSITORY}");
        let assignment = given(self.user, "AcrPull", &name, &scope);
        let pull = || self.first.get_as(&authorization, &path).map(|answer| answer.status());
        seen("a role that was given", pull, &200);
        remembered(pull, &200);
        self.user.run(&["role", "unassign", &assignment]).ended(0);
        // It may not even see that there is something.
        let refused = || pull().map(|status| matches!(status, 401 | 403 | 404));
        ("a role that was taken away", seen("a role that was taken away", refused, &true))
    }
}

/// Makes a service principal; gives its header.
fn robot(user: &User, name: &str) -> String {
    let made = user.run(&["sp", "create", name, "--format", "json"]).ended(0).json();
    let credentials = format!("{name}:{}", made["secret"].as_str().unwrap());
    format!("Basic {}", STANDARD.encode(credentials))
}

/// Gives it a role; gives the id of the assignment.
fn given(user: &User, role: &str, name: &str, scope: &str) -> String {
    let assign = ["role", "assign", role, "--to", name, "--scope", scope, "--format", "json"];
    user.run(&assign).ended(0).json()["id"].as_str().unwrap().to_owned()
}

/// Asks so often that the answer is in memory, and gets `expected` each time.
#[track_caller]
fn remembered<T: PartialEq + std::fmt::Debug>(ask: impl Fn() -> Option<T>, expected: &T) {
    let until = Instant::now() + SEEN;
    // What the other server has just changed before this.
    while ask().as_ref() != Some(expected) && Instant::now() < until {
        thread::sleep(Duration::from_millis(5));
    }
    for _ in 0..ASKED {
        assert_eq!(ask().as_ref(), Some(expected), "before the change");
    }
}

/// Asks until the answer is `expected`; gives how long that took.
#[track_caller]
fn seen<T: PartialEq + std::fmt::Debug>(what: &str, ask: impl Fn() -> Option<T>, expected: &T) -> Duration {
    let begun = Instant::now();
    loop {
        let answer = ask();
        if answer.as_ref() == Some(expected) {
            return begun.elapsed();
        }
        assert!(
            begun.elapsed() < SEEN,
            "{what} at the second is not seen by the first, which answers {answer:?}"
        );
    }
}

fn manifest(reference: &str) -> String {
    format!("/v2/{REPOSITORY}/manifests/{reference}")
}

fn push_blobs(server: &Server, image: &Built) {
    for (digest, bytes) in image.blobs.iter().filter(|(digest, _)| **digest != image.manifest) {
        let path = format!("/v2/{REPOSITORY}/blobs/uploads/?digest={digest}");
        assert_eq!(server.send(Method::Post, &path, "application/octet-stream", bytes), Some(201));
    }
}

fn put(server: &Server, image: &Built, tag: &str) {
    let sent = server.send(Method::Put, &manifest(tag), image.media_type, image.manifest_bytes());
    assert_eq!(sent, Some(201));
    judged(server, tag);
}

fn judged(server: &Server, tag: &str) {
    let until = Instant::now() + 4 * SEEN;
    while server.status(&manifest(tag)) == Some(403) {
        assert!(Instant::now() < until, "{tag} is not judged");
        thread::sleep(Duration::from_millis(20));
    }
}
