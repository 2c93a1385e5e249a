//! In and out again.

use std::sync::atomic::{AtomicI64, Ordering};

use boltseal_model::Timestamp;

use crate::{
    app::{Answer, App},
    sample,
};

const OURS: (&str, &str) = ("sec-fetch-site", "same-origin");

fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned()
}

async fn sign_in(app: &App, body: &str) -> Answer {
    app.ask("POST", "/sign-in", &[OURS], body).await
}

#[tokio::test]
async fn with_name_and_secret() {
    let app = App::new().await;
    let form = app.ask("GET", "/sign-in?back=/feeds", &[], "").await;
    assert!(form.body.contains("name=\"secret\"") && form.body.contains("value=\"/feeds\""));
    let answer = sign_in(&app, "name=admin&secret=correct+horse+battery+staple&back=%2Ffeeds").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/feeds"));
    let set = answer.header("set-cookie");
    for part in ["HttpOnly", "SameSite=Strict", "Path=/", "Max-Age="] {
        assert!(set.contains(part), "{set}");
    }
    let cookie = cookie(&answer);
    let page = app.ask("GET", "/feeds", &[("cookie", &cookie)], "").await;
    assert!(page.status == 200 && page.body.contains("debian-tracker"));
    let api = app.ask("GET", "/api/v1/feeds", &[("cookie", &cookie)], "").await;
    assert_eq!(api.status, 200);

    let out = app.ask("POST", "/sign-out", &[OURS, ("cookie", &cookie)], "").await;
    assert_eq!((out.status.as_u16(), out.header("location")), (303, "/sign-in"));
    assert!(out.header("set-cookie").contains("Max-Age=0"));
    let after = app.ask("GET", "/feeds", &[("cookie", &cookie)], "").await;
    assert_eq!(after.status, 303, "the session is gone from the store as well");
}

#[tokio::test]
async fn over_tls_the_cookie_is_tied_to_the_host() {
    let app = App::new().await.with(|state| {
        state.site = std::sync::Arc::new(boltseal_server::Site { tls: true, ..(*state.site).clone() });
    });
    let answer = sign_in(&app, "name=admin&secret=correct+horse+battery+staple").await;
    let set = answer.header("set-cookie");
    assert!(
        set.starts_with("__Host-boltseal=") && set.contains("; Secure") && !set.contains("Domain"),
        "{set}"
    );
    let cookie = cookie(&answer);
    assert_eq!(app.ask("GET", "/", &[("cookie", &cookie)], "").await.status, 200);
    let plain = cookie.replace("__Host-", "");
    assert_eq!(
        app.ask("GET", "/", &[("cookie", &plain)], "").await.status,
        303,
        "only the host cookie counts"
    );
}

#[tokio::test]
async fn with_a_link_once() {
    let app = App::new().await;
    let link = app.state.sign_in.issue_link(sample::now());
    let page = app.ask("GET", &link, &[], "").await;
    assert!(page.status == 200 && page.header("set-cookie").is_empty(), "looking does not spend it");
    let code = link.split_once('=').unwrap().1;
    assert!(page.body.contains(code));
    let answer = sign_in(&app, &format!("code={code}")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/"));
    assert_eq!(app.ask("GET", "/", &[("cookie", &cookie(&answer))], "").await.status, 200);
    let again = sign_in(&app, &format!("code={code}")).await;
    assert!(again.status == 403 && again.body.contains("used before"));
}

#[tokio::test]
async fn guesses_wait_longer_and_longer() {
    let app = App::new().await;
    for _ in 0..4 {
        let answer = sign_in(&app, "name=admin&secret=guess").await;
        assert_eq!(answer.status, 403);
        assert!(answer.body.contains("do not belong together") && answer.header("set-cookie").is_empty());
    }
    let answer = sign_in(&app, "name=admin&secret=correct+horse+battery+staple").await;
    assert_eq!(answer.status, 429, "even the right secret waits");
    assert!(answer.header("retry-after").parse::<u64>().unwrap() >= 2);
}

#[tokio::test]
async fn sessions_end() {
    static CLOCK: AtomicI64 = AtomicI64::new(0);
    fn clock() -> Timestamp {
        Timestamp::from_second(CLOCK.load(Ordering::Relaxed)).unwrap()
    }
    let at = |second| CLOCK.store(sample::now().as_second() + second, Ordering::Relaxed);
    let app = App::new().await.with(|state| state.now = clock);
    at(0);
    let answer = sign_in(&app, "name=admin&secret=correct+horse+battery+staple").await;
    let cookie = cookie(&answer);
    for (hours, status) in [(1, 200), (2, 200), (3, 200), (4, 200), (6, 303)] {
        at(hours * 3600);
        let answer = app.ask("GET", "/about", &[("cookie", &cookie)], "").await;
        assert_eq!(answer.status, status, "after {hours} h, the last two of them silent");
    }
    at(0);
    let cookie = self::cookie(&sign_in(&app, "name=admin&secret=correct+horse+battery+staple").await);
    for hour in 0..12 {
        at(hour * 3600);
        assert_eq!(app.ask("GET", "/about", &[("cookie", &cookie)], "").await.status, 200, "hour {hour}");
    }
    at(12 * 3600);
    assert_eq!(
        app.ask("GET", "/about", &[("cookie", &cookie)], "").await.status,
        303,
        "a working day is over"
    );
}

#[tokio::test]
async fn the_way_back_stays_here() {
    let app = App::new().await;
    for (back, to) in
        [("%2Fimages", "/images"), ("%2F%2Fevil.example", "/"), ("https%3A%2F%2Fevil.example", "/")]
    {
        let answer =
            sign_in(&app, &format!("name=admin&secret=correct+horse+battery+staple&back={back}")).await;
        assert_eq!(answer.header("location"), to);
    }
}

#[tokio::test]
async fn light_and_dark_are_remembered() {
    let app = App::new().await;
    let answer = app.ask("POST", "/theme", &[OURS], "theme=dark&back=%2Ffeeds").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/feeds"));
    assert_eq!(cookie(&answer), "theme=dark");
    let page = app.ask("GET", "/sign-in", &[("cookie", "theme=dark")], "").await;
    assert!(page.body.contains("data-theme=\"dark\""));
    let nonsense = app.ask("POST", "/theme", &[OURS], "theme=%22%3E").await;
    assert_eq!(nonsense.status, 400);
    let long = app.ask("POST", "/theme", &[OURS], &"x".repeat(100_000)).await;
    assert_eq!(long.status, 400);
}
