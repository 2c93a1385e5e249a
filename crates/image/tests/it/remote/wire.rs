//! What the client says to registries that are slow, wrong or hostile.

use std::{io::Read as _, time::Duration};

use boltseal_image::{
    Credentials,
    remote::{Access, Error, Mounted, Name, Remote},
};
use boltseal_model::Digest;

use super::scripted::{Answer, Scripted, plain};

const MANIFEST: &str = r#"{"schemaVersion":2,"layers":[],"config":{"mediaType":"x","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0}}"#;

fn with(status: u16, headers: &str, body: &str) -> Answer {
    (status, headers.to_owned(), body.as_bytes().to_vec())
}

#[test]
fn asks_again_where_that_helps() {
    for (status, retry_after, times) in
        [(503, "", 3), (502, "", 2), (429, "Retry-After: 0\r\n", 2), (0, "", 2), (500, "", 1), (404, "", 1)]
    {
        let registry = Scripted::start(move |_, before, _| match before {
            0 => with(status, retry_after, ""),
            1 if times == 3 => with(503, "", ""),
            _ => plain(200, MANIFEST),
        });
        let got = registry.remote().repository("app").unwrap().manifest(Name::Tag("v1"));
        assert_eq!(got.is_ok(), times > 1, "{status}");
        assert_eq!(registry.asked().len(), times, "{status}");
    }
    // Too long a wait is the caller's to decide on.
    let registry = Scripted::start(|_, _, _| with(429, "Retry-After: 3600\r\n", ""));
    let error = registry.remote().repository("app").unwrap().manifest(Name::Tag("v1")).unwrap_err();
    assert!(error.is_rate_limited() && !error.is_unavailable(), "{error}");
    assert_eq!(error.retry_after(), Some(Duration::from_hours(1)));
    assert_eq!(registry.asked().len(), 1);
    // And whoever has a better answer does not wait at all.
    let registry = Scripted::start(|_, _, _| plain(503, ""));
    let mut access = Access::default();
    (access.retries, access.anonymous) = (0, true);
    let remote = Remote::connect(&registry.address, &access).unwrap();
    assert!(remote.repository("app").unwrap().head(Name::Tag("v1")).unwrap_err().is_unavailable());
    assert_eq!(registry.asked().len(), 1);
    let gone = Remote::connect("127.0.0.1:1", &access).unwrap().ping().unwrap_err();
    assert!(gone.is_unavailable(), "{gone}");
}

#[test]
fn passwords_stay_at_home() {
    let stranger = Scripted::start(|asked, _, _| plain(if asked.method == "PUT" { 201 } else { 200 }, ""));
    let elsewhere = stranger.address.clone();
    let home = Scripted::start(move |asked, _, _| {
        if asked.header("authorization") != "Basic dTpw" {
            return with(401, "WWW-Authenticate: Basic realm=x\r\n", "");
        }
        match asked.method.as_str() {
            "POST" => with(202, &format!("Location: http://{elsewhere}/upload?state=1\r\n"), ""),
            "GET" => with(307, &format!("Location: http://{elsewhere}/blob\r\n"), ""),
            _ => plain(404, ""),
        }
    });
    let mut access = Access::default();
    access.credentials = Some(Credentials::new("u", "p"));
    let repository = Remote::connect(&home.address, &access).unwrap().repository("app").unwrap();
    let digest = repository.put_blob(b"abc").unwrap();
    let mut nothing = Vec::new();
    let wrong = repository.blob(&digest, 9).unwrap().read_to_end(&mut nothing).unwrap_err();
    assert!(wrong.to_string().contains("digest is"), "{wrong}");
    let asked = stranger.asked();
    let encoded = digest.to_string().replace(':', "%3A");
    let lines: Vec<String> = stranger.lines();
    assert_eq!(lines, [format!("PUT /upload?state=1&digest={encoded}"), "GET /blob".to_owned()]);
    assert!(asked.iter().all(|asked| asked.header("authorization").is_empty()), "{asked:?}");
    // The first request without, and never again.
    assert_eq!(home.asked().iter().filter(|asked| asked.header("authorization").is_empty()).count(), 1);
}

#[test]
fn tokens_are_asked_for_what_is_done() {
    let registry = Scripted::start(|asked, _, own| {
        if asked.path.starts_with("/token") {
            return plain(200, r#"{"token": "t", "expires_in": 300}"#);
        }
        if asked.header("authorization") != "Bearer t" {
            let challenge = format!(
                "WWW-Authenticate: Bearer realm=\"http://{own}/token\",service=\"s\",scope=\"repository:app:pull\"\r\n"
            );
            return with(401, &challenge, "");
        }
        match asked.method.as_str() {
            "POST" => with(202, "Location: /upload\r\n", ""),
            "PUT" => plain(201, ""),
            "DELETE" => plain(202, ""),
            _ => plain(404, ""),
        }
    });
    let repository = registry.remote().repository("app").unwrap();
    repository.put_blob(b"abc").unwrap();
    assert!(matches!(repository.mount(&Digest::of(b"x"), "base").unwrap(), Mounted::No(_)));
    repository.put_manifest(Name::Tag("v1"), "x", b"{}").unwrap();
    repository.delete_manifest(Name::Tag("v1")).unwrap();
    let tokens: Vec<String> = registry.lines().into_iter().filter(|line| line.contains("/token")).collect();
    let scopes = |line: &String| line.replace("%3A", ":").replace("%2C", ",").replace("GET /token?", "");
    assert_eq!(
        tokens.iter().map(scopes).collect::<Vec<_>>(),
        [
            "scope=repository:app:pull&service=s",
            "scope=repository:app:pull,push&service=s",
            "scope=repository:app:pull,push&scope=repository:base:pull&service=s",
            "scope=repository:app:delete&service=s",
        ]
    );
    // One request bounces; then it is known where tokens come from.
    assert_eq!(registry.asked().iter().filter(|asked| asked.header("authorization").is_empty()).count(), 5);
}

/// Fails at once.
struct Broken;

impl std::io::Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
        Err(std::io::Error::other("the disk is gone"))
    }
}

#[test]
fn uploads_survive_lost_connections() {
    // The one large request is cut; of the pieces, the second is taken but its answer is lost.
    let bytes: Vec<u8> = (0_usize..(17 << 20)).map(|at| u8::try_from(at % 253).unwrap()).collect();
    let digest = Digest::of(&bytes);
    let registry = Scripted::start(move |asked, _, _| {
        let range = asked.header("content-range").to_owned();
        match asked.method.as_str() {
            "POST" => with(202, "Location: /upload?n=0\r\n", ""),
            "PUT" if asked.path.contains("n=0") => plain(0, ""),
            "PUT" => plain(201, ""),
            "PATCH" if range == "8388608-16777215" => plain(0, ""),
            "PATCH" => with(202, "Location: /upload?n=1\r\n", ""),
            "GET" => with(204, "Range: 0-16777215\r\nLocation: /upload?n=2\r\n", ""),
            "DELETE" => plain(204, ""),
            _ => plain(404, ""),
        }
    });
    let repository = registry.remote().repository("app").unwrap();
    repository.put_blob_from(&digest, bytes.len() as u64, &mut || Ok(Box::new(bytes.as_slice()))).unwrap();
    let asked = registry.asked();
    let last = asked.last().unwrap();
    assert!(last.line().starts_with("PUT /upload?n=2&digest="), "{}", last.line());
    assert_eq!(last.header("content-range"), "16777216-17825791");
    assert!(last.body == bytes[16 << 20..]);
    assert_eq!(asked.iter().filter(|asked| asked.method == "PATCH").count(), 2);

    // A source that fails is not the registry's fault.
    let error = repository.put_blob_from(&digest, 9, &mut || Ok(Box::new(Broken))).unwrap_err();
    assert!(matches!(error, Error::Io { .. }) && error.to_string().contains("the disk is gone"), "{error}");
}

#[test]
fn lists_end_and_stay_at_home() {
    let registry = Scripted::start(|asked, _, _| {
        let next = match asked.path.as_str() {
            "/v2/app/tags/list?n=1000" => "<http://stranger.invalid/v2/app/tags/list?last=b>; rel=\"next\"",
            "/v2/circle/tags/list?n=1000" => "</v2/circle/tags/list?n=1000>; rel=next",
            _ => "",
        };
        let link = if next.is_empty() { String::new() } else { format!("Link: {next}\r\n") };
        with(200, &link, r#"{"tags": ["a", "b\u001b[2J"]}"#)
    });
    let remote = registry.remote();
    let tags = remote.repository("app").unwrap().tags().unwrap().all(10).unwrap();
    assert_eq!(tags, ["a", "b\\u{1b}[2J", "a", "b\\u{1b}[2J"]);
    assert_eq!(registry.lines()[1], "GET /v2/app/tags/list?last=b");
    let error = remote.repository("circle").unwrap().tags().unwrap().all(10).unwrap_err();
    assert!(error.to_string().contains("circle"), "{error}");
    assert!(remote.catalog().unwrap().all(10).is_err(), "tags are no repositories");
}

#[test]
fn answers_are_checked() {
    let lie = Digest::of(b"lie");
    let told = format!("Docker-Content-Digest: {lie}\r\n");
    let registry = Scripted::start(move |asked, _, _| match asked.path.as_str() {
        "/v2/app/manifests/lie" => with(200, &told, MANIFEST),
        "/v2/app/manifests/quiet" => with(200, "Content-Type: a/b; charset=x\r\n", MANIFEST),
        path if path.contains("/blobs/") && asked.method == "GET" => plain(200, "more than three bytes"),
        path if path.contains("/referrers/") => with(200, "Content-Type: text/html\r\n", "<html>"),
        path if path.contains("/manifests/sha256-") => plain(404, ""),
        _ => with(202, "", ""),
    });
    let app = registry.remote().repository("app").unwrap();
    assert!(matches!(app.manifest(Name::Tag("lie")), Err(Error::Digest { .. })));
    assert!(matches!(app.manifest(Name::Digest(&Digest::of(b"x"))), Err(Error::Refused { .. })));
    let quiet = app.head(Name::Tag("quiet")).unwrap();
    assert_eq!((quiet.digest, quiet.media_type.as_str()), (Digest::of(MANIFEST.as_bytes()), "a/b"));
    let mut bytes = Vec::new();
    let error = app.blob(&Digest::of(b"abc"), 3).unwrap().read_to_end(&mut bytes).unwrap_err();
    assert!(error.to_string().contains("more than the 3 bytes"), "{error}");
    // A page for people is no list, and no upload begins without an address.
    assert_eq!(app.referrers(&Digest::of(b"abc"), None).unwrap(), []);
    assert!(matches!(app.start_upload(), Err(Error::Answer { .. })));
}
