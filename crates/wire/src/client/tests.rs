//! The client against servers on this machine that answer from a script.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::*;

type Seen = Arc<Mutex<Vec<String>>>;

/// A server that answers the n-th request with the n-th script, and keeps what it was sent.
fn serve(scripts: Vec<String>) -> (String, Seen) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let seen = Seen::default();
    let keep = Arc::clone(&seen);
    std::thread::spawn(move || {
        for script in scripts {
            let (stream, _) = listener.accept().unwrap();
            keep.lock().unwrap().push(request(&stream));
            let _ = (&stream).write_all(script.as_bytes());
        }
    });
    (address, seen)
}

fn request(stream: &TcpStream) -> String {
    let mut lines = BufReader::new(stream);
    let mut text = String::new();
    while lines.read_line(&mut text).is_ok_and(|read| read > 2) {}
    let length =
        text.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    lines.read_exact(&mut body).unwrap();
    text.to_lowercase() + &String::from_utf8(body).unwrap()
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

fn to(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} X\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

fn client() -> Client {
    Client::new(&Options { proxies: Proxies::default(), ..Options::default() }).unwrap()
}

#[test]
fn sends_methods_headers_and_bodies() {
    let cases: &[(Method, Payload<'static>, &str)] = &[
        (Method::Get, Payload::Empty, "get /x?a=b http/1.1"),
        (Method::Delete, Payload::Empty, "delete /x?a=b http/1.1"),
        (Method::Post, Payload::Empty, "content-length: 0"),
        (Method::Put, Payload::Bytes(b"hello"), "hello"),
        (Method::Patch, Payload::Bytes(b"hello"), "content-length: 5"),
    ];
    for (method, payload, expected) in cases {
        let (address, seen) = serve(vec![ok("fine")]);
        let payload = match payload {
            Payload::Bytes(bytes) => Payload::Bytes(bytes),
            _ => Payload::Empty,
        };
        let request = Request::new(*method, &format!("{address}/x?a=b")).unwrap();
        let response = client().send(request.header("X-Test", "one").payload(payload)).unwrap();
        assert_eq!((response.status(), response.length()), (200, Some(4)));
        assert_eq!(response.text(10).unwrap(), "fine");
        let seen = seen.lock().unwrap()[0].clone();
        assert!(seen.contains(expected) && seen.contains("x-test: one"), "{method:?}: {seen}");
        assert!(seen.contains(&format!("user-agent: {USER_AGENT}")), "{seen}");
    }
    let (address, seen) = serve(vec![ok("")]);
    let mut stream = &b"streamed"[..];
    let request = Request::new(Method::Put, &address).unwrap().payload(Payload::Stream(&mut stream, 8));
    assert_eq!(client().send(request).unwrap().status(), 200);
    let seen = seen.lock().unwrap()[0].clone();
    assert!(seen.contains("content-length: 8") && seen.ends_with("streamed"), "{seen}");
}

#[test]
fn a_refusal_is_an_answer_until_success_is_wanted() {
    let script = "HTTP/1.1 403 No\r\nContent-Length: 6\r\nConnection: close\r\n\r\nDENIED";
    let (address, _) = serve(vec![script.to_owned(), script.to_owned()]);
    assert_eq!(client().get(&address).unwrap().status(), 403);
    let url = format!("{address}/v2/?token=secret");
    let error = client().get(&url).unwrap().success().unwrap_err().to_string();
    assert!(error.contains("403: DENIED") && error.contains("/v2/") && !error.contains("secret"), "{error}");
}

#[test]
fn redirects_keep_secrets_at_home() {
    let (elsewhere, away) = serve(vec![ok("there")]);
    let (home, seen) = serve(vec![to(302, "/same"), to(307, &elsewhere)]);
    let request =
        Request::new(Method::Get, &home).unwrap().header("Authorization", "Bearer x").header("Accept", "y");
    let response = client().send(request).unwrap();
    assert!(response.url().as_str().starts_with(&elsewhere));
    let (seen, away) = (seen.lock().unwrap().clone(), away.lock().unwrap().clone());
    assert!(seen.iter().all(|request| request.contains("authorization: bearer x")), "{seen:?}");
    assert!(!away[0].contains("authorization") && away[0].contains("accept: y"), "{away:?}");
}

#[test]
fn redirects_that_must_not_be_followed() {
    let (home, _) = serve(vec![to(302, "/a"), to(302, "/b"), to(302, "/c")]);
    let options = Options { redirects: 2, proxies: Proxies::default(), ..Options::default() };
    let error = Client::new(&options).unwrap().get(&home).unwrap_err();
    assert!(matches!(error, Error::Redirects { max: 2, .. }), "{error}");
    for location in ["ftp://127.0.0.1/", "http://[", "file:///etc/passwd"] {
        let (home, _) = serve(vec![to(302, location)]);
        let error = client().get(&home).unwrap_err();
        assert!(matches!(error, Error::Redirect { .. }), "{location}: {error}");
    }
    let (home, _) = serve(vec![to(302, "/other")]);
    let change = Request::new(Method::Put, &home).unwrap().payload(Payload::Bytes(b"x"));
    assert!(matches!(client().send(change), Err(Error::Redirect { .. })));
    let (home, seen) = serve(vec![to(303, "/other"), ok("")]);
    let change = Request::new(Method::Post, &home).unwrap().payload(Payload::Bytes(b"x"));
    assert_eq!(client().send(change).unwrap().status(), 200);
    assert!(seen.lock().unwrap()[1].starts_with("get /other"));
    // Not a redirect at all without an address.
    let (home, _) = serve(vec!["HTTP/1.1 304 X\r\nConnection: close\r\n\r\n".to_owned()]);
    assert_eq!(client().get(&home).unwrap().status(), 304);
}

#[test]
fn limits_and_broken_bodies() {
    let (address, _) =
        serve(vec![ok("0123456789"), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n012".to_owned()]);
    assert!(matches!(client().get(&address).unwrap().bytes(9), Err(Error::TooLarge { limit: 9, .. })));
    let error = client().get(&address).unwrap().bytes(9).unwrap_err();
    assert!(matches!(error, Error::Broken { .. }) && error.passing(), "{error}");
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(MAX_HEAD_BYTES));
    let (address, _) = serve(vec![long, "SSH-2.0\r\n\r\n".to_owned()]);
    let error = client().get(&address).unwrap_err();
    assert!(matches!(error, Error::Protocol { .. }), "{error}");
    assert!(client().get(&address).is_err(), "not HTTP at all");
}

#[test]
fn deadlines() {
    let short = Duration::from_millis(200);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let base = Options { proxies: Proxies::default(), ..Options::default() };
    // Nobody accepts: the connection stands in the queue, and no answer begins.
    let error = Client::new(&Options { head: short, ..base.clone() }).unwrap().get(&address).unwrap_err();
    assert!(matches!(error, Error::Timeout { phase: Phase::Head, .. }), "{error}");
    std::thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming().flatten() {
            let _ = (&stream).write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n0");
            held.push(stream);
        }
    });
    let options = [
        (Options { idle: short, ..base.clone() }, Phase::Idle),
        (Options { total: short, ..base }, Phase::Total),
    ];
    for (options, expected) in options {
        let error = Client::new(&options).unwrap().get(&address).unwrap().bytes(9).unwrap_err();
        assert!(matches!(error, Error::Timeout { phase, .. } if phase == expected), "{expected}: {error}");
    }
}

#[test]
fn nobody_there() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let error = client().get(&format!("http://127.0.0.1:{port}/")).unwrap_err();
    assert!(matches!(error, Error::Connect { .. }) && error.passing(), "{error}");
    for url in ["ftp://a/", "nonsense", "http://", "//a/b"] {
        assert!(matches!(client().get(url), Err(Error::Url { .. })), "{url}");
    }
}

#[test]
fn trusts_the_given_authority() {
    let certified = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(certified.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certified.cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    let config = Arc::new(config);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let session = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(session, stream);
            let mut head = [0; 4096];
            if stream.read(&mut head).is_ok() {
                let _ = stream.write_all(ok("private").as_bytes());
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        }
    });
    let file = std::env::temp_dir().join(format!("boltseal-ca-{}.pem", std::process::id()));
    std::fs::write(&file, certified.cert.pem()).unwrap();
    let base = Options { proxies: Proxies::default(), ..Options::default() };
    let trusting = Client::new(&Options { ca_file: Some(file.clone()), ..base.clone() }).unwrap();
    assert_eq!(trusting.get(&address).unwrap().text(10).unwrap(), "private");
    let careless = Client::new(&Options { any_certificate: true, ..base.clone() }).unwrap();
    assert_eq!(careless.get(&address).unwrap().status(), 200);
    let error = Client::new(&base).unwrap().get(&address).unwrap_err();
    assert!(matches!(error, Error::Tls { .. }) && !error.passing(), "{error:?}");
    std::fs::write(&file, "no certificate").unwrap();
    let error = Client::new(&Options { ca_file: Some(file.clone()), ..base }).unwrap_err();
    assert!(matches!(error, Error::CaFile { .. }), "{error}");
    std::fs::remove_file(file).unwrap();
}

#[test]
fn proxies_by_environment() {
    let variables = [
        ("https_proxy", "http://p:1"),
        ("HTTP_PROXY", "http://q:2"),
        ("no_proxy", "example.org, .corp ,10.0.0.1,h:8080"),
    ];
    let of = |extra: &'static [(&str, &str)]| {
        Proxies::of(|name| {
            variables.iter().chain(extra).find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    };
    let proxies = of(&[]);
    let cases = [
        ("https://other.net/", Some(proxy::For::Https)),
        ("http://other.net/", Some(proxy::For::Http)),
        ("https://example.org/", None),
        ("https://a.example.org/", None),
        ("https://badexample.org/", Some(proxy::For::Https)),
        ("https://a.corp/", None),
        ("http://10.0.0.1/", None),
        ("http://h:8080/", None),
        ("http://h/", Some(proxy::For::Http)),
        ("http://localhost:5000/", None),
        ("http://127.0.0.1:5000/", None),
        ("http://[::1]:5000/", None),
    ];
    for (url, expected) in cases {
        assert_eq!(proxies.choose(&url.parse().unwrap()), expected, "{url}");
    }
    assert_eq!(of(&[("REQUEST_METHOD", "GET")]).http, None, "a CGI program cannot trust HTTP_PROXY");
    let star = Proxies { direct: vec!["*".to_owned()], ..proxies };
    assert_eq!(star.choose(&"https://other.net/".parse().unwrap()), None);
    let odd = Options {
        proxies: Proxies { http: Some("gopher:// x".to_owned()), ..Proxies::default() },
        ..Options::default()
    };
    assert!(matches!(Client::new(&odd), Err(Error::Proxy { name: "HTTP_PROXY" })));
}

#[test]
fn goes_through_a_proxy() {
    // The name resolves nowhere: only the proxy can have answered.
    let (address, seen) =
        serve(vec!["HTTP/1.1 502 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()]);
    let proxies = Proxies { http: Some(address), ..Proxies::default() };
    let client = Client::new(&Options { proxies, ..Options::default() }).unwrap();
    let error = client.get("http://nowhere.invalid/feed").unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    let seen = seen.lock().unwrap().clone();
    assert!(seen.iter().any(|request| request.contains("nowhere.invalid")), "{seen:?}");
}
