//! Keys that are new, ran out or were revoked: what is proven to be signed when, and what that is worth.

use std::sync::Arc;

use boltseal_model::{Digest, Timestamp};
use boltseal_trust::{Authority, PublicKey, Root, Who, Window, within};

use super::{
    instance::{Instance, SIGNED, Signer},
    older::{CERTIFICATE, LOG, Layer, signature},
};

const SECOND: i64 = 1;

fn moment(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Limits, each relative to [`SIGNED`].
fn window(not_before: Option<i64>, not_after: Option<i64>, revoked_at: Option<i64>) -> Window {
    let at = |offset: Option<i64>| offset.map(|offset| moment(SIGNED + offset));
    Window { not_before: at(not_before), not_after: at(not_after), revoked_at: at(revoked_at) }
}

fn holder(signer: &Signer, root: Option<Arc<Root>>, window: Window) -> Authority {
    let key: PublicKey = signer.certificate.parse().unwrap();
    Authority { name: "releases".into(), who: Who::Key { key, root, clocks: None }, window }
}

/// Signed by a key, at this second as the log promises.
fn signed(instance: &Instance, signer: &Signer, image: &Digest, at: i64) -> Layer {
    let mut layer = signature(instance, signer, image, at);
    layer.annotations.remove(CERTIFICATE);
    layer
}

#[test]
fn what_counts_when() {
    let (instance, signer, image) = (Instance::new(), Signer::keyed(), Digest::of(b"image"));
    let layer = signed(&instance, &signer, &image, SIGNED);
    for (name, window, expected) in [
        ("always", window(None, None, None), None),
        ("within", window(Some(-1), Some(1), None), None),
        ("at both ends", window(Some(0), Some(0), None), None),
        ("before it was revoked", window(None, None, Some(SECOND)), None),
        (
            "when it was revoked",
            window(None, None, Some(0)),
            Some("and the authority was revoked at 2025-01-01T06:00:00Z"),
        ),
        (
            "after it was revoked",
            window(None, None, Some(-1)),
            Some("it was signed at 2025-01-01T06:00:00Z, and the"),
        ),
        (
            "revoked before it ran out",
            window(None, Some(100), Some(-1)),
            Some("was revoked at 2025-01-01T05:59:59Z"),
        ),
        (
            "before the key counted",
            window(Some(1), None, None),
            Some("counts from 2025-01-01T06:00:01Z only"),
        ),
        ("after it ran out", window(None, Some(-1), None), Some("counts until 2025-01-01T05:59:59Z only")),
    ] {
        let found = layer.verify(&image, &[holder(&signer, Some(instance.root()), window)]);
        match (found, expected) {
            (Ok(found), None) => assert_eq!(found.at, [moment(SIGNED)], "{name}"),
            (Err(refusal), Some(words)) => assert!(refusal.to_string().contains(words), "{name}: {refusal}"),
            (found, _) => panic!("{name}: {found:?}, not {expected:?}"),
        }
    }
}

#[test]
fn attacks_with_a_stolen_key() {
    let (instance, signer, image) = (Instance::new(), Signer::keyed(), Digest::of(b"image"));
    let revoked = window(None, None, Some(0));
    let stolen = |layer: &Layer, root| {
        layer.verify(&image, &[holder(&signer, root, revoked)]).unwrap_err().to_string()
    };
    let root = || Some(instance.root());
    let late = signed(&instance, &signer, &image, SIGNED + 60);
    let early = signed(&instance, &signer, &Digest::of(b"another"), SIGNED - 60);
    // A right one, for comparison: it was signed in time.
    signed(&instance, &signer, &image, SIGNED - 60)
        .verify(&image, &[holder(&signer, root(), revoked)])
        .unwrap();

    assert!(stolen(&late, root()).contains("was revoked at"), "too late");
    let told = stolen(&late, None);
    let words = "the authority was revoked at 2025-01-01T06:00:00Z, and neither a log nor a clock says when";
    assert!(told.contains(words), "by a key alone nothing has a time: {told}");
    let mut stripped = late.clone();
    stripped.annotations.remove(LOG);
    assert!(stolen(&stripped, root()).contains("no entry of it"), "stripped of its time");
    let mut borrowed = late.clone();
    borrowed.annotations.insert(LOG.to_owned(), early.annotations[LOG].clone());
    let told = stolen(&borrowed, root());
    assert!(told.contains("mismatch"), "the time of another signature: {told}");
    let mut backdated = late.clone();
    let text = backdated.annotations[LOG].clone();
    let changed = text.replace(&(SIGNED + 60).to_string(), &(SIGNED - 60).to_string());
    assert_ne!(text, changed);
    backdated.annotations.insert(LOG.to_owned(), changed);
    let told = stolen(&backdated, root());
    assert!(told.contains("promise") || told.contains("signature"), "backdated: {told}");
    let told = stolen(&early, root());
    assert!(told.starts_with("it was signed for sha256:"), "replayed: {told}");
    let other = Instance::new();
    let told = stolen(&signed(&other, &signer, &image, SIGNED - 60), root());
    assert!(!told.contains("revoked"), "by a log of the thief: {told}");
}

#[test]
fn every_moment_must_lie_within() {
    let limits = window(Some(-10), Some(10), None);
    let check = |offsets: &[i64]| {
        let at: Vec<Timestamp> = offsets.iter().map(|offset| moment(SIGNED + offset)).collect();
        within(&limits, &at).map_err(|why| why.to_string())
    };
    assert_eq!(check(&[0, 5]), Ok(()));
    assert!(check(&[0, 11]).unwrap_err().contains("counts until"));
    assert!(check(&[-11, 0]).unwrap_err().contains("counts from"));
    assert!(check(&[]).unwrap_err().contains("neither a log nor a clock"));
    assert_eq!(within(&Window::default(), &[]), Ok(()));
}

/// A rotation: the old key counts for what it signed, the new one for what comes.
#[test]
fn one_key_after_the_other() {
    let (instance, image) = (Instance::new(), Digest::of(b"image"));
    let (old, new) = (Signer::keyed(), Signer::keyed());
    let both = [
        holder(&old, Some(instance.root()), window(None, Some(0), None)),
        holder(&new, Some(instance.root()), window(Some(0), None, None)),
    ];
    for (signer, at, good) in [(&old, -1, true), (&old, 1, false), (&new, -1, false), (&new, 1, true)] {
        let found = signed(&instance, signer, &image, SIGNED + at).verify(&image, &both);
        assert_eq!(found.is_ok(), good, "{at}: {found:?}");
    }
}
