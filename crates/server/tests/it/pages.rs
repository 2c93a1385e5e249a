//! Every page that can be reached, and what strangers may write into them.

use std::collections::{BTreeMap, VecDeque};

use boltseal_model::Finding;
use boltseal_store::Outcome;

use crate::{
    app::App,
    html,
    sample::{self, Described},
};

/// Visits everything that links lead to from `/`; the answer has the body of every page.
async fn crawl(app: &App) -> BTreeMap<String, String> {
    let entered = *app.state.facts.entered().borrow();
    let mut seen = BTreeMap::new();
    let mut ahead = VecDeque::from(["/".to_owned()]);
    while let Some(path) = ahead.pop_front() {
        if seen.contains_key(&path) {
            continue;
        }
        let answer = app.get(&path).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        if answer.header("content-type").starts_with("text/html") {
            for element in html::check(&path, &answer.body) {
                for name in ["href", "src"] {
                    let Some(link) = element.attribute(name) else { continue };
                    let link = link.split('#').next().unwrap_or_default();
                    if link.starts_with('/') && !grows(link, entered) && !seen.contains_key(link) {
                        ahead.push_back(link.to_owned());
                    }
                }
            }
        }
        seen.insert(path, answer.body);
        assert!(seen.len() < 2000, "the site has no end");
    }
    seen
}

/// Looking at the log makes it longer, so there is always one more record, and one more filter that leads to it.
fn grows(link: &str, entered: u64) -> bool {
    let record = link.strip_prefix("/log/").or_else(|| link.strip_prefix("/api/v1/audit/records/"));
    let number = record.and_then(|rest| rest.split('/').next()?.parse::<u64>().ok());
    number.is_some_and(|number| number >= entered) || link.contains("before=")
}

#[tokio::test]
async fn every_link_leads_somewhere() {
    let app = App::new().await;
    let seen = crawl(&app).await;
    for part in [
        "/repositories",
        "/upstreams",
        "/search",
        "/aging",
        "/storage",
        "/images",
        "/vulnerabilities",
        "/feeds",
        "/policy",
        "/access",
        "/access/roles",
        "/log",
        "/account",
        "/about",
        "/api/v1/openapi.json",
    ] {
        assert!(seen.contains_key(part), "nothing links to {part}");
    }
    let starting = |start: &str| seen.keys().filter(|path| path.starts_with(start)).count();
    assert!(starting("/images/sha256:") > 40, "images and their views");
    assert!(starting("/vulnerabilities/CVE-") > 30, "vulnerabilities");
    assert!(starting("/api/v1/images/") > 10, "reports");
    assert!(starting("/assets/") >= 3, "assets");
    assert!(starting("/access/") > 12, "principals");
    assert!(starting("/log/") > 40, "records");
    assert!(starting("/log?") > 20, "filters");
}

#[tokio::test]
async fn a_newcomer_is_told_what_to_type() {
    let app = App::empty().await;
    let seen = crawl(&app).await;
    assert!(seen["/"].contains("docker push 127.0.0.1:5000/debian:12"));
    assert!(seen["/"].contains("boltseal feeds update"));
    let images = app.get("/images").await;
    assert!(images.body.contains("docker push 127.0.0.1:5000/"));
    assert!(seen["/feeds"].contains("boltseal feeds update"));
}

#[tokio::test]
async fn pages_say_what_matters() {
    let app = App::new().await;
    let front = app.get("/").await.body;
    assert!(front.contains("of 15 images may be pulled"), "{front}");
    assert!(front.contains("known to be exploited"));
    assert!(front.contains("Upgrade <b>"));
    let image = image_page(&app, "checkout:2.14.0").await;
    let text = app.get(&image).await.body;
    assert!(text.contains("Refused for"), "the verdict");
    assert!(text.contains("Upgrade openssl"), "fixes are grouped by source package");
    assert!(text.contains("3.0.15-1~deb12u1"), "to the version that removes all of it");
    assert!(text.contains("dpkg order"), "with proof");
    assert!(text.contains("docker pull 127.0.0.1:5000/shop/checkout:2.14.0"));
    let packages = app.get(&format!("{image}?view=packages&q=FLASK")).await.body;
    assert!(packages.contains("1 package") && packages.contains("Flask"));
    let layers = app.get(&format!("{image}?view=layers")).await.body;
    assert!(layers.contains("COPY . /app") && layers.contains("Layer 3"));
    assert!(layers.contains("in 3 layers, made by 6 steps"), "{layers}");
    let at = |text: &str| layers.find(text).unwrap_or_else(|| panic!("{text} is not in {layers}"));
    assert!(
        at("ADD file") < at("CMD [&quot;bash")
            && at("CMD [&quot;bash") < at("apt-get update &amp;&amp; apt-get install --yes --no-install")
    );
    assert_eq!(layers.matches("no layer").count(), 3);
    assert!(layers.contains("git.example/shop/checkout") && layers.contains("as the image says"));
    assert!(layers.contains("Its base is out of date.") && layers.contains(">platform/base:latest</a>"));
    let attached = app.get(&format!("{image}?view=attached")).await.body;
    assert!(attached.contains("1 attestation, 1 bill of materials, 2 signatures"), "{attached}");
    let custody = app.get(&format!("{image}?view=custody")).await.body;
    assert!(custody.contains("missing: pushed, built, signed, running"), "{custody}");
    assert!(custody.contains("by the policy") && custody.contains("--proof custody.json"), "{custody}");
    let used = app.get(&format!("{image}?view=use")).await.body;
    assert!(used.contains("shop/checkout:2.14.0") && used.contains("by its digest"), "{used}");
    assert!(used.contains("no changes") && used.contains("by ada, 20 hours ago: release of December"));
    let released = app.get(&image_page(&app, "legacy/mailer").await).await.body;
    assert!(released.contains("Released by lin") && released.contains("until January"), "{released}");
    let mailer = image_page(&app, "legacy/mailer").await;
    let gaps = app.get(&format!("{mailer}?view=coverage")).await.body;
    assert!(gaps.contains("end-of-life") && gaps.contains("1 gap"));
    let kev = app.get("/vulnerabilities/CVE-2023-4911").await.body;
    assert!(kev.contains("Hits 3 images") && kev.contains("listed by CISA"));
}

/// The address of the image whose name starts so, as the table links to it.
async fn image_page(app: &App, name: &str) -> String {
    let query = name.split(':').next().unwrap_or_default();
    let body = app.get(&format!("/images?q={}", query.replace('/', "%2F"))).await.body;
    let body = &body[body.find("<tbody>").unwrap()..];
    let before = body.find(name).unwrap_or_else(|| panic!("no {name} in {body}"));
    let link = body[..before].rfind("href=\"/images/sha256:").unwrap();
    let address = &body[link + "href=\"".len()..];
    address[..address.find('"').unwrap()].to_owned()
}

#[tokio::test]
async fn lists_filter_sort_and_turn_pages() {
    let app = App::new().await;
    for (path, count, first) in [
        ("/images?q=shop", "3 images", "shop/checkout:2.14.0"),
        ("/images?q=2.13", "1 image", "shop/checkout:2.13.2"),
        ("/images?repository=platform%2Fingress", "3 images", "platform/ingress:multi"),
        ("/images?verdict=pending", "1 image", "data/notebooks:nightly"),
        ("/images?verdict=failed", "1 image", "legacy/windows-agent:3.2"),
        ("/images?package=minimist", "1 image", "shop/storefront"),
        ("/images?sort=size", "16 images", "data/notebooks:nightly"),
        ("/images?sort=name", "16 images", "data/etl:2024.11"),
        ("/images?sort=severity", "16 images", "shop/checkout"),
        ("/images?sort=verdict&page=0&nonsense=1", "16 images", "shop/checkout"),
        ("/repositories", "11 repositories", "shop/checkout"),
        ("/repositories?q=SHOP&sort=name", "2 repositories", "shop/checkout"),
        ("/repositories?sort=pulls", "11 repositories", "platform/ingress"),
        ("/repositories?sort=name", "11 repositories", "data/etl"),
        ("/repositories/platform/ingress", "2 platforms", "multi"),
        ("/repositories/shop/checkout?sort=size", "no changes", "2.14.0, latest"),
        ("/vulnerabilities?kev=yes", "2 vulnerabilities", "CVE-2023-44487"),
        ("/vulnerabilities?severity=critical", "10 vulnerabilities", "CVE-2024-45337"),
        ("/vulnerabilities?q=iconv", "1 vulnerability", "CVE-2024-2961"),
        ("/vulnerabilities?sort=id", "35 vulnerabilities", "CVE-2011-3374"),
    ] {
        let body = app.get(path).await.body;
        assert!(body.contains(count), "{path}: no `{count}`");
        let table = &body[body.find("<tbody>").unwrap_or_else(|| panic!("{path}: no table"))..];
        let name = &table[table.find("class=\"name\"").unwrap()..];
        let name = &name[name.find('>').unwrap() + 1..];
        assert!(name.starts_with(first), "{path}: {name:.60}");
    }
    assert!(app.get("/repositories?q=%25_nothing").await.body.contains("No repository matches"));
    assert!(app.get("/images?q=%25_nothing").await.body.contains("No image matches"));
    assert!(app.get("/vulnerabilities?q=nothing").await.body.contains("No vulnerability matches"));
}

#[tokio::test]
async fn failures_are_pages_that_help() {
    let app = App::new().await;
    for (path, status) in [
        ("/nowhere", 404),
        ("/images/sha256:00", 404),
        ("/images/sha256:0000000000000000000000000000000000000000000000000000000000000000", 404),
        ("/repositories/shop/nothing", 404),
        ("/repositories/../%2F", 404),
        ("/vulnerabilities/%3Cscript%3E", 404),
        ("/assets/../secret", 404),
        ("/theme", 405),
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        html::check(path, &answer.body);
    }
}

/// Names, titles, versions and addresses as an attacker would choose them.
#[tokio::test]
async fn strangers_cannot_write_markup() {
    const EVIL: [&str; 5] = [
        "<script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</title></main></body><h1>",
        "javascript:alert(1)//\u{202e}\u{0}&amp;&#60;",
    ];
    let app = App::new().await;
    let mut described =
        Described { repository: EVIL[1].to_owned(), tags: vec![EVIL[0].to_owned()], ..mailer() };
    for (package, _) in &mut described.packages {
        package.name = EVIL[0].to_owned();
        package.licenses = EVIL.map(str::to_owned).to_vec();
        package.paths = vec![EVIL[1].to_owned()];
    }
    let image = sample::put(&app.state.facts, &described, &sample::snapshot()).await;
    let mut report = app.state.facts.report(&image).await.unwrap().unwrap();
    let evil = |finding: &mut Finding, index: usize| {
        EVIL[index % EVIL.len()].clone_into(&mut finding.id);
        finding.title = EVIL.join(" ");
        finding.references = EVIL.map(str::to_owned).to_vec();
        finding.proof.path = EVIL.join("/");
        finding.proof.comparison = EVIL.join("<");
        finding.aliases = EVIL.map(str::to_owned).to_vec();
        if let Some(fix) = &mut finding.fix {
            EVIL[2].clone_into(&mut fix.version);
            EVIL[1].clone_into(&mut fix.command);
        }
    };
    report.findings.iter_mut().enumerate().for_each(|(index, finding)| evil(finding, index));
    report.layers.iter_mut().for_each(|layer| layer.created_by = Some(EVIL.join("\n")));
    if let Some(verdict) = &mut report.verdict {
        verdict.reasons.iter_mut().for_each(|reason| reason.found = EVIL.join(" "));
    }
    let outcome = Outcome::Judged { report: Box::new(report), catalog_gaps: Vec::new() };
    app.state.facts.record(vec![(image.clone(), outcome)], sample::now()).await.unwrap();

    sample::attach_evil(&app.state.facts, &image, EVIL).await;

    let seen = crawl(&app).await;
    assert!(
        seen.keys().any(|path| path.starts_with("/vulnerabilities/%3Cscript")),
        "the evil ids were visited"
    );
    for view in ["findings", "packages", "layers", "attached", "custody", "use", "coverage"] {
        let path = format!("/images/{image}?view={view}");
        html::check(&path, &app.get(&path).await.body);
    }
    for query in EVIL {
        let query = query.bytes().flat_map(|byte| [format!("%{byte:02X}")]).collect::<Vec<_>>().concat();
        for path in [
            "/repositories?q=",
            "/search?q=",
            "/search?kind=labels&q=",
            "/images?q=",
            "/images?repository=",
            "/vulnerabilities?q=",
            "/sign-in?back=",
            "/sign-in?code=",
        ] {
            let path = format!("{path}{query}");
            let answer = app.ask("GET", &path, &[], "").await;
            if answer.status == 200 {
                html::check(&path, &answer.body);
            }
            let signed_in = app.get(&path).await;
            if signed_in.status == 200 {
                html::check(&path, &signed_in.body);
            }
        }
    }
}

fn mailer() -> Described {
    sample::images().into_iter().find(|image| image.repository == "legacy/mailer").unwrap()
}

#[tokio::test]
async fn forms_have_the_registry_work() {
    let app = App::new().await;
    let token = format!("Bearer {}", crate::app::token(&app.state, sample::NAME));
    let send = async |path: &str, body: &str| {
        let headers =
            [("authorization", token.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        app.ask("POST", path, &headers, body).await
    };
    for (path, body, back) in [
        ("/storage/collect", "dry-run=yes&deep=yes", "/storage"),
        ("/storage/scrub", "everything=yes", "/storage"),
        ("/upstreams", "name=hub&prefix=hub&host=docker.io&path=library", "/upstreams"),
        (
            "/mirrors",
            "name=base&host=docker.io&repositories=library%2Fdebian&destination=mirror&tags=12*&every=3600",
            "/upstreams",
        ),
        ("/mirrors/base/pause", "", "/upstreams"),
    ] {
        let answer = send(path, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("location")),
            (303, back),
            "{path}: {}",
            answer.body
        );
        // The same from a page of somebody else is nothing.
        let elsewhere = [("authorization", token.as_str()), ("sec-fetch-site", "cross-site")];
        assert_eq!(app.ask("POST", path, &elsewhere, body).await.status, 403, "{path}");
    }
    let storage = app.get("/storage").await.body;
    html::check("/storage", &storage);
    assert!(storage.contains("Garbage collection, dry run") && storage.contains("Scrub"), "{storage}");
    let jobs = app.state.facts.jobs(None, 10).await.unwrap();
    let job = jobs.iter().find(|job| job.kind == "collect").unwrap();
    assert!(job.spec.contains("\"dry_run\":true") && job.spec.contains("\"deep\":true"), "{}", job.spec);
    assert_eq!(send(&format!("/storage/jobs/{}/stop", job.id), "").await.status, 303);
    assert!(app.state.facts.job(&job.id).await.unwrap().unwrap().state.is_over());
    let upstreams = app.get("/upstreams").await.body;
    html::check("/upstreams", &upstreams);
    assert!(upstreams.contains("docker.io/library/…") && upstreams.contains("paused"), "{upstreams}");
    for path in ["/upstreams/hub/remove", "/mirrors/base/remove"] {
        assert_eq!(send(path, "").await.status, 303, "{path}");
    }
    assert!(app.get("/upstreams").await.body.contains("None: only what is pushed here"));
    assert_eq!(send("/mirrors/base/nonsense", "").await.status, 404);
}
