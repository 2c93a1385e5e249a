//! The pages of the log: what it says, how it stands, what it proves.

use boltseal_audit::{
    Record,
    record::{Activity, Actor, Kind, Outcome, Severity, Source, Subject, Why},
};
use boltseal_model::Timestamp;
use jiff::SignedDuration;

use crate::{app::App, html, sample};

async fn record(app: &App, record: Record) {
    app.state.recorder.note(&record).await.unwrap();
}

fn ago(minutes: i64) -> Timestamp {
    sample::now().checked_sub(SignedDuration::from_mins(minutes)).unwrap()
}

fn broken_glass(minutes_ago: i64) -> Record {
    Record::new(ago(minutes_ago), Activity::SignIn, "Boltseal/signIn/action")
        .actor(Actor::new(Kind::BreakGlass, "b0175ea1", "break-glass"))
        .source(Source::https([192, 0, 2, 11], 1))
        .subject(Subject::new("/"))
        .outcome(Outcome::Success)
        .severity(Severity::Critical)
        .alert()
        .detail("reason", "nobody else <is> here")
}

#[tokio::test]
async fn the_timeline_says_what_happened() {
    let app = App::new().await;
    let page = app.get("/log").await.body;
    html::check("/log", &page);
    for part in [
        "deploy pulled shop/web:1.9.4",
        "lin may not pull ops/vault-agent:latest",
        "the role AcrPull would grant it",
        "anonymous failed to sign in as root",
        "break-glass signed in",
        ">alert<",
        ">Today<",
        ">Yesterday<",
        "role=\"img\"",
        "Verified from its beginning",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for (query, some, none) in [
        ("outcome=denied", "lin may not pull", "deploy pulled"),
        ("class=authentication", "ada signed in", "deploy pulled"),
        ("activity=judge", "judged shop/web:1.9.4", "signed in"),
        ("alert=true", "break-glass signed in", "break-glass deleted"),
        ("who=build", "build pushed shop/web:1.9.4", "deploy pulled"),
        ("text=containerd", "deploy pulled", "build pushed"),
        ("subject=/registries/main/repositories/base", "pulled base/debian:12", "shop/"),
        ("since=2024-12-06&until=2024-12-07", "build pushed shop/web:1.9.3", "2.14.0"),
    ] {
        let page = app.get(&format!("/log?{query}")).await.body;
        html::check(query, &page);
        let results = page.split_once("id=\"results\"").unwrap().1;
        assert!(results.contains(some) && !results.contains(none), "{query}");
    }
    let nothing = app.get("/log?who=nobody").await.body;
    assert!(nothing.contains("No record matches") && nothing.contains("Nothing in the log fits"));
    let wrong = app.get("/log?outcome=perhaps").await;
    assert!(wrong.status == 200 && wrong.body.contains("expected one of"), "{}", wrong.body);
}

#[tokio::test]
async fn pages_of_the_log_fit_together() {
    let app = App::new().await;
    let mut address = "/log?who=deploy".to_owned();
    let found = app.get(&address).await.body.matches("class=\"name\" href=\"/log/").count();
    for _ in 0..90 {
        record(&app, Record::new(ago(0), Activity::Read, "x").actor(Actor::user("d", "deploy"))).await;
    }
    let (mut all, mut pages) = (0, 0);
    loop {
        let page = app.get(&address).await.body;
        all += page.matches("class=\"name\" href=\"/log/").count();
        pages += 1;
        let Some((_, next)) = page.split_once("rel=\"next\" href=\"") else { break };
        address = next.split('"').next().unwrap().replace("&amp;", "&");
    }
    assert_eq!((all, pages), (found + 90, 2));
}

#[tokio::test]
async fn a_record_shows_everything_and_its_proof() {
    let app = App::new().await;
    let list = app.get("/log?outcome=denied").await.body;
    let address = list.split("class=\"name\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    let page = app.get(address).await.body;
    html::check(address, &page);
    for part in [
        "lin may not pull ops/vault-agent:latest",
        "203.0.113.90",
        "Why not",
        "Nothing grants Microsoft.ContainerRegistry/registries/repositories/content/read at",
        "verified just now",
        "boltseal.example/audit",
        "&quot;class_uid&quot;: 6003",
        "/proof\"",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let proof = page.split("href=\"/api/v1/audit/records/").nth(1).unwrap().split('"').next().unwrap();
    let proof = app.get(&format!("/api/v1/audit/records/{proof}")).await;
    assert!(proof.status == 200 && proof.body.starts_with("c2sp.org/tlog-proof@v1\n"));

    let newest = *app.state.facts.entered().borrow() - 1;
    let page = app.get(&format!("/log/{newest}")).await.body;
    assert!(page.contains("not sealed yet") && !page.contains("verified just now"));
    for (address, status) in [("/log/999999", 404), ("/log/x", 404), ("/log/-1", 404)] {
        assert_eq!(app.get(address).await.status, status, "{address}");
    }
}

#[tokio::test]
async fn what_strangers_wrote_stays_text() {
    let app = App::new().await;
    let bad = "<script>alert(1)</script>\"'&";
    let stranger = Record::new(ago(1), Activity::Other, bad)
        .actor(Actor::user(bad, bad))
        .source(Source::https([192, 0, 2, 1], 1).agent(bad).host(bad))
        .subject(Subject::new(bad).name(bad))
        .status(bad)
        .why(Why::rule(bad))
        .detail(bad, bad)
        .detail("deep", serde_json::json!({ bad: [bad] }))
        .original(bad);
    record(&app, stranger).await;
    app.state.facts.append(vec![b"no JSON <b>at all</b>".to_vec()]).await.unwrap();
    let last = *app.state.facts.entered().borrow() - 1;
    for address in ["/log".to_owned(), format!("/log/{last}"), format!("/log/{}", last - 1)] {
        let page = app.get(&address).await;
        assert_eq!(page.status, 200, "{address}");
        html::check(&address, &page.body);
        assert!(!page.body.contains("<script>alert") && !page.body.contains("<b>at all"), "{address}");
    }
}

#[tokio::test]
async fn broken_glass_is_seen_on_every_page_for_an_hour() {
    let app = App::new().await;
    let seen = "The glass was broken";
    assert!(!app.get("/feeds").await.body.contains(seen), "the one of this morning is over");
    record(&app, broken_glass(59)).await;
    for path in ["/", "/images", "/feeds", "/policy", "/access", "/log", "/account", "/about", "/nowhere"] {
        let page = app.get(path).await.body;
        html::check(path, &page);
        let shown = page.contains("role=\"alert\"") && page.contains("nobody else &lt;is&gt; here");
        assert_eq!(shown, path != "/nowhere", "{path}");
    }
    assert!(!app.ask("GET", "/sign-in", &[], "").await.body.contains(seen), "nobody else is told");
    let later = App::new().await;
    record(&later, broken_glass(60)).await;
    assert!(!later.get("/feeds").await.body.contains(seen));
}

#[tokio::test]
async fn the_front_page_says_what_needs_attention() {
    let app = App::new().await;
    let front = app.get("/").await.body;
    for part in [
        "The glass was broken 5 hours ago",
        "10 failed sign-ins",
        "A credential of build",
        "ends within two weeks",
    ] {
        assert!(front.contains(part), "{part}: {front}");
    }
    assert!(!front.contains("A credential of old-ci"), "whoever is disabled needs nothing");
    assert!(!front.contains("The audit log</a>"), "all is well with it");
}

#[tokio::test]
async fn a_broken_log_is_told_loudly() {
    let app = App::new().await;
    let tiles = app.state.recorder.folder().join("tile/entries");
    let bundle = std::fs::read_dir(&tiles).unwrap().next().unwrap().unwrap().path();
    let bundle = if bundle.is_dir() {
        std::fs::read_dir(&bundle).unwrap().next().unwrap().unwrap().path()
    } else {
        bundle
    };
    let mut bytes = std::fs::read(&bundle).unwrap();
    bytes[40] ^= 1;
    let mut permissions = std::fs::metadata(&bundle).unwrap().permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a file of this test")]
    permissions.set_readonly(false);
    std::fs::set_permissions(&bundle, permissions).unwrap();
    std::fs::write(&bundle, &bytes).unwrap();
    let recorder = app.state.recorder.clone();
    tokio::task::spawn_blocking(move || recorder.verify()).await.unwrap();
    let page = app.get("/log").await;
    assert_eq!(page.status, 200, "whoever has to find out what happened must be able to look");
    html::check("/log", &page.body);
    for part in ["The log is not what was signed", "boltseal audit verify", ">broken<"] {
        assert!(page.body.contains(part), "{part}");
    }
    assert!(app.get("/").await.body.contains("is not what was signed: nothing is changed any more"));
}
