//! Signing without a key of one's own, and what a log and a clock say about signatures by keys.

mod asking;
mod building;
mod desk;
#[expect(dead_code, reason = "tests of the library use the rest")]
#[path = "../../../../trust/tests/it/instance.rs"]
mod instance;
mod issuer;
mod lying;
mod people;
mod policy;
mod services;

use std::process::Command;

use boltseal_testkit::Distribution;
use serde_json::json;

use self::{
    instance::{ISSUER, SUBJECT},
    services::{Rekor, Services, token, token_of},
};
use crate::{
    binary::User,
    fixtures::{alpine, layout},
    sign::{optional, signer, with_key},
};

/// Whom a verifier believes.
const CI: [&str; 6] =
    ["--trusted-root", "root.json", "--certificate-identity", SUBJECT, "--certificate-oidc-issuer", ISSUER];

struct World {
    user: User,
    services: Services,
    image: String,
    // Stopped when it is dropped.
    _registry: Distribution,
}

impl World {
    fn new(rekor: Rekor) -> Option<Self> {
        let registry = Distribution::start(false)?;
        let user = signer();
        let services = Services::start(rekor, user.home());
        user.write("root.json", services.root());
        user.write("token", token(SUBJECT));
        let image = format!("{}/shop/cart:7", registry.address());
        user.run(&["image", "copy", &layout(&user, "image", &alpine("1.36.1-r0")), &image]).ended(0);
        Some(Self { user, services, image, _registry: registry })
    }

    fn keyless(&self) -> Vec<String> {
        let at = &self.services.address;
        ["--keyless", "--fulcio", at, "--rekor", at].map(str::to_owned).to_vec()
    }

    fn clock(&self) -> [String; 2] {
        ["--tsa".to_owned(), format!("{}/tsa", self.services.address)]
    }

    fn digest(&self) -> String {
        let inspected = self.user.run(&["image", "inspect", &self.image, "--format", "json"]).ended(0).json();
        inspected["digest"].as_str().unwrap().to_owned()
    }
}

fn texts(all: &[String]) -> Vec<&str> {
    all.iter().map(String::as_str).collect()
}

/// Has cosign verify it, where that is at hand.
fn cosign(world: &World, more: &[&str]) {
    let Some(program) = optional("cosign") else { return };
    let named = format!("{}@{}", world.image.trim_end_matches(":7"), world.digest());
    let output = Command::new(program)
        .args(["verify", &named])
        .args(more)
        .args(CI)
        .current_dir(world.user.home())
        .env("HOME", world.user.home())
        .env("TUF_ROOT", world.user.home().join("tuf"))
        .output()
        .unwrap();
    assert!(output.status.success(), "cosign: {}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn by_an_identity_and_a_log_that_tells_the_time() {
    let Some(world) = World::new(Rekor::One) else { return };
    let World { user, image, services, .. } = &world;
    let sign = |more: &[&str]| user.run(&[&["sign", image], &texts(&world.keyless())[..], more].concat());
    sign(&["--identity-token", "token"]).ended(0).said(&[
        SUBJECT,
        ISSUER,
        "taken in by the log",
        "referrer sha256:",
    ]);
    let verified = user.run(&[&["verify", image, "--format", "json"], &CI[..]].concat()).ended(0).json();
    let row = &verified["evidence"][0];
    assert_eq!((&row["logged"], &row["counts"]), (&true.into(), &true.into()), "{verified:#}");
    assert_eq!(row["at"].as_array().map(Vec::len), Some(1), "{verified:#}");
    user.run(&[&["verify", image], &CI[..2], &["--certificate-identity", "somebody"], &CI[4..]].concat())
        .ended(1)
        .said(&["it is signed by `https://ci.example.com"]);

    // What its verifiers would refuse is not stored: here, because the root is of another instance, and then by its own.
    let elsewhere = User::new();
    user.write("other.json", Services::start(Rekor::One, elsewhere.home()).root());
    let referrers = || {
        let found = user.run(&["image", "discover", image, "--format", "json"]).ended(0).out;
        found.matches("sha256:").count()
    };
    let before = referrers();
    sign(&["--identity-token", "token", "--trusted-root", "other.json"])
        .ended(1)
        .complained(&["would be refused, so it is stored nowhere"]);
    assert_eq!(referrers(), before);
    sign(&["--identity-token", "token", "--trusted-root", "root.json"]).ended(0);
    assert!(referrers() > before);

    // The same with what a runner of CI gives, and with a token in the environment.
    let in_ci = |name: &str, value: &str, more: (&str, &str)| {
        let keyless = world.keyless();
        let args = [&["sign", image], &texts(&keyless)[..]].concat();
        let output = user.command(&args).env(name, value).env(more.0, more.1).output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let runner = format!("{}/runner", services.address);
    let ended = in_ci("ACTIONS_ID_TOKEN_REQUEST_URL", &runner, ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "secret"));
    assert_eq!(ended.0, Some(0), "{}", ended.1);
    let ended = in_ci("SIGSTORE_ID_TOKEN", &token(SUBJECT), ("NOTHING", ""));
    assert_eq!(ended.0, Some(0), "{}", ended.1);
    let ended = in_ci("SIGSTORE_ID_TOKEN", &token("somebody else"), ("NOTHING", ""));
    assert!(ended.0 == Some(1) && ended.1.contains("error processing the identity token"), "{ended:?}");
    cosign(&world, &[]);
}

#[test]
fn by_an_identity_and_a_log_without_a_time() {
    let Some(world) = World::new(Rekor::Two) else { return };
    let World { user, image, services, .. } = &world;
    if !services.has_clock() {
        return;
    }
    let sign = |more: &[&str]| {
        let always = ["--identity-token", "token"];
        user.run(&[&["sign", image], &texts(&world.keyless())[..], &always, more].concat())
    };
    sign(&[]).ended(3).complained(&["it tells no time, as logs of version 2: ask a clock as well (--tsa)"]);
    let clock = world.clock();
    sign(&texts(&clock)).ended(0).said(&[SUBJECT, "seen by the clock", "taken in by the log"]);
    user.run(&[&["verify", image], &CI[..]].concat()).ended(0).said(&["verified: 1 signature"]);
    user.write("how.json", r#"{"buildDefinition":{"buildType":"https://example.com/make"}}"#);
    let attest = [
        "attest",
        image,
        "--predicate",
        "how.json",
        "--type",
        "slsaprovenance1",
        "--identity-token",
        "token",
    ];
    user.run(&[&attest, &texts(&world.keyless())[..], &texts(&clock)].concat()).ended(0);
    user.run(&[&["verify", image, "--type", "slsaprovenance1"], &CI[..]].concat()).ended(0);
    cosign(&world, &["--use-signed-timestamps"]);
}

#[test]
fn what_is_refused_before_anybody_is_asked() {
    let user = signer();
    let digest = format!("sha256:{}", "5b".repeat(32));
    user.write("token", "no token");
    let sign = |rest: &[&str]| user.run(&[&["sign", &digest, "--bundle", "x.json"], rest].concat());
    sign(&[]).ended(2).complained(&["--key"]);
    sign(&["--keyless"]).ended(2).complained(&["--fulcio"]);
    let keyless = |fulcio: &str, rest: &[&str]| {
        sign(&[&["--keyless", "--fulcio", fulcio, "--rekor", "https://rekor.invalid"], rest].concat())
    };
    keyless("https://fulcio.invalid", &["--identity-token", "token"])
        .ended(2)
        .complained(&["the identity token cannot be used: it has not the three parts of a JWT"]);
    user.write("token", token_of(&json!({ "sub": SUBJECT, "aud": "sigstore", "exp": 1_700_000_000 })));
    keyless("https://fulcio.invalid", &["--identity-token", "token"])
        .ended(2)
        .complained(&["the identity token cannot be used: it ended at 2023-11-14T22:13:20Z"]);
    user.write("token", token(SUBJECT));
    keyless("http://fulcio.invalid", &["--identity-token", "token"])
        .ended(2)
        .complained(&["is no address for a secret: it would go there without encryption"]);
    keyless("https://fulcio.invalid", &[]).ended(2).complained(&["there is no identity token"]);
    keyless("https://fulcio.invalid", &["--form", "jws", "--identity-token", "token"])
        .ended(2)
        .complained(&["Notary Project knows neither signing without a key nor a log"]);
}

#[test]
fn a_key_with_a_clock_that_runs_out() {
    let Some(world) = World::new(Rekor::One) else { return };
    let World { user, image, services, .. } = &world;
    if !services.has_clock() {
        return;
    }
    let clock = world.clock();
    user.run(&[&with_key(&["sign", image])[..], &texts(&clock)].concat())
        .ended(0)
        .said(&["seen by the clock"]);
    let verify = |more: &[&str]| user.run(&[&["verify", image], more].concat());
    verify(&["--key", "releases.pub"]).ended(0).said(&["not proven"]);
    let proven = verify(&["--key", "releases.pub", "--clocks", "clock/clocks.crt"]).ended(0);
    assert!(!proven.out.contains("not proven"), "{}", proven.out);
    user.run(&["key", "generate", "theirs", "--password-file", "word"]).ended(0);

    let policy = |limits: &str| {
        user.write(
            "policy.yaml",
            format!(
                "version: 1\nname: prod\nauthorities:\n  - name: releases\n    key: releases.pub\n    clocks: clock/clocks.crt\n\
                 {limits}rules:\n  - {{ name: signed, effect: deny, signatures: {{ by: [releases] }} }}\n"
            ),
        );
    };
    let target = format!("docker://{image}");
    let gate = || user.run(&["gate", &target, "--plain-http", "--policy", "policy.yaml"]);
    for (limits, good, words) in [
        ("", true, ""),
        ("    not_before: 2024-01-01\n    not_after: 2200-01-01\n", true, ""),
        ("    revoked_at: 2200-01-01\n", true, ""),
        ("    revoked_at: 2024-01-01\n", false, "and the authority was revoked at 2024-01-01T00:00:00Z"),
        ("    not_after: 2024-01-01\n", false, "and the authority counts until 2024-01-01T23:59:59Z only"),
        (
            "    not_before: 2200-01-01T12:00:00Z\n",
            false,
            "and the authority counts from 2200-01-01T12:00:00Z only",
        ),
    ] {
        policy(limits);
        // The same words by hand and at the gate.
        let (found, gated) = (verify(&["--policy", "policy.yaml"]), gate());
        found.ended(i32::from(!good)).said(&[words]);
        gated.ended(i32::from(!good)).said(&[words]);
    }
    // By a key alone nothing has a time.
    user.run(&with_key(&["sign", image, "--bundle", "bare.json"])).ended(0);
    policy("    revoked_at: 2200-01-01\n");
    let digest = world.digest();
    user.run(&["verify", &digest, "--bundle", "bare.json", "--policy", "policy.yaml"]).ended(1).said(&[
        "was revoked at 2200-01-01T00:00:00Z, and neither a log nor a clock says when it was signed",
    ]);
    user.write(
        "policy.yaml",
        "version: 1\nname: prod\nauthorities:\n  - { name: a, key: releases.pub, revoked_at: 2024-01-01 }\n",
    );
    verify(&["--policy", "policy.yaml"]).ended(2).complained(&["write `trusted_root` or `clocks`"]);
}

#[test]
fn a_key_with_a_log() {
    let Some(world) = World::new(Rekor::One) else { return };
    let World { user, image, services, .. } = &world;
    let signed = user
        .run(&with_key(&["sign", image, "--rekor", &services.address, "--format", "json"]))
        .ended(0)
        .json();
    assert_eq!(signed["log"], services.address.as_str(), "{signed}");
    user.run(&["verify", image, "--key", "releases.pub", "--trusted-root", "root.json"])
        .ended(0)
        .said(&["verified: 1 signature", "yes"]);
}
