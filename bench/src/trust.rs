//! Verification of signatures, beside the bare check of the same signature: what everything around it costs.
//!
//! Each figure is the mean of many verifications of one piece of evidence, from its bytes to who signed, in microseconds. The
//! ratio says how many bare checks one verification costs: reading, hashing and looking at names should be little beside them.

use std::{collections::BTreeMap, hint::black_box, time::Instant};

use anyhow::{Context as _, Result, ensure};
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::{Digest, Timestamp};
use boltseal_trust::{
    Authority, Evidence, Form, KeyFile, KeyKind, Pattern, PrivateKey, Revoked, Root, Statement, Who,
    notary::{Document, StoreKind, Stores, Trust},
    sign, verify,
};
use serde_json::{Value, json};

use crate::figures::{Figures, print_ratio};

/// Verifications that one figure is the mean of.
const TIMES: u32 = 500;
const RUNS: usize = 7;

pub fn run(_: &[String]) -> Result<()> {
    let image = Digest::of(b"image");
    let (file, public) = PrivateKey::generate(KeyKind::EcdsaP256, "bench")?;
    let began = Instant::now();
    let key = KeyFile::parse(&file)?.open("bench")?;
    println!(
        "{:44} {:>10.2} ms",
        "a key opened with its password (scrypt)",
        began.elapsed().as_secs_f64() * 1e3
    );
    let holder = [Authority::new("key", Who::key(public.clone()))];

    let bundle = sign(&Statement::signature(), &image, None, &key)?;
    let bare = bare(&bundle, &public.to_pem())?;
    bare.print("a bare ECDSA P-256 check", "us");
    let signed = measure(Form::Bundle, &bundle, &image, &holder)?;
    signed.print("a bundle by a key", "us");
    print_ratio("… in bare checks", &signed, &bare);
    let predicate = json!({ "packages": vec![json!({ "name": "a", "versionInfo": "1.2.3" }); 20_000] });
    let large = Statement { predicate_type: "https://spdx.dev/Document".to_owned(), predicate };
    let large = sign(&large, &image, None, &key)?;
    let size = large.len() >> 10;
    measure(Form::Bundle, &large, &image, &holder)?.print(&format!("… with an SBOM of {size} kB"), "us");
    let many: Vec<Authority> = (0..19)
        .map(|_| PrivateKey::generate(KeyKind::EcdsaP256, ""))
        .map(|made| Ok(Authority::new("other", Who::key(made?.1))))
        .chain([Ok(holder[0].clone())])
        .collect::<Result<_>>()?;
    measure(Form::Bundle, &bundle, &image, &many)?.print("… by the last of 20 keys", "us");
    measure(Form::Bundle, &large, &image, &many)?.print("… by the last of 20 keys, the SBOM", "us");
    let mut unnamed: Value = serde_json::from_slice(&bundle)?;
    unnamed["verificationMaterial"]["publicKey"]["hint"] = json!("");
    let unnamed = unnamed.to_string().into_bytes();
    measure(Form::Bundle, &unnamed, &image, &many)?
        .print("… by the last of 20 keys, none of them named", "us");
    of_others(&bare)?;
    list()
}

/// A list of half a million revoked certificates, from its bytes to one that can be looked into.
fn list() -> Result<()> {
    const NUMBERS: u32 = 500_000;
    let tagged = |tag: u8, content: &[u8]| {
        let length = u32::try_from(content.len()).unwrap_or(u32::MAX).to_be_bytes();
        let digits = length.iter().position(|byte| *byte != 0).unwrap_or(3);
        let digits = length.get(digits..).unwrap_or_default();
        let length = match content.len() {
            short @ 0..0x80 => vec![u8::try_from(short).unwrap_or_default()],
            _ => [&[0x80 | u8::try_from(digits.len()).unwrap_or_default()][..], digits].concat(),
        };
        [&[tag][..], &length, content].concat()
    };
    let entry = |number: u32| {
        // In no order, as authorities give them.
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &number.to_be_bytes());
        let serial = [&[0x5a][..], digest.as_ref().get(..15).unwrap_or_default()].concat();
        tagged(0x30, &[tagged(2, &serial), tagged(0x17, b"260601000000Z")].concat())
    };
    let entries: Vec<u8> = (0..NUMBERS).flat_map(entry).collect();
    let algorithm = tagged(0x30, &[6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]);
    let name = tagged(
        0x30,
        &tagged(0x31, &tagged(0x30, &[&[6, 3, 0x55, 4, 3][..], &tagged(0x0c, b"root")].concat())),
    );
    let time = tagged(0x17, b"260101000000Z");
    let signed = tagged(0x30, &[&algorithm[..], &name, &time, &time, &tagged(0x30, &entries)].concat());
    let list = tagged(0x30, &[&signed[..], &algorithm, &tagged(3, &[0])].concat());
    let mut figures = Figures::default();
    for _ in 0..RUNS {
        let began = Instant::now();
        let mut revoked = Revoked::default();
        revoked.add(&list)?;
        ensure!(revoked.len() == NUMBERS as usize, "numbers are missing");
        figures.push(began.elapsed().as_secs_f64() * 1e3);
    }
    figures.print(&format!("a list of {NUMBERS} revoked, {} MB, read", list.len() / 1_000_000), "ms");
    Ok(())
}

/// Vectors of other implementations, where they are at hand.
fn of_others(bare: &Figures) -> Result<()> {
    let read =
        |path: &str| boltseal_testkit::shared(&format!("data/signing/{path}")).map(std::fs::read).transpose();
    let file = read("sigstore-rust/bundles/conda-attestation.sigstore.json")?;
    if let (Some(bundle), Some(root)) = (file, read("sigstore-rust/trusted_roots/public-good.json")?) {
        let json: Value = serde_json::from_slice(&bundle)?;
        let payload = json["dsseEnvelope"]["payload"].as_str().context("a payload")?;
        let statement: Value = serde_json::from_slice(&STANDARD.decode(payload)?)?;
        let hex = statement["subject"][0]["digest"]["sha256"].as_str().context("a digest")?;
        let root = Root::parse(std::str::from_utf8(&root)?)?.into();
        let (subject, issuer) = (Pattern::anchored(".*")?, Pattern::anchored(".*")?);
        let anybody = [Authority::new("any", Who::Identity { subject, issuer, root })];
        let keyless = measure(Form::Bundle, &bundle, &format!("sha256:{hex}").parse()?, &anybody)?;
        keyless.print("keyless: certificate, SCT, log (offline)", "us");
        print_ratio("… in bare checks", &keyless, bare);
    }
    for (name, path, form) in [
        ("Notary Project, JWS, RSA 2048", "notation-go/internal/testdata/jws_signature.sig", Form::NotaryJws),
        (
            "Notary Project, JWS, with a timestamp",
            "notation-go/verifier/testdata/timestamp/sigEnv/jwsWithTimestamp.sig",
            Form::NotaryJws,
        ),
    ] {
        let clock = "notation-go/verifier/testdata/truststore/x509/tsa/test-timestamp/globalsignRoot.cer";
        let (Some(envelope), Some(clock)) = (read(path)?, read(clock)?) else { continue };
        let json: Value = serde_json::from_slice(&envelope)?;
        let chain = json["header"]["x5c"].as_array().and_then(|all| all.last()).and_then(Value::as_str);
        let root = STANDARD.decode(chain.context("a chain")?)?;
        let payload = json["payload"].as_str().context("a payload")?;
        let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload)?;
        let payload: Value = serde_json::from_slice(&payload)?;
        let image = payload["targetArtifact"]["digest"].as_str().context("a digest")?.parse()?;
        let stamped = json["header"].get("io.cncf.notary.timestampSignature").is_some();
        let notary = [notary(&root, &clock, stamped)?];
        let figures = measure(form, &envelope, &image, &notary)?;
        figures.print(name, "us");
        print_ratio("… in bare checks", &figures, bare);
    }
    Ok(())
}

fn notary(root: &[u8], clock: &[u8], stamped: bool) -> Result<Authority> {
    let trusted = if stamped { r#""ca:a", "tsa:a""# } else { r#""ca:a""# };
    let policy = format!(
        r#"{{ "version": "1.0", "trustPolicies": [{{ "name": "any", "registryScopes": ["*"],
            "signatureVerification": {{ "level": "strict" }}, "trustedIdentities": ["*"],
            "trustStores": [{trusted}] }}] }}"#
    );
    let statement = Document::parse(&policy)?.of("a/b").context("a statement")?.clone();
    let mut stores = Stores::default();
    stores.add(StoreKind::Authority, "a", root)?;
    stores.add(StoreKind::Clock, "a", clock)?;
    let trust = Trust { statement, stores: stores.into(), revoked: std::sync::Arc::default() };
    let now: Timestamp = "2026-11-01T00:00:00Z".parse()?;
    Ok(Authority::new("any", Who::Notary { trust: trust.into(), now }))
}

fn measure(form: Form, bytes: &[u8], image: &Digest, authorities: &[Authority]) -> Result<Figures> {
    let evidence = Evidence { form, bytes, annotations: &BTreeMap::new() };
    verify(&evidence, image, authorities)?;
    let mut figures = Figures::default();
    for _ in 0..RUNS {
        let began = Instant::now();
        for _ in 0..TIMES {
            black_box(verify(black_box(&evidence), image, authorities)?);
        }
        figures.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES));
    }
    Ok(figures)
}

/// Only the signature of `bundle`, by the library that everything here uses, with the key read already.
fn bare(bundle: &[u8], pem: &str) -> Result<Figures> {
    let json: Value = serde_json::from_slice(bundle)?;
    let text = |path: &str| json.pointer(path).and_then(Value::as_str).context("a bundle of ours");
    let payload = STANDARD.decode(text("/dsseEnvelope/payload")?)?;
    let kind = text("/dsseEnvelope/payloadType")?;
    let signature = STANDARD.decode(text("/dsseEnvelope/signatures/0/sig")?)?;
    let head = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len());
    let message = [head.as_bytes(), &payload].concat();
    let der = STANDARD.decode(pem.lines().filter(|line| !line.starts_with('-')).collect::<String>())?;
    // The point stands at the end of a key on P-256.
    let point = der.len().checked_sub(65).and_then(|at| der.get(at..)).context("a key")?;
    let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
    ensure!(key.verify(&message, &signature).is_ok(), "the signature is not right");
    let mut figures = Figures::default();
    for _ in 0..RUNS {
        let began = Instant::now();
        for _ in 0..TIMES {
            ensure!(black_box(key.verify(black_box(&message), &signature)).is_ok(), "not right");
        }
        figures.push(began.elapsed().as_secs_f64() * 1e6 / f64::from(TIMES));
    }
    Ok(figures)
}
