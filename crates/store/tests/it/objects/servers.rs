//! Real servers that speak the language of each cloud. The contract runs in a process of its own with each, since
//! credentials come from the environment.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use base64::Engine as _;
use boltseal_model::{Algorithm, Hasher};
use boltseal_testkit::{peer, skip};
use jiff::Timestamp;
use object_store::{ObjectStore, path::Path};

use super::{contract, killed, world::World};
use crate::databases::Database;

/// The address that the process of a test is to use.
pub const ADDRESS: &str = "BOLTSEAL_STORE_OBJECTS";
/// How long a server may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
const BUCKET: &str = "images";

/// A server that ends with the test.
struct Server {
    child: Child,
    port: u16,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Server {
    fn start(command: &mut Command, port: u16) -> Self {
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let mut server = Self { child, port };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(server.child.try_wait().unwrap().is_none(), "{command:?} ended");
            assert!(began.elapsed() < PATIENCE, "{command:?} does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    /// Sends a request; gives the answer.
    fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Length: {length}\r\n\
             {headers}\r\n{body}",
            self.port
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    fn make(&self, method: &str, path: &str, headers: &str, body: &str) {
        let answer = self.ask(method, path, headers, body);
        let status = answer.split(' ').nth(1).unwrap_or_default();
        assert!(status.starts_with('2'), "{answer}");
    }

    /// No bytes are left in an upload that nobody ended. A process that is killed between beginning one and writing its
    /// name down leaves one without parts, which holds nothing.
    fn has_no_unfinished(&self) {
        let unfinished = self.ask("GET", &format!("/{BUCKET}?uploads"), "", "");
        assert!(unfinished.contains("ListMultipartUploadsResult"), "{unfinished}");
        for upload in unfinished.split("<Upload>").skip(1) {
            let (key, id) =
                (between(upload, "<Key>", "</Key>"), between(upload, "<UploadId>", "</UploadId>"));
            let parts = self.ask("GET", &format!("/{BUCKET}/{key}?uploadId={id}"), "", "");
            assert!(parts.contains("ListPartsResult"), "{parts}");
            assert!(!parts.contains("<Part>"), "parts that nobody ended: {parts}");
        }
    }

    /// Runs the contract with these settings.
    fn check(&self, address: &str, environment: &[(&str, &str)]) {
        let tests = Command::new(std::env::current_exe().unwrap())
            .args(["objects::servers::the_contract", "--exact", "--nocapture"])
            .env(ADDRESS, address.replace("PORT", &self.port.to_string()))
            .envs(environment.iter().copied())
            .status();
        assert!(tests.unwrap().success(), "{address}");
    }
}

/// Runs in the process that a test starts.
#[test]
fn the_contract() {
    let Ok(address) = std::env::var(ADDRESS) else { return };
    // With the database that servers share, where there is one.
    let (one, two) = World::pair(&Database::each().pop().unwrap(), &address);
    contract::check(&one, &two);
    let kept = count(&address);
    killed::check(&address);
    assert_eq!(count(&address), kept, "objects that nobody knows");
}

#[test]
fn s3_as_moto_does_it() {
    let Some(server) = moto() else { return };
    let keys = [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")];
    server.check("s3://images/some/where?endpoint=http://127.0.0.1:PORT&region=us-east-1", &keys);
    server.has_no_unfinished();
}

#[test]
fn azure_as_azurite_does_it() {
    let Some(program) = program("BOLTSEAL_AZURITE", "azurite-blob", "npm install azurite") else { return };
    let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
    let key = base64::engine::general_purpose::STANDARD.encode("a key for tests, of no use elsewhere");
    let mut command = Command::new(program);
    command
        .args(["--silent", "--skipApiVersionCheck", "--disableTelemetry", "--blobHost", "127.0.0.1"])
        .args(["--blobPort", &port.to_string()])
        .arg("--location")
        .arg(folder.path())
        .env("AZURITE_ACCOUNTS", format!("tester:{key}"));
    let server = Server::start(&mut command, port);
    let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let resource = format!("/tester/tester/{BUCKET}\nrestype:container");
    let signed = format!("PUT{}x-ms-date:{date}\nx-ms-version:2021-08-06\n{resource}", "\n".repeat(12));
    let headers = format!(
        "x-ms-date: {date}\r\nx-ms-version: 2021-08-06\r\nAuthorization: SharedKey tester:{}\r\n",
        base64::engine::general_purpose::STANDARD.encode(hmac(&key, &signed))
    );
    server.make("PUT", &format!("/tester/{BUCKET}?restype=container"), &headers, "");
    let keys = [("AZURE_STORAGE_ACCOUNT_NAME", "tester"), ("AZURE_STORAGE_ACCOUNT_KEY", &*key)];
    server.check("az://images/some/where?endpoint=http://127.0.0.1:PORT/tester", &keys);
}

/// No server of Google's own language that speaks uploads in parts can be installed; but the language is that of S3 but
/// for its signatures, which moto does not look at.
#[test]
fn google_as_moto_does_s3() {
    let Some(server) = moto() else { return };
    let keys = [("GOOGLE_BEARER_TOKEN", "test")];
    server.check("gs://images/some/where?endpoint=http://127.0.0.1:PORT", &keys);
    server.has_no_unfinished();
}

fn moto() -> Option<Server> {
    let program = program("BOLTSEAL_MOTO", "moto_server", "pip install 'moto[server]'")?;
    let port = free_port();
    let mut command = Command::new(program);
    let server = Server::start(command.args(["-H", "127.0.0.1", "-p", &port.to_string()]), port);
    server.make("PUT", &format!("/{BUCKET}"), "", "");
    Some(server)
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    text.split_once(before).and_then(|(_, rest)| rest.split_once(after)).unwrap().0
}

/// A program that a variable names, or the path has.
fn program(variable: &str, name: &str, how: &str) -> Option<std::path::PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(path.into());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(name).is_file()) {
        return peer(name);
    }
    skip(&format!("no {name} ({how}, or {variable}=…)"));
    None
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// RFC 2104, with a key in base64 that is shorter than a block.
fn hmac(key: &str, text: &str) -> Vec<u8> {
    let key = base64::engine::general_purpose::STANDARD.decode(key).unwrap();
    let pad = |with: u8| (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ with).collect::<Vec<u8>>();
    let hash = |pad: Vec<u8>, bytes: &[u8]| {
        let mut hasher = Hasher::new(Algorithm::Sha256);
        hasher.update(&pad);
        hasher.update(bytes);
        hasher.finish().bytes().to_vec()
    };
    hash(pad(0x5c), &hash(pad(0x36), text.as_bytes()))
}

/// Objects in a bucket, as its own library lists them.
fn count(address: &str) -> usize {
    let url: url::Url = address.parse().unwrap();
    let endpoint = url.query_pairs().find(|(key, _)| key == "endpoint").unwrap().1.into_owned();
    let mut plain = url.clone();
    plain.set_query(None);
    let name = if url.scheme() == "gs" { "google_base_url" } else { "endpoint" };
    let mine = [("allow_http", "true".to_owned()), ("region", "us-east-1".to_owned()), (name, endpoint)];
    let given = std::env::vars().map(|(key, value)| (key.to_lowercase(), value));
    let options = given.chain(mine.map(|(key, value)| (key.to_owned(), value)));
    let (store, _) = object_store::parse_url_opts(&plain, options).unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(list(&*store, None))
}

async fn list(store: &dyn ObjectStore, prefix: Option<Path>) -> usize {
    let (mut found, mut open) = (0, vec![prefix]);
    while let Some(prefix) = open.pop() {
        let listed = store.list_with_delimiter(prefix.as_ref()).await.unwrap();
        found += listed.objects.len();
        open.extend(listed.common_prefixes.into_iter().map(Some));
    }
    found
}
