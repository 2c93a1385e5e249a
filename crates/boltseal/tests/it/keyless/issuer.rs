//! An `OpenID` Connect issuer, as far as people who sign in from a command line see it.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
};

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use boltseal_identity::{Keys, RootKey};
use boltseal_model::Timestamp;
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

use super::instance::SUBJECT;

const CODE: &str = "c0de";
const DEVICE: &str = "a device code";
/// What people type in.
pub const USER_CODE: &str = "WDJB-MJHT";

/// An issuer. Clones are the same.
#[derive(Clone)]
pub struct Issuer {
    pub url: String,
    keys: Arc<Keys>,
    /// Tokens that it gave, for the authority.
    pub issued: Arc<Mutex<Vec<String>>>,
    begun: Arc<Mutex<Option<Begun>>>,
    /// What it says to devices that ask; after that somebody has signed in.
    pub refusals: Arc<Mutex<Vec<&'static str>>>,
    /// For how many seconds its codes count.
    pub life: Arc<Mutex<u64>>,
    /// What its next token says otherwise.
    pub more: Arc<Mutex<Value>>,
    /// What it does wrong.
    pub fault: Arc<Mutex<Option<Fault>>>,
    /// Bytes of its longest answer that somebody took.
    pub taken: Arc<AtomicU64>,
    /// Whether somebody followed it elsewhere.
    pub followed: Arc<AtomicBool>,
}

/// What an issuer does wrong at a path.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It answers a gigabyte.
    Endless(&'static str),
    /// It sends whoever asks elsewhere.
    Elsewhere(&'static str),
    /// The keys there are another's.
    OtherKeys,
    /// What it says about itself names an address without encryption.
    Bare(&'static str),
}

/// A browser that was sent here.
struct Begun {
    challenge: String,
    nonce: String,
    redirect: String,
}

impl Issuer {
    pub fn start(tokens: Arc<Mutex<Vec<String>>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            keys: Arc::new(Keys::new(&RootKey::generate().unwrap(), None).unwrap()),
            issued: tokens,
            begun: Arc::default(),
            refusals: Arc::default(),
            life: Arc::default(),
            more: Arc::new(Mutex::new(json!({}))),
            fault: Arc::default(),
            taken: Arc::default(),
            followed: Arc::default(),
        };
        let this = issuer.clone();
        // Lives as long as the tests; nothing waits for it.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let _ = this.serve(stream); // whoever asks sees a broken answer
            }
        });
        issuer
    }

    /// What somebody does in a browser at the address that was printed: where it is sent back to, with the state.
    pub fn visit(&self, address: &str) -> (Url, String) {
        let url = Url::parse(address).unwrap();
        assert!(address.starts_with(&format!("{}/authorize?", self.url)), "{address}");
        let field = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        for (name, wanted) in [
            ("response_type", "code"),
            ("client_id", "sigstore"),
            ("scope", "openid email"),
            ("code_challenge_method", "S256"),
        ] {
            assert_eq!(field(name), wanted, "{name}");
        }
        let redirect = Url::parse(&field("redirect_uri")).unwrap();
        assert_eq!((redirect.host_str(), redirect.path()), (Some("127.0.0.1"), "/auth/callback"));
        let begun = Begun {
            challenge: field("code_challenge"),
            nonce: field("nonce"),
            redirect: redirect.to_string(),
        };
        *self.begun.lock().unwrap() = Some(begun);
        (redirect, field("state"))
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let (mut first, mut length) = (String::new(), 0);
        reader.read_line(&mut first)?;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.split_once(':') else { break };
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let (path, mut stream) = (first.split(' ').nth(1).unwrap_or_default(), reader.into_inner());
        match *self.fault.lock().unwrap() {
            Some(Fault::Endless(at)) if at == path => return self.pour(stream),
            Some(Fault::Elsewhere(at)) if at == path => {
                let head = format!("HTTP/1.1 307 X\r\nLocation: {}/elsewhere\r\n", self.url);
                let head = format!("{head}Content-Length: 0\r\nConnection: close\r\n\r\n");
                return stream.write_all(head.as_bytes());
            }
            _ => {}
        }
        self.followed.fetch_or(path == "/elsewhere", Ordering::SeqCst);
        let (status, answer) = self.reply(path, &body);
        let answer = answer.to_string();
        let head =
            format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", answer.len());
        stream.write_all(format!("{head}{answer}").as_bytes())
    }

    /// Answers with a gigabyte of JSON that never closes, as far as somebody takes it; its length is not told.
    fn pour(&self, mut stream: TcpStream) -> std::io::Result<()> {
        stream.write_all(b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n[")?;
        let (zeros, mut taken) = ("0,".repeat(32 << 10), 0);
        while taken < 1 << 30 && stream.write_all(zeros.as_bytes()).is_ok() {
            taken += zeros.len() as u64;
            self.taken.fetch_max(taken, Ordering::SeqCst);
        }
        Ok(())
    }

    fn reply(&self, path: &str, body: &[u8]) -> (u16, Value) {
        let at = |path: &str| format!("{}/{path}", self.url);
        match path {
            "/.well-known/openid-configuration" => {
                let mut metadata = json!({
                    "issuer": self.url,
                    "authorization_endpoint": at("authorize"),
                    "token_endpoint": at("token"),
                    "device_authorization_endpoint": at("device"),
                    "jwks_uri": at("keys"),
                });
                if let Some(Fault::Bare(name)) = *self.fault.lock().unwrap() {
                    metadata[name] = json!("http://issuer.invalid/there");
                }
                (200, metadata)
            }
            // The same issuer, as it would be without.
            "/browsers/.well-known/openid-configuration" => {
                let metadata = json!({
                    "issuer": at("browsers"),
                    "authorization_endpoint": at("authorize"),
                    "token_endpoint": at("token"),
                    "jwks_uri": at("keys"),
                });
                (200, metadata)
            }
            "/keys" if matches!(*self.fault.lock().unwrap(), Some(Fault::OtherKeys)) => {
                (200, Keys::new(&RootKey::generate().unwrap(), None).unwrap().jwks())
            }
            "/keys" => (200, self.keys.jwks()),
            "/device" => {
                let answer = json!({
                    "device_code": DEVICE,
                    "user_code": USER_CODE,
                    "verification_uri": at("activate"),
                    "verification_uri_complete": format!("{}?user_code={USER_CODE}", at("activate")),
                    "expires_in": *self.life.lock().unwrap(),
                    "interval": 1,
                });
                (200, answer)
            }
            "/token" => self.redeem(body),
            _ => (404, json!({})),
        }
    }

    fn redeem(&self, body: &[u8]) -> (u16, Value) {
        let field = |name: &str| {
            let found = form_urlencoded::parse(body).find(|(key, _)| key == name);
            found.map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let no = |error: &str| (400, json!({ "error": error, "error_description": "so says the issuer" }));
        if field("client_id") != "sigstore" {
            return no("invalid_client");
        }
        if field("grant_type") == "urn:ietf:params:oauth:grant-type:device_code" {
            assert_eq!(field("device_code"), DEVICE);
            let mut refusals = self.refusals.lock().unwrap();
            return if refusals.is_empty() { self.give(json!({})) } else { no(refusals.remove(0)) };
        }
        let Some(Begun { challenge, nonce, redirect }) = self.begun.lock().unwrap().take() else {
            return no("invalid_grant");
        };
        // Whoever redeems the code is who asked for it (RFC 7636, section 4.6).
        let verifier = URL_SAFE_NO_PAD.encode(digest(&SHA256, field("code_verifier").as_bytes()));
        if field("code") != CODE || verifier != challenge || field("redirect_uri") != redirect {
            return no("invalid_grant");
        }
        self.give(json!({ "nonce": nonce }))
    }

    fn give(&self, mut claims: Value) -> (u16, Value) {
        let now = Timestamp::now().as_second();
        for (name, value) in [
            ("iss", json!(self.url)),
            ("aud", json!("sigstore")),
            ("sub", json!(SUBJECT)),
            ("iat", json!(now)),
            ("exp", json!(now + 300)),
        ] {
            claims[name] = value;
        }
        for (name, value) in self.more.lock().unwrap().as_object().unwrap() {
            claims[name] = value.clone();
        }
        // What is null is not there.
        claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let token = self.keys.issue_jwt(claims.as_object().unwrap()).unwrap().expose().to_owned();
        self.issued.lock().unwrap().push(token.clone());
        (200, json!({ "token_type": "Bearer", "access_token": "a", "id_token": token }))
    }
}

/// The query with which a browser comes back when somebody signed in.
pub fn agreed(state: &str) -> String {
    form_urlencoded::Serializer::new(String::new())
        .append_pair("code", CODE)
        .append_pair("state", state)
        .finish()
}
