//! Signatures of Notary Project: those of others, and our own, read by notation where that is at hand.

use std::{fs, process::Command};

use boltseal_testkit::Distribution;

use crate::{
    binary::{Ran, User},
    fixtures::{alpine, layout, user_with_feeds},
    sign::optional,
};

/// A folder of notation with a policy that believes the certificate in `leaf.crt`, which is made here.
pub fn notary(user: &User) -> Option<()> {
    let openssl = boltseal_testkit::peer("openssl")?;
    user.write(
        "made.cnf",
        "[req]\ndistinguished_name=name\nx509_extensions=more\nprompt=no\n[name]\nC=US\nST=WA\nO=Acme\nCN=releases\n\
         [more]\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=codeSigning\n",
    );
    let made = Command::new(openssl)
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-keyout", "leaf.key", "-out", "leaf.crt", "-days", "30", "-config", "made.cnf"])
        .current_dir(user.home())
        .output()
        .unwrap();
    assert!(made.status.success(), "{made:?}");
    let policy = serde_json::json!({ "version": "1.0", "trustPolicies": [{
        "name": "acme",
        "registryScopes": ["*"],
        "signatureVerification": { "level": "strict" },
        "trustStores": ["ca:acme"],
        "trustedIdentities": ["x509.subject: C=US, ST=WA, O=Acme"],
    }]});
    user.write("notation/trustpolicy.json", policy.to_string());
    let certificate = fs::read(user.home().join("leaf.crt")).unwrap();
    user.write("notation/truststore/x509/ca/acme/leaf.crt", certificate);
    Some(())
}

/// An envelope of Notary Project about `digest` by the key in `leaf.key`, which counts until `expiry` if that is given.
pub fn envelope(user: &User, digest: &str, expiry: Option<jiff::Timestamp>) -> String {
    use aws_lc_rs::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
    };
    use base64::{
        Engine as _,
        engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
    };
    let inside = |name: &str| {
        let text = fs::read_to_string(user.home().join(name)).unwrap();
        text.lines().filter(|line| !line.starts_with('-')).collect::<String>()
    };
    let mut protected = serde_json::json!({
        "alg": "ES256",
        "cty": "application/vnd.cncf.notary.payload.v1+json",
        "crit": ["io.cncf.notary.signingScheme"],
        "io.cncf.notary.signingScheme": "notary.x509",
        "io.cncf.notary.signingTime": "2026-10-01T00:00:00Z",
    });
    if let Some(expiry) = expiry {
        protected["io.cncf.notary.expiry"] = expiry.to_string().into();
        protected["crit"] = serde_json::json!(["io.cncf.notary.signingScheme", "io.cncf.notary.expiry"]);
    }
    let payload = serde_json::json!({ "targetArtifact": { "digest": digest, "size": 1 } });
    let [protected, payload] = [protected, payload].map(|json| URL_SAFE_NO_PAD.encode(json.to_string()));
    let key = STANDARD.decode(inside("leaf.key")).unwrap();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &key).unwrap();
    let signature = key.sign(&SystemRandom::new(), format!("{protected}.{payload}").as_bytes()).unwrap();
    serde_json::json!({
        "payload": payload,
        "protected": protected,
        "header": { "x5c": [inside("leaf.crt")] },
        "signature": URL_SAFE_NO_PAD.encode(signature.as_ref()),
    })
    .to_string()
}

#[test]
fn signatures_of_notary_project() {
    let Some(registry) = Distribution::start(false) else { return };
    let user = user_with_feeds();
    let Some(()) = notary(&user) else { return };
    let image = format!("{}/shop/cart:7", registry.address());
    user.run(&["image", "copy", &layout(&user, "image", &alpine("1.36.1-r0")), &image]).ended(0);
    let verify = |rest: &[&str]| user.run(&[&["verify", &image], rest].concat());
    verify(&["--notary", "notation"]).ended(1).said(&["no signature and no attestation"]);
    let digest =
        user.run(&["image", "inspect", &image, "--format", "json"]).ended(0).json()["digest"].clone();
    let attach = |name: &str, digest: &str| {
        user.write(name, envelope(&user, digest, None));
        let kind = ["--artifact-type", "application/vnd.cncf.notary.signature"];
        let file = format!("{name}:application/jose+json");
        user.run(&[&["image", "attach", &image, &file], &kind[..]].concat()).ended(0);
    };
    attach("replayed.sig", &format!("sha256:{}", "5b".repeat(32)));
    verify(&["--notary", "notation"]).ended(1).said(&["it was signed for sha256:5b5b"]);
    attach("right.sig", digest.as_str().unwrap());
    verify(&["--notary", "notation"]).ended(0).said(&["CN=releases", "verified: 1 signature"]);
    user.write("theirs.pub", fs::read(user.home().join("leaf.crt")).unwrap());
    verify(&["--key", "theirs.pub"]).ended(2);
    let policy = user.home().join("notation/trustpolicy.json");
    let text = fs::read_to_string(&policy).unwrap();
    for (from, to, code, why) in [
        ("O=Acme", "O=Other", 1, "not by `C=US, O=Other, ST=WA`"),
        ("\"*\"", "\"registry.invalid/app\"", 2, "says nothing about 127.0.0.1"),
        ("ca:acme", "ca:gone", 2, "truststore/x509/ca/gone"),
        ("\"1.0\"", "\"9.0\"", 2, "its version is `9.0`"),
    ] {
        fs::write(&policy, text.replace(from, to)).unwrap();
        let ran = verify(&["--notary", "notation"]).ended(code);
        assert!(format!("{}{}", ran.out, ran.err).contains(why), "{why}: {} {}", ran.out, ran.err);
    }
    verify(&["--notary", "nowhere"]).ended(2).complained(&["there is no trustpolicy.oci.json"]);
}

/// A root and a leaf with its key, as files named so.
pub fn chain(user: &User) -> Option<()> {
    let openssl = boltseal_testkit::peer("openssl")?;
    user.write(
        "chain.cnf",
        "[req]\ndistinguished_name=name\nprompt=no\n[name]\nC=US\nST=WA\nO=Acme\nCN=root\n[root]\n\
         basicConstraints=critical,CA:true\nkeyUsage=critical,keyCertSign,cRLSign\n[leaf]\nkeyUsage=critical,digitalSignature\n\
         extendedKeyUsage=codeSigning\n[server]\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n",
    );
    let run = |line: &str| {
        let output = Command::new(&openssl).args(line.split(' ')).current_dir(user.home()).output().unwrap();
        assert!(output.status.success(), "openssl {line}: {output:?}");
    };
    run(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config chain.cnf -keyout root.key -out root.crt \
         -days 30 -extensions root",
    );
    let name = "-subj /C=US/ST=WA/O=Acme/CN=releases -config chain.cnf";
    run(&format!(
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:secp384r1 -nodes {name} -keyout ec.key -out ec.csr"
    ));
    run(&format!("req -new -newkey rsa:3072 -nodes {name} -keyout rsa.key -out rsa.csr"));
    let sign = "-CA root.crt -CAkey root.key -days 20 -extfile chain.cnf";
    run(&format!("x509 -req -in ec.csr {sign} -set_serial 7 -extensions leaf -out ec.crt"));
    run(&format!("x509 -req -in rsa.csr {sign} -set_serial 8 -extensions leaf -out rsa.crt"));
    run(&format!("x509 -req -in ec.csr {sign} -set_serial 9 -extensions server -out server.crt"));
    let text = |name: &str| fs::read_to_string(user.home().join(name)).unwrap();
    for name in ["ec", "rsa", "server"] {
        user.write(&format!("{name}.pem"), text("root.crt") + &text(&format!("{name}.crt")));
    }
    let policy = serde_json::json!({ "version": "1.0", "trustPolicies": [{
        "name": "acme",
        "registryScopes": ["*"],
        "signatureVerification": { "level": "strict" },
        "trustStores": ["ca:acme"],
        "trustedIdentities": ["x509.subject: C=US, ST=WA, O=Acme"],
    }]});
    user.write("config/notation/trustpolicy.json", policy.to_string());
    user.write("config/notation/truststore/x509/ca/acme/root.crt", text("root.crt"));
    Some(())
}

/// What is refused before anything is signed.
fn refused(sign: &dyn Fn(&[&str]) -> Ran) {
    for (rest, why) in [
        (&["--form", "jws", "--key", "ec.key"][..], "give --certificate FILE: the chain of the key"),
        (
            &["--key", "ec.key", "--certificate", "ec.pem"],
            "leave --certificate and --expires-in out, or add --form jws",
        ),
        (&["--form", "jws", "--key", "rsa.key", "--certificate", "ec.pem"], "none of them is of this key"),
        (&["--form", "jws", "--key", "ec.key", "--certificate", "ec.crt"], "the chain must reach a root"),
        (
            &["--form", "jws", "--key", "ec.key", "--certificate", "server.pem"],
            "is for something else than code",
        ),
        (&["--form", "jws", "--key", "ec.key", "--certificate", "ec.key"], "is no certificate"),
        (
            &[
                "--form",
                "jws",
                "--key",
                "ec.key",
                "--certificate",
                "ec.pem",
                "--rekor",
                "https://rekor.invalid",
            ],
            "nor a log",
        ),
    ] {
        sign(rest).ended(2).complained(&[why]);
    }
}

#[test]
fn an_image_is_signed_for_notary_project() {
    let Some(registry) = Distribution::start(false) else { return };
    let user = user_with_feeds();
    let Some(()) = chain(&user) else { return };
    let image = format!("{}/shop/cart:7", registry.address());
    user.run(&["image", "copy", &layout(&user, "image", &alpine("1.36.1-r0")), &image]).ended(0);
    let sign = |rest: &[&str]| user.run(&[&["sign", &image], rest].concat());
    let mut signed = 0;
    for key in ["ec", "rsa"] {
        let (file, pem) = (format!("{key}.key"), format!("{key}.pem"));
        for form in ["jws", "cose"] {
            let said = sign(&["--form", form, "--key", &file, "--certificate", &pem]).ended(0);
            said.said(&["signature of Notary Project by CN=releases", "referrer sha256:"]);
            signed += 1;
        }
    }
    let counted = format!("verified: {signed} signatures");
    user.run(&["verify", &image, "--notary", "config/notation"]).ended(0).said(&["CN=releases", &counted]);
    let said = [
        "--form",
        "cose",
        "--key",
        "ec.key",
        "--certificate",
        "ec.pem",
        "--bundle",
        "app.sig",
        "--expires-in",
        "2",
    ];
    let json = sign(&[&said[..], &["--format", "json"]].concat()).ended(0).json();
    assert_eq!(
        (&json["media_type"], &json["bundle"]),
        (&"application/cose".into(), &"app.sig".into()),
        "{json}"
    );
    let named = format!("{}@{}", image.trim_end_matches(":7"), json["digest"].as_str().unwrap());
    let verified =
        user.run(&["verify", &named, "--notary", "config/notation", "--bundle", "app.sig"]).ended(0);
    verified.said(&["file app.sig"]);

    refused(&sign);
    let Some(program) = optional("notation") else { return };
    let output = Command::new(&program)
        .args(["verify", "--insecure-registry", "--verbose", &named])
        .current_dir(user.home())
        .env("HOME", user.home())
        .env("XDG_CONFIG_HOME", user.home().join("config"))
        .output()
        .unwrap();
    assert!(output.status.success(), "notation: {output:?}");
}

#[test]
fn notation_is_read() {
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
    let digest =
        user.run(&["image", "inspect", &image, "--format", "json"]).ended(0).json()["digest"].clone();
    let named = format!("{}/shop/cart@{}", registry.address(), digest.as_str().unwrap());
    ran(&["cert", "generate-test", "--default", "acme.example"]);
    let policy = serde_json::json!({ "version": "1.0", "trustPolicies": [{
        "name": "acme",
        "registryScopes": ["*"],
        "signatureVerification": { "level": "strict" },
        "trustStores": ["ca:acme.example"],
        "trustedIdentities": ["*"],
    }]});
    user.write("config/notation/trustpolicy.json", policy.to_string());
    for format in ["jws", "cose"] {
        ran(&["sign", "--signature-format", format, "--insecure-registry", &named]);
    }
    ran(&["verify", "--insecure-registry", &named]);
    let verified = user.run(&["verify", &image, "--notary", "config/notation"]).ended(0);
    verified.said(&["CN=acme.example", "verified: 2 signatures"]);
}
