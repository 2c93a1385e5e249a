//! Who sees what became newly vulnerable.

use boltseal_model::Severity;
use serde_json::{Value, json};

use super::{finding, judge, push};
use crate::{
    app::App,
    control::{call, principal},
};

#[tokio::test]
async fn everybody_sees_what_is_in_their_repositories() {
    let app = App::empty().await;
    for repository in ["team/app", "secret/app"] {
        push(&app, repository, "v1", repository).await;
    }
    // The same bytes in both.
    push(&app, "team/shared", "v1", "shared").await;
    push(&app, "secret/shared", "v2", "shared").await;
    for name in ["team/app", "secret/app", "shared"] {
        judge(&app, name, "s1", vec![finding("CVE-1", Severity::High, Some("2"), false)]).await;
    }
    judge(&app, "team/app", "s2", vec![finding("CVE-1", Severity::High, Some("2"), true)]).await;
    principal(&app, "user", "ada", &[("AcrPull", "/registries/main/repositories/team")]).await;
    principal(&app, "user", "eve", &[]).await;
    let ask = async |who: &str, query: &str| {
        let path = format!("/api/v1/findings/{query}");
        let (status, found) = call(&app, who, "GET", &path, &Value::Null).await;
        assert_eq!(status, 200, "{who} {query}: {found}");
        let rows = found["rows"].as_array().unwrap().clone();
        let brief = |row: &Value| {
            let places: Vec<&str> = row["places"]
                .as_array()
                .unwrap()
                .iter()
                .map(|place| place["repository"].as_str().unwrap())
                .collect();
            (row["cause"].as_str().unwrap().to_owned(), places.join(" "))
        };
        (rows.iter().map(brief).collect::<Vec<_>>(), found)
    };
    let of = |cause: &str, places: &str| (cause.to_owned(), places.to_owned());
    let all = [
        of("exploited", "team/app"),
        of("feed", "secret/shared team/shared"),
        of("feed", "secret/app"),
        of("feed", "team/app"),
    ];
    assert_eq!(ask("admin", "new").await.0, all);
    assert_eq!(
        ask("ada", "new").await.0,
        [of("exploited", "team/app"), of("feed", "team/shared"), of("feed", "team/app")]
    );
    assert_eq!(ask("eve", "new").await.0, []);
    assert_eq!(ask("admin", "new?cause=exploited,worse").await.0, [of("exploited", "team/app")]);
    assert_eq!(
        ask("admin", "new?repository=secret/*").await.0,
        [of("feed", "secret/shared"), of("feed", "secret/app")]
    );
    assert_eq!(ask("admin", "new?severity=critical").await.0, []);
    assert_eq!(ask("admin", "new?since=2999-01-01T00:00:00Z").await.0, []);
    // In parts.
    let (first, found) = ask("ada", "new?limit=2").await;
    assert_eq!(first, [of("exploited", "team/app"), of("feed", "team/shared")]);
    let rest = format!("new?limit=2&after={}", found["next"]);
    assert_eq!(ask("ada", &rest).await.0, [of("feed", "team/app")]);

    let (_, found) = ask("admin", "new").await;
    let row = &found["rows"][0];
    assert_eq!((&row["exploited"], &row["before"]["exploited"]), (&json!(true), &json!(false)), "{row}");
    assert!(row["since"].is_string() && row["since"] != row["noticed"], "{row}");
    assert!(row.get("running").is_none(), "nobody looks at where images run");

    judge(&app, "shared", "s3", vec![]).await;
    assert_eq!(ask("ada", "gone").await.0, [of("gone", "team/shared")]);
    assert_eq!(ask("eve", "gone").await.0, []);
    for query in
        ["new?cause=push", "new?cause=gone", "new?severity=bad", "new?since=yesterday", "new?after=x"]
    {
        let (status, _) =
            call(&app, "admin", "GET", &format!("/api/v1/findings/{query}"), &Value::Null).await;
        assert_eq!(status, 400, "{query}");
    }
    assert_eq!(call(&app, "", "GET", "/api/v1/findings/new", &Value::Null).await.0, 401);
}
