//! The inventory of credentials: what is told, to whom, and where it leads.

use serde_json::{Value, json};

use crate::{
    app::{self, App},
    control::{call, principal},
    sample,
};

async fn list(app: &App, who: &str, query: &str) -> Value {
    let (status, found) = call(app, who, "GET", &format!("/api/v1/credentials{query}"), &Value::Null).await;
    assert_eq!(status, 200, "{who} {query}: {found}");
    found
}

fn titles(found: &Value) -> Vec<String> {
    let all = found["credentials"].as_array().unwrap();
    all.iter().map(|one| format!("{} {}", one["kind"].as_str().unwrap(), one["images"])).collect()
}

#[tokio::test]
async fn each_is_told_once_to_whoever_may_see_an_image_with_it() {
    let app = App::new().await;
    let team = |name: &str| format!("/registries/main/repositories/{name}");
    principal(&app, "user", "eve", &[]).await;
    principal(&app, "user", "sam", &[("AcrPull", &team("legacy"))]).await;
    let token = "github-personal-access-token";
    let mut all = titles(&list(&app, "admin", "").await);
    all.sort();
    assert_eq!(all, [format!("{token} 3"), "password 3".to_owned()]);
    assert_eq!(titles(&list(&app, "sam", "").await), ["password 1"], "only what lies where sam may look");
    assert_eq!(titles(&list(&app, "eve", "").await), Vec::<String>::new());
    for (query, number) in [
        ("?confidence=high", 1),
        ("?kind=password", 1),
        ("?q=github", 1),
        ("?published=yes", 3),
        ("?gone=true", 0),
        ("?gone=false", 2),
        ("?limit=1", 1),
    ] {
        assert_eq!(titles(&list(&app, "admin", query).await).len(), number, "{query}");
    }
    let first = list(&app, "admin", "?limit=1").await;
    let second = list(&app, "admin", &format!("?limit=1&after={}", first["next"].as_str().unwrap())).await;
    assert_ne!(first["credentials"][0]["fingerprint"], second["credentials"][0]["fingerprint"]);
    for query in ["?confidence=sure", "?gone=maybe", "?after=nonsense"] {
        let path = format!("/api/v1/credentials{query}");
        assert_eq!(call(&app, "admin", "GET", &path, &Value::Null).await.0, 400, "{query}");
    }

    let of_shop = sample::fingerprint("the token of the shop").to_string();
    let path = format!("/api/v1/credentials/{of_shop}");
    let (status, found) = call(&app, "admin", "GET", &path, &Value::Null).await;
    assert_eq!((status, found["places"].as_array().unwrap().len()), (200, 5), "{found}");
    assert!(found["places"].as_array().unwrap().iter().any(|place| place["hidden"] == true));
    for (who, status) in [("eve", 404), ("sam", 404)] {
        assert_eq!(call(&app, who, "GET", &path, &Value::Null).await.0, status, "{who}");
    }
    let password = format!("/api/v1/credentials/{}", sample::fingerprint("hunter2"));
    let (_, found) = call(&app, "sam", "GET", &password, &Value::Null).await;
    assert_eq!(
        found["places"],
        json!([{
            "repository": "legacy/mailer", "digest": found["places"][0]["digest"], "tags": ["1.0"], "place": "build step 4",
        }])
    );
}

#[tokio::test]
async fn pages_lead_from_the_front_to_the_place() {
    let app = App::new().await;
    let front = app.get("/").await.body;
    for link in ["/credentials?gone=no", "/images?having=malware", "/images?having=unsupported"] {
        assert!(front.contains(&format!("href=\"{link}\"")), "no {link} on {front}");
        let page = app.get(link).await;
        assert_eq!(page.status, 200, "{link}");
    }
    assert!(app.get("/images?having=malware").await.body.contains("legacy/mailer"));
    assert!(!app.get("/images?having=malware").await.body.contains("shop/checkout"));
    let fingerprint = sample::fingerprint("the token of the shop").to_string();
    let inventory = app.get("/credentials").await.body;
    assert!(inventory.contains(&format!("/credentials/{fingerprint}")), "{inventory}");
    let one = app.get(&format!("/credentials/{fingerprint}")).await.body;
    for part in ["In 3 images", "root/.netrc:3", "variable NPM_TOKEN", "app/.git/config:9", "deleted later"] {
        assert!(one.contains(part), "no {part} in {one}");
    }
    // Nobody is told that there is something that they may not see.
    principal(&app, "user", "eve", &[]).await;
    let token = format!("Bearer {}", app::token(&app.state, "eve"));
    let hidden =
        app.ask("GET", &format!("/credentials/{fingerprint}"), &[("authorization", &token)], "").await;
    assert_eq!(hidden.status, 404);

    let described = sample::images();
    let page = async |name: &str, view: &str| {
        let digest = described.iter().find(|one| one.repository == name).unwrap().digest();
        app.get(&format!("/images/{digest}?view={view}")).await.body
    };
    let secrets = page("shop/checkout", "secrets").await;
    for part in ["2 credentials", "in 2 other images", "1 place of published packages", "http-signature"] {
        assert!(secrets.contains(part), "no {part} in {secrets}");
    }
    let checks = page("legacy/mailer", "checks").await;
    for part in
        ["1 malicious file", "EICAR test file", "Setuid files", "chmod u-s", "31 executables", "6 more files"]
    {
        assert!(checks.contains(part), "no {part} in {checks}");
    }
    assert!(page("tools/alpine", "secrets").await.contains("No credentials"));
    assert!(page("tools/alpine", "checks").await.contains("Nothing to say"));
}
