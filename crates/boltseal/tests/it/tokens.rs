//! Keys in a token (`SoftHSM`): what they sign is verified by us and by others, and the PIN is on no command line.

use std::{fs, path::PathBuf, process::Command};

use boltseal_testkit::Distribution;

use crate::{
    binary::{Ran, User},
    fixtures::{alpine, layout, user_with_feeds},
    sign::optional,
};

const PIN: &str = "4711";

/// A token with an ECDSA key `ec`, an Ed25519 key `ed` and an RSA key `rsa`.
struct Token {
    user: User,
    module: PathBuf,
}

impl Token {
    fn new() -> Option<Self> {
        let module = PathBuf::from(
            std::env::var_os("BOLTSEAL_SOFTHSM").unwrap_or_else(|| "/usr/lib/softhsm/libsofthsm2.so".into()),
        );
        optional("softhsm2-util")?;
        optional("pkcs11-tool")?;
        let user = user_with_feeds();
        fs::create_dir(user.home().join("tokens")).unwrap();
        let folder = user.home().join("tokens").display().to_string();
        user.write("softhsm2.conf", format!("directories.tokendir = {folder}\nobjectstore.backend = file\n"));
        user.write("pin", format!("{PIN}\n"));
        user.write("wrong", "1234\n");
        let token = Self { user, module };
        token.tool("softhsm2-util", "--init-token --free --label releases --so-pin 0815 --pin 4711");
        token.tool("softhsm2-util", "--init-token --free --label other --so-pin 0815 --pin 4711");
        for (label, id, kind) in
            [("ec", "01", "EC:prime256v1"), ("ed", "02", "EC:edwards25519"), ("rsa", "03", "rsa:2048")]
        {
            token.keys(&format!("--keypairgen --key-type {kind} --label {label} --id {id}"));
        }
        Some(token)
    }

    fn tool(&self, program: &str, line: &str) -> Vec<u8> {
        let output = Command::new(program)
            .args(line.split(' '))
            .env("SOFTHSM2_CONF", self.user.home().join("softhsm2.conf"))
            .current_dir(self.user.home())
            .output()
            .unwrap();
        assert!(output.status.success(), "{program} {line}: {output:?}");
        output.stdout
    }

    fn keys(&self, line: &str) -> Vec<u8> {
        let module = self.module.display();
        self.tool(
            "pkcs11-tool",
            &format!("--module {module} --token-label releases --login --pin {PIN} {line}"),
        )
    }

    /// Writes the public half as `LABEL.pub`.
    fn public(&self, label: &str) {
        self.keys(&format!("--read-object --type pubkey --label {label} --output-file {label}.der"));
        let read = fs::read(self.user.home().join(format!("{label}.der"))).unwrap();
        if read.starts_with(b"-----BEGIN PUBLIC KEY-----") {
            // Of Ed25519 it writes PEM.
            self.user.write(&format!("{label}.pub"), read);
            return;
        }
        let pem = Command::new("openssl")
            .args(["pkey", "-pubin", "-inform", "DER", "-in", &format!("{label}.der")])
            .current_dir(self.user.home())
            .output()
            .unwrap();
        assert!(pem.status.success(), "{pem:?}");
        self.user.write(&format!("{label}.pub"), pem.stdout);
    }

    fn uri(&self, key: &str) -> String {
        format!("pkcs11:token=releases;{key}?module-path={}", self.module.display())
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut command = self.user.command(args);
        command.env("SOFTHSM2_CONF", self.user.home().join("softhsm2.conf"));
        Ran::of(command.output().unwrap())
    }
}

#[test]
fn a_key_in_a_token_signs() {
    let Some(token) = Token::new() else { return };
    let Some(registry) = Distribution::start(false) else { return };
    let image = format!("{}/shop/cart:7", registry.address());
    let source = layout(&token.user, "image", &alpine("1.36.1-r0"));
    token.run(&["image", "copy", &source, &image]).ended(0);
    for label in ["ec", "ed", "rsa"] {
        token.public(label);
        let uri = token.uri(&format!("object={label};type=private"));
        let key = ["--key", &uri, "--password-file", "pin"];
        token.run(&[&["sign", &image][..], &key].concat()).ended(0).said(&["signature by the key"]);
        let public = format!("{label}.pub");
        token.run(&["verify", &image, "--key", &public]).ended(0).said(&["verified: 1 signature"]);
    }
    // Other commands take the same, and the PIN may be named in the URI.
    let uri = format!("{}&pin-source=pin", token.uri("id=%01"));
    token.user.write("sbom.json", "{}");
    let attest = ["attest", &image, "--type", "cyclonedx", "--predicate", "sbom.json", "--key", &uri];
    token.run(&attest).ended(0);
    token
        .user
        .write("policy.yaml", "version: 1\nname: p\nrules:\n  - { name: g, effect: warn, coverage: {} }\n");
    token.run(&["policy", "sign", "policy.yaml", "--key", &uri]).ended(0);
    token
        .run(&["policy", "check", "policy.yaml", "--signed-by", "ec.pub"])
        .ended(0)
        .said(&["signed by ec.pub"]);

    let Some(cosign) = optional("cosign") else { return };
    let digest = token.run(&["image", "inspect", &image, "--format", "json"]).ended(0).json();
    let named = format!("{}@{}", image.trim_end_matches(":7"), digest["digest"].as_str().unwrap());
    for key in ["ec.pub", "ed.pub", "rsa.pub"] {
        let output = Command::new(&cosign)
            .args(["verify", "--key", key, "--insecure-ignore-tlog=true", "--allow-http-registry", &named])
            .current_dir(token.user.home())
            .env("HOME", token.user.home())
            .output()
            .unwrap();
        assert!(output.status.success(), "cosign {key}: {output:?}");
    }
}

#[test]
fn a_key_in_a_token_signs_for_notary_project() {
    let Some(token) = Token::new() else { return };
    let Some(registry) = Distribution::start(false) else { return };
    let user = &token.user;
    let Some(()) = crate::notary::chain(user) else { return };
    let image = format!("{}/shop/cart:7", registry.address());
    let source = layout(user, "image", &alpine("1.36.1-r0"));
    token.run(&["image", "copy", &source, &image]).ended(0);
    for label in ["ec", "rsa"] {
        token.public(label);
        // The root gives the token's key a certificate: only its public half is needed for that.
        let openssl = |line: String| {
            let output =
                Command::new("openssl").args(line.split(' ')).current_dir(user.home()).output().unwrap();
            assert!(output.status.success(), "openssl {line}: {output:?}");
        };
        openssl("req -new -newkey rsa:2048 -nodes -subj /C=US/ST=WA/O=Acme/CN=token -config chain.cnf -keyout any.key -out any.csr".to_owned());
        openssl(format!(
            "x509 -req -in any.csr -force_pubkey {label}.pub -CA root.crt -CAkey root.key -days 20 -extfile chain.cnf \
             -set_serial 11 -extensions leaf -out {label}.crt"
        ));
        let text = |name: &str| fs::read_to_string(user.home().join(name)).unwrap();
        user.write(&format!("{label}.pem"), text("root.crt") + &text(&format!("{label}.crt")));
        let (uri, pem) = (token.uri(&format!("object={label}")), format!("{label}.pem"));
        for form in ["jws", "cose"] {
            let key = ["--form", form, "--key", &uri, "--password-file", "pin", "--certificate", &pem];
            token.run(&[&["sign", &image][..], &key].concat()).ended(0);
        }
    }
    // Notary Project knows no Ed25519 ("Signature Specification", algorithms).
    let uri = token.uri("object=ed");
    let key = ["--form", "jws", "--key", &uri, "--password-file", "pin", "--certificate", "ec.pem"];
    token
        .run(&[&["sign", &image][..], &key].concat())
        .ended(2)
        .complained(&["this key signs nothing in Notary Project"]);
    let verified = token.run(&["verify", &image, "--notary", "config/notation"]).ended(0);
    verified.said(&["CN=token", "verified: 4 signatures"]);
}

#[test]
fn keys_in_tokens_that_cannot_sign() {
    let Some(token) = Token::new() else { return };
    let digest = format!("sha256:{}", "5b".repeat(32));
    let module = token.module.display().to_string();
    let right = token.uri("object=ec");
    let wrong = |from: &str, to: &str| right.replace(from, to);
    for (uri, pin, why) in [
        (right.clone(), "wrong", "the PIN is wrong, and the token counts how often it was"),
        (right.clone(), "gone", "gone"),
        (wrong("object=ec", "object=none"), "pin", "the token has no such private key"),
        (wrong("object=ec", "object=none"), "pin", "object=ec"),
        (wrong("token=releases", "token=lost"), "pin", "no token is as the URI says"),
        (wrong("token=releases", "token=lost"), "pin", "token=releases (serial "),
        (wrong("token=releases;", ""), "pin", "several tokens are as the URI says"),
        (wrong(&module, "/nowhere/module.so"), "pin", "/nowhere/module.so: it cannot be loaded"),
        (wrong(&module, "module.so"), "pin", "name the module by its whole path"),
        (format!("{right}&pin-value=4711"), "pin", "`pin-value` is for everybody"),
        ("pkcs11:token=releases;object=ec".to_owned(), "pin", "nobody says which module"),
        ("pkcs11:token=releases".to_owned(), "pin", "it names no key"),
    ] {
        let sign = ["sign", &digest, "--bundle", "out", "--key", &uri, "--password-file", pin];
        let ran = token.run(&sign).ended(2);
        assert!(ran.err.contains(why), "{uri}: {}", ran.err);
        assert!(!ran.err.contains(PIN) && !ran.out.contains(PIN), "the PIN was said: {}", ran.err);
    }
    token.run(&["sign", &digest, "--bundle", "out", "--key", &right, "--password-file", "pin"]).ended(0);
}
