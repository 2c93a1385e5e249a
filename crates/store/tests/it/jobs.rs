//! Jobs: asked for once, done by one, taken over when their worker is gone, stopped when told.

use boltseal_model::Timestamp;
use boltseal_store::{Document, JobState, Progress};

use crate::databases::Database;

const KINDS: &[&str] = &["mirror"];

#[tokio::test]
async fn a_job_goes_from_hand_to_hand() {
    for database in Database::each() {
        let facts = database.open().await;
        let (past, future) = (Timestamp::now(), Timestamp::now() + std::time::Duration::from_mins(5));
        assert_eq!(facts.claim_job(KINDS, future).await.unwrap(), None);
        let id = facts.request_job("mirror", "{\"of\":1}", "alice").await.unwrap();
        assert_eq!(facts.request_job("mirror", "{\"of\":1}", "bob").await.unwrap(), id, "one is enough");
        assert_eq!(facts.claim_job(&["other"], future).await.unwrap(), None);

        let job = facts.claim_job(KINDS, past).await.unwrap().unwrap();
        assert_eq!((job.id.as_str(), job.state, job.by.as_str()), (id.as_str(), JobState::Running, "alice"));
        let progress = Progress { done: 3, total: 9, resume: Some("c".to_owned()), message: None };
        assert!(facts.report_job(&id, progress.clone(), past).await.unwrap());
        // Its worker did not report in time; another goes on where it was.
        let again = facts.claim_job(KINDS, future).await.unwrap().unwrap();
        assert_eq!((again.done, again.total, again.resume.as_deref()), (3, 9, Some("c")));
        assert_eq!(again.started, job.started);
        assert_eq!(facts.claim_job(KINDS, future).await.unwrap(), None, "somebody has it");
        // A claim from before the clock was set back holds nothing.
        let far = Timestamp::from_second(4_000_000_000).unwrap();
        assert!(facts.report_job(&id, progress.clone(), far).await.unwrap());
        assert!(facts.claim_job(KINDS, future).await.unwrap().is_some());

        assert!(facts.stop_job(&id).await.unwrap());
        assert!(!facts.report_job(&id, progress.clone(), future).await.unwrap(), "told to stop");
        facts.end_job(&id, JobState::Stopped, progress).await.unwrap();
        assert!(!facts.stop_job(&id).await.unwrap());
        let second = facts.request_job("mirror", "{\"of\":1}", "bob").await.unwrap();
        assert_ne!(second, id);
        assert!(facts.stop_job(&second).await.unwrap());
        assert_eq!(facts.job(&second).await.unwrap().unwrap().state, JobState::Stopped, "nobody had begun");
        assert_eq!(facts.jobs(Some("mirror"), 10).await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn settings_are_no_documents_of_access() {
    for database in Database::each() {
        let facts = database.open().await;
        let document =
            |kind: &str| Document { kind: kind.to_owned(), id: "1".to_owned(), body: Some("{}".to_owned()) };
        facts.change_settings(vec![document("registry.upstream")]).await.unwrap();
        facts.change_documents(vec![document("role")]).await.unwrap();
        assert_eq!(facts.documents().await.unwrap(), [document("role")]);
        assert_eq!(facts.documents_of("registry.upstream").await.unwrap(), [document("registry.upstream")]);
    }
}
