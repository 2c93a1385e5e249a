//! The pages about who may do what, and the one about oneself, as people use them.

use boltseal_identity::{Action, Scope};

use crate::{
    app::{self, Answer, App},
    control::code_of,
    html, sample,
};

const OURS: (&str, &str) = ("sec-fetch-site", "same-origin");

/// Sends a form as somebody.
async fn send(app: &App, name: &str, path: &str, form: &str) -> Answer {
    let token = format!("Bearer {}", app::token(&app.state, name));
    app.ask("POST", path, &[OURS, ("authorization", &token)], form).await
}

async fn look(app: &App, name: &str, path: &str) -> Answer {
    let token = format!("Bearer {}", app::token(&app.state, name));
    app.ask("GET", path, &[("authorization", &token)], "").await
}

fn may(app: &App, name: &str, action: Action, scope: &str) -> bool {
    let directory = app.state.access.authority().directory();
    let id = directory.principal_named(name).unwrap().id;
    let scope: Scope = scope.parse().unwrap();
    directory.decide(id, action, &scope, sample::now()).is_granted()
}

#[tokio::test]
async fn everybody_is_listed_and_found() {
    let app = App::new().await;
    for (query, some, none) in [
        ("", "ada", "nobody-here"),
        ("?kind=group", "developers", ">ada<"),
        ("?kind=service-principal", ">build<", ">developers<"),
        ("?q=OKAFOR", ">lin<", ">ada<"),
        ("?q=shop", ">build<", ">ada<"),
    ] {
        let page = app.get(&format!("/access{query}")).await.body;
        html::check(query, &page);
        let results = page.split_once("id=\"results\"").unwrap().1;
        assert!(results.contains(some) && !results.contains(none), "{query}");
    }
    let all = app.get("/access").await.body;
    for part in [">in 9 days<", "disabled", "scope map <b>kiosk-pull</b>", "AcrPush</b>", "shop/*"] {
        assert!(all.contains(part), "{part}");
    }
}

#[tokio::test]
async fn a_principal_shows_what_it_comes_to() {
    let app = App::new().await;
    let page = app.get("/access/deploy").await.body;
    html::check("/access/deploy", &page);
    for part in ["2 of 11", "through <a", "developers", "deploy pulled shop/web:1.9.4", "bsl_", "never ends"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    let whole = app.state.access.authority().directory();
    let hint = whole.principal_named("deploy").unwrap().credentials.secrets[0].hint().to_owned();
    assert!(page.contains(&format!("bsl_{hint}…")), "a secret is told by its first characters");
    let old = app.get("/access/old-ci").await.body;
    assert!(old.contains("nothing may be done, whatever was given") && !old.contains("of 11"));
    let east = app.get("/access/east").await.body;
    assert!(east.contains("only where") && east.contains("until the new cluster is there"));
    assert_eq!(app.get("/access/nobody").await.status, 404);
    let roles = app.get("/access/roles?role=AcrPull").await.body;
    assert!(roles.contains("Pull images of a repository") && roles.contains("Scope maps"));
}

#[tokio::test]
async fn a_program_is_made_given_something_and_put_away() {
    let app = App::new().await;
    let made = send(&app, sample::NAME, "/access", "kind=service-principal&name=ci-2&display=tests").await;
    html::check("/access", &made.body);
    assert!(made.status == 200 && made.body.contains("This is shown once"));
    let secret = made.body.split("data-copy=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    assert!(secret.starts_with("bsl_") && !app.get("/access/ci-2").await.body.contains(&secret));
    assert_eq!(made.header("cache-control"), "no-store");
    let basic = {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        format!("Basic {}", STANDARD.encode(format!("ci-2:{secret}")))
    };
    let whoami = app.ask("GET", "/api/v1/whoami", &[("authorization", &basic)], "").await;
    assert_eq!(whoami.status, 200, "the secret works");

    let here = "/registries/main/repositories/team/a";
    assert!(!may(&app, "ci-2", Action::ContentRead, here));
    let form =
        "role=AcrPull&scope=%2Fregistries%2Fmain%2Frepositories%2Fteam%2F*&ends=2025-02-01&reason=trial";
    let given = send(&app, sample::NAME, "/access/ci-2/assign", form).await;
    assert_eq!((given.status.as_u16(), given.header("location")), (303, "/access/ci-2"));
    assert!(may(&app, "ci-2", Action::ContentRead, here));
    let page = app.get("/access/ci-2").await.body;
    assert!(page.contains("team/*") && page.contains("trial") && page.contains("by admin"));
    for form in ["role=AcrPull&scope=nowhere", "role=Nothing&scope=/", "role=AcrPull&scope=/&ends=tomorrow"] {
        assert!(
            send(&app, sample::NAME, "/access/ci-2/assign", form).await.status.is_client_error(),
            "{form}"
        );
    }

    send(&app, sample::NAME, "/access/ci-2/disable", "disabled=yes").await;
    assert!(!may(&app, "ci-2", Action::ContentRead, here));
    send(&app, sample::NAME, "/access/ci-2/disable", "disabled=no").await;
    assert!(may(&app, "ci-2", Action::ContentRead, here));
    let assignment = page.split("name=\"assignment\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    send(&app, sample::NAME, "/access/ci-2/unassign", &format!("assignment={assignment}")).await;
    assert!(!may(&app, "ci-2", Action::ContentRead, here));
    assert_eq!(send(&app, sample::NAME, "/access/ci-2/delete", "").await.status, 400, "are they sure?");
    assert_eq!(send(&app, sample::NAME, "/access/ci-2/delete", "sure=yes").await.status, 303);
    assert_eq!(app.get("/access/ci-2").await.status, 404);
    let log = app.get("/log?text=ci-2").await.body;
    for part in ["admin added ci-2", "admin gave AcrPull at", "admin disabled ci-2", "admin removed ci-2"] {
        assert!(log.contains(part), "{part}");
    }
    assert!(!log.contains(&secret));
}

#[tokio::test]
async fn secrets_are_replaced_and_members_come_and_go() {
    let app = App::new().await;
    let stored = |name: &str| {
        let directory = app.state.access.authority().directory();
        let secrets = &directory.principal_named(name).unwrap().credentials.secrets;
        secrets.iter().map(|secret| (secret.id(), secret.expires())).collect::<Vec<_>>()
    };
    let before = stored("build");
    let made = send(&app, sample::NAME, "/access/build/secret", "days=90").await;
    assert!(made.status == 200 && made.body.contains("bsl_"));
    let after = stored("build");
    assert_eq!((after.len(), after[0]), (2, before[0]), "the one in use goes on working");
    assert_eq!(after[1].1.unwrap().to_string(), "2025-03-16T09:30:00Z");
    send(&app, sample::NAME, "/access/build/secret", "days=0").await;
    let third = stored("build");
    assert_eq!((third.len(), third[0], third[1].1), (2, after[1], None), "the older one made room");
    let form = format!("id={}", third[0].0);
    send(&app, sample::NAME, "/access/build/secret/remove", &form).await;
    assert_eq!(stored("build"), third[1..]);
    assert_eq!(send(&app, sample::NAME, "/access/build/secret/remove", &form).await.status, 404);
    assert_eq!(send(&app, sample::NAME, "/access/developers/secret", "days=90").await.status, 409);

    assert!(!may(&app, "build", Action::ImageRead, "/"));
    send(&app, sample::NAME, "/access/developers/members", "add=build").await;
    assert!(may(&app, "build", Action::ImageRead, "/"));
    assert!(app.get("/access/build").await.body.contains("through <a"));
    send(&app, sample::NAME, "/access/developers/members", "remove=build").await;
    assert!(!may(&app, "build", Action::ImageRead, "/"));
    assert_eq!(send(&app, sample::NAME, "/access/developers/members", "add=nobody").await.status, 404);

    let cookie = app.ask("POST", "/sign-in", &[OURS], &app.sign_in_form()).await;
    let cookie = cookie.header("set-cookie").split(';').next().unwrap().to_owned();
    send(&app, sample::NAME, "/access/admin/sign-out", "").await;
    assert_eq!(app.ask("GET", "/about", &[("cookie", &cookie)], "").await.status, 303);
}

#[tokio::test]
async fn whoever_may_only_look_is_shown_no_forms() {
    let app = App::new().await;
    // Sam is a reader through a group, and no more.
    let page = look(&app, "sam@shop.example", "/access/build").await;
    assert_eq!(page.status, 200);
    assert!(!page.body.contains("action=\"/access/"), "{}", page.body);
    assert!(!page.body.contains("href=\"/log\"") && !page.body.contains("Lately"), "nor the log");
    for path in ["/access", "/access/build/secret", "/access/build/assign", "/access/build/delete"] {
        let refused = send(&app, "sam@shop.example", path, "kind=user&name=x&sure=yes").await;
        assert_eq!(refused.status, 403, "{path}");
        html::check(path, &refused.body);
        assert!(
            refused.body.contains("would grant it") && refused.body.contains("aria-label=\"Main\""),
            "{path}"
        );
    }
    assert_eq!(look(&app, "sam@shop.example", "/log").await.status, 403);
    // Whoever manages people cannot give more than they may.
    let form = "role=Owner&scope=%2F";
    assert_eq!(send(&app, "lin", "/access/lin/assign", form).await.status, 403);
    assert_eq!(send(&app, "lin", "/access/ada/secret", "days=0").await.status, 403, "an owner's way in");
}

#[tokio::test]
async fn somebody_new_comes_in_by_a_link_and_chooses_a_password() {
    let app = App::new().await;
    let made = send(&app, sample::NAME, "/access", "kind=user&name=eve").await;
    html::check("/access", &made.body);
    let code = made.body.split("/sign-in?code=").nth(1).unwrap().split('"').next().unwrap();
    let inside = app.ask("POST", "/sign-in", &[OURS], &format!("code={code}")).await;
    assert_eq!((inside.status.as_u16(), inside.header("location")), (303, "/account"));
    let cookie = inside.header("set-cookie").split(';').next().unwrap().to_owned();
    let ask = async |method: &str, path: &str, form: &str| {
        app.ask(method, path, &[OURS, ("cookie", &cookie)], form).await
    };
    let page = ask("GET", "/account", "").await;
    html::check("/account", &page.body);
    assert!(page.body.contains("Choose a password") && !page.body.contains("name=\"old\""));
    let form = |new: &str, again: &str| format!("new={new}&again={again}").replace(' ', "+");
    let slip = ask("POST", "/account/password", &form("seven tall ships", "seven small ships")).await;
    assert!(slip.status == 400 && slip.body.contains("not the same both times"));
    let weak = ask("POST", "/account/password", &form("eveeveeveeve", "eveeveeveeve")).await;
    assert_eq!(weak.status, 400);
    let good = "seven tall ships in port";
    let set = ask("POST", "/account/password", &form(good, good)).await;
    assert_eq!((set.status.as_u16(), set.header("location")), (303, "/account"));
    assert_eq!(ask("GET", "/account", "").await.status, 303, "the session of before is over");
    let fresh = set.header("set-cookie").split(';').next().unwrap();
    assert_eq!(app.ask("GET", "/account", &[("cookie", fresh)], "").await.status, 200, "this one goes on");
    let form = format!("name=eve&secret={}", good.replace(' ', "+"));
    assert_eq!(app.ask("POST", "/sign-in", &[OURS], &form).await.header("location"), "/");
}

#[tokio::test]
async fn a_second_factor_is_set_up_by_scanning() {
    let app = App::new().await;
    let password = format!("name=lin&secret={}", sample::PASSWORD.replace(' ', "+"));
    let inside = app.ask("POST", "/sign-in", &[OURS], &password).await;
    assert_eq!(inside.status, 303);
    let cookie = inside.header("set-cookie").split(';').next().unwrap().to_owned();
    let post = async |path: &str, form: &str| app.ask("POST", path, &[OURS, ("cookie", &cookie)], form).await;
    let page = post("/account/factor", "").await;
    html::check("/account/factor", &page.body);
    assert!(page.status == 200 && page.body.contains("svg class=\"qr\""));
    let key = page.body.split("data-copy=\"").nth(1).unwrap().split('"').next().unwrap().replace(' ', "");
    let code = code_of(&format!("otpauth://totp/x?secret={key}&issuer=x"));
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let again = post("/account/factor/confirm", &format!("code={wrong}")).await;
    assert!(again.body.contains("not the code of this moment"), "{}", again.body);
    assert!(again.body.contains(&page.body.split("data-copy=\"").nth(1).unwrap()[..39]), "the same key");
    let done = post("/account/factor/confirm", &format!("code={code}")).await;
    html::check("/account/factor/confirm", &done.body);
    assert_eq!(done.body.matches("<li><code>").count(), 10, "{}", done.body);
    assert_eq!(app.ask("POST", "/sign-in", &[OURS], &password).await.status, 403, "it is asked for");
    let both = format!("{password}&one-time={code}");
    let strong = app.ask("POST", "/sign-in", &[OURS], &both).await;
    assert_eq!(strong.status, 303);
    assert_eq!(post("/account/factor/remove", "").await.status, 409, "not without having shown it");
    let strong = strong.header("set-cookie").split(';').next().unwrap();
    let shown = app.ask("GET", "/account", &[("cookie", strong)], "").await.body;
    assert!(shown.contains("10 recovery codes left") && shown.contains("/account/factor/remove"));
    let gone = app.ask("POST", "/account/factor/remove", &[OURS, ("cookie", strong)], "").await;
    assert_eq!(gone.status, 303);
    assert_eq!(app.ask("POST", "/sign-in", &[OURS], &password).await.status, 303);
    let out = app.ask("POST", "/account/sign-out", &[OURS, ("cookie", strong)], "").await;
    assert_eq!(out.header("location"), "/sign-in");
    assert_eq!(post("/account/factor", "").await.status, 303, "all sessions are over");
}
