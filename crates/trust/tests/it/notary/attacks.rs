//! What attackers make of a right signature of Notary Project. Each has a name in the field.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use boltseal_model::Digest;
use boltseal_trust::{Form, Revoked, notary::StoreKind};
use coset::{cbor::Value as Cbor, iana::Algorithm};
use serde_json::{Value, json};

use super::{
    Believed, NOW, at, check,
    made::{Made, payload, untagged},
    policy,
};

const EXPIRY: &str = "io.cncf.notary.expiry";
pub(super) const SCHEME: &str = "io.cncf.notary.signingScheme";
pub(super) const AUTHENTIC: &str = "io.cncf.notary.authenticSigningTime";

pub(super) fn believed(made: &Made, changes: &Value) -> Believed {
    Believed {
        policy: policy(changes),
        stores: vec![(StoreKind::Authority, made.root.clone())],
        revoked: Revoked::default(),
        now: at(NOW),
    }
}

/// Its name, what is done to the envelope, and a part of the reason of the refusal.
type Attack<'a> = (&'a str, Box<dyn Fn(&mut Value) + 'a>, Result<&'a str, &'a str>);

#[test]
#[expect(clippy::too_many_lines, reason = "a table of attacks")]
fn attacks_on_jws() {
    let (made, other, image) = (Made::new(), Made::new(), Digest::of(b"image"));
    let again = |envelope: &mut Value, changed: Value| {
        let signed =
            format!("{}.{}", changed["protected"].as_str().unwrap(), changed["payload"].as_str().unwrap());
        *envelope = changed;
        envelope["signature"] = json!(URL_SAFE_NO_PAD.encode(made.sign(signed.as_bytes())));
    };
    let stolen = URL_SAFE_NO_PAD.encode(payload(&Digest::of(b"another")).to_string());
    let attacks: Vec<Attack<'_>> = vec![
        ("none", Box::new(|_| {}), Ok("CN=releases")),
        (
            "tampered",
            Box::new(|e| {
                let mut changed = payload(&image);
                changed["targetArtifact"]["size"] = json!(1);
                e["payload"] = json!(URL_SAFE_NO_PAD.encode(changed.to_string()));
            }),
            Err("the signature does not fit"),
        ),
        (
            "moved to another image",
            Box::new(|e| e["payload"] = json!(stolen)),
            Err("it was signed for sha256:"),
        ),
        (
            "expired",
            Box::new(|e| {
                *e = made.jws(&image, |p| {
                    p[EXPIRY] = json!("2026-10-15T00:00:00Z");
                    p["crit"] = json!([SCHEME, EXPIRY]);
                });
            }),
            Err("it expired at 2026-10-15T00:00:00Z"),
        ),
        (
            "its expiry made optional",
            Box::new(|e| *e = made.jws(&image, |p| p[EXPIRY] = json!("2026-10-15T00:00:00Z"))),
            Err("`io.cncf.notary.expiry` is not marked as critical"),
        ),
        (
            "an attribute of the future",
            Box::new(|e| {
                *e = made.jws(&image, |p| {
                    p["acme.approved"] = json!(false);
                    p["crit"] = json!([SCHEME, "acme.approved"]);
                });
            }),
            Err("its signer calls `acme.approved` critical, which is not known here"),
        ),
        (
            "nothing critical",
            Box::new(|e| *e = made.jws(&image, |p| p["crit"] = json!([]))),
            Err("nothing critical"),
        ),
        (
            "critical, and not there",
            Box::new(|e| *e = made.jws(&image, |p| p["crit"] = json!([SCHEME, "gone"]))),
            Err("`gone` is marked as critical, and not there"),
        ),
        (
            "downgraded to no algorithm",
            Box::new(|e| {
                *e = made.jws(&image, |p| p["alg"] = json!("none"));
                e["signature"] = json!("");
            }),
            Err("`none` is no algorithm"),
        ),
        (
            "downgraded to a shared secret",
            Box::new(|e| *e = made.jws(&image, |p| p["alg"] = json!("HS256"))),
            Err("`HS256` is no algorithm"),
        ),
        (
            "another algorithm than the key's",
            Box::new(|e| *e = made.jws(&image, |p| p["alg"] = json!("PS256"))),
            Err("it says PS256, and the key of its certificate signs ES256"),
        ),
        (
            "stripped of its signature",
            Box::new(|e| e["signature"] = json!("")),
            Err("the signature does not fit"),
        ),
        ("stripped of its chain", Box::new(|e| e["header"]["x5c"] = json!([])), Err("there is none")),
        (
            "stripped of its root",
            Box::new(|e| {
                e["header"]["x5c"].as_array_mut().unwrap().pop();
            }),
            Err("was not issued by"),
        ),
        (
            "another's chain",
            Box::new(|e| {
                e["header"]["x5c"] = json!([STANDARD.encode(&other.leaf), STANDARD.encode(&other.root)]);
            }),
            Err("the signature does not fit"),
        ),
        (
            "by a stranger",
            Box::new(|e| *e = other.jws(&image, |_| {})),
            Err("no certificate of its chain is in a trust store"),
        ),
        (
            "a root that is believed, and did not issue the leaf",
            Box::new(|e| {
                *e = other.jws(&image, |_| {});
                e["header"]["x5c"][1] = json!(STANDARD.encode(&made.root));
            }),
            Err("was not signed by"),
        ),
        (
            "the believed root at the end of a stranger's chain",
            Box::new(|e| {
                *e = other.jws(&image, |_| {});
                e["header"]["x5c"].as_array_mut().unwrap().push(json!(STANDARD.encode(&made.root)));
            }),
            Err("is its own issuer, but not the last"),
        ),
        (
            "another kind of payload",
            Box::new(|e| *e = made.jws(&image, |p| p["cty"] = json!("text/plain"))),
            Err("it signs a `text/plain`"),
        ),
        (
            "a time that only services may tell",
            Box::new(|e| *e = made.jws(&image, |p| p[AUTHENTIC] = json!("2026-10-01T00:00:00Z"))),
            Err("the times in it are not those of the scheme"),
        ),
        (
            "as a service that nobody believes",
            Box::new(|e| {
                *e = made.jws(&image, |p| {
                    p.as_object_mut().unwrap().remove("io.cncf.notary.signingTime");
                    p[SCHEME] = json!("notary.x509.signingAuthority");
                    p[AUTHENTIC] = json!("2026-10-01T00:00:00Z");
                    p["crit"] = json!([SCHEME, AUTHENTIC]);
                });
            }),
            Err("it names none of the kind `signingAuthority`"),
        ),
        (
            "an unknown scheme",
            Box::new(|e| *e = made.jws(&image, |p| p[SCHEME] = json!("x"))),
            Err("its scheme is `x`"),
        ),
        (
            "no time",
            Box::new(|e| {
                *e = made.jws(&image, |p| {
                    p.as_object_mut().unwrap().remove("io.cncf.notary.signingTime");
                });
            }),
            Err("it has no time of signing"),
        ),
        (
            "signed after it expired",
            Box::new(|e| {
                *e = made.jws(&image, |p| {
                    p[EXPIRY] = json!("2026-09-01T00:00:00Z");
                    p["crit"] = json!([SCHEME, EXPIRY]);
                });
            }),
            Err("it expired before it was signed"),
        ),
        (
            "what is not there, signed again",
            Box::new(|e| {
                let mut changed = made.jws(&image, |_| {});
                changed["payload"] = json!(URL_SAFE_NO_PAD.encode("{}"));
                again(e, changed);
            }),
            Err("missing field `targetArtifact`"),
        ),
        (
            "a chain without end",
            Box::new(|e| e["header"]["x5c"] = json!(vec![STANDARD.encode(&made.leaf); 11])),
            Err("more than 10 for a chain"),
        ),
    ];
    for (name, attack, expected) in attacks {
        let mut envelope = made.jws(&image, |_| {});
        attack(&mut envelope);
        let found =
            believed(&made, &json!({})).verify(Form::NotaryJws, envelope.to_string().as_bytes(), &image);
        check(name, &found, expected);
    }
    let twice =
        made.jws(&image, |_| {}).to_string().replacen('{', &format!("{{\"payload\":\"{stolen}\","), 1);
    let found = believed(&made, &json!({})).verify(Form::NotaryJws, twice.as_bytes(), &image);
    check("two payloads in one", &found, Err("duplicate field `payload`"));
    let right = made.jws(&image, |_| {}).to_string();
    let found =
        believed(&made, &json!({})).verify(Form::NotaryJws, right.as_bytes(), &Digest::of(b"another"));
    check("replayed", &found, Err("it was signed for sha256:"));
}

#[test]
fn attacks_on_cose() {
    let (made, other, image) = (Made::new(), Made::new(), Digest::of(b"image"));
    let time = |seconds: i64| Cbor::Tag(1, Box::new(Cbor::from(seconds)));
    let right = made.cose(&image, Algorithm::ES256, &[]);
    let mut tampered = right.clone();
    let place = right.windows(3).position(|three| three == b"528").unwrap();
    tampered[place] = b'9';
    let mut stripped = right.clone();
    let length = stripped.len();
    stripped[length - 1] ^= 1;
    let attacks: Vec<(&str, Vec<u8>, Result<&str, &str>)> = vec![
        ("none", right.clone(), Ok("CN=releases")),
        ("tampered", tampered, Err("the signature does not fit")),
        ("a changed signature", stripped, Err("the signature does not fit")),
        ("without its tag", untagged(&right), Err("cannot be read")),
        ("something behind it", [&right[..], b"x"].concat(), Err("cannot be read")),
        ("cut", right[..right.len() - 10].to_vec(), Err("cannot be read")),
        (
            "expired",
            made.cose(&image, Algorithm::ES256, &[("io.cncf.notary.expiry!", time(1_792_022_400))]),
            Err("it expired at 2026-10-15T00:00:00Z"),
        ),
        (
            "its expiry made optional",
            made.cose(&image, Algorithm::ES256, &[(EXPIRY, time(1_792_022_400))]),
            Err("is not marked as critical"),
        ),
        (
            "a time that is a number",
            made.cose(&image, Algorithm::ES256, &[("io.cncf.notary.expiry!", Cbor::from(1_792_022_400))]),
            Err("`io.cncf.notary.expiry` is no time"),
        ),
        (
            "an attribute of the future",
            made.cose(&image, Algorithm::ES256, &[("acme.approved!", Cbor::from(false))]),
            Err("its signer calls `acme.approved` critical"),
        ),
        (
            "a plugin",
            made.cose(&image, Algorithm::ES256, &[("io.cncf.notary.verificationPlugin!", Cbor::from("x"))]),
            Err("by the plugin `x`, and plugins are not run"),
        ),
        (
            "another algorithm than the key's",
            made.cose(&image, Algorithm::ES384, &[]),
            Err("it says ES384, and the key of its certificate signs ES256"),
        ),
        (
            "downgraded",
            made.cose(&image, Algorithm::HMAC_256_256, &[]),
            Err("is no algorithm of Notary Project"),
        ),
        ("by a stranger", other.cose(&image, Algorithm::ES256, &[]), Err("is in a trust store")),
        (
            "of another image",
            made.cose(&Digest::of(b"another"), Algorithm::ES256, &[]),
            Err("it was signed for"),
        ),
        ("a million of them", vec![0x81; 100_000], Err("cannot be read")),
    ];
    for (name, bytes, expected) in attacks {
        check(name, &believed(&made, &json!({})).verify(Form::NotaryCose, &bytes, &image), expected);
    }
}

#[test]
fn what_changes_by_itself_and_when() {
    let (made, image) = (Made::new(), Digest::of(b"image"));
    let expiring = made.jws(&image, |p| {
        p[EXPIRY] = json!("2026-11-15T00:00:00Z");
        p["crit"] = json!([SCHEME, EXPIRY]);
    });
    let plain = made.jws(&image, |_| {});
    let strict = json!({});
    let skips =
        json!({ "signatureVerification": { "level": "skip" }, "trustStores": [], "trustedIdentities": [] });
    let (list, none) = (made.list(&[1], 2026), Vec::new());
    let end = Some("2027-01-01T00:00:00.001Z");
    for (name, envelope, changes, list, now, counts, until) in [
        ("its certificates end", &plain, &strict, &none, NOW, true, end),
        ("on the last moment", &plain, &strict, &none, "2027-01-01T00:00:00Z", true, end),
        ("when that is over", &plain, &strict, &none, "2027-01-01T00:00:00.001Z", false, None),
        ("they begin", &plain, &strict, &none, "2025-12-01T00:00:00Z", false, Some("2026-01-01T00:00:00Z")),
        ("it expires", &expiring, &strict, &none, NOW, true, Some("2026-11-15T00:00:00Z")),
        ("it is expired", &expiring, &strict, &none, "2026-11-15T00:00:00Z", false, end),
        ("a list ends too", &plain, &strict, &list, "2026-12-31T00:00:00Z", true, end),
        ("nothing is verified", &expiring, &skips, &none, NOW, false, None),
    ] {
        let mut believed = believed(&made, changes);
        if !list.is_empty() {
            believed.revoked.add(list).unwrap();
        }
        believed.now = at(now);
        let bytes = envelope.to_string();
        let weighed = believed.weigh(Form::NotaryJws, bytes.as_bytes(), &image);
        assert_eq!(weighed.outcome.is_ok(), counts, "{name}: {weighed:?}");
        assert_eq!(weighed.until, until.map(at), "{name}");
    }
}
