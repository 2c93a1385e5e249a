//! Break-glass.

use serde_json::{Value, json};

use super::{call, call_with, newest};
use crate::app::App;

const OPEN: &str = "/api/v1/break-glass/open";
const REASON: &str = "the owner is on a plane";

async fn deal(app: &App) -> Vec<String> {
    let asked = json!({ "shares": 3, "threshold": 2 });
    let (status, shares) = call(app, "admin", "POST", "/api/v1/break-glass/shares", &asked).await;
    assert_eq!(status, 201, "{shares}");
    let record = newest(app).await;
    assert_eq!(record["severity"], "High");
    serde_json::from_value(shares["shares"].clone()).unwrap()
}

#[tokio::test]
async fn a_quorum_opens_an_hour_and_everybody_hears_of_it() {
    let app = App::empty().await;
    let nothing = json!({ "shares": [], "reason": REASON });
    assert_eq!(call(&app, "", "POST", OPEN, &nothing).await.0, 400, "there are no shares yet");
    let shares = deal(&app).await;
    let open = json!({ "shares": shares[1..], "reason": REASON });
    let (status, session) = call(&app, "", "POST", OPEN, &open).await;
    assert_eq!((status, &session["expires_in"]), (200, &json!(3600)), "{session}");
    let record = newest(&app).await;
    assert_eq!((&record["severity"], &record["is_alert"]), (&json!("Critical"), &json!(true)), "{record}");
    let text = record.to_string();
    assert!(text.contains(REASON) && shares.iter().all(|share| !text.contains(share.as_str())), "{text}");

    let token = session["access_token"].as_str().unwrap();
    let asked = json!({ "kind": "user", "name": "rescuer", "password": "seven words that do not belong" });
    let (status, made) = call_with(&app, token, "POST", "/api/v1/principals", &asked).await;
    assert_eq!(status, 201, "{made}");
    assert_eq!(newest(&app).await["actor"]["user"]["name"], "break-glass");
    let (_, me) = call_with(&app, token, "GET", "/api/v1/whoami", &Value::Null).await;
    assert_eq!(me["name"], "break-glass");
}

#[tokio::test]
async fn anything_less_opens_nothing_and_is_recorded() {
    let app = App::empty().await;
    let old = deal(&app).await;
    let new = deal(&app).await;
    let (kept, last) = new[0].split_at(new[0].len() - 1);
    // A letter that is another one, whatever the last was: a share ends in `0` once in 32.
    let mistyped = format!("{kept}{}", if last == "0" { "1" } else { "0" });
    for shares in [vec![&new[0]], vec![&new[0], &new[0]], vec![&old[0], &old[1]], vec![&mistyped, &new[1]]] {
        let body = json!({ "shares": shares, "reason": REASON }).to_string();
        let answer = app.ask("POST", OPEN, &[], &body).await;
        assert!(answer.status == 400 || answer.status == 429, "{}", answer.body);
        let record = newest(&app).await;
        assert_eq!((&record["severity"], &record["status"]), (&json!("High"), &json!("Failure")), "{record}");
    }
    let body = json!({ "shares": new[..2], "reason": REASON }).to_string();
    let answer = app.ask("POST", OPEN, &[], &body).await;
    assert_eq!(answer.status, 429, "guessing costs nothing");
    let answer = app.ask_from([192, 0, 2, 1], "POST", OPEN, &[], &body).await;
    assert_eq!(answer.status, 200, "who guesses elsewhere keeps nobody out: {}", answer.body);
    for reason in ["too short", "", &"x".repeat(501), "two\nlines of text"] {
        let body = json!({ "shares": new[..2], "reason": reason }).to_string();
        let answer = app.ask_from([198, 51, 100, 1], "POST", OPEN, &[], &body).await;
        assert_eq!(answer.status, 400, "{reason}");
    }
}
