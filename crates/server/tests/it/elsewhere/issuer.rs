//! An `OpenID` Connect issuer on a port of its own, with a key made for the test.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use boltseal_identity::{Keys, RootKey};
use serde_json::{Value, json};
use url::{Url, form_urlencoded};

/// An issuer that can be asked, until it is stopped. Clones are the same.
#[derive(Clone)]
pub struct Issuer {
    pub url: String,
    keys: Arc<Mutex<Keys>>,
    up: Arc<AtomicBool>,
    asked: Arc<AtomicUsize>,
    pending: Arc<Mutex<Option<Pending>>>,
    /// Claims of the next id token, besides those of the protocol.
    pub person: Arc<Mutex<Value>>,
}

/// A browser that was sent here.
#[derive(Clone)]
struct Pending {
    challenge: String,
    nonce: String,
    client: String,
}

impl Issuer {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            keys: Arc::new(Mutex::new(fresh())),
            up: Arc::new(AtomicBool::new(true)),
            asked: Arc::default(),
            pending: Arc::default(),
            person: Arc::new(Mutex::new(json!({ "sub": "ada" }))),
        };
        let this = issuer.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A connection that ends without an answer is what an issuer that is down looks like.
                if this.up.load(Ordering::SeqCst) {
                    this.serve(stream);
                }
            }
        });
        issuer
    }

    /// From now on it does not answer.
    pub fn stop(&self) {
        self.up.store(false, Ordering::SeqCst);
    }

    /// How often it was asked for its keys.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Takes another key; the old one is forgotten.
    pub fn rotate(&self) {
        *self.keys.lock().unwrap() = fresh();
    }

    /// Its keys as it publishes them.
    pub fn jwks(&self) -> Value {
        self.keys.lock().unwrap().jwks()
    }

    /// A token of these claims; `iss` is its own, unless they say otherwise.
    pub fn sign(&self, claims: &Value) -> String {
        let mut claims = claims.as_object().unwrap().clone();
        claims.entry("iss").or_insert_with(|| self.url.clone().into());
        self.keys.lock().unwrap().issue_jwt(&claims).unwrap().expose().to_owned()
    }

    /// What a browser does here: signs in at the URL it was sent to; the query it goes back with.
    pub fn browse(&self, url: &str) -> String {
        let url = Url::parse(url).unwrap();
        assert!(url.as_str().starts_with(&format!("{}/authorize?", self.url)), "{url}");
        let field = |name: &str| url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned();
        assert_eq!(
            (field("response_type"), field("code_challenge_method")),
            ("code".to_owned(), "S256".to_owned())
        );
        let (challenge, nonce, client) = (field("code_challenge"), field("nonce"), field("client_id"));
        *self.pending.lock().unwrap() = Some(Pending { challenge, nonce, client });
        form_urlencoded::Serializer::new(String::new())
            .append_pair("code", "c0de")
            .append_pair("state", &field("state"))
            .finish()
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let (mut first, mut length, mut line) = (String::new(), 0, String::new());
        reader.read_line(&mut first).unwrap();
        while reader.read_line(&mut line).unwrap() > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let path = first.split(' ').nth(1).unwrap_or_default();
        let answer = match path {
            "/.well-known/openid-configuration" => json!({
                "issuer": self.url,
                "authorization_endpoint": format!("{}/authorize", self.url),
                "token_endpoint": format!("{}/token", self.url),
                "jwks_uri": format!("{}/keys", self.url),
            }),
            "/keys" => {
                self.asked.fetch_add(1, Ordering::SeqCst);
                self.jwks()
            }
            "/token" => self.redeem(&body),
            _ => json!({}),
        };
        let body = answer.to_string();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
    }

    /// A code for tokens, for whoever has the verifier (RFC 7636 section 4.6).
    fn redeem(&self, body: &[u8]) -> Value {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let field = |name: &str| {
            form_urlencoded::parse(body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        let Some(Pending { challenge, nonce, client }) = self.pending.lock().unwrap().take() else {
            return json!({ "error": "invalid_grant" });
        };
        let verifier = field("code_verifier").unwrap_or_default();
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
        if field("code").as_deref() != Some("c0de") || URL_SAFE_NO_PAD.encode(digest) != challenge {
            return json!({ "error": "invalid_grant", "error_description": "not the one who began" });
        }
        let now = crate::sample::now().as_second();
        let mut claims = json!({ "aud": client, "nonce": nonce, "iat": now, "exp": now + 300 });
        for (name, value) in self.person.lock().unwrap().as_object().unwrap() {
            claims[name] = value.clone();
        }
        json!({ "token_type": "Bearer", "access_token": "a", "id_token": self.sign(&claims) })
    }
}

fn fresh() -> Keys {
    Keys::new(&RootKey::generate().unwrap(), None).unwrap()
}
