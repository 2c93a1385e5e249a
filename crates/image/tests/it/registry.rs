//! A registry on this machine, as small as the protocol allows.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use boltseal_image::{Credentials, Error, Options, manifest, open};
use boltseal_model::Digest;
use boltseal_testkit::image::{Built, Image, Layer, index};

use crate::tree::{All, view};

/// How a registry behaves.
#[derive(Clone, Default)]
pub struct Manner {
    /// `Authorization` that lets in, and the challenge for everybody else.
    login: Option<(&'static str, String)>,
    /// Blob downloads break after this many bytes.
    breaks_after: Option<usize>,
    /// Ranges are not known.
    pub no_ranges: bool,
    /// Bytes of blobs that were sent.
    pub sent: Arc<AtomicU64>,
    /// What to answer to manifests instead.
    refusal: Option<(u16, &'static str)>,
    /// Claims another digest.
    lies: bool,
}

/// What was asked for, as `METHOD PATH [authorization]`.
pub type Log = Arc<Mutex<Vec<String>>>;

pub fn serve(built: &Built, manner: Manner) -> (String, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let log = Log::default();
    let (built, kept, own) = (Arc::new(built.clone()), log.clone(), address.clone());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (built, log, manner, own) = (built.clone(), kept.clone(), manner.clone(), own.clone());
            // A client that tries TLS first hangs up on us; that is its affair.
            thread::spawn(move || drop(answer(&stream.unwrap(), &built, &manner, &log, &own)));
        }
    });
    (address, log)
}

fn answer(
    mut stream: &TcpStream,
    built: &Built,
    manner: &Manner,
    log: &Log,
    own: &str,
) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let mut headers = BTreeMap::new();
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    let authorization = headers.get("authorization").cloned().unwrap_or_default();
    log.lock().unwrap().push(format!("{path} {authorization}").trim().to_owned());
    let mut reply = |status: u16, extra: &str, body: &[u8], length: usize| {
        let head =
            format!("HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n{extra}\r\n");
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)
    };
    if path.starts_with("/token") {
        let body = br#"{"token": "secret-token"}"#;
        return reply(200, "", body, body.len());
    }
    if let Some((expected, challenge)) = &manner.login
        && authorization != *expected
    {
        let challenge = challenge.replace("HOST", own);
        return reply(401, &format!("WWW-Authenticate: {challenge}\r\n"), b"", 0);
    }
    if path == "/v2/" {
        return reply(200, "", b"{}", 2);
    }
    if let Some((status, body)) = manner.refusal.filter(|_| path.contains("/manifests/")) {
        return reply(status, "", body.as_bytes(), body.len());
    }
    let name = path.rsplit('/').next().unwrap_or_default();
    let digest = if name == "v1" { Some(built.manifest.clone()) } else { name.parse().ok() };
    let Some(bytes) = digest.as_ref().and_then(|digest| built.blobs.get(digest)) else {
        let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
        return reply(404, "", body.as_bytes(), body.len());
    };
    if path.contains("/manifests/") {
        let kind = if bytes.starts_with(br#"{"manifests"#) { manifest::OCI_INDEX } else { built.media_type };
        let told = if manner.lies { Digest::of(b"lie") } else { digest.clone().unwrap() };
        let extra = format!("Content-Type: {kind}\r\nDocker-Content-Digest: {told}\r\n");
        return reply(200, &extra, bytes, bytes.len());
    }
    let range = headers.get("range").filter(|_| !manner.no_ranges);
    let (from, last) = range.map_or(("0", ""), |range| range["bytes=".len()..].split_once('-').unwrap());
    let from: usize = from.parse().unwrap();
    let end = last.parse::<usize>().map_or(bytes.len(), |last| last + 1);
    let rest = &bytes[from..end];
    let sent = &rest[..manner.breaks_after.map_or(rest.len(), |most| most.min(rest.len()))];
    manner.sent.fetch_add(sent.len() as u64, Ordering::SeqCst);
    let told = format!("Content-Range: bytes {from}-{}/{}\r\n", end.saturating_sub(1), bytes.len());
    if range.is_some() { reply(206, &told, sent, rest.len()) } else { reply(200, "", sent, rest.len()) }
}

fn sample() -> Built {
    let noise: Vec<u8> = (0..20_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    Image::new()
        .layer(Layer::new().file("a", "a").executable("noise", noise))
        .layer(Layer::new().file("b", "b"))
        .build()
}

fn pull(address: &str, name: &str, options: &Options<'_>) -> Result<Vec<String>, Error> {
    open(&format!("docker://{address}/team/app{name}"), &All, options).map(|opened| {
        assert_eq!(opened.subject.name.unwrap().to_string(), format!("{address}/team/app{name}"));
        view(&opened.tree)
    })
}

const EXPECTED: [&str; 2] = ["a=a@0", "b=b@1"];

#[test]
fn pulls_by_tag_and_digest() {
    let built = sample();
    let (address, log) = serve(&built, Manner::default());
    let mut options = Options::default();
    options.credentials = Some(Credentials::new("never", "sent"));
    assert_eq!(pull(&address, ":v1", &options).unwrap(), EXPECTED);
    assert_eq!(pull(&address, &format!("@{}", built.manifest), &options).unwrap(), EXPECTED);
    // A bare reference is one too.
    assert_eq!(view(&open(&format!("{address}/team/app:v1"), &All, &options).unwrap().tree), EXPECTED);
    let asked = log.lock().unwrap().clone();
    assert!(asked.iter().all(|line| !line.contains("Basic")), "no password unless asked for: {asked:?}");
    assert_eq!(asked.iter().filter(|line| line.contains("/manifests/v1")).count(), 2, "{asked:?}");
}

#[test]
fn chooses_from_an_index() {
    let of =
        |platform: &str| Image::new().platform(platform).layer(Layer::new().file("arch", platform)).build();
    let many = index(&[of("linux/amd64"), of("linux/arm64")]);
    let (address, _) = serve(&many, Manner::default());
    let mut options = Options::default();
    options.platform = Some("linux/arm64".parse().unwrap());
    assert_eq!(pull(&address, ":v1", &options).unwrap(), ["arch=linux/arm64@0"]);
}

#[test]
fn logs_in_as_asked() {
    let basic = "Basic dTpw"; // u:p
    let bearer = r#"Bearer realm="http://HOST/token",service="s",scope="repository:team/app:pull""#;
    let mut with_login = Options::default();
    with_login.credentials = Some(Credentials::new("u", "p"));
    for (expected, challenge) in [(basic, r#"Basic realm="x""#), ("Bearer secret-token", bearer)] {
        let manner = Manner { login: Some((expected, challenge.to_owned())), ..Manner::default() };
        let (address, log) = serve(&sample(), manner);
        assert_eq!(pull(&address, ":v1", &with_login).unwrap(), EXPECTED, "{challenge}");
        let asked = log.lock().unwrap().clone();
        let tokens: Vec<&String> = asked.iter().filter(|line| line.starts_with("/token")).collect();
        if expected == basic {
            assert!(tokens.is_empty());
        } else {
            assert_eq!(tokens, ["/token?scope=repository%3Ateam%2Fapp%3Apull&service=s Basic dTpw"]);
            assert!(
                asked.iter().all(|line| line.starts_with("/token") || !line.contains("Basic")),
                "{asked:?}"
            );
        }
    }
    let manner = Manner { login: Some(("Basic eDp5", "Basic realm=x".to_owned())), ..Manner::default() };
    let (address, _) = serve(&sample(), manner);
    let error = pull(&address, ":v1", &with_login).unwrap_err().to_string();
    assert!(
        error.contains("answered 401")
            && error.contains("credentials were refused")
            && !error.contains("dTpw"),
        "{error}"
    );
    assert_eq!(format!("{:?}", Credentials::new("user", "password")), "Credentials(…)");
}

#[test]
fn broken_downloads_go_on() {
    for no_ranges in [false, true] {
        let (address, log) =
            serve(&sample(), Manner { breaks_after: Some(50_000), no_ranges, ..Manner::default() });
        let result = pull(&address, ":v1", &Options::default());
        if no_ranges {
            // Every try starts over and breaks at the same place.
            assert!(result.unwrap_err().to_string().contains("could not be read"));
        } else {
            assert_eq!(result.unwrap(), EXPECTED);
            assert!(log.lock().unwrap().iter().filter(|line| line.contains("/blobs/")).count() > 3);
        }
    }
}

#[test]
fn refusals_are_told_in_the_registrys_words() {
    let denied = r#"{"errors":[{"code":"DENIED","message":"2 fixable criticals"}]}"#;
    for (refusal, words) in [
        ((403, denied), "answered 403: DENIED 2 fixable criticals"),
        ((429, ""), "answered 429; too many requests"),
        ((500, "<html>"), "answered 500"),
    ] {
        let (address, _) = serve(&sample(), Manner { refusal: Some(refusal), ..Manner::default() });
        let error = pull(&address, ":v1", &Options::default()).unwrap_err().to_string();
        assert!(error.contains(words) && error.contains(&address), "{error}");
    }
    let (address, _) = serve(&sample(), Manner::default());
    let error = pull(&address, ":v2", &Options::default()).unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    assert!(error.to_string().contains("team/app:v2"), "{error}");
}

#[test]
fn what_a_registry_sends_is_checked() {
    let (address, _) = serve(&sample(), Manner { lies: true, ..Manner::default() });
    assert!(matches!(pull(&address, ":v1", &Options::default()), Err(Error::Digest { .. })));
    let mut swapped = sample();
    let other = Image::new().layer(Layer::new().file("evil", "")).build();
    let bytes = other.manifest_bytes().to_vec();
    swapped.blobs.insert(swapped.manifest.clone(), bytes);
    let pinned = format!("@{}", swapped.manifest);
    let (address, _) = serve(&swapped, Manner::default());
    assert!(matches!(pull(&address, &pinned, &Options::default()), Err(Error::Digest { .. })));
    let nowhere = pull("127.0.0.1:1", ":v1", &Options::default()).unwrap_err().to_string();
    assert!(nowhere.contains("registry 127.0.0.1:1"), "{nowhere}");
}
