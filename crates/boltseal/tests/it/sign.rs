//! `boltseal sign`, `attest` and `key`, against a registry that is not ours, and read by cosign where that is at hand.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use boltseal_testkit::Distribution;

use crate::{
    binary::User,
    fixtures::{alpine, layout, user_with_feeds},
};

const PASSWORD: &str = "correct horse";

/// A user with the key `releases.key` and its password in `word`.
pub fn signer() -> User {
    let user = user_with_feeds();
    user.write("word", format!("{PASSWORD}\n"));
    user.run(&["key", "generate", "releases", "--password-file", "word"]).ended(0).said(&["releases.pub"]);
    user
}

pub fn with_key<'a>(rest: &[&'a str]) -> Vec<&'a str> {
    [rest, &["--key", "releases.key", "--password-file", "word"]].concat()
}

/// The program, where somebody installed it. It is not asked of anybody, so nothing fails for want of it.
pub fn optional(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    if found.is_none() {
        println!("skipped: no {name}");
    }
    found
}

#[test]
fn an_image_is_signed_and_described() {
    let Some(registry) = Distribution::start(false) else { return };
    let user = signer();
    let image = format!("{}/shop/cart:7", registry.address());
    user.run(&["image", "copy", &layout(&user, "image", &alpine("1.36.1-r0")), &image]).ended(0);
    user.run(&with_key(&["sign", &image])).ended(0).said(&[
        "signed",
        "signature by the key",
        "referrer sha256:",
    ]);
    user.run(&["verify", &image, "--key", "releases.pub"]).ended(0).said(&["verified: 1 signature"]);

    user.write("how.json", r#"{"buildDefinition":{"buildType":"https://example.com/make"}}"#);
    let attest = ["attest", &image, "--predicate", "how.json", "--type", "slsaprovenance1"];
    user.run(&with_key(&attest)).ended(0).said(&["slsaprovenance1 by the key"]);
    user.run(&["verify", &image, "--key", "releases.pub", "--type", "slsaprovenance1"])
        .ended(0)
        .said(&["verified: 1 statement"]);
    let said = user.run(&with_key(&["sign", &image, "--format", "json"])).ended(0).json();
    assert_eq!(said["predicate_type"], "https://sigstore.dev/cosign/sign/v1", "{said}");
    let verified = user.run(&["verify", &image, "--key", "releases.pub", "--format", "json"]).ended(0).json();
    assert_eq!(verified["digest"], said["digest"], "{verified}");
    // With another key, nothing of it counts.
    user.run(&["key", "generate", "theirs", "--password-file", "word"]).ended(0);
    user.run(&["verify", &image, "--key", "theirs.pub"]).ended(1).said(&["3 count for nothing"]);
}

#[test]
fn a_signature_in_a_file() {
    let user = signer();
    let digest = format!("sha256:{}", "5b".repeat(32));
    let at = format!("registry.invalid/shop/cart@{digest}");
    for (name, image) in [("bare.json", digest.as_str()), ("named.json", at.as_str())] {
        user.run(&with_key(&["sign", image, "--bundle", name])).ended(0).said(&["file", name]);
        for image in [&digest, &at] {
            user.run(&["verify", image, "--key", "releases.pub", "--bundle", name])
                .ended(0)
                .said(&["verified: 1 signature", name]);
        }
        let other = format!("sha256:{}", "6c".repeat(32));
        user.run(&["verify", &other, "--key", "releases.pub", "--bundle", name])
            .ended(1)
            .said(&["it was signed for sha256:5b5b"]);
    }
}

#[test]
fn keys_and_their_passwords() {
    let user = signer();
    let mode = |name: &str| {
        use std::os::unix::fs::PermissionsExt as _;
        fs::metadata(user.home().join(name)).unwrap().permissions().mode() & 0o777
    };
    assert_eq!(mode("releases.key"), 0o600);
    let public = user.run(&with_key(&["key", "public"])).ended(0).out;
    assert_eq!(public, fs::read_to_string(user.home().join("releases.pub")).unwrap());
    user.run(&["key", "generate", "releases", "--password-file", "word"])
        .ended(2)
        .complained(&["releases.key is there already", "never overwritten"]);
    user.write("wrong", "battery staple");
    let digest = format!("sha256:{}", "5b".repeat(32));
    let sign = |rest: &[&str]| user.run(&[&["sign", &digest, "--bundle", "x.json"], rest].concat());
    sign(&["--key", "releases.key", "--password-file", "wrong"])
        .ended(2)
        .complained(&["releases.key: the password of the private key is wrong"]);
    sign(&["--key", "releases.pub"]).ended(2).complained(&["a block `PUBLIC KEY` is not a private key"]);
    sign(&["--key", "missing.key"]).ended(2).complained(&["cannot read missing.key"]);
    // Nobody is there to be asked, also where a person runs these tests on a terminal.
    let output = Command::new("setsid")
        .args(["-w", env!("CARGO_BIN_EXE_boltseal"), "sign", &digest, "--bundle", "x.json"])
        .args(["--key", "releases.key"])
        .current_dir(user.home())
        .env("HOME", user.home())
        .env_remove("COSIGN_PASSWORD")
        .output()
        .unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && told.contains("or set COSIGN_PASSWORD"), "{told}");
    let output = user
        .command(&["sign", &digest, "--bundle", "x.json", "--key", "releases.key"])
        .env("COSIGN_PASSWORD", PASSWORD)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    user.run(&with_key(&["sign", &digest])).ended(2).complained(&["says no registry"]);
    user.write("list.json", "[]");
    user.write("statement.json", r#"{"_type":"x","predicateType":"y","predicate":{}}"#);
    let attest = |file: &str, kind: &str| {
        user.run(&with_key(&["attest", &digest, "--predicate", file, "--type", kind, "--bundle", "y.json"]))
    };
    attest("list.json", "custom").ended(2).complained(&["no object of JSON"]);
    attest("statement.json", "custom").ended(2).complained(&["a whole statement"]);
    attest("list.json", "nonsense").ended(2).complained(&["`nonsense` is no type of statement"]);
    attest("word", "custom").ended(2).complained(&["word: expected value"]);
}

/// Runs cosign with what it needs and nothing of the machine's.
fn cosign(program: &Path, user: &User, args: &[&str]) -> (bool, String) {
    let output = Command::new(program)
        .args(args)
        .current_dir(user.home())
        .env("HOME", user.home())
        .env("COSIGN_PASSWORD", PASSWORD)
        .env("TUF_ROOT", user.home().join("tuf"))
        .output()
        .unwrap();
    let told =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.success(), told)
}

#[test]
fn cosign_reads_what_we_sign_and_we_what_it_signs() {
    let Some(program) = optional("cosign") else { return };
    let Some(registry) = Distribution::start(false) else { return };
    let user = signer();
    let image = format!("{}/shop/cart:7", registry.address());
    user.run(&["image", "copy", &layout(&user, "image", &alpine("1.36.1-r0")), &image]).ended(0);
    let digest =
        user.run(&["image", "inspect", &image, "--format", "json"]).ended(0).json()["digest"].clone();
    let named = format!("{}/shop/cart@{}", registry.address(), digest.as_str().unwrap());
    let ran = |args: &[&str], good: bool| {
        let (passed, told) = cosign(&program, &user, args);
        assert_eq!(passed, good, "cosign {args:?}: {told}");
        told
    };
    // Ours, read by it.
    user.run(&with_key(&["sign", &image])).ended(0);
    ran(&["verify", "--key", "releases.pub", "--insecure-ignore-tlog", &named], true);
    user.write("how.json", r#"{"buildDefinition":{"buildType":"https://example.com/make"}}"#);
    user.run(&with_key(&["attest", &image, "--predicate", "how.json", "--type", "slsaprovenance1"])).ended(0);
    let asked = ["verify-attestation", "--type", "slsaprovenance1", "--insecure-ignore-tlog", "--key"];
    ran(&[&asked[..], &["releases.pub", &named]].concat(), true);
    user.run(&["key", "generate", "theirs", "--password-file", "word"]).ended(0);
    ran(&["verify", "--key", "theirs.pub", "--insecure-ignore-tlog", &named], false);
    // Its own, read by us, with a key that we made, and one that it made.
    ran(&["generate-key-pair", "--output-key-prefix", "its"], true);
    user.run(&["key", "public", "--key", "its.key", "--password-file", "word"]).ended(0);
    for key in ["its", "theirs"] {
        let file = format!("{key}.key");
        let sign =
            ["sign", "--key", &file, "--use-signing-config=false", "--tlog-upload=false", "--yes", &named];
        ran(&sign, true);
        user.run(&["verify", &image, "--key", &format!("{key}.pub")])
            .ended(0)
            .said(&["verified: 1 signature"]);
    }
}

#[test]
fn a_build_is_recorded() {
    let Some(registry) = Distribution::start(false) else { return };
    let user = signer();
    let base = format!("{}/base:1", registry.address());
    let image = format!("{}/shop/cart:7", registry.address());
    user.run(&["image", "copy", &layout(&user, "base", &alpine("1.36.1-r0")), &base]).ended(0);
    let target = layout(&user, "image", &alpine("1.36.1-r2"));
    let push = format!("echo building; exec {} image copy {target} {image}", env!("CARGO_BIN_EXE_boltseal"));
    let source = "https://git.example.com/shop/cart@refs/heads/main";
    let record = [
        &["build-record", "--image", &image, "--base", &base, "--material", "word", "--source", source],
        &["--builder", "https://ci.example.com/runner"][..],
    ]
    .concat();
    let run = |rest: &[&str]| {
        let output = user
            .command(&[&with_key(&record)[..], rest].concat())
            .env("CI_TOKEN", "hunter2")
            .env("COSIGN_PASSWORD", "hunter3")
            .output()
            .unwrap();
        let told = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        (output.status.code(), told(&output.stdout), told(&output.stderr))
    };
    let (code, out, told) = run(&["--", "sh", "-c", &push]);
    assert_eq!(code, Some(0), "{told}");
    assert!(out.contains("slsaprovenance1 by the key") && !out.contains("building"), "{out}");
    assert!(told.contains("building"), "{told}");
    let verify = |rest: &[&str]| {
        let asked = ["verify", &image, "--key", "releases.pub", "--type", "slsaprovenance"];
        user.run(&[&asked[..], rest].concat())
    };
    let right = ["--builder", "https://ci.example.com/runner", "--source", "git.example.com/shop/cart"];
    verify(&right).ended(0).said(&["built by https://ci.example.com/runner", "of 2 materials"]);
    verify(&["--source", "https://git.example.com/shop/car"]).ended(1).said(&["it was built from `https"]);
    verify(&["--builder", "https://ci.example.com"]).ended(1).said(&["it was built by `https"]);
    verify(&["--build-type", "urn:boltseal:build-record:1"]).ended(0);
    let said = verify(&["--format", "json"]).ended(0).json()["evidence"][0]["said"].clone();
    assert_eq!(said["says"], "provenance", "{said}");

    // What cannot be told is not in it, and what failed is not recorded.
    let (code, _, told) = run(&[
        "--bundle",
        "x.json",
        "--digest-file",
        "digest",
        "--",
        "sh",
        "-c",
        "echo sha256:5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b5b > digest",
    ]);
    assert_eq!(code, Some(0), "{told}");
    let bundle: serde_json::Value =
        serde_json::from_slice(&fs::read(user.home().join("x.json")).unwrap()).unwrap();
    let payload = bundle["dsseEnvelope"]["payload"].as_str().unwrap();
    let payload = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, payload).unwrap();
    let statement: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    let text = statement.to_string();
    assert!(
        !text.contains("hunter") && text.contains("CI_TOKEN") && text.contains("COSIGN_PASSWORD"),
        "{text}"
    );
    assert_eq!(statement["subject"][0]["digest"]["sha256"], "5b".repeat(32));
    let environment = &statement["predicate"]["buildDefinition"]["internalParameters"]["environment"];
    assert_eq!(environment["sha256"].as_str().unwrap().len(), 64, "{environment}");
    let (code, _, told) = run(&["--digest-file", "digest", "--", "true"]);
    assert_eq!((code, told.contains("digest is there already")), (Some(2), true), "{told}");
    // What was there before is not what this made.
    let (code, _, told) = run(&["--", "true"]);
    assert_eq!((code, told.contains("the same image was there before")), (Some(3), true), "{told}");
    let (code, _, told) = run(&["--", "false"]);
    assert_eq!((code, told.contains("nothing was recorded")), (Some(3), true), "{told}");
    let (code, _, told) = run(&["--", "no-such-program"]);
    assert_eq!((code, told.contains("cannot run `no-such-program`")), (Some(2), true), "{told}");
}
