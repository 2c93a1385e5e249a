//! A trust policy of Notary Project as an authority of a policy: every gate believes whom it believes, and nobody else.

use std::{
    fs,
    process::Command,
    time::{Duration, Instant},
};

use boltseal_testkit::Distribution;
use jiff::{SignedDuration, Timestamp};

use crate::{
    binary::User,
    fixtures::{alpine, layout, user_with_feeds},
    login::as_admin,
    notary::{chain, envelope, notary},
    service::{PATIENCE, Service, Skopeo},
    sign::optional,
};

/// A policy that wants images signed by whom a trust policy believes; `notary` is what the authority says.
fn policy(notary: &str) -> String {
    format!(
        "version: 1\nname: prod\nauthorities:\n  - name: acme\n    notary: {notary}\nrules:\n  \
         - {{ name: signed, effect: deny, signatures: {{ by: [acme] }} }}\n"
    )
}

const RIGHT: &str = "{ trust_policy: trustpolicy.json, stores: { \"ca:acme\": [root.crt] } }";

/// The trust policy of these tests with another text in some places.
fn trust_policy(user: &User, changes: &[(&str, &str)]) {
    let mut text = fs::read_to_string(user.home().join("config/notation/trustpolicy.json")).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{from} is not in {text}");
        text = text.replace(from, to);
    }
    user.write("trustpolicy.json", text);
}

/// A root that issued nothing here, and a list in which the root of the chain revokes the leaf (7).
fn others(user: &User) {
    user.write("index.txt", "R\t371231235959Z\t260101000000Z\t07\tunknown\t/CN=releases\n");
    user.write("number", "01\n");
    user.write(
        "list.cnf",
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index.txt\ndefault_md=sha256\ndefault_crl_days=30\ncrlnumber=number\n",
    );
    for line in [
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config chain.cnf -keyout other.key -out other.crt \
         -days 30 -extensions root",
        "ca -config list.cnf -gencrl -keyfile root.key -cert root.crt -out list.pem",
    ] {
        let output = Command::new("openssl").args(line.split(' ')).current_dir(user.home()).output().unwrap();
        assert!(output.status.success(), "openssl {line}: {output:?}");
    }
}

/// Its name, what `notary:` says, what is changed in the trust policy, after how many days, the exit code, and a part of what is
/// said.
type Attack<'a> = (&'a str, &'a str, &'a [(&'a str, &'a str)], i64, i32, &'a str);

#[test]
#[expect(clippy::too_many_lines, reason = "a table of attacks")]
fn attacks_on_a_trust_policy() {
    let Some(registry) = Distribution::start(false) else { return };
    let user = user_with_feeds();
    let Some(()) = chain(&user) else { return };
    others(&user);
    let image = format!("{}/shop/cart:7", registry.address());
    user.run(&["image", "copy", &layout(&user, "image", &alpine("1.36.1-r0")), &image]).ended(0);
    let signed = |image: &str, more: &[&str]| {
        let sign = ["sign", image, "--form", "cose", "--key", "ec.key", "--certificate", "ec.pem"];
        user.run(&[&sign[..], more].concat()).ended(0);
    };
    let gate = |image: &str, days: i64| {
        let at = (Timestamp::now() + SignedDuration::from_hours(24 * days)).to_string();
        user.run(&["gate", &format!("docker://{image}"), "--policy", "policy.yaml", "--at", &at])
    };
    user.write("policy.yaml", policy(RIGHT));
    trust_policy(&user, &[]);
    gate(&image, 0).ended(1).complained(&["it is not signed", "wanted: a signature by acme"]);
    signed(&image, &[]);
    let skipped = "{ trust_policy: trustpolicy.json, stores: {} }";
    let stranger = RIGHT.replace("root.crt", "other.crt");
    let revoked = RIGHT.replace("] }", "] }, revoked: [list.pem]");
    let remark = [("\"strict\"", r#""strict","override":{"authenticity":"log"}"#), ("O=Acme", "O=Other")];
    let nobody = [(r#"["ca:acme"]"#, "[]"), (r#"["x509.subject: C=US, ST=WA, O=Acme"]"#, "[]")];
    let nothing = [&[("strict", "skip")], &nobody[..]].concat();
    let attacks: Vec<Attack<'_>> = vec![
        ("none", RIGHT, &[], 0, 0, ""),
        ("expired", RIGHT, &[], 25, 1, "was valid until"),
        ("expired, and let pass", RIGHT, &[("strict", "permissive")], 25, 0, ""),
        ("wrong identity", RIGHT, &[("O=Acme", "O=Other")], 0, 1, "not by `C=US, O=Other, ST=WA`"),
        ("wrong store", &stranger, &[], 0, 1, "no certificate of its chain is in a trust store"),
        ("revoked", &revoked, &[], 0, 1, "the certificate was revoked"),
        // When the list is too old to say who is not on it.
        ("revoked, and time passed", &revoked, &[("strict", "permissive")], 40, 0, ""),
        (
            "revoked, and the list ran out",
            &revoked,
            &[("\"strict\"", r#""permissive","override":{"revocation":"enforce"}"#)],
            40,
            1,
            "the certificate was revoked",
        ),
        ("downgraded to `skip`", skipped, &nothing, 0, 3, "skips verification: nothing is verified"),
        (
            "downgraded to `audit`",
            RIGHT,
            &[("strict", "audit"), ("O=Acme", "O=Other")],
            0,
            1,
            "not by `C=US, O=Other, ST=WA`",
        ),
        ("downgraded to a remark", RIGHT, &remark, 0, 1, "not by `C=US, O=Other, ST=WA`"),
        (
            "for another repository",
            RIGHT,
            &[("*", "registry.invalid/app")],
            0,
            1,
            "says nothing about 127.0.0.1:",
        ),
    ];
    for (name, notary, changes, days, code, why) in attacks {
        user.write("policy.yaml", policy(notary));
        trust_policy(&user, changes);
        let ran = gate(&image, days);
        assert_eq!(ran.code, code, "{name}: {} {}", ran.out, ran.err);
        assert!(ran.err.contains(why), "{name}: {}", ran.err);
    }
    // "Best before", of an image that has no other signature.
    let other = format!("{}/shop/till:7", registry.address());
    user.run(&["image", "copy", &layout(&user, "till", &alpine("1.36.1-r2")), &other]).ended(0);
    signed(&other, &["--expires-in", "2"]);
    user.write("policy.yaml", policy(RIGHT));
    trust_policy(&user, &[]);
    gate(&other, 1).ended(0);
    gate(&other, 3).ended(1).complained(&["1 signature is not right", "it expired at"]);
    // What a trust policy lets pass is told.
    trust_policy(&user, &[("strict", "permissive")]);
    let at = (Timestamp::now() + SignedDuration::from_hours(72)).to_string();
    let json = user
        .run(&[
            "gate",
            &format!("docker://{other}"),
            "--policy",
            "policy.yaml",
            "--at",
            &at,
            "--format",
            "json",
        ])
        .json();
    let remarks = json["signatures"][0]["remarks"].to_string();
    assert!(remarks.contains("lets it pass: it expired at"), "{remarks}");
    // A file beside an image that is in no registry, of which only a statement about all images speaks.
    user.run(&[
        "sign",
        &image,
        "--form",
        "jws",
        "--key",
        "ec.key",
        "--certificate",
        "ec.pem",
        "--bundle",
        "app.sig",
    ])
    .ended(0);
    let local = |code| {
        user.run(&["gate", "oci:image", "--policy", "policy.yaml", "--signature", "app.sig"]).ended(code)
    };
    local(0);
    trust_policy(&user, &[("*", "registry.invalid/app")]);
    local(1).complained(&["says nothing about an image that is in no registry"]);
}

#[test]
fn authorities_that_are_no_trust_policies() {
    let user = User::new();
    let Some(()) = chain(&user) else { return };
    others(&user);
    let attests =
        policy(RIGHT).replace("signatures: { by: [acme] }", "attestations: { by: [acme], types: [sbom] }");
    let vex = policy(RIGHT).replace("rules:", "vex: { signed_by: [acme] }\nrules:");
    let approvers = policy(RIGHT).replace("rules:", "approvals: 1\napprovers: [acme]\nrules:");
    let both = policy(&format!("{RIGHT}\n    key: ec.key"));
    let of = |from: &str, to: &str| policy(&RIGHT.replace(from, to));
    for (text, changes, why) in [
        (policy(RIGHT), &[][..], ""),
        (attests, &[], "nothing is said: attestations need an authority with a key or an identity"),
        (vex, &[], "VEX documents need an authority"),
        (approvers, &[], "approvals need an authority"),
        (both, &[], "is known by `notary` alone"),
        (of("ca:acme", "ca:other"), &[], "names the store `ca:acme`, and `stores` does not have it"),
        (
            of("] }", "], \"tsa:clock\": [root.crt] }"),
            &[],
            "no statement of its trust policy names the store `tsa:clock`",
        ),
        (of("ca:acme", "roots"), &[], "`roots` is no store: write ca:NAME"),
        (of("[root.crt]", "[]"), &[], "names no file: it would believe nobody"),
        (of("root.crt", "root.key"), &[], "no certificate"),
        (of("root.crt", "gone.crt"), &[], "gone.crt"),
        (of("root.crt", "ec.crt"), &[], "neither an authority nor signed by itself"),
        (of("] }", "] }, revoked: [root.crt]"), &[], "it has no block `X509 CRL`"),
        (of("] }", "] }, lists: [root.crt]"), &[], "unknown field `lists`"),
        (policy(RIGHT), &[("\"1.0\"", "\"9.0\"")], "its version is `9.0`"),
    ] {
        trust_policy(&user, changes);
        user.write("policy.yaml", &text);
        let ran = user.run(&["policy", "check", "policy.yaml"]);
        assert_eq!(ran.code, if why.is_empty() { 0 } else { 2 }, "{why}: {} {}", ran.out, ran.err);
        assert!(ran.err.contains(why), "{why}: {}", ran.err);
    }
    trust_policy(&user, &[]);
    user.write("policy.yaml", policy(RIGHT));
    user.run(&["policy", "show", "policy.yaml", "--rules"]).ended(0).said(&[
        "is whom the trust policy trustpolicy.json of Notary Project believes",
        "(sha256:",
        "with ca:acme",
    ]);
}

#[track_caller]
fn until(what: &str, done: impl Fn() -> bool) {
    let began = Instant::now();
    while !done() {
        assert!(began.elapsed() < PATIENCE, "not yet: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A server with an image that is not signed, whose policy believes whom notation believes.
struct Shop {
    user: User,
    service: Service,
    skopeo: Skopeo,
    digest: String,
}

impl Shop {
    fn open() -> Option<Self> {
        let user = user_with_feeds();
        notary(&user)?;
        let policy = policy("{ trust_policy: n/trustpolicy.json, stores: { \"ca:acme\": [n/leaf.crt] } }");
        user.write(".local/share/boltseal/policy.yaml", policy);
        let text = |name: &str| fs::read_to_string(user.home().join(name)).unwrap();
        user.write(".local/share/boltseal/n/leaf.crt", text("leaf.crt"));
        user.write(".local/share/boltseal/n/trustpolicy.json", text("notation/trustpolicy.json"));
        let service = Service::start(&user, &[]);
        let skopeo = Skopeo::new(&user, &service)?;
        as_admin(&user, &service);
        let built = alpine("1.36.1-r2");
        skopeo.push(&layout(&user, "image", &built), "shop/cart:7");
        let digest = built.manifest.to_string();
        until("it is judged", || !user.run(&["admit", &digest]).out.contains("still being scanned"));
        Some(Self { user, service, skopeo, digest })
    }

    fn image(&self) -> String {
        format!("{}/shop/cart:7", self.service.https)
    }

    /// Push gate, webhook and what an engine asks: each lets it pass, or none does and says `words`.
    fn gates(&self, words: Option<&str>) {
        let image = format!("{}/shop/cart@{}", self.service.registry, self.digest);
        let pod = format!(
            r#"{{"apiVersion": "v1", "kind": "List", "items": [{{"apiVersion": "v1", "kind": "Pod",
            "metadata": {{"namespace": "shop", "name": "cart"}}, "spec": {{"containers": [{{"name": "c", "image": "{image}"}}]}}}}]}}"#
        );
        let said = [
            self.skopeo.pull("shop/cart:7", "copied").err().unwrap_or_default(),
            self.user.feed(&["webhook", "gap", "--format", "json"], &pod).out,
            self.user.run(&["admit", &image]).ended(i32::from(words.is_some())).out,
        ];
        for (index, said) in said.iter().enumerate() {
            let refused = said.contains("policy prod, rule signed");
            assert_eq!(refused, words.is_some(), "gate {index}: {said}");
            assert!(said.contains(words.unwrap_or_default()), "gate {index}: {said}");
        }
    }

    fn passes(&self) -> bool {
        self.user.run(&["admit", &self.digest]).code == 0
    }
}

#[test]
fn an_image_signed_with_notation_passes_every_gate() {
    let Some(shop) = Shop::open() else { return };
    shop.gates(Some("it is not signed"));
    shop.user.write("right.sig", envelope(&shop.user, &shop.digest, None));
    let kind = ["--artifact-type", "application/vnd.cncf.notary.signature"];
    let file = "right.sig:application/jose+json";
    shop.user.run(&[&["image", "attach", &shop.image(), file], &kind[..]].concat()).ended(0);
    until("the signature counts", || shop.passes());
    shop.gates(None);
    // The certificate is the newest thing to run out.
    let told = shop.user.run(&["image", "inspect", &shop.image(), "--format", "json"]).ended(0).json();
    assert_eq!(told["digest"], shop.digest.as_str());
    shop.service.stop();
}

#[test]
fn a_stored_verdict_turns_when_a_signature_runs_out() {
    let Some(shop) = Shop::open() else { return };
    let kind = ["--artifact-type", "application/vnd.cncf.notary.signature"];
    // Long enough for this machine to see it count; a slow one gets more.
    let seen = [6, 20, 60, 180].into_iter().find(|seconds| {
        let expiry = Timestamp::now() + SignedDuration::from_secs(*seconds);
        let expiry = expiry.round(jiff::Unit::Second).unwrap();
        let name = format!("until-{seconds}.sig");
        shop.user.write(&name, envelope(&shop.user, &shop.digest, Some(expiry)));
        let file = format!("{name}:application/jose+json");
        shop.user.run(&[&["image", "attach", &shop.image(), &file], &kind[..]].concat()).ended(0);
        while Timestamp::now() < expiry {
            if shop.passes() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        false
    });
    assert!(seen.is_some(), "no signature ever counted: {}", shop.service.log());
    until("it ran out", || !shop.passes());
    shop.gates(Some("it expired at"));
    shop.service.stop();
}

#[test]
fn notation_signs_for_the_gates() {
    let Some(program) = optional("notation") else { return };
    let Some(registry) = Distribution::start(false) else { return };
    let user = user_with_feeds();
    let image = format!("{}/shop/cart:7", registry.address());
    user.run(&["image", "copy", &layout(&user, "image", &alpine("1.36.1-r0")), &image]).ended(0);
    let ran = |args: &[&str]| {
        let output = Command::new(&program)
            .args(args)
            .current_dir(user.home())
            .env("HOME", user.home())
            .env("XDG_CONFIG_HOME", user.home().join("config"))
            .output()
            .unwrap();
        assert!(output.status.success(), "notation {args:?}: {output:?}");
    };
    let json = user.run(&["image", "inspect", &image, "--format", "json"]).ended(0).json();
    let named = format!("{}/shop/cart@{}", registry.address(), json["digest"].as_str().unwrap());
    ran(&["cert", "generate-test", "--default", "acme.example"]);
    let trust = serde_json::json!({ "version": "1.0", "trustPolicies": [{
        "name": "acme",
        "registryScopes": [format!("{}/shop/cart", registry.address())],
        "signatureVerification": { "level": "strict" },
        "trustStores": ["ca:acme.example"],
        "trustedIdentities": ["x509.subject: CN=acme.example, O=Notary, L=Seattle, ST=WA, C=US"],
    }]});
    user.write("config/notation/trustpolicy.json", trust.to_string());
    let store = "notation/truststore/x509/ca/acme.example/acme.example.crt";
    user.write(
        "config/policy.yaml",
        policy(&format!(
            "{{ trust_policy: notation/trustpolicy.json, stores: {{ \"ca:acme.example\": [{store}] }} }}"
        )),
    );
    let gate = || user.run(&["gate", &format!("docker://{named}"), "--policy", "config/policy.yaml"]);
    gate().ended(1).complained(&["it is not signed"]);
    ran(&["sign", "--signature-format", "cose", "--expiry", "24h", "--insecure-registry", &named]);
    gate().ended(0);
}
