//! A small HTTP server that answers from a table and can misbehave on purpose.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// One file, and how to serve it.
#[derive(Clone, Default)]
pub struct File {
    pub bytes: Vec<u8>,
    pub etag: Option<&'static str>,
    pub modified: Option<&'static str>,
    /// Answer with this status instead.
    pub status: Option<u16>,
    /// Redirect there.
    pub location: Option<String>,
    /// Close the connection after so many bytes of the body, once.
    pub cut: Option<usize>,
}

/// Files by path, and what was asked for.
#[derive(Clone, Default)]
pub struct Server {
    files: Arc<Mutex<BTreeMap<String, File>>>,
    seen: Arc<Mutex<Vec<String>>>,
    pub address: String,
}

impl Server {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server =
            Self { address: format!("http://{}", listener.local_addr().unwrap()), ..Self::default() };
        let serving = server.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.answer(&stream));
            }
        });
        server
    }

    pub fn put(&self, path: &str, file: File) {
        self.files.lock().unwrap().insert(path.to_owned(), file);
    }

    /// What was asked since the last time: `path`, and after a space the range or condition, if there was one.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().unwrap())
    }

    fn answer(&self, mut stream: &TcpStream) -> Option<()> {
        let mut lines = BufReader::new(stream).lines().map_while(Result::ok);
        let path = lines.next()?.split(' ').nth(1)?.to_owned();
        let headers: BTreeMap<String, String> = lines
            .take_while(|line| !line.is_empty())
            .filter_map(|line| {
                line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            })
            .collect();
        let header = |name: &str| headers.get(name).map(String::as_str);
        let mut asked = path.clone();
        for name in ["range", "if-range", "if-none-match", "if-modified-since"] {
            if let Some(value) = header(name) {
                asked = format!("{asked} {name}={value}");
            }
        }
        self.seen.lock().unwrap().push(asked);
        let mut files = self.files.lock().unwrap();
        let Some(file) = files.get_mut(&path) else {
            return reply(stream, 404, &[], b"nothing here", None);
        };
        if let Some(location) = &file.location {
            return reply(stream, 302, &[("Location", location)], b"", None);
        }
        if let Some(status) = file.status {
            return reply(stream, status, &[], b"out of order", None);
        }
        let mut known: Vec<(&str, &str)> = Vec::new();
        known.extend(file.etag.map(|etag| ("ETag", etag)));
        known.extend(file.modified.map(|modified| ("Last-Modified", modified)));
        let same = match header("if-none-match") {
            Some(etag) => file.etag == Some(etag),
            None => header("if-modified-since").is_some_and(|date| file.modified == Some(date)),
        };
        if same {
            return reply(stream, 304, &known, b"", None);
        }
        let cut = file.cut.take();
        let from = header("range")
            .and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
        let unchanged = header("if-range")
            .is_none_or(|validator| file.etag == Some(validator) || file.modified == Some(validator));
        if let Some(from) = from.filter(|_| unchanged) {
            if from >= file.bytes.len() {
                return reply(stream, 416, &known, b"", None);
            }
            let range = format!("bytes {from}-{}/{}", file.bytes.len() - 1, file.bytes.len());
            known.push(("Content-Range", &range));
            return reply(stream, 206, &known, &file.bytes[from..], cut);
        }
        let result = reply(stream, 200, &known, &file.bytes, cut);
        let _ = stream.flush();
        result
    }
}

fn reply(
    mut stream: &TcpStream,
    status: u16,
    headers: &[(&str, &str)],
    body: &[u8],
    cut: Option<usize>,
) -> Option<()> {
    let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n");
    if status != 304 {
        let _ = write!(head, "Content-Length: {}\r\n", body.len());
    }
    for (name, value) in headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head += "\r\n";
    stream.write_all(head.as_bytes()).ok()?;
    stream.write_all(&body[..cut.unwrap_or(body.len()).min(body.len())]).ok()
}
