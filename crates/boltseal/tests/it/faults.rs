//! What goes wrong around a registry: disks, connections, clients, and input made to hurt. Against the real process, over
//! bare TCP, because no client library would send most of this.
//!
//! After each: what was acknowledged is there byte for byte, memory is bounded, refusals say why, and the next request is
//! served as if nothing had been.

mod clock;
mod crowd;
mod cut;
mod disk;
mod odd;
mod stall;
mod storage;

use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::Digest;

use crate::{binary::User, service::Service};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const BYTES: (&str, &str) = ("Content-Type", "application/octet-stream");
/// Longest wait for an answer. Waiting for a client that stalls would take longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// The service, and who pushes to it.
struct Server {
    user: User,
    service: Service,
    authorization: String,
}

/// What came back.
#[derive(Debug)]
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Server {
    /// Starts it with a policy that allows everything.
    fn start() -> Self {
        let user = User::new();
        let policy = user.write("policy.yaml", "version: 1\nname: faults\nrules: []\n");
        let service = Service::start(&user, &["--policy", &policy]);
        Self::of(user, service)
    }

    fn of(user: User, service: Service) -> Self {
        let secret = service.printed("secret").expect("the first start prints a secret");
        let authorization = format!("Basic {}", STANDARD.encode(format!("admin:{secret}")));
        Self { user, service, authorization }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.service.registry).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// A request's head, with the length of its body unless `headers` say one.
    fn head(&self, method: &str, path: &str, headers: &[(&str, &str)], length: usize) -> String {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: registry.test\r\n");
        for (name, value) in headers {
            let _written = write!(head, "{name}: {value}\r\n");
        }
        let said = |name: &str| headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        if !said("Authorization") {
            let _written = write!(head, "Authorization: {}\r\n", self.authorization);
        }
        if !said("Content-Length") && !said("Transfer-Encoding") {
            let _written = write!(head, "Content-Length: {length}\r\n");
        }
        head + "\r\n"
    }

    /// Sends a request on a connection of its own, and gives the answer.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let mut stream = self.connect();
        // It may be refused before all of it was sent.
        let _refused = stream
            .write_all(self.head(method, path, headers, body.len()).as_bytes())
            .and_then(|()| stream.write_all(body));
        Answer::read(&mut stream, method).unwrap_or_else(|wrong| panic!("{method} {path}: {wrong}"))
    }

    /// A whole blob in one request.
    fn blob(&self, repository: &str, bytes: &[u8]) -> Answer {
        let path = format!("/v2/{repository}/blobs/uploads/?digest={}", Digest::of(bytes));
        self.ask("POST", &path, &[BYTES], bytes)
    }

    /// The same, for when the answer takes its time.
    fn blob_patiently(&self, repository: &str, bytes: &[u8]) {
        let path = format!("/v2/{repository}/blobs/uploads/?digest={}", Digest::of(bytes));
        let mut stream = self.connect();
        stream.set_read_timeout(None).unwrap();
        let head = self.head("POST", &path, &[BYTES], bytes.len());
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(bytes)).unwrap();
        Answer::read(&mut stream, "POST").unwrap().is(201);
    }

    fn manifest(&self, repository: &str, reference: &str, bytes: &[u8]) -> Answer {
        let path = format!("/v2/{repository}/manifests/{reference}");
        self.ask("PUT", &path, &[("Content-Type", MANIFEST)], bytes)
    }

    /// Starts a session; its path.
    fn session(&self, repository: &str) -> String {
        let path = format!("/v2/{repository}/blobs/uploads/");
        self.ask("POST", &path, &[], b"").is(202).header("location").expect("a location").to_owned()
    }

    /// Pulls a blob and compares it.
    #[track_caller]
    fn has(&self, repository: &str, bytes: &[u8]) {
        let path = format!("/v2/{repository}/blobs/{}", Digest::of(bytes));
        assert!(self.ask("GET", &path, &[], b"").is(200).body == bytes, "{path} came back as something else");
    }

    /// A line of its process's status, in MiB.
    fn memory(&self, line: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.service.id())).unwrap();
        let line = status.lines().find_map(|l| l.strip_prefix(line)?.strip_prefix(':')).unwrap();
        line.trim().trim_end_matches(" kB").trim().parse::<u64>().unwrap() / 1024
    }

    /// Still there, and as it should be: pushes and pulls work, nothing panicked, memory is within `limit` MiB.
    #[track_caller]
    fn is_well(&self, limit: u64) {
        self.blob("well/being", b"still here").is(201);
        self.has("well/being", b"still here");
        assert!(!self.service.log().contains("panicked"), "{}", self.service.log());
        let memory = self.memory("VmRSS");
        println!("memory: {memory} MiB, at most {} MiB", self.memory("VmHWM"));
        assert!(memory <= limit, "{memory} MiB of memory, more than {limit}");
    }
}

impl Answer {
    fn read(stream: &mut TcpStream, method: &str) -> Result<Self, String> {
        let (mut bytes, mut piece) = (Vec::new(), vec![0; 64 << 10]);
        let mut more = |bytes: &mut Vec<u8>| match stream.read(&mut piece) {
            Ok(0) => Err(format!("closed after {:?}", String::from_utf8_lossy(bytes))),
            Ok(read) => {
                bytes.extend(&piece[..read]);
                Ok(())
            }
            Err(wrong) => Err(format!("{wrong} after {} bytes", bytes.len())),
        };
        let end = loop {
            match bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(end) => break end,
                None => more(&mut bytes)?,
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|text| text.parse().ok()).ok_or("no status")?;
        let mut answer = Self { status, head, body: bytes.split_off(end + 4) };
        let length = answer.header("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        while method != "HEAD" && answer.body.len() < length {
            more(&mut answer.body)?;
        }
        Ok(answer)
    }

    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The same, having this status.
    #[track_caller]
    fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// The same, being a refusal that a client can show: one of the specification's codes, and a sentence.
    #[track_caller]
    fn says_why(self) -> Self {
        let shown = self.text();
        let document: serde_json::Value =
            serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{}: {shown}", self.status));
        let error = &document["errors"][0];
        assert!(error["code"].as_str().is_some_and(|code| !code.is_empty()), "{shown}");
        assert!(error["message"].as_str().is_some_and(|text| text.len() > 5), "{shown}");
        assert!(self.body.len() < 4096, "a refusal of {} bytes", self.body.len());
        self
    }
}

/// A manifest of one configuration and no layers, with something beside.
fn manifest_of(config: &[u8], beside: &str) -> Vec<u8> {
    let (digest, size) = (Digest::of(config), config.len());
    let config =
        format!(r#"{{"mediaType":"application/vnd.test.config","digest":"{digest}","size":{size}}}"#);
    format!(r#"{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{config},"layers":[]{beside}}}"#)
        .into_bytes()
}

/// Bytes that do not repeat (xorshift64*).
fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed * 2 + 1;
    let words = std::iter::repeat_with(|| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes()
    });
    words.flatten().take(size).collect()
}
