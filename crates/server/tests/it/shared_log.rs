//! Two servers that share a log: one seals, both see it, and the other goes on when the first is gone.

use std::{path::Path, time::Duration};

use boltseal_api::audit::Verified;
use boltseal_server::{Recorder, recorder::Config};
use boltseal_store::Facts;

/// A server of the two: its own data folder, the keys of both.
async fn server(address: &str, folder: &Path, name: &str) -> (Facts, Recorder) {
    let facts = Facts::connect(address).await.unwrap();
    let config = Config {
        data: folder.join(name),
        keys: folder.join("keys"),
        origin: "boltseal.example/audit".to_owned(),
        anchors: folder.join(name).join("anchors"),
        accept_restored: None,
    };
    std::fs::create_dir_all(folder.join(name)).unwrap();
    let recorder = Recorder::open(config, &facts).await.unwrap();
    (facts, recorder)
}

async fn sealed(recorder: &Recorder, size: u64) {
    let mut state = recorder.state();
    let reached = state.wait_for(|state| state.checkpoint.checkpoint().size >= size);
    tokio::time::timeout(Duration::from_secs(30), reached).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_seals_and_the_other_takes_over() {
    let Some(postgres) = boltseal_testkit::postgres() else { return };
    let (address, folder) = (postgres.database(), tempfile::tempdir().unwrap());
    let (facts, first) = server(&address, folder.path(), "first").await;
    let (other, second) = server(&address, folder.path(), "second").await;
    assert_eq!(first.verifier().to_string(), second.verifier().to_string());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let running = tokio::spawn({
        let first = first.clone();
        async move { first.run(async { drop(stopped.await) }).await }
    });
    first.leads().wait_for(|leads| *leads).await.unwrap();
    tokio::spawn({
        let second = second.clone();
        async move { second.run(std::future::pending()).await }
    });

    // Both record at once; the log has everything in one order, and both show it.
    let appends = (0..300_u32).map(|n| {
        let facts = if n.is_multiple_of(2) { facts.clone() } else { other.clone() };
        tokio::spawn(async move { facts.append(vec![n.to_be_bytes().to_vec()]).await })
    });
    for append in appends.collect::<Vec<_>>() {
        append.await.unwrap().unwrap();
    }
    sealed(&first, 300).await;
    sealed(&second, 300).await;
    assert!(!*second.leads().borrow());

    // The first goes; what is recorded afterwards is sealed by the second, under the same tree.
    drop(stop);
    running.await.unwrap();
    drop((facts, first));
    other.append(vec![b"afterwards".to_vec()]).await.unwrap();
    sealed(&second, 301).await;
    assert!(*second.leads().borrow());
    let verified = tokio::task::spawn_blocking(move || second.verify()).await.unwrap();
    assert!(matches!(verified, Verified::Good { checked: 301, .. }), "{verified:?}");
}

/// A server whose turn is over may not know it yet: what it writes is refused, and it finds its entries sealed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_late_does_not_fork_the_log() {
    let Some(postgres) = boltseal_testkit::postgres() else { return };
    let (address, folder) = (postgres.database(), tempfile::tempdir().unwrap());
    let (facts, first) = server(&address, folder.path(), "first").await;
    let (_other, second) = server(&address, folder.path(), "second").await;
    let mut failures = 0;
    for n in 0..20_u32 {
        facts.append(vec![n.to_be_bytes().to_vec()]).await.unwrap();
        sealed_by_both(&first, &second, &mut failures).await;
    }
    assert!(failures > 0, "they never met");
    for recorder in [first, second] {
        let verified = tokio::task::spawn_blocking(move || recorder.verify()).await.unwrap();
        assert!(matches!(verified, Verified::Good { checked: 20, .. }), "{verified:?}");
    }
}

/// Both seal, as if each had the turn; whoever fails tries again.
async fn sealed_by_both(first: &Recorder, second: &Recorder, failures: &mut u32) {
    loop {
        let (one, two) = tokio::join!(first.seal(), second.seal());
        *failures += u32::from(one.is_err()) + u32::from(two.is_err());
        if one.is_ok() && two.is_ok() {
            return;
        }
    }
}
