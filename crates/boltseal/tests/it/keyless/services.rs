//! An authority, a log of either version and a clock, as far as signing asks them.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use boltseal_model::Timestamp;
use rcgen::{PKCS_ECDSA_P256_SHA256, PublicKeyData, SignatureAlgorithm};
use serde_json::{Value, json};

use super::instance::{Instance, SUBJECT, hex, sha256};

/// What a token says behind its claims; nothing else is checked of it.
const GOOD: &str = "Z29vZA";

/// Which kind of log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Rekor {
    One,
    Two,
}

pub struct Services {
    pub address: String,
    /// Tokens that an issuer gave, which the authority believes.
    pub issued: Arc<Mutex<Vec<String>>>,
    /// How often the authority was asked.
    pub asked: Arc<AtomicUsize>,
    instance: Arc<Instance>,
    clock: Option<PathBuf>,
}

struct State {
    instance: Arc<Instance>,
    rekor: Rekor,
    issued: Arc<Mutex<Vec<String>>>,
    asked: Arc<AtomicUsize>,
    /// What the log has.
    leaves: Mutex<Vec<Vec<u8>>>,
    /// Where the clock's key lies.
    clock: Option<PathBuf>,
}

/// A key by its point.
struct Point(Vec<u8>);

impl PublicKeyData for Point {
    fn der_bytes(&self) -> &[u8] {
        &self.0
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P256_SHA256
    }
}

/// A token that names somebody.
pub fn token(subject: &str) -> String {
    token_of(&json!({ "sub": subject, "aud": "sigstore" }))
}

/// A token that says this.
pub fn token_of(claims: &Value) -> String {
    let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
    format!("{}.{}.{GOOD}", part(&json!({ "alg": "none" })), part(claims))
}

impl Services {
    /// Starts them; `folder` is for the clock, which needs openssl.
    pub fn start(rekor: Rekor, folder: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let instance = Arc::new(Instance::new());
        let clock = clock(folder);
        let leaves = Mutex::new(vec![b"somebody else's".to_vec()]);
        let (issued, asked) = (Arc::default(), Arc::default());
        let state = State {
            instance: Arc::clone(&instance),
            rekor,
            issued: Arc::clone(&issued),
            asked: Arc::clone(&asked),
            leaves,
            clock: clock.clone(),
        };
        // Lives as long as the tests; nothing waits for it.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = answer(stream, &state); // whoever asks sees a broken answer
            }
        });
        Self { address, issued, asked, instance, clock }
    }

    /// Whether there is a clock.
    pub const fn has_clock(&self) -> bool {
        self.clock.is_some()
    }

    /// `trusted_root.json` of all of them.
    pub fn root(&self) -> String {
        let clock = self.clock.iter().map(|folder| {
            let der = |name: &str| {
                let text = fs::read_to_string(folder.join(name)).unwrap();
                let inside: String = text.lines().filter(|line| !line.starts_with('-')).collect();
                json!({ "rawBytes": inside })
            };
            json!({
                "subject": { "organization": "acme", "commonName": "clock" },
                "uri": format!("{}/tsa", self.address),
                "certChain": { "certificates": [der("clock.crt"), der("clocks.crt")] },
                "validFor": { "start": "2024-01-01T00:00:00Z" },
            })
        });
        self.instance.root_with(&clock.collect::<Vec<_>>()).to_string()
    }
}

/// Makes a root of clocks and a clock, where openssl is at hand.
fn clock(folder: &Path) -> Option<PathBuf> {
    let openssl = boltseal_testkit::peer("openssl")?;
    let folder = folder.join("clock");
    fs::create_dir_all(&folder).unwrap();
    let settings = "[req]\ndistinguished_name=name\nprompt=no\n[name]\nO=Acme\nCN=clocks\n[root]\nbasicConstraints=critical,CA:true\n\
                    keyUsage=critical,keyCertSign\n[leaf]\nbasicConstraints=critical,CA:false\nkeyUsage=critical,digitalSignature\n\
                    extendedKeyUsage=critical,timeStamping\n[tsa]\ndefault_tsa=one\n[one]\nserial=serial\ndefault_policy=1.2.3.4.1\n\
                    digests=sha256\nsigner_digest=sha256\ness_cert_id_alg=sha256\naccuracy=secs:1\n";
    fs::write(folder.join("made.cnf"), settings).unwrap();
    fs::write(folder.join("serial"), "01\n").unwrap();
    let run = |line: &str| {
        let output = Command::new(&openssl).args(line.split(' ')).current_dir(&folder).output().unwrap();
        assert!(output.status.success(), "openssl {line}: {output:?}");
    };
    let new = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -config made.cnf";
    run(&format!("req -x509 {new} -keyout clocks.key -out clocks.crt -days 30 -extensions root"));
    run(&format!("req -new {new} -keyout clock.key -out clock.csr -subj /O=Acme/CN=clock"));
    run(
        "x509 -req -in clock.csr -CA clocks.crt -CAkey clocks.key -set_serial 7 -days 30 -out clock.crt -extfile made.cnf \
         -extensions leaf",
    );
    Some(folder)
}

fn answer(stream: TcpStream, state: &State) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (status, bytes) = state.reply(&path, &body);
    let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len());
    let mut stream = reader.into_inner();
    stream.write_all(head.as_bytes())?;
    stream.write_all(&bytes)
}

impl State {
    fn reply(&self, path: &str, body: &[u8]) -> (u16, Vec<u8>) {
        let json = || serde_json::from_slice::<Value>(body).unwrap_or_default();
        let told = |(status, json): (u16, Value)| (status, json.to_string().into_bytes());
        match (path, self.rekor) {
            ("/api/v2/signingCert", _) => told(self.certificate(&json())),
            ("/api/v1/log/entries", Rekor::One) => told((201, self.older(&json()))),
            ("/api/v2/log/entries", Rekor::Two) => told((201, self.newer(&json()))),
            ("/tsa", _) => self.stamp(body),
            // Of a runner of CI, which gives tokens to whoever has its secret.
            ("/runner?audience=sigstore", _) => told((200, json!({ "value": token(SUBJECT) }))),
            _ => (404, b"{\"code\":404}".to_vec()),
        }
    }

    /// `POST /api/v2/signingCert` of Fulcio.
    fn certificate(&self, asked: &Value) -> (u16, Value) {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let token = asked["credentials"]["oidcIdentityToken"].as_str().unwrap_or_default();
        let mut parts = token.split('.');
        let claims = parts.nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok()).unwrap_or_default();
        let claims: Value = serde_json::from_slice(&claims).unwrap_or_default();
        let is_good =
            parts.next() == Some(GOOD) || self.issued.lock().unwrap().iter().any(|one| one == token);
        if claims["aud"] != "sigstore" || claims["sub"] != SUBJECT || !is_good {
            let said = "There was an error processing the identity token";
            return (401, json!({ "code": 16, "message": said }));
        }
        let key = &asked["publicKeyRequest"];
        assert_eq!(key["publicKey"]["algorithm"], "ECDSA");
        let pem = key["publicKey"]["content"].as_str().unwrap();
        let der =
            STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>()).unwrap();
        let point = der[der.len() - 65..].to_vec();
        let proof = STANDARD.decode(key["proofOfPossession"].as_str().unwrap()).unwrap();
        let proven = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &point);
        if proven.verify(SUBJECT.as_bytes(), &proof).is_err() {
            return (
                400,
                json!({ "code": 3, "message": "The signature supplied in the request could not be verified" }),
            );
        }
        let from = u64::try_from(Timestamp::now().as_second()).unwrap() - 60;
        let pem = self.instance.certify(&Point(point), from);
        (200, json!({ "signedCertificateEmbeddedSct": { "chain": { "certificates": [pem] } } }))
    }

    /// Takes `body` in; its number, and the proof that the tree has it.
    fn append(&self, body: &str) -> (usize, Vec<Vec<u8>>, Vec<u8>) {
        let mut leaves = self.leaves.lock().unwrap();
        leaves.push(body.as_bytes().to_vec());
        let hashes: Vec<Vec<u8>> = leaves.iter().map(|leaf| sha256(&[&[0][..], leaf].concat())).collect();
        let index = hashes.len() - 1;
        (index, path(index, &hashes), tree(&hashes))
    }

    /// `POST /api/v1/log/entries`.
    fn older(&self, asked: &Value) -> Value {
        assert_eq!((&asked["kind"], &asked["apiVersion"]), (&json!("dsse"), &json!("0.0.1")));
        let proposed = &asked["spec"]["proposedContent"];
        let text = proposed["envelope"].as_str().unwrap();
        let envelope: Value = serde_json::from_str(text).unwrap();
        let payload = STANDARD.decode(envelope["payload"].as_str().unwrap()).unwrap();
        let hash = |bytes: &[u8]| json!({ "algorithm": "sha256", "value": hex(&sha256(bytes)) });
        let body = json!({
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": hash(text.as_bytes()),
                "payloadHash": hash(&payload),
                "signatures": [{ "signature": envelope["signatures"][0]["sig"], "verifier": proposed["verifiers"][0] }],
            },
        });
        let (index, proof, root) = self.append(&body.to_string());
        let promise = self.instance.promise_at(&body, Timestamp::now().as_second(), index);
        let proof: Vec<String> = proof.iter().map(|one| hex(one)).collect();
        json!({ hex(&sha256(b"a name")): {
            "body": promise["Payload"]["body"],
            "integratedTime": promise["Payload"]["integratedTime"],
            "logID": promise["Payload"]["logID"],
            "logIndex": index,
            "verification": {
                "inclusionProof": {
                    "checkpoint": self.checkpoint(index + 1, &root), "hashes": proof, "logIndex": index,
                    "rootHash": hex(&root), "treeSize": index + 1,
                },
                "signedEntryTimestamp": promise["SignedEntryTimestamp"],
            },
        }})
    }

    /// `POST /api/v2/log/entries`.
    fn newer(&self, asked: &Value) -> Value {
        let asked = &asked["hashedRekordRequestV002"];
        let body = json!({
            "apiVersion": "0.0.2",
            "kind": "hashedrekord",
            "spec": { "hashedRekordV002": {
                "data": { "algorithm": "SHA2_256", "digest": asked["digest"] },
                "signature": asked["signature"],
            } },
        })
        .to_string();
        let (index, proof, root) = self.append(&body);
        let proof: Vec<String> = proof.iter().map(|one| STANDARD.encode(one)).collect();
        json!({
            "logIndex": index.to_string(),
            "logId": { "keyId": STANDARD.encode(self.instance.entries.id()) },
            "kindVersion": { "kind": "hashedrekord", "version": "0.0.2" },
            "integratedTime": "0",
            "inclusionPromise": null,
            "inclusionProof": {
                "logIndex": index.to_string(), "rootHash": STANDARD.encode(&root), "treeSize": (index + 1).to_string(),
                "hashes": proof, "checkpoint": { "envelope": self.checkpoint(index + 1, &root) },
            },
            "canonicalizedBody": STANDARD.encode(&body),
        })
    }

    /// A signed note (C2SP `tlog-checkpoint`).
    fn checkpoint(&self, size: usize, root: &[u8]) -> String {
        // Those of version 1 name their tree as well.
        let origin = if self.rekor == Rekor::One { "log.example.com - 7" } else { "log.example.com" };
        let text = format!("{origin}\n{size}\n{}\n", STANDARD.encode(root));
        let name = origin.split(' ').next().unwrap_or(origin);
        let log = &self.instance.entries;
        let signature = [&log.id()[..4], &log.sign(text.as_bytes())].concat();
        format!("{text}\n\u{2014} {name} {}\n", STANDARD.encode(signature))
    }

    /// A clock.
    fn stamp(&self, question: &[u8]) -> (u16, Vec<u8>) {
        let Some(folder) = &self.clock else { return (404, Vec::new()) };
        fs::write(folder.join("question"), question).unwrap();
        let line = "ts -reply -config made.cnf -queryfile question -inkey clock.key -signer clock.crt -chain clocks.crt -out answer";
        let output = Command::new("openssl").args(line.split(' ')).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        (200, fs::read(folder.join("answer")).unwrap())
    }
}

/// The root of a tree (RFC 6962, section 2.1).
fn tree(leaves: &[Vec<u8>]) -> Vec<u8> {
    match leaves {
        [one] => one.clone(),
        all => {
            let (left, right) = all.split_at(all.len().next_power_of_two() / 2);
            sha256(&[&[1][..], &tree(left), &tree(right)].concat())
        }
    }
}

/// The way from a leaf to it (section 2.1.1).
fn path(index: usize, leaves: &[Vec<u8>]) -> Vec<Vec<u8>> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
    let (mut inside, beside) = match index.checked_sub(left.len()) {
        None => (path(index, left), tree(right)),
        Some(index) => (path(index, right), tree(left)),
    };
    inside.push(beside);
    inside
}
