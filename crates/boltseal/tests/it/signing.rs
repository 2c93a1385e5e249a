//! Only what is signed: asked for in one line, decided with the same words at the push gate and in CI.

use boltseal_image::{
    Credentials,
    remote::{Access, Remote},
};
use boltseal_testkit::image::{Built, Image, Layer};

use crate::{
    binary::{Ran, User},
    fixtures::{alpine, current_feeds, layout},
    login::as_admin,
    service::{PATIENCE, Service},
    verify::{BUNDLE, Key, PROVENANCE, SIGNED, attach_older},
};

const POLICY: &str =
    "version: 1\nname: prod\nrules:\n  - { name: signed, effect: deny, signatures: { keys: [ours.pub] } }\n";
const UNSIGNED: &str = "deny: it is not signed (policy prod, rule signed)";

/// A server with a policy that asks for a signature, and an image in it.
struct World {
    user: User,
    service: Service,
    secret: String,
    ours: Key,
    image: String,
    digest: String,
}

impl World {
    fn new(policy: &str) -> Self {
        let built = Image::new().layer(Layer::new().file("etc/motd", "hello\n")).build();
        Self::with(policy, &built, false)
    }

    fn with(policy: &str, built: &Built, feeds: bool) -> Self {
        let (user, ours) = (User::new(), Key::new());
        if feeds {
            current_feeds(&user);
        }
        user.write(".local/share/boltseal/policy.yaml", policy);
        user.write(".local/share/boltseal/ours.pub", ours.pem());
        let service = Service::start(&user, &[]);
        let secret = as_admin(&user, &service);
        let image = format!("{}/shop/cart:7", service.https);
        user.run(&["image", "copy", &layout(&user, "image", built), &image]).ended(0);
        Self { user, service, secret, ours, image, digest: built.manifest.to_string() }
    }

    fn attach(&self, name: &str, bundle: &str) -> String {
        self.user.write(name, bundle);
        let file = format!("{name}:{BUNDLE}");
        let args = ["image", "attach", &self.image, &file, "--artifact-type", BUNDLE, "--format", "json"];
        let attached = self.user.run(&args).ended(0).json();
        attached["digest"].as_str().unwrap().to_owned()
    }

    fn pull(&self) -> Ran {
        self.user.run(&["image", "copy", &self.image, "oci:pulled"])
    }

    /// Pulls until the answer has these words: a policy is looked at twice a second.
    #[track_caller]
    fn pull_until(&self, words: &str) {
        let end = std::time::Instant::now() + PATIENCE;
        loop {
            let ran = self.pull();
            if ran.code != 0 && ran.err.contains(words) {
                return;
            }
            assert!(std::time::Instant::now() < end, "still {}: {}", ran.code, ran.err);
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
}

#[test]
fn an_unsigned_image_is_refused_with_the_same_words_everywhere() {
    let world = World::new(POLICY);
    let World { user, ours, digest, .. } = &world;
    world.pull().ended(1).complained(&[UNSIGNED, "cosign sign --key KEY"]);
    let policy = user.data().join("policy.yaml");
    let gate = |more: &[&str]| {
        user.run(&[&["gate", "oci:image", "--policy", policy.to_str().unwrap()], more].concat())
    };
    gate(&[]).ended(1).said(&["it is not signed", "a signature by ours.pub", "cosign sign --key KEY"]);
    let scan = user.run(&["scan", "oci:image", "--policy", policy.to_str().unwrap()]);
    scan.ended(1).said(&["it is not signed"]);

    // By somebody else, of something else, and something else that is said: none of them is a signature by the key.
    let theirs = Key::new();
    world.attach("theirs.json", &theirs.bundle(digest, SIGNED));
    world.pull().ended(1).complained(&["1 signature is not by whom the rule names", "not by ours.pub"]);
    world.attach("replayed.json", &ours.bundle(&format!("sha256:{}", "ab".repeat(32)), SIGNED));
    world.pull().ended(1).complained(&["1 signature is not right: it was signed for sha256:abab"]);
    world.attach("provenance.json", &ours.bundle(digest, PROVENANCE));
    world.pull().ended(1).complained(&["signature is not right"]);

    // No sleep: what was attached before the pull counts in it.
    let signature = world.attach("ours.json", &ours.bundle(digest, SIGNED));
    world.pull().ended(0);
    gate(&["--signature", "ours.json"]).ended(0).said(&["ALLOW"]);
    gate(&["--signature", "theirs.json"]).ended(1).said(&["not by whom the rule names"]);
    let report = user.run(&["image", "copy", &world.image, "oci:with:7", "--referrers"]).code;
    assert_eq!(report, 0);
    let kept = user.run(&["gate", "oci:with:7", "--policy", policy.to_str().unwrap()]);
    kept.ended(0).said(&["ALLOW"]);

    let repository = world.image.trim_end_matches(":7");
    user.run(&["image", "rm", &format!("{repository}@{signature}")]).ended(0);
    world.pull().ended(1).complained(&["signature is not right"]);
    world.service.stop();
}

#[test]
fn another_key_in_the_policy_is_another_policy() {
    let world = World::new(POLICY);
    let World { user, ours, digest, .. } = &world;
    world.attach("ours.json", &ours.bundle(digest, SIGNED));
    world.pull().ended(0);
    // The file of the policy stays as it is; the one beside it does not.
    user.write(".local/share/boltseal/ours.pub", Key::new().pem());
    world.pull_until("1 signature is not by whom the rule names");
    // What cannot be read leaves the policy that is in force.
    user.write(".local/share/boltseal/ours.pub", "no key");
    user.write(".local/share/boltseal/policy.yaml", POLICY.replace("prod", "other"));
    let mut service = world.service;
    service.wait_for("the new policy cannot be used");
    service.stop();
}

#[test]
fn the_older_form_and_a_tag_that_goes() {
    let world = World::new(POLICY);
    let World { user, ours, digest, image, .. } = &world;
    let payload = serde_json::json!({
        "critical": {
            "identity": { "docker-reference": "" },
            "image": { "docker-manifest-digest": digest },
            "type": "cosign container image signature",
        },
        "optional": null,
    });
    let payload = payload.to_string();
    let mut access = Access::default();
    (access.plain_http, access.credentials) = (true, Some(Credentials::new("admin", world.secret.clone())));
    let remote = Remote::connect(&world.service.registry, &access).unwrap();
    let repository = remote.repository("shop/cart").unwrap();
    let tag = attach_older(&repository, &digest.parse().unwrap(), &payload, ours);
    world.pull().ended(0);
    user.run(&["image", "rm", &format!("{}:{tag}", image.trim_end_matches(":7"))]).ended(0);
    world.pull().ended(1).complained(&[UNSIGNED]);
    world.service.stop();
}

/// Refuses what can be fixed; whom it believes in this.
const CAREFUL: &str = "version: 1\nname: careful\nvex: { keys: [ours.pub], pushed_by: [Nobody's role] }\nrules:\n  \
    - { name: fixable, effect: deny, vulnerabilities: { fixable: true } }\n  - { name: gaps, effect: warn, coverage: {} }\n";

fn openvex() -> String {
    let claim = |id: &str| {
        serde_json::json!({
            "vulnerability": { "name": id }, "status": "not_affected",
            "justification": "vulnerable_code_not_in_execute_path", "impact_statement": "no shell is ever started",
            "products": [{ "@id": "pkg:apk/alpine/busybox" }],
        })
    };
    let document = serde_json::json!({
        "@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.com/vex-1", "version": 1,
        "author": "Example Inc.", "timestamp": "2026-01-02T03:04:05Z",
        "statements": [claim("CVE-2023-42363"), claim("CVE-2023-42366")],
    });
    document.to_string()
}

#[test]
fn vex_documents_count_when_the_policy_accepts_their_author() {
    const OPENVEX: &str = "application/openvex+json";
    let world = World::with(CAREFUL, &alpine("1.36.1-r0"), true);
    let World { user, ours, digest, image, service, secret } = &world;
    let ca = user.data().join("tls/ca.pem");
    let report = || -> serde_json::Value {
        service.api(ca.clone(), secret).get(&format!("/api/v1/images/{digest}/report")).unwrap()
    };
    world.pull().ended(1).complained(&["deny: ", "busybox"]);
    user.write("vex.json", openvex());
    let file = format!("vex.json:{OPENVEX}");
    user.run(&["image", "attach", image, &file, "--artifact-type", OPENVEX]).ended(0);
    world.pull().ended(1).complained(&["deny: "]);
    let told = report()["vex"][0]["refused"].as_str().unwrap().to_owned();
    assert_eq!(told, "pushed by admin, without the role Nobody's role");

    let predicate: serde_json::Value = serde_json::from_str(&openvex()).unwrap();
    let theirs = Key::new().statement(digest, "https://openvex.dev/ns/v0.2.0", &predicate);
    world.attach("theirs.json", &theirs);
    world.pull().ended(1).complained(&["deny: "]);
    let signed = ours.statement(digest, "https://openvex.dev/ns/v0.2.0", &predicate);
    let attached = world.attach("signed.json", &signed);
    world.pull().ended(0);
    let report = report();
    let ignored = report["omitted"]["ignored"].as_array().unwrap();
    assert_eq!(ignored.len(), 2, "{report:#}");
    assert_eq!(ignored[0]["statement"]["author"], "Example Inc.");
    let accepted: Vec<&str> =
        report["vex"].as_array().unwrap().iter().filter_map(|one| one["accepted"].as_str()).collect();
    assert_eq!(accepted, ["signed by ours.pub"]);
    let policy = user.data().join("policy.yaml");
    let there = format!("docker://{}/shop/cart:7", service.registry);
    let gate = ["gate", &there, "--plain-http", "--username", "admin", "--policy", policy.to_str().unwrap()];
    user.feed(&gate, secret).ended(0).said(&["2 set aside: VEX says"]);

    let repository = image.trim_end_matches(":7");
    user.run(&["image", "rm", &format!("{repository}@{attached}")]).ended(0);
    world.pull().ended(1).complained(&["deny: "]);
    world.service.stop();
}

#[test]
fn who_pushed_a_document_counts_where_the_policy_says_so() {
    let policy = CAREFUL.replace("pushed_by: [Nobody's role]", "pushed_by: [owner]");
    let world = World::with(&policy, &alpine("1.36.1-r0"), true);
    world.pull().ended(1);
    world.user.write("vex.json", openvex());
    let args = [
        "image",
        "attach",
        &world.image,
        "vex.json:application/openvex+json",
        "--artifact-type",
        "application/openvex+json",
    ];
    world.user.run(&args).ended(0);
    world.pull().ended(0);
    world.service.stop();
}

#[test]
fn an_image_is_built_on_what_is_sanctioned() {
    let policy = "version: 1\nname: bases\nrules:\n  - { name: base, effect: deny, base_images: { allow: [\"*/bases\"] } }\n";
    let below = || Image::new().layer(Layer::new().file("etc/os-release", "ID=test\n"));
    let above = below().layer(Layer::new().file("app", "1")).build();
    let world = World::with(policy, &above, false);
    world
        .pull()
        .ended(1)
        .complained(&["unknown: its layers begin with those of no image that is stored here"]);
    let base = layout(&world.user, "base", &below().build());
    // Where it is kept decides, and not what it is.
    let elsewhere = format!("{}/other/one:1", world.service.https);
    world.user.run(&["image", "copy", &base, &elsewhere]).ended(0);
    world.pull_until("deny: it is built on ");
    let sanctioned = format!("{}/bases/one:1", world.service.https);
    world.user.run(&["image", "copy", &base, &sanctioned]).ended(0);
    let end = std::time::Instant::now() + PATIENCE;
    while world.pull().code != 0 {
        assert!(std::time::Instant::now() < end, "{}", world.pull().err);
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    world.service.stop();
}

#[test]
fn the_signature_of_an_index_counts_for_the_images_in_it() {
    let one = |platform: &str| {
        Image::new().layer(Layer::new().file("etc/motd", platform)).platform(platform).build()
    };
    let all = boltseal_testkit::image::index(&[one("linux/amd64"), one("linux/arm64")]);
    let world = World::with(POLICY, &all, false);
    world.pull().ended(1).complained(&[UNSIGNED]);
    let signature = world.attach("ours.json", &world.ours.bundle(&world.digest, SIGNED));
    world.pull().ended(0);
    let policy = world.user.data().join("policy.yaml");
    let there = format!("docker://{}/shop/cart:7", world.service.registry);
    let gate = [
        "gate",
        &there,
        "--plain-http",
        "--username",
        "admin",
        "--platform",
        "linux/arm64",
        "--policy",
        policy.to_str().unwrap(),
    ];
    world.user.feed(&gate, &world.secret).ended(0);
    let repository = world.image.trim_end_matches(":7");
    world.user.run(&["image", "rm", &format!("{repository}@{signature}")]).ended(0);
    world.pull().ended(1).complained(&[UNSIGNED]);
    world.service.stop();
}

#[test]
fn where_an_image_comes_from_and_the_proof_of_it() {
    let world = World::new(POLICY);
    let World { user, ours, digest, image, .. } = &world;
    world.pull().ended(1);
    world.attach("ours.json", &ours.bundle(digest, SIGNED));
    world.attach("provenance.json", &ours.bundle(digest, PROVENANCE));
    world.pull().ended(0);
    let key = user.run(&["audit", "key"]).ended(0).out.trim().to_owned();
    let sealed = || user.run(&["explain", image, "--format", "json"]).ended(0).json();
    let known =
        |chain: &serde_json::Value, link: &str| {
            chain["links"].as_array().unwrap().iter().any(|one| {
                one["step"] == link && one["records"].as_array().is_some_and(|all| !all.is_empty())
            })
        };
    let end = std::time::Instant::now() + PATIENCE;
    // A record is sealed a moment after it was written.
    while !(known(&sealed(), "pushed") && known(&sealed(), "judged")) {
        assert!(std::time::Instant::now() < end, "{:#}", sealed());
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let ran = user.run(&["explain", image, "--proof", "proof.json"]).ended(0);
    ran.said(&[
        "by admin at ",
        "by ours.pub (key ",
        "by the policy prod",
        "running  missing: no node tells this server what it runs",
    ]);
    user.run(&["explain", digest]).ended(0).said(&["signed   by ours.pub"]);
    let check = |file: &str| user.run(&["verify-proof", file, "--key", &key]);
    check("proof.json").ended(0).said(&["proven to be in the log", digest]);
    // What was changed in it is not what the log has.
    let text = std::fs::read_to_string(user.home().join("proof.json")).unwrap();
    user.write("other.json", text.replace(digest, &format!("sha256:{}", "ab".repeat(32))));
    check("other.json").ended(1).complained(&["it is not about sha256:abab"]);
    let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let proof = file["proofs"][0].as_str().unwrap().replacen("extra ", "extra AAAA", 1);
    file["proofs"][0] = proof.into();
    user.write("forged.json", file.to_string());
    check("forged.json").ended(1);
    // A record that is left out is missed, as long as the chain names it.
    let mut file: serde_json::Value = serde_json::from_str(&text).unwrap();
    let proofs = file["proofs"].as_array_mut().unwrap();
    let last = proofs.pop().unwrap();
    assert!(!proofs.is_empty());
    user.write("shorter.json", file.to_string());
    check("shorter.json").ended(1).complained(&["the chain names entry ", "the file has no proof of it"]);
    // One that is there twice is one.
    file["proofs"].as_array_mut().unwrap().extend([last.clone(), last]);
    user.write("twice.json", file.to_string());
    let once = check("proof.json").ended(0).out;
    assert_eq!(check("twice.json").ended(0).out, once);
    world.service.stop();
}
