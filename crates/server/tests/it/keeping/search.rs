//! Things are found by whoever may see them, and by nobody else.

use boltseal_store::About;
use serde_json::{Value, json};

use super::image;
use crate::{
    app::App,
    control::{call, principal},
    sample,
};

#[tokio::test]
async fn people_find_what_they_may_see() {
    let app = App::empty().await;
    let labels = vec![("team".to_owned(), "blue".to_owned())];
    for (repository, name) in [("team/app", "one"), ("team/app", "two"), ("secret/app", "three")] {
        let about = About { labels: labels.clone(), ..About::default() };
        let pushed = image(repository, &format!("v-{name}"), name, about, sample::now());
        app.state.facts.put_manifest(pushed).await.unwrap();
    }
    principal(&app, "user", "ada", &[("AcrPull", "/registries/main/repositories/team")]).await;
    principal(&app, "user", "eve", &[]).await;
    let find = async |who: &str, query: &str| {
        let (status, found) = call(&app, who, "GET", &format!("/api/v1/search?{query}"), &Value::Null).await;
        assert_eq!(status, 200, "{who} {query}: {found}");
        found
    };
    for (who, expected) in
        [("admin", json!(["secret/app", "team/app"])), ("ada", json!(["team/app"])), ("eve", json!([]))]
    {
        assert_eq!(find(who, "q=app").await["repositories"], expected, "{who}");
    }
    let count = |found: &Value, kind: &str| found[kind].as_array().map_or(0, Vec::len);
    for (query, kind, admin, ada) in [
        ("q=v-", "tags", 3, 2),
        ("q=team%3Dbl", "labels", 3, 2),
        ("q=blue", "labels", 3, 2),
        ("q=team%3Dred", "labels", 0, 0),
        ("q=blue&kind=tags", "labels", 0, 0),
    ] {
        assert_eq!(count(&find("admin", query).await, kind), admin, "{query}");
        assert_eq!(count(&find("ada", query).await, kind), ada, "{query}");
        assert_eq!(count(&find("eve", query).await, kind), 0, "{query}");
    }
    for query in ["q=ONE&kind=tags", "q=am%3DLU", "q=team%3DUE&kind=labels"] {
        let found = find("admin", query).await;
        let number = count(&found, "tags") + count(&found, "labels");
        assert!(
            number == usize::from(query.contains("tags")) + 3 * usize::from(query.contains("labels")),
            "{query}: {found}"
        );
    }
    let page = app.get("/search?q=lue").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("team=blue") && page.body.contains("secret/app"), "{}", page.body);
    assert!(app.get("/search?q=no+such+thing").await.body.contains("Nothing found"));
    assert!(app.get("/search?q=x").await.body.contains("At least two characters"));
    let digest = boltseal_model::Digest::of(b"three").to_string();
    let hex = digest.trim_start_matches("sha256:").get(..12).unwrap();
    assert_eq!(find("admin", &format!("q={hex}")).await["digests"][0]["digest"], json!(digest));
    assert_eq!(count(&find("ada", &format!("q={hex}")).await, "digests"), 0);
    let short = find("admin", "q=v-&limit=1").await;
    assert_eq!((count(&short, "tags"), &short["more"]), (1, &json!(["tags"])));
    // The page shows ada what the API does.
    let token = format!("Bearer {}", crate::app::token(&app.state, "ada"));
    let page = app.ask("GET", "/search?q=lue", &[("authorization", &token)], "").await;
    assert!(page.status == 200 && page.body.contains("team/app") && !page.body.contains("secret/app"));
    for query in ["", "?q=", "?q=a", "?q=app&kind=people"] {
        let (status, _) = call(&app, "admin", "GET", &format!("/api/v1/search{query}"), &Value::Null).await;
        assert_eq!(status, 400, "{query}");
    }
    assert_eq!(call(&app, "", "GET", "/api/v1/search?q=app", &Value::Null).await.0, 401);
}
