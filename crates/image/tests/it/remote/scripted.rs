//! A registry that says what a test tells it to.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use boltseal_image::remote::{Access, Remote};

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub path: String,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Asked {
    /// `METHOD PATH`.
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// An answer: status, lines of headers, body. Status 0 hangs up instead.
pub type Answer = (u16, String, Vec<u8>);

/// The same without headers.
pub fn plain(status: u16, body: &str) -> Answer {
    (status, String::new(), body.as_bytes().to_vec())
}

/// A registry, and what it was asked.
pub struct Scripted {
    pub address: String,
    log: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    /// `script` is told the request, how many came before it, and the registry's own address.
    pub fn start(script: impl Fn(&Asked, usize, &str) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let log = Arc::<Mutex<Vec<Asked>>>::default();
        let (script, kept, own) = (Arc::new(script), log.clone(), address.clone());
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (script, log, own) = (script.clone(), kept.clone(), own.clone());
                thread::spawn(move || drop(answer(&stream, &*script, &log, &own)));
            }
        });
        Self { address, log }
    }

    pub fn remote(&self) -> Remote {
        let mut access = Access::default();
        access.anonymous = true;
        Remote::connect(&self.address, &access).unwrap()
    }

    /// What came in, but for the question which protocol is spoken.
    pub fn asked(&self) -> Vec<Asked> {
        self.log.lock().unwrap().clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.asked().iter().map(Asked::line).collect()
    }
}

fn answer(
    mut stream: &TcpStream,
    script: &dyn Fn(&Asked, usize, &str) -> Answer,
    log: &Mutex<Vec<Asked>>,
    own: &str,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(()) };
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let asked = Asked { method, path, headers, body };
    let (status, extra, body) = if asked.path == "/v2/" && asked.method == "GET" {
        plain(200, "{}")
    } else {
        let before = {
            let mut log = log.lock().unwrap();
            log.push(asked.clone());
            log.len() - 1
        };
        script(&asked, before, own)
    };
    if status == 0 {
        return Ok(());
    }
    let length = if asked.method == "HEAD" || extra.contains("Content-Length") {
        String::new()
    } else {
        format!("Content-Length: {}\r\n", body.len())
    };
    let head = format!("HTTP/1.1 {status} X\r\n{length}Connection: close\r\n{extra}\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&body)
}
