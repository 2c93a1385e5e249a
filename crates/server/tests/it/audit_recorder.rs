//! What the recorder finds before anything is served, and while it is: old copies, changed bytes, missing keys.

use std::{fs, time::Duration};

use boltseal_api::audit::Verified;
use boltseal_audit::{
    Record,
    record::{Activity, Outcome, Subject},
};
use boltseal_server::recorder::Error;
use boltseal_store::{Error as StoreError, Facts};

use crate::{
    home::{Home, close},
    sample,
};

/// A second is promised; the bench measures that. Here a busy machine may take longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Records so many images, seals them, and closes everything.
async fn record(home: &Home, many: usize) {
    record_of(home, "images", many).await;
}

async fn record_of(home: &Home, what: &str, many: usize) {
    let (facts, recorder) = home.open(None).await.unwrap();
    // In two commits: the facts keep the last one even when it is sealed.
    append(&facts, what, many / 2).await;
    append(&facts, what, many - many / 2).await;
    recorder.seal().await.unwrap();
    close(facts, recorder).await;
}

async fn append(facts: &Facts, what: &str, many: usize) {
    let entries = (0..many).map(|number| {
        Record::new(sample::now(), Activity::Read, "Boltseal/images/read")
            .subject(Subject::new(format!("/{what}/{number}")))
            .outcome(Outcome::Success)
            .entry()
    });
    facts.append(entries.collect()).await.unwrap();
}

async fn refused(home: &Home) -> Error {
    match home.open(None).await {
        Ok(_) => panic!("the log was taken"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn entries_are_sealed_unasked() {
    let home = Home::new();
    let (facts, recorder) = home.open(None).await.unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let sealing = tokio::spawn({
        let recorder = recorder.clone();
        async move { recorder.run(async { drop(stopped.await) }).await }
    });
    let mut state = recorder.state();
    for round in 1..=3 {
        append(&facts, "images", 100).await;
        let sealed = state.wait_for(|state| state.checkpoint.checkpoint().size == round * 100);
        tokio::time::timeout(PATIENCE, sealed).await.unwrap().unwrap();
    }
    append(&facts, "images", 5).await;
    drop(stop);
    sealing.await.unwrap();
    assert_eq!(recorder.reader().unwrap().checkpoint().unwrap().checkpoint().size, 305, "the last ones too");
    assert_eq!(facts.batches(0, 100).await.unwrap().len(), 1, "the facts keep only where to go on");
}

#[tokio::test]
async fn what_a_crash_left_unsealed_is_sealed_after_the_next_start() {
    let home = Home::new();
    let (facts, recorder) = home.open(None).await.unwrap();
    append(&facts, "images", 300).await;
    recorder.seal().await.unwrap();
    append(&facts, "images", 400).await;
    close(facts, recorder).await;

    let (facts, recorder) = home.open(None).await.unwrap();
    assert_eq!(recorder.state().borrow().checkpoint.checkpoint().size, 300);
    recorder.seal().await.unwrap();
    let reader = recorder.reader().unwrap();
    let size = reader.checkpoint().unwrap().checkpoint().size;
    let entries: Vec<String> = reader
        .entries(300..size, size)
        .flat_map(|bundle| {
            let bundle = bundle.unwrap();
            bundle.iter().map(|(_, entry)| Record::parse(entry).unwrap().subject.scope).collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(entries, (0..400).map(|number| format!("/images/{number}")).collect::<Vec<_>>());
    assert!(matches!(recorder.verify(), Verified::Good { checked: 700, .. }));
    close(facts, recorder).await;
}

#[tokio::test]
async fn old_copies_are_refused() {
    let whole = ["facts.db", "audit", "keys"];
    for (parts, then, expected) in
        [(&whole[..], 10, "Rollback"), (&["facts.db"], 10, "OldFacts"), (&["audit"], 10, "OldLog")]
    {
        let home = Home::new();
        record(&home, 700).await;
        for part in parts {
            home.keep(part);
        }
        record(&home, then).await;
        for part in parts {
            home.restore(part);
        }
        let error = refused(&home).await;
        let name = match &error {
            Error::Rollback { .. } => "Rollback",
            Error::OldFacts { .. } => "OldFacts",
            Error::OldLog { .. } => "OldLog",
            _ => "another",
        };
        assert_eq!(name, expected, "{parts:?}: {error}");
        assert!(error.to_string().contains("next: "), "it does not say what to do: {error}");
        if name == "OldLog" {
            assert!(
                matches!(home.open(Some("a drill")).await, Err(Error::OldLog { .. })),
                "entries are lost"
            );
            continue;
        }
        let (facts, recorder) = home.open(Some("a drill")).await.unwrap();
        recorder.seal().await.unwrap();
        let reader = recorder.reader().unwrap();
        let size = reader.checkpoint().unwrap().checkpoint().size;
        let record = Record::parse(&reader.entry(size - 1, size).unwrap()).unwrap();
        assert!(record.alert && format!("{:?}", record.why).contains("a drill"), "{record:?}");
        close(facts, recorder).await;
        home.open(None).await.unwrap();
    }
}

#[tokio::test]
async fn a_fork_is_refused_even_if_it_is_longer() {
    let home = Home::new();
    record(&home, 700).await;
    let whole = ["facts.db", "audit", "keys"];
    for part in &whole {
        home.keep(part);
    }
    record(&home, 10).await;
    // Elsewhere, where nothing is known of the last ten, the old copy goes on.
    let (anchors, away) = (home.path().join("anchors"), home.path().join("away"));
    fs::rename(&anchors, &away).unwrap();
    for part in &whole {
        home.restore(part);
    }
    record_of(&home, "others", 2_000).await;
    fs::remove_dir_all(&anchors).unwrap();
    fs::rename(&away, &anchors).unwrap();
    let error = refused(&home).await;
    assert!(matches!(error, Error::Rollback { .. }), "{error}");
    assert!(error.to_string().contains("does not begin with the 710 entries"), "{error}");
}

#[tokio::test]
async fn without_its_key_a_log_is_not_gone_on_with() {
    let home = Home::new();
    record(&home, 3).await;
    fs::rename(home.data().join("keys/audit"), home.path().join("key")).unwrap();
    assert!(matches!(refused(&home).await, Error::NoKey { .. }));
    assert!(!home.data().join("keys/audit").exists(), "no other key was made");
    fs::rename(home.path().join("key"), home.data().join("keys/audit")).unwrap();
    home.open(None).await.unwrap();
}

/// One file of each kind, in a log of 66,000 entries.
const FILES: [&str; 9] = [
    "checkpoint",
    "tile/entries/000",
    "tile/entries/255",
    "tile/entries/257.p/208",
    "tile/0/000",
    "tile/0/257.p/208",
    "tile/1/000",
    "tile/1/001.p/1",
    "tile/2/000.p/1",
];

#[tokio::test]
async fn a_flipped_byte_is_found() {
    let home = Home::new();
    record(&home, 33_000).await;
    record(&home, 33_000).await;
    for file in FILES {
        let path = home.data().join("audit").join(file);
        let good = fs::read(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
        for place in [0, good.len() / 2, good.len() - 1] {
            let mut bad = good.clone();
            bad[place] ^= 1;
            fs::write(&path, &bad).unwrap();
            // A log of this length is verified in the background, so it may only be found then.
            match home.open(None).await {
                Err(_) => {}
                Ok((facts, recorder)) => {
                    let found = recorder.verify();
                    assert!(matches!(found, Verified::Broken { .. }), "{file}, byte {place}: {found:?}");
                    let closed = facts.append(vec![b"{}".to_vec()]).await;
                    assert!(matches!(closed, Err(StoreError::LogClosed(_))), "{file}: {closed:?}");
                    assert!(recorder.state().borrow().closed.is_some());
                    close(facts, recorder).await;
                }
            }
        }
        fs::write(&path, &good).unwrap();
    }
    let (_facts, recorder) = home.open(None).await.unwrap();
    assert!(matches!(recorder.verify(), Verified::Good { checked: 66_000, .. }));
}

#[tokio::test]
async fn a_short_log_is_verified_before_anything_is_served() {
    let home = Home::new();
    record(&home, 1_000).await;
    let path = home.data().join("audit/tile/entries/001");
    let mut bundle = fs::read(&path).unwrap();
    bundle[500] ^= 1;
    fs::write(&path, bundle).unwrap();
    let error = refused(&home).await;
    assert!(matches!(error, Error::Broken(_)) && error.to_string().contains("entry "), "{error}");

    fs::remove_file(&path).unwrap();
    assert!(refused(&home).await.to_string().contains("tile/entries/001"));
}

#[tokio::test]
async fn archiving_that_was_cut_off_is_finished_and_holes_are_found() {
    let home = Home::new();
    record(&home, 1_000).await;
    let (log, archive) = (home.data().join("audit"), home.data().join("audit-archive"));
    fs::create_dir_all(archive.join("tile/entries")).unwrap();
    // As a crash leaves it: one bundle moved, the mark says that more will be.
    fs::rename(log.join("tile/entries/000"), archive.join("tile/entries/000")).unwrap();
    assert!(refused(&home).await.to_string().contains("tile/entries/000 is missing"));
    fs::write(archive.join("first"), "512 moving\n").unwrap();
    let (facts, recorder) = home.open(None).await.unwrap();
    assert_eq!(recorder.archived(), 512);
    assert!(archive.join("tile/entries/001").exists() && !log.join("tile/entries/001").exists());
    assert_eq!(fs::read_to_string(archive.join("first")).unwrap(), "512\n");
    close(facts, recorder).await;
    // What is gone beyond the mark is missed.
    fs::rename(log.join("tile/entries/002"), archive.join("tile/entries/002")).unwrap();
    assert!(refused(&home).await.to_string().contains("tile/entries/002 is missing"));
    fs::write(archive.join("first"), "700\n").unwrap();
    assert!(refused(&home).await.to_string().contains("no number of a bundle"));
}
