//! Mail, handed to a real server: aiosmtpd, with STARTTLS, TLS from the start, and a password.

use std::{
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc::{Receiver as Mails, channel},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::Severity;
use boltseal_testkit::skip;
use boltseal_wire::tls::Certificates;
use serde_json::{Value, json};

use super::{PATIENCE, SESAME, finding, judge, push, rule, tried, until};
use crate::{app::App, control::call};

/// Python with aiosmtpd.
const PYTHON: &str = "BOLTSEAL_SMTP_PYTHON";

/// Takes mail and prints it, a JSON document a line; before that, its port.
const SCRIPT: &str = r#"
import asyncio, base64, json, ssl, sys
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
chain, key, mode, password = sys.argv[1:5]
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(chain, key)

class Handler:
    async def handle_DATA(self, server, session, envelope):
        print(json.dumps({
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": mode == "tls" or session.ssl is not None,
            "authenticated": bool(session.authenticated), "data": base64.b64encode(envelope.content).decode(),
        }), flush=True)
        return "250 kept"

def check(server, session, envelope, mechanism, data):
    good = isinstance(data, LoginPassword) and data.password.decode() == password
    return AuthResult(success=good, handled=False)

def serve():
    more = dict(authenticator=check, auth_required=True, auth_require_tls=mode == "starttls") if password else {}
    if mode == "starttls":
        more.update(tls_context=context, require_starttls=True)
    return SMTP(Handler(), hostname="mail.test", **more)

async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(serve, "127.0.0.1", 0, ssl=context if mode == "tls" else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()

asyncio.run(main())
"#;

/// A running mail server; killed when dropped.
struct Server {
    child: Child,
    port: u16,
    mails: Mails<Value>,
    authority: String,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn python() -> Option<PathBuf> {
    let python = match std::env::var_os(PYTHON).map(PathBuf::from) {
        Some(python) => python,
        None => boltseal_testkit::peer("python3")?,
    };
    let has = Command::new(&python).args(["-c", "import aiosmtpd.smtp"]).output();
    if has.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    skip("no aiosmtpd for python3 (pip install it, or BOLTSEAL_SMTP_PYTHON=…)");
    None
}

impl Server {
    fn start(python: &Path, mode: &str, password: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certificates = Certificates::open(folder.path(), &[]).unwrap();
        let [chain, key] = ["server.pem", "server.key"].map(|name| folder.path().join(name));
        let mut child = Command::new(python)
            .args(["-c", SCRIPT])
            .args([&chain, &key])
            .args([mode, password])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.next().unwrap().unwrap().parse().unwrap();
        let (sender, mails) = channel();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        let authority = std::fs::read_to_string(certificates.authority()).unwrap();
        Self { child, port, mails, authority, _folder: folder }
    }

    fn rule(&self, tls: &str, with_login: bool) -> Value {
        let mut to = json!({
            "kind": "email", "host": "localhost", "port": self.port, "tls": tls, "allow_private": true,
            "from": "Boltseal <boltseal@example.com>", "to": ["ops@example.com", "Dév <dev@example.com>"],
            "ca": self.authority,
        });
        if !with_login {
            return json!({ "to": to });
        }
        to["username"] = json!("boltseal");
        json!({ "to": to, "secret": SESAME })
    }
}

#[tokio::test]
async fn people_are_told_by_mail() {
    let Some(python) = python() else { return };
    for (tls, login) in [("starttls", true), ("tls", true), ("none", false)] {
        let app = App::empty().await;
        let server = Server::start(&python, tls, if login { SESAME } else { "" });
        push(&app, "team/app", "v1", "image").await;
        let (status, made) = rule(&app, "mail", server.rule(tls, login)).await;
        assert_eq!(status, 201, "{made}");
        judge(&app, "image", "s1", vec![finding("CVE-2026-1", Severity::High, Some("2"), false)]).await;
        let last = until(&app, async || {
            let all = tried(&app, "mail").await;
            Some(all[0].clone()).filter(|last| last["state"] != "waiting" || last["error"].is_string())
        })
        .await;
        assert_eq!(
            (last["state"].as_str(), last["status"].as_u64()),
            (Some("delivered"), Some(250)),
            "{last}"
        );
        let mail = server.mails.recv_timeout(PATIENCE).unwrap();
        assert_eq!(mail["from"], "boltseal@example.com");
        assert_eq!(mail["to"], json!(["ops@example.com", "dev@example.com"]));
        assert_eq!((&mail["tls"], &mail["authenticated"]), (&json!(tls != "none"), &json!(login)), "{tls}");
        let data = String::from_utf8(STANDARD.decode(mail["data"].as_str().unwrap()).unwrap()).unwrap();
        // Lines as they were before they were folded (RFC 2045 section 6.7).
        let data = data.replace("=\r\n", "").replace("=3D", "=");
        for part in [
            "Subject: [Boltseal] 1 new finding in 1 image: 1 high",
            "From: Boltseal <boltseal@example.com>",
            &format!("Message-ID: <{}@example.com>", last["id"].as_str().unwrap()),
            "Auto-Submitted: auto-generated",
            "Content-Type: multipart/alternative",
            "text/plain",
            "text/html",
            "CVE-2026-1",
            "team/app:v1",
            "&lt;b&gt;in&lt;/b&gt;",
        ] {
            assert!(data.contains(part), "{tls}: no {part} in:\n{data}");
        }
    }
}

#[tokio::test]
async fn mail_that_cannot_be_handed_over_says_why() {
    let Some(python) = python() else { return };
    let server = Server::start(&python, "starttls", "another password");
    let plain = Server::start(&python, "none", "");
    let app = App::empty().await;
    let mut stranger = server.rule("starttls", true);
    stranger["to"].as_object_mut().unwrap().remove("ca");
    for (name, wanted, part) in [
        ("password", server.rule("starttls", true), "check the name and the password"),
        ("stranger", stranger, "localhost"),
        ("no-tls", plain.rule("starttls", false), "STARTTLS"),
    ] {
        assert_eq!(rule(&app, name, wanted).await.0, 201);
        let path = format!("/api/v1/notifications/{name}/test");
        assert_eq!(call(&app, "admin", "POST", &path, &Value::Null).await.0, 202);
        let last = tried(&app, name).await.remove(0);
        let error = last["error"].as_str().unwrap();
        assert!(error.contains(part) && !error.contains(SESAME), "{name}: {error}");
    }
    assert!(
        server.mails.try_recv().is_err() && plain.mails.try_recv().is_err(),
        "mail went out in the clear"
    );
}
