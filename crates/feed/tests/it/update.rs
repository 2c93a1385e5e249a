//! Updating from a server on this machine that stands in for a mirror.

use std::fs;
use std::time::Duration;

use boltseal_feed::{Error, Outcome, SOURCES, Silent, Update, list, read_all, update};
use boltseal_model::Timestamp;
use boltseal_wire::client::{Client, Options, Proxies};
use tempfile::TempDir;

use crate::server::{File, Server};
use crate::{Collected, record, zipped};

const EXPORT: &str = "/m/osv/PyPI/all.zip";

struct Scene {
    raw: TempDir,
    server: Server,
    how: Update,
}

impl Scene {
    fn new(only: &[&str]) -> Self {
        let server = Server::start();
        let client = Client::new(&Options { proxies: Proxies::default(), ..Options::default() }).unwrap();
        let how = Update {
            mirror: Some(format!("{}/m/", server.address).parse().unwrap()),
            only: only.iter().map(|id| (*id).to_owned()).collect(),
            pause: Duration::from_millis(1),
            ..Update::new(client)
        };
        Self { raw: TempDir::new().unwrap(), server, how }
    }

    fn update(&self, second: i64) -> Vec<(String, Outcome)> {
        let now = Timestamp::from_second(second).unwrap();
        let fetched = update(self.raw.path(), &self.how, now, &Silent).unwrap();
        fetched.into_iter().map(|one| (one.id, one.outcome)).collect()
    }

    fn one(&self, second: i64) -> Outcome {
        self.update(second).remove(0).1
    }

    fn ids(&self) -> Vec<String> {
        let mut said = Collected::default();
        read_all(self.raw.path(), &mut said).unwrap();
        said.advisories.into_iter().map(|advisory| advisory.id).collect()
    }
}

fn export(ids: &[&str]) -> Vec<u8> {
    let records: Vec<(String, String)> =
        ids.iter().map(|id| (format!("{id}.json"), record(id, "a"))).collect();
    zipped(&records.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect::<Vec<_>>())
}

#[test]
fn fetched_once_then_only_when_changed() {
    let scene = Scene::new(&["osv:PyPI"]);
    scene.server.put(EXPORT, File { bytes: export(&["A", "B"]), etag: Some("\"1\""), ..File::default() });
    assert!(matches!(scene.one(100), Outcome::Updated(tally) if tally.records == 2));
    assert_eq!(scene.server.asked(), [EXPORT]);
    assert!(matches!(scene.one(200), Outcome::Unchanged));
    assert_eq!(scene.server.asked(), [format!("{EXPORT} if-none-match=\"1\"")]);
    let info = list(scene.raw.path()).unwrap()[0].info();
    assert_eq!(info.fetched.as_second(), 200, "confirmed to be the newest");
    assert_eq!((info.spaces, info.records), (vec!["pypi".to_owned()], 2));
    scene
        .server
        .put(EXPORT, File { bytes: export(&["A", "B", "C"]), etag: Some("\"2\""), ..File::default() });
    assert!(matches!(scene.one(300), Outcome::Updated(tally) if tally.records == 3));
    assert_eq!(scene.ids(), ["A", "B", "C"]);
    assert_eq!(fs::read_dir(scene.raw.path().join(".downloads")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(scene.raw.path().join("osv:PyPI")).unwrap().count(), 2, "old parts are gone");
}

#[test]
fn dates_do_where_there_are_no_tags() {
    let scene = Scene::new(&["osv:PyPI"]);
    let modified = "Wed, 21 Aug 2024 07:28:00 GMT";
    scene.server.put(EXPORT, File { bytes: export(&["A"]), modified: Some(modified), ..File::default() });
    assert!(matches!(scene.one(1), Outcome::Updated(_)));
    assert!(matches!(scene.one(2), Outcome::Unchanged));
    assert_eq!(scene.server.asked()[1], format!("{EXPORT} if-modified-since={modified}"));
}

#[test]
fn goes_on_where_the_connection_broke() {
    let scene = Scene::new(&["osv:PyPI"]);
    let bytes = export(&["A", "B", "C", "D"]);
    scene.server.put(EXPORT, File { bytes, etag: Some("\"1\""), cut: Some(100), ..File::default() });
    assert!(matches!(scene.one(1), Outcome::Updated(tally) if tally.records == 4));
    assert_eq!(
        scene.server.asked(),
        [EXPORT.to_owned(), format!("{EXPORT} range=bytes=100- if-range=\"1\"")]
    );
}

#[test]
fn goes_on_in_a_later_run() {
    let mut scene = Scene::new(&["osv:PyPI"]);
    scene.how.attempts = 1;
    let bytes = export(&["A", "B", "C", "D"]);
    scene.server.put(EXPORT, File { bytes, etag: Some("\"1\""), cut: Some(100), ..File::default() });
    let Outcome::Failed(Error::Fetch(error)) = scene.one(1) else { panic!("cut off") };
    assert!(error.passing(), "{error}");
    assert!(matches!(scene.one(2), Outcome::Updated(tally) if tally.records == 4));
    assert_eq!(scene.server.asked()[1], format!("{EXPORT} range=bytes=100- if-range=\"1\""));
}

#[test]
fn begins_anew_when_the_file_changed_meanwhile() {
    let mut scene = Scene::new(&["osv:PyPI"]);
    scene.how.attempts = 1;
    scene.server.put(
        EXPORT,
        File { bytes: export(&["A", "B"]), etag: Some("\"1\""), cut: Some(100), ..File::default() },
    );
    assert!(matches!(scene.one(1), Outcome::Failed(_)));
    scene.server.put(EXPORT, File { bytes: export(&["C", "D"]), etag: Some("\"2\""), ..File::default() });
    assert!(matches!(scene.one(2), Outcome::Updated(_)));
    assert_eq!(scene.ids(), ["C", "D"], "no mixture of two files");
}

#[test]
fn begins_anew_when_the_server_has_less_than_we_have() {
    let mut scene = Scene::new(&["osv:PyPI"]);
    scene.how.attempts = 1;
    let bytes = export(&["A", "B", "C"]);
    scene.server.put(
        EXPORT,
        File { bytes: bytes.clone(), etag: Some("\"1\""), cut: Some(bytes.len() - 1), ..File::default() },
    );
    assert!(matches!(scene.one(1), Outcome::Failed(_)));
    scene.server.put(EXPORT, File { bytes: export(&["A"]), etag: Some("\"1\""), ..File::default() });
    assert!(matches!(scene.one(2), Outcome::Updated(tally) if tally.records == 1));
}

#[test]
fn what_is_broken_never_replaces_what_is_good() {
    let scene = Scene::new(&["osv:PyPI"]);
    let good = export(&["A", "B"]);
    scene.server.put(EXPORT, File { bytes: good.clone(), ..File::default() });
    assert!(matches!(scene.one(1), Outcome::Updated(_)));
    let broken: Vec<(&str, File)> = vec![
        ("cut off at the publisher's", File { bytes: good[..good.len() / 2].to_vec(), ..File::default() }),
        ("an error page", File { bytes: b"<html>so sorry</html>".to_vec(), ..File::default() }),
        (
            "another feed",
            File { bytes: b"cve,epss,percentile\nCVE-2024-1,0.1,0.2\n".to_vec(), ..File::default() },
        ),
        ("no records", File { bytes: zipped(&[]), ..File::default() }),
        ("out of order", File { status: Some(500), ..File::default() }),
        ("gone", File { status: Some(404), ..File::default() }),
        ("redirected in a circle", File { location: Some(EXPORT.to_owned()), ..File::default() }),
        ("redirected elsewhere", File { location: Some("ftp://127.0.0.1/".to_owned()), ..File::default() }),
    ];
    for (what, file) in broken {
        scene.server.put(EXPORT, file);
        let Outcome::Failed(error) = scene.one(2) else { panic!("{what} was taken") };
        assert!(!error.to_string().is_empty());
        assert_eq!(scene.ids(), ["A", "B"], "{what}: {error}");
        assert_eq!(list(scene.raw.path()).unwrap()[0].fetched.as_second(), 1, "{what}: it is not fresh");
    }
    scene.server.put(EXPORT, File { bytes: export(&["C"]), ..File::default() });
    assert!(matches!(scene.one(3), Outcome::Updated(_)), "and it recovers");
    assert_eq!(scene.ids(), ["C"]);
}

#[test]
fn a_passing_fault_is_tried_again() {
    let scene = Scene::new(&["osv:PyPI"]);
    scene.server.put(EXPORT, File { status: Some(503), ..File::default() });
    assert!(matches!(scene.one(1), Outcome::Failed(_)));
    assert_eq!(scene.server.asked().len(), 4);
}

#[test]
fn one_feed_does_not_stop_the_others_and_parts_belong_together() {
    let scene = Scene::new(&["kev", "alpine-secdb:v3.19", "alpine-secdb:v3.20", "alpine-secdb:v3.25"]);
    let part = |branch: &str, name: &str, cve: &str| {
        File {
        bytes: format!(
            r#"{{"reponame":"{name}","distroversion":"{branch}","packages":[{{"pkg":{{"name":"a","secfixes":{{"1-r0":["{cve}"]}}}}}}]}}"#
        )
        .into_bytes(),
        ..File::default()
    }
    };
    let kev = r#"{"catalogVersion":"1","dateReleased":"2025-01-01T00:00:00Z","vulnerabilities":[{"cveID":"CVE-2024-1","dateAdded":"2024-02-03"}]}"#;
    scene
        .server
        .put("/m/kev/known_exploited_vulnerabilities.json", File { bytes: kev.into(), ..File::default() });
    scene.server.put("/m/alpine/v3.19/main.json", part("v3.19", "main", "CVE-2024-1"));
    scene.server.put("/m/alpine/v3.20/main.json", part("v3.20", "main", "CVE-2024-2"));
    scene.server.put("/m/alpine/v3.20/community.json", part("v3.20", "community", "CVE-2024-3"));
    let outcomes: Vec<String> = scene
        .update(1)
        .into_iter()
        .map(|(id, outcome)| match outcome {
            Outcome::Updated(tally) => format!("{id} {}", tally.records),
            Outcome::Unchanged => format!("{id} unchanged"),
            Outcome::Absent => format!("{id} absent"),
            Outcome::Failed(_) => format!("{id} failed"),
        })
        .collect();
    // Half a branch would look like a whole one, so the branch without `community` is not taken at all.
    assert_eq!(
        outcomes,
        ["kev 1", "alpine-secdb:v3.19 failed", "alpine-secdb:v3.20 2", "alpine-secdb:v3.25 absent"]
    );
    assert_eq!(list(scene.raw.path()).unwrap().len(), 2);
}

#[test]
fn only_one_at_a_time_and_only_known_feeds() {
    let scene = Scene::new(&["nonsense"]);
    let error = update(scene.raw.path(), &scene.how, Timestamp::UNIX_EPOCH, &Silent).unwrap_err();
    assert!(error.to_string().contains("osv:PyPI"), "{error}");
    let lock = fs::File::create(scene.raw.path().join(".change-lock")).unwrap();
    lock.lock().unwrap();
    let how = Update { only: vec!["kev".to_owned()], ..scene.how.clone() };
    assert!(matches!(
        update(scene.raw.path(), &how, Timestamp::UNIX_EPOCH, &Silent),
        Err(Error::Busy { .. })
    ));
}

#[test]
fn sources_are_well_formed() {
    for source in SOURCES {
        assert!(source.documented.starts_with("https://") && !source.terms.is_empty(), "{}", source.id);
        for file in source.files {
            assert!(file.url.starts_with("https://") && !file.path.starts_with('/'), "{}", source.id);
        }
    }
    let mut ids: Vec<_> = SOURCES.iter().map(|source| source.id).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), SOURCES.len());
}
