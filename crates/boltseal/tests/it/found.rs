//! What else is found in images: the same credential in several, what they are built on, releases without support.

use std::{fs, path::Path};

use boltseal_testkit::image::{Image, Layer};
use serde_json::{Value, json};

use crate::{
    binary::{Ran, User},
    fixtures::{NOW, alpine_image, current_feeds, layout},
    login::as_admin,
    service::{PATIENCE, Service},
};

/// Allows everything.
const LENIENT: &str = "version: 1\nname: lenient\nrules: []\n";
/// Nobody's token, of the kind whose checksum fits.
const SECRET: &str = "Kx7qLw3nTk92vbQ4";

/// Asks until the answer is right: judging takes its time.
#[track_caller]
fn until(user: &User, args: &[&str], right: impl Fn(&Value) -> bool) -> Value {
    let end = std::time::Instant::now() + PATIENCE;
    loop {
        let ran: Ran = user.run(args).ended(0);
        let found = ran.json();
        if right(&found) {
            return found;
        }
        assert!(std::time::Instant::now() < end, "{args:?} still answers {found:#}");
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
}

/// Every file below a folder that has `text` in it.
fn holding(folder: &Path, text: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            holding(&path, text, found);
        } else if fs::read(&path)
            .is_ok_and(|bytes| bytes.windows(text.len()).any(|part| part == text.as_bytes()))
        {
            found.push(path.display().to_string());
        }
    }
}

fn push(user: &User, service: &Service, source: &str, name: &str) {
    user.run(&["image", "copy", source, &format!("{}/{name}", service.https)]).ended(0);
}

#[test]
fn the_same_credential_is_known_in_every_image() {
    let user = User::new();
    user.write(".local/share/boltseal/policy.yaml", LENIENT);
    let service = Service::start(&user, &[]);
    as_admin(&user, &service);
    let one = Image::new()
        .layer(Layer::new().file("app/.env", format!("A=1\nDB_PASSWORD={SECRET}\n")))
        .layer(Layer::new().whiteout("app/.env").file("app/other", "token = hR8wq2Zk61mXp0Tc"));
    let two = Image::new()
        .layer(Layer::new().file("etc/motd", "hello"))
        .config("Env", json!([format!("DATABASE=postgres://app:{SECRET}@db/app")]));
    push(&user, &service, &layout(&user, "one", &one.build()), "team/one:v1");
    push(&user, &service, &layout(&user, "two", &two.build()), "team/two:v1");

    let list = ["credentials", "--confidence", "low", "--format", "json"];
    let all = until(&user, &list, |all| {
        all.as_array().is_some_and(|all| all.len() == 2 && all.iter().any(|one| one["images"] == 2))
    });
    let shared = all.as_array().unwrap().iter().find(|one| one["images"] == 2).unwrap();
    assert_eq!(shared["repositories"], json!(["team/one", "team/two"]));
    let fingerprint = shared["fingerprint"].as_str().unwrap().to_owned();
    user.run(&["credentials", &fingerprint]).ended(0).said(&[
        "team/one:v1",
        "app/.env:2, deleted by a later layer but still in the image",
        "team/two:v1",
        "variable DATABASE",
    ]);
    user.run(&["credentials", "--gone", "--format", "json"]).ended(0).said(&["[]"]);
    user.run(&["credentials", &"0".repeat(32)]).ended(2);

    // The report of the server has the same fingerprint; a scan without a server has none.
    let digest =
        user.run(&["image", "inspect", &format!("{}/team/one:v1", service.https), "--format", "json"]);
    let digest = digest.ended(0).json()["digest"].as_str().unwrap().to_owned();
    let scan = user.run(&["scan", "oci:one", "--format", "json"]).json();
    assert!(scan["leaks"].as_array().unwrap().iter().all(|leak| leak.get("fingerprint").is_none()), "{scan}");

    // A policy that pardons it by its fingerprint, judged again without looking at the image again.
    let strict = format!(
        "version: 1\nname: strict\nrules:\n  - name: secrets\n    effect: deny\n    secrets: {{ confidence: low }}\n  \
         - name: complete\n    effect: warn\n    coverage: {{}}\n\
         exceptions:\n  - name: known\n    findings: [{fingerprint}]\n    owner: ada\n    reason: revoked\n    expires: 2099-01-01\n"
    );
    user.write(".local/share/boltseal/policy.yaml", strict);
    let secret = service.printed("secret").unwrap();
    let api = service.api(user.data().join("tls/ca.pem"), &secret);
    let verdict = |digest: &str| -> String {
        let found: Value = api.get(&format!("/api/v1/images/{digest}/verdict")).unwrap();
        format!(
            "{} {}",
            found["verdict"]["policy"].as_str().unwrap_or("-"),
            found["decision"].as_str().unwrap()
        )
    };
    let two_digest =
        user.run(&["image", "inspect", &format!("{}/team/two:v1", service.https), "--format", "json"]);
    let two_digest = two_digest.ended(0).json()["digest"].as_str().unwrap().to_owned();
    let judged = |one: &str, two: &str| {
        let end = std::time::Instant::now() + PATIENCE;
        while verdict(&digest) != one || verdict(&two_digest) != two {
            assert!(std::time::Instant::now() < end, "{} {}", verdict(&digest), verdict(&two_digest));
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    };
    judged("strict deny", "strict warn");
    user.write(".local/share/boltseal/policy.yaml", LENIENT);
    judged("lenient allow", "lenient allow");

    // The images go; the credential was there, and that stays.
    user.run(&["image", "rm", &format!("{}/team/one@{digest}", service.https)]).ended(0);
    user.run(&["image", "rm", &format!("{}/team/two@{two_digest}", service.https)]).ended(0);
    let gone = until(&user, &["credentials", "--confidence", "low", "--gone", "--format", "json"], |gone| {
        gone.as_array().is_some_and(|gone| gone.len() == 2)
    });
    assert!(gone.as_array().unwrap().iter().all(|one| one["images"] == 0));
    service.stop();

    nothing_is_kept_of_it(&user);
}

/// The value is in the bytes of the pushed layer and nowhere else: neither in the facts nor in the log nor in what is
/// remembered of layers.
fn nothing_is_kept_of_it(user: &User) {
    let mut found = Vec::new();
    for place in ["facts.db", "facts.db-wal", "audit", "keys", "cache"] {
        let path = user.data().join(place);
        if path.is_dir() {
            holding(&path, SECRET, &mut found);
        } else if fs::read(&path)
            .is_ok_and(|bytes| bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()))
        {
            found.push(place.to_owned());
        }
    }
    assert_eq!(found, Vec::<String>::new());
}

/// The key outlives a restart: what is pushed afterwards is recognised as the same.
#[test]
fn credentials_are_recognised_after_a_restart() {
    let user = User::new();
    user.write(".local/share/boltseal/policy.yaml", LENIENT);
    let mut service = Service::start(&user, &[]);
    let secret = as_admin(&user, &service);
    for name in ["one", "two"] {
        let image = Image::new().layer(Layer::new().file(name, format!("password={SECRET}\n")));
        push(&user, &service, &layout(&user, name, &image.build()), &format!("team/{name}:v1"));
        let list = ["credentials", "--format", "json"];
        let number = if name == "one" { 1 } else { 2 };
        let all = until(&user, &list, |all| all[0]["images"] == number);
        assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
        if name == "one" {
            service.stop();
            service = Service::start(&user, &[]);
            crate::login::log_in(&user, &service, "admin", &secret).ended(0);
        }
    }
    service.stop();
}

#[test]
fn the_base_is_known_by_its_layers() {
    let user = User::new();
    user.write(".local/share/boltseal/policy.yaml", LENIENT);
    let service = Service::start(&user, &[]);
    current_feeds(&user);
    as_admin(&user, &service);
    let app = alpine_image("1.36.1-r0").layer(Layer::new().executable("app/run", "program"));
    let app = layout(&user, "app", &app.build());
    push(&user, &service, &layout(&user, "base", &alpine_image("1.36.1-r0").build()), "base/alpine:3.23");
    push(&user, &service, &app, "team/app:v1");
    push(&user, &service, &layout(&user, "newer", &alpine_image("1.36.1-r2").build()), "base/alpine:3.23");

    // Of an image that is stored there: with what the newer base would change, once it is judged.
    let target = format!("{}/team/app:v1", service.https);
    let stored = ["image", "base", &target, "--at", NOW, "--format", "json"];
    let found = until(&user, &stored, |found| {
        found["rebase"]["removes"].as_array().is_some_and(|removed| removed.len() == 2)
    });
    assert_eq!((&found["theirs"]["layers"], &found["yours"]["layers"]), (&json!(1), &json!(1)));
    assert_eq!(found["base"]["reference"], "base/alpine:3.23");
    assert_eq!(
        (&found["bases"]["base"]["known_by"], &found["bases"]["base"]["layers"]),
        (&json!("layers"), &json!(1))
    );
    assert_eq!(found["rebase"]["removes"].as_array().unwrap().len(), 2, "{found:#}");
    assert_eq!(found["bases"]["base"]["newer"]["name"], "base/alpine:3.23");
    user.run(&["image", "base", &target, "--at", NOW]).ended(0).said(&["newer base", "removes 2 findings"]);

    // Of one that was built just now and is stored nowhere.
    let local = alpine_image("1.36.1-r0").layer(Layer::new().file("app/next", "next"));
    let local = layout(&user, "local", &local.build());
    let found = user.run(&["image", "base", &local, "--at", NOW, "--format", "json"]).ended(0).json();
    assert_eq!(
        (&found["base"]["reference"], &found["theirs"]["layers"]),
        (&json!("base/alpine:3.23"), &json!(1))
    );

    // One whose label says something that its layers deny.
    let lying = Image::new().layer(Layer::new().file("a", "a")).layer(Layer::new().file("b", "b")).config(
        "Labels",
        json!({ "org.opencontainers.image.base.name": format!("{}/base/alpine:3.23", service.registry),
            "org.opencontainers.image.base.digest": found["bases"]["base"]["digest"] }),
    );
    push(&user, &service, &layout(&user, "lying", &lying.build()), "team/lying:v1");
    let lying = format!("{}/team/lying:v1", service.https);
    let api = service.api(user.data().join("tls/ca.pem"), &service.printed("secret").unwrap());
    let digest =
        user.run(&["image", "inspect", &lying, "--format", "json"]).ended(0).json()["digest"].clone();
    let told: Value = api.get(&format!("/api/v1/images/{}/base", digest.as_str().unwrap())).unwrap();
    assert_eq!((&told["claim"]["layers"], told.get("base")), (&json!("differ"), None), "{told:#}");
    service.stop();
}

#[test]
fn a_release_without_support_is_a_result() {
    let user = User::new();
    let old = Image::new().layer(
        Layer::new()
            .file("etc/os-release", "ID=alpine\nVERSION_ID=3.20.3\nPRETTY_NAME=\"Alpine Linux v3.20\"\n")
            .file("lib/apk/db/installed", "P:busybox\nV:1.36.1-r29\nA:x86_64\n\n"),
    );
    let old = layout(&user, "old", &old.build());
    let scan = |at: &str, format: &str| user.run(&["scan", &old, "--at", at, "--format", format]);
    let (supported, ended) = ("2026-04-01T23:59:59Z", "2026-04-02T00:00:00Z");
    assert!(!scan(supported, "table").out.contains("end of life"));
    scan(ended, "table")
        .said(&["end of life: Alpine Linux v3.20 has had no security support since 2026-04-01"]);
    let report = scan(ended, "json").json();
    assert_eq!(report["distro"]["end_of_life"], "2026-04-01");
    let kinds: Vec<&Value> =
        report["coverage"]["gaps"].as_array().unwrap().iter().map(|gap| &gap["kind"]).collect();
    assert!(kinds.contains(&&json!("end-of-life")), "{report:#}");
    let results = |at: &str| -> Vec<String> {
        let sarif = scan(at, "sarif").json();
        let results = sarif["runs"][0]["results"].as_array().unwrap().clone();
        results.iter().map(|one| one["ruleId"].as_str().unwrap().to_owned()).collect()
    };
    assert!(!results(supported).contains(&"end-of-life".to_owned()));
    assert!(results(ended).contains(&"end-of-life".to_owned()));

    let policy = user.write(
        "policy.yaml",
        "version: 1\nname: supported\nrules:\n  - name: supported\n    effect: deny\n    \
         end_of_life: { grace_days: 30, notice_days: 14 }\n",
    );
    for (at, code, text) in [
        ("2026-03-01T00:00:00Z", 0, "ALLOW"),
        ("2026-03-20T00:00:00Z", 0, "ends on 2026-04-01"),
        ("2026-04-20T00:00:00Z", 0, "days of grace"),
        ("2026-05-02T00:00:00Z", 1, "ended on 2026-04-01"),
    ] {
        user.run(&["gate", &old, "--policy", &policy, "--at", at]).ended(code).said(&[text]);
    }
}
