//! What is attached to images is counted with every change of it, and verdicts say how much of it they know.

use std::collections::HashMap;

use boltseal_model::{Decision, Digest, Signature, Timestamp};
use boltseal_store::{Bearing, Claims, Facts, Kind, NewManifest, Outcome, Pusher};

use crate::{
    databases::Database,
    facts::manifest,
    views::{judged, report},
};

fn artifact(name: &str, subject: Option<&Digest>, tag: &str) -> NewManifest {
    NewManifest {
        kind: Kind::Artifact,
        platform: None,
        subject: subject.cloned(),
        artifact_type: Some("application/vnd.dev.sigstore.bundle.v0.3+json".to_owned()),
        ..manifest("app", tag, &Digest::of(name.as_bytes()), &[])
    }
}

fn signature() -> Signature {
    Signature {
        place: "referrer".to_owned(),
        digest: Digest::of(b"blob"),
        by: vec!["releases".to_owned()],
        signer: None,
        at: Vec::new(),
        logged: false,
        until: None,
        remarks: Vec::new(),
        predicate_type: None,
        provenance: None,
        fault: None,
    }
}

async fn bearing(facts: &Facts, image: &Digest) -> Bearing {
    facts.bearing(std::slice::from_ref(image)).await.unwrap().remove(image).unwrap()
}

/// Judges with what is known now.
async fn judge(facts: &Facts, image: &Digest) -> u64 {
    let changes = bearing(facts, image).await.changes;
    record(facts, image, changes).await;
    changes
}

async fn record(facts: &Facts, image: &Digest, changes: u64) {
    let mut report = report(image, Decision::Allow, "s1", vec![]);
    report.signatures = Some(vec![signature()]);
    let outcome = Outcome::Judged { report: Box::new(report), catalog_gaps: vec![] };
    let heeded = HashMap::from([(image.clone(), changes)]);
    facts.record_heeding(vec![(image.clone(), outcome)], heeded, Timestamp::now()).await.unwrap();
}

async fn is_heeded(facts: &Facts, image: &Digest) -> bool {
    let heeded = facts.judgement(image).await.unwrap().unwrap().heeded;
    assert_eq!(facts.unheeded(10).await.unwrap().contains(image), !heeded);
    heeded
}

#[tokio::test]
async fn every_way_to_attach_and_to_take_away_counts() {
    for database in Database::each() {
        let facts = database.open().await;
        let (image, other) = (Digest::of(b"image"), Digest::of(b"other"));
        for one in [&image, &other] {
            facts.put_manifest(manifest("app", "", one, &[])).await.unwrap();
            judged(&facts, one, report(one, Decision::Deny, "s1", vec![])).await;
        }
        assert!(is_heeded(&facts, &image).await);
        let index = Digest::of(b"index");
        let list = NewManifest {
            kind: Kind::Index,
            manifests: vec![image.clone()],
            ..manifest("app", "multi", &index, &[])
        };
        facts.put_manifest(list).await.unwrap();
        assert!(is_heeded(&facts, &image).await, "an index alone says nothing");

        let older = format!("sha256-{}.sig", image.hex());
        let (signed, document) = (Digest::of(b"signed"), Digest::of(b"document"));
        for push in [
            artifact("signed", Some(&image), ""),
            artifact("again", None, &older),
            artifact("list", Some(&index), ""),
            artifact("document", Some(&image), ""),
            artifact("of the document", Some(&document), ""),
        ] {
            let what = push.digest.clone();
            facts.put_manifest(push).await.unwrap();
            assert!(!is_heeded(&facts, &image).await, "{what} is attached");
            judge(&facts, &image).await;
            assert!(is_heeded(&facts, &image).await);
        }
        let attached = facts.bearing_on(&image).await.unwrap();
        let subjects: Vec<bool> = attached.iter().map(|(of, _)| *of == image).collect();
        assert_eq!(subjects.iter().filter(|own| **own).count(), 3, "two name it, one by its tag");
        assert_eq!(attached.len(), 4, "and one names the index");

        assert!(facts.remove_tag("app", &older).await.unwrap());
        assert!(!is_heeded(&facts, &image).await, "the tag is gone");
        judge(&facts, &image).await;
        for gone in [&signed, &Digest::of(b"of the document"), &index] {
            assert!(facts.remove_manifest("app", gone).await.unwrap());
            assert!(!is_heeded(&facts, &image).await, "{gone} is gone");
            judge(&facts, &image).await;
        }
        assert!(is_heeded(&facts, &other).await, "another image has nothing to do with it");
    }
}

#[tokio::test]
async fn a_change_while_it_is_judged_is_not_lost() {
    for database in Database::each() {
        let facts = database.open().await;
        let image = Digest::of(b"image");
        facts.put_manifest(manifest("app", "", &image, &[])).await.unwrap();
        let before = judge(&facts, &image).await;
        let known = bearing(&facts, &image).await;
        let claims = Claims { signatures: Some(vec![signature()]), ..Claims::default() };
        assert_eq!(known.claims, Some(claims), "what did not change is kept");
        assert_eq!(known.policy, Some(Digest::of(b"policy").to_string()));
        assert_eq!(facts.report(&image).await.unwrap().unwrap().signatures, Some(vec![signature()]));

        facts.put_manifest(artifact("signed", Some(&image), "")).await.unwrap();
        let known = bearing(&facts, &image).await;
        assert_eq!(known.claims, None, "and what did is not");
        record(&facts, &image, before).await;
        assert!(!is_heeded(&facts, &image).await, "judged without knowing of it");
        judge(&facts, &image).await;
        assert!(is_heeded(&facts, &image).await);
    }
}

#[tokio::test]
async fn whoever_fills_a_repository_hides_nothing_of_another() {
    for database in Database::each() {
        let facts = database.open().await;
        let image = Digest::of(b"image");
        facts.put_manifest(manifest("app", "", &image, &[])).await.unwrap();
        facts.put_manifest(artifact("ours", Some(&image), "")).await.unwrap();
        for name in ["a", "b", "c"] {
            let junk = NewManifest { repository: "aaa".to_owned(), ..artifact(name, Some(&image), "") };
            facts.put_manifest(junk).await.unwrap();
        }
        let found = facts.bearing_on(&image).await.unwrap();
        let place = found.iter().position(|(_, one)| one.repository == "app");
        assert_eq!((place, found.len()), (Some(1), 4), "{found:?}");
    }
}

#[tokio::test]
async fn who_pushed_goes_with_what_was_pushed() {
    for database in Database::each() {
        let facts = database.open().await;
        let image = Digest::of(b"image");
        let by = |name: &str| Some(Pusher { principal: format!("id of {name}"), name: name.to_owned() });
        for name in ["alice", "bob", "alice"] {
            let push = NewManifest { by: by(name), ..manifest("app", "", &image, &[]) };
            facts.put_manifest(push).await.unwrap();
        }
        let names = async || -> Vec<String> {
            facts.pushers(&image).await.unwrap().into_iter().map(|push| push.by.name).collect()
        };
        let mut both = names().await;
        both.sort();
        assert_eq!(both, ["alice", "bob"]);
        facts.remove_manifest("app", &image).await.unwrap();
        facts.put_manifest(manifest("app", "", &image, &[])).await.unwrap();
        assert_eq!(names().await, [""; 0]);
    }
}
