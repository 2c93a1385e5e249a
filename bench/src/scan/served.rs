//! A registry on this machine that serves one layout and counts the bytes of blobs that it sends.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _},
    net::{TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use anyhow::Result;
use boltseal_model::Digest;

use super::images::Layout;

pub struct Served {
    /// `docker://…`
    pub target: String,
    sent: Arc<AtomicU64>,
}

impl Served {
    pub fn start(layout: Layout) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let target = format!("docker://{}/bench@{}", listener.local_addr()?, layout.manifest);
        let (sent, layout) = (Arc::new(AtomicU64::new(0)), Arc::new(layout));
        let count = sent.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (layout, count) = (layout.clone(), count.clone());
                // Who hangs up is measured all the same.
                thread::spawn(move || drop(answer(&stream, &layout, &count)));
            }
        });
        Ok(Self { target, sent })
    }

    /// Bytes of blobs since the last question.
    pub fn sent(&self) -> u64 {
        self.sent.swap(0, Ordering::SeqCst)
    }
}

/// Answers requests on one connection until the client closes it.
fn answer(mut stream: &TcpStream, layout: &Layout, sent: &AtomicU64) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?);
    loop {
        let mut request = String::new();
        if lines.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut range = None;
        loop {
            let mut line = String::new();
            if lines.read_line(&mut line)? == 0 || line.trim().is_empty() {
                break;
            }
            if let Some(("range", value)) = line.to_ascii_lowercase().trim().split_once(": ") {
                range = value.strip_prefix("bytes=").map(str::to_owned);
            }
        }
        let path = request.split(' ').nth(1).unwrap_or_default();
        let file = path.rsplit('/').next().and_then(|name| name.parse::<Digest>().ok());
        let Some(mut file) = file.and_then(|digest| File::open(layout.blob(&digest)).ok()) else {
            let status = if path == "/v2/" { "200 OK" } else { "404 Not Found" };
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")?;
            continue;
        };
        let length = file.metadata()?.len();
        let (from, last) = range.as_deref().and_then(|range| range.split_once('-')).unwrap_or(("0", ""));
        let from: u64 = from.parse().unwrap_or(0);
        let end = last.parse::<u64>().map_or(length, |last| last + 1);
        let status = if range.is_some() { "206 Partial Content" } else { "200 OK" };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nContent-Length: {}\r\nContent-Range: bytes {from}-{}/{length}\r\n\
             Content-Type: application/vnd.oci.image.manifest.v1+json\r\n\r\n",
            end - from,
            end - 1
        )?;
        file.seek(SeekFrom::Start(from))?;
        let copied = io::copy(&mut file.take(end - from), &mut stream)?;
        if path.contains("/blobs/") {
            sent.fetch_add(copied, Ordering::SeqCst);
        }
    }
}
