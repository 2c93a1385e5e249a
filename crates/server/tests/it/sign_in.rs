//! In and out again.

use std::sync::atomic::{AtomicI64, Ordering};

use boltseal_model::Timestamp;
use boltseal_server::sign_in_link;

use crate::{
    app::{self, Answer, App},
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
    let answer = sign_in(&app, &format!("{}&back=%2Ffeeds", app.sign_in_form())).await;
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
    assert_eq!(after.status, 303, "the token is void, whoever kept a copy of it");
    let stored = app.state.facts.revoked(sample::now()).await.unwrap();
    assert_eq!(stored.len(), 1, "and stays void after a restart");
}

#[tokio::test]
async fn a_session_is_sealed() {
    let app = App::new().await;
    let cookie = cookie(&sign_in(&app, &app.sign_in_form()).await);
    let status =
        async |cookie: &str| app.ask("GET", "/about", &[("cookie", cookie)], "").await.status.as_u16();
    assert_eq!(status(&cookie).await, 200);
    let (start, end) = cookie.split_at(cookie.len() - 8);
    for forged in [format!("{start}AAAA{}", &end[4..]), start.to_owned(), "boltseal=".to_owned()] {
        assert_eq!(status(&forged).await, 303, "{forged}");
    }
    let other_kind = format!("boltseal={}", app::token(&app.state, sample::NAME));
    assert_eq!(status(&other_kind).await, 303, "a token for programs is no session");
    let session = cookie.split_once('=').unwrap().1;
    let bearer = format!("Bearer {session}");
    let answer = app.ask("GET", "/api/v1/images", &[("authorization", &bearer)], "").await;
    assert_eq!(answer.status, 401, "and a session is no token for programs");
}

#[tokio::test]
async fn over_tls_the_cookie_is_tied_to_the_host() {
    let app = App::new().await.with(|state| {
        state.site = std::sync::Arc::new(boltseal_server::Site { tls: true, ..(*state.site).clone() });
    });
    let answer = sign_in(&app, &app.sign_in_form()).await;
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
    let link = sign_in_link(&app.state.access, sample::now()).unwrap();
    let page = app.ask("GET", &link, &[], "").await;
    assert!(page.status == 200 && page.header("set-cookie").is_empty(), "looking does not spend it");
    let code = link.split_once('=').unwrap().1;
    assert!(page.body.contains(code));
    let answer = sign_in(&app, &format!("code={code}")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/"));
    assert_eq!(app.ask("GET", "/", &[("cookie", &cookie(&answer))], "").await.status, 200);
    let again = sign_in(&app, &format!("code={code}")).await;
    assert!(again.status == 403 && again.body.contains("used before"));
    assert!(again.header("set-cookie").is_empty());
}

#[tokio::test]
async fn a_link_lasts_a_quarter_of_an_hour() {
    let app = App::new().await;
    for (minutes, status) in [(0, 303), (14, 303), (15, 403), (60, 403)] {
        let then = sample::now().checked_sub(jiff::SignedDuration::from_mins(minutes)).unwrap();
        let link = sign_in_link(&app.state.access, then).unwrap();
        let answer = sign_in(&app, &format!("code={}", link.split_once('=').unwrap().1)).await;
        assert_eq!(answer.status, status, "after {minutes} minutes");
    }
}

#[tokio::test]
async fn guesses_wait_longer_and_longer() {
    static CLOCK: AtomicI64 = AtomicI64::new(0);
    fn clock() -> Timestamp {
        Timestamp::from_second(CLOCK.load(Ordering::Relaxed)).unwrap()
    }
    let wait = |seconds| CLOCK.fetch_add(seconds, Ordering::Relaxed);
    wait(sample::now().as_second());
    let app = App::new().await.with(|state| state.now = clock);
    let guess = "name=admin&secret=guess";
    for _ in 0..3 {
        let answer = sign_in(&app, guess).await;
        assert_eq!(answer.status, 403, "people mistype");
        assert!(answer.body.contains("do not belong together") && answer.header("set-cookie").is_empty());
    }
    for seconds in [2, 4, 8, 16] {
        assert_eq!(sign_in(&app, guess).await.status, 403);
        let answer = sign_in(&app, &app.sign_in_form()).await;
        assert_eq!(answer.status, 429, "even the right secret waits");
        assert_eq!(answer.header("retry-after"), seconds.to_string());
        wait(seconds);
    }
    let answer = sign_in(&app, &app.sign_in_form()).await;
    assert_eq!(answer.status, 303, "and is welcome afterwards");
}

#[tokio::test]
async fn guesses_lock_nobody_else_out() {
    let app = App::new().await;
    for _ in 0..5 {
        sign_in(&app, "name=admin&secret=guess").await;
    }
    let from = async |address, body: &str| {
        app.ask_from(address, "POST", "/sign-in", &[OURS], body).await.status.as_u16()
    };
    let form = app.sign_in_form();
    assert_eq!(from([127, 0, 0, 9], &form).await, 429, "the same network waits");
    assert_eq!(from([192, 0, 2, 7], &form).await, 303, "another network does not");
    assert_eq!(from([127, 0, 0, 1], "name=somebody&secret=guess").await, 403, "nor does another name");
}

#[tokio::test]
async fn sessions_end() {
    static CLOCK: AtomicI64 = AtomicI64::new(0);
    fn clock() -> Timestamp {
        Timestamp::from_second(CLOCK.load(Ordering::Relaxed)).unwrap()
    }
    let at = |minute: i64| CLOCK.store(sample::now().as_second() + minute * 60, Ordering::Relaxed);
    let app = App::new().await.with(|state| state.now = clock);
    let look = async |cookie: &str| app.ask("GET", "/about", &[("cookie", cookie)], "").await.status.as_u16();
    at(0);
    let session = cookie(&sign_in(&app, &app.sign_in_form()).await);
    for (minute, status) in [(29, 200), (58, 200), (60, 200), (90, 303), (91, 303)] {
        at(minute);
        assert_eq!(look(&session).await, status, "minute {minute}, the last thirty of them silent");
    }
    at(0);
    let session = cookie(&sign_in(&app, &app.sign_in_form()).await);
    for minute in (0..12 * 60).step_by(20) {
        at(minute);
        assert_eq!(look(&session).await, 200, "minute {minute}");
    }
    at(12 * 60);
    assert_eq!(look(&session).await, 303, "a working day is over");
}

#[tokio::test]
async fn the_way_back_stays_here() {
    let app = App::new().await;
    for (back, to) in
        [("%2Fimages", "/images"), ("%2F%2Fevil.example", "/"), ("https%3A%2F%2Fevil.example", "/")]
    {
        let answer = sign_in(&app, &format!("{}&back={back}", app.sign_in_form())).await;
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
