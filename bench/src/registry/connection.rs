//! An HTTP client that costs little beside the server it measures: one kept-alive connection, blocking.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    os::fd::AsRawFd as _,
};

use anyhow::{Context as _, Result, ensure};
use nix::sys::socket::{MsgFlags, recv};

use super::subject::Subject;

/// Bytes of a body thrown away by one call.
const THROWN: usize = 1 << 20;
/// Bytes of one piece of a streamed request, as much as container tools copy at a time.
const PIECE: usize = 64 << 10;

/// A request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    /// Its body, in as many parts as it lies in memory.
    pub body: &'a [&'a [u8]],
    /// Sends the body in chunks, its length unsaid.
    pub streamed: bool,
}

impl<'a> Request<'a> {
    pub fn new(method: &'a str, path: &'a str) -> Self {
        Self { method, path, headers: &[], body: &[], streamed: false }
    }

    pub fn headers(self, headers: &'a [(&'a str, &'a str)]) -> Self {
        Self { headers, ..self }
    }

    pub fn body(self, body: &'a [&'a [u8]]) -> Self {
        Self { body, ..self }
    }

    pub fn streamed(self) -> Self {
        Self { streamed: true, ..self }
    }
}

/// The head of an answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    pub status: u16,
    pub length: u64,
    /// Path and query of `Location`.
    pub location: Option<String>,
    /// Path and query of the next page.
    pub next: Option<String>,
    chunked: bool,
}

/// A connection to a server.
pub struct Connection<'a> {
    subject: &'a Subject,
    stream: TcpStream,
    answers: BufReader<TcpStream>,
    thrown: Vec<u8>,
}

impl<'a> Connection<'a> {
    pub fn new(subject: &'a Subject) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", subject.port))?;
        stream.set_nodelay(true)?;
        Ok(Self { subject, answers: BufReader::new(stream.try_clone()?), stream, thrown: Vec::new() })
    }

    /// Sends, and throws the body of the answer away.
    pub fn send(&mut self, request: Request<'_>) -> Result<Answer> {
        let answer = self.head(request)?;
        if request.method != "HEAD" {
            self.throw_away(&answer)?;
        }
        Ok(answer)
    }

    /// The same where only one status is good.
    pub fn expect(&mut self, status: u16, request: Request<'_>) -> Result<Answer> {
        let answer = self.send(request)?;
        let Request { method, path, .. } = request;
        ensure!(answer.status == status, "{method} {path} answered {}", answer.status);
        Ok(answer)
    }

    /// Sends, and keeps the body of the answer.
    pub fn fetch(&mut self, request: Request<'_>) -> Result<(Answer, Vec<u8>)> {
        let answer = self.head(request)?;
        let mut body = Vec::new();
        if answer.chunked {
            while let Some(length) = self.chunk()? {
                self.answers.by_ref().take(length).read_to_end(&mut body)?;
            }
        } else {
            self.answers.by_ref().take(answer.length).read_to_end(&mut body)?;
        }
        Ok((answer, body))
    }

    fn head(&mut self, request: Request<'_>) -> Result<Answer> {
        let mut head = format!(
            "{} {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n",
            request.method, request.path, self.subject.port
        );
        for (name, value) in request.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(authorization) = &self.subject.authorization {
            head += &format!("Authorization: {authorization}\r\n");
        }
        if request.streamed {
            head += "Transfer-Encoding: chunked\r\n\r\n";
            self.stream.write_all(head.as_bytes())?;
            for piece in request.body.iter().flat_map(|part| part.chunks(PIECE)) {
                write!(self.stream, "{:x}\r\n", piece.len())?;
                self.stream.write_all(piece)?;
                self.stream.write_all(b"\r\n")?;
            }
            self.stream.write_all(b"0\r\n\r\n")?;
        } else {
            let length: usize = request.body.iter().map(|part| part.len()).sum();
            head += &format!("Content-Length: {length}\r\n\r\n");
            self.stream.write_all(head.as_bytes())?;
            for part in request.body {
                self.stream.write_all(part)?;
            }
        }
        self.answer()
    }

    fn answer(&mut self) -> Result<Answer> {
        let mut answer = Answer::default();
        let mut line = String::new();
        loop {
            line.clear();
            ensure!(self.answers.read_line(&mut line)? > 0, "the server closed the connection");
            let text = line.trim_end();
            if text.is_empty() {
                return Ok(answer);
            }
            let Some((name, value)) = text.split_once(": ").filter(|_| answer.status > 0) else {
                answer.status = text.split(' ').nth(1).context("no status")?.parse()?;
                continue;
            };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => answer.length = value.parse()?,
                "transfer-encoding" => answer.chunked = value.eq_ignore_ascii_case("chunked"),
                "location" => answer.location = value.find("/v2/").map(|at| value[at..].to_owned()),
                "link" => {
                    let target = value.split('>').next().unwrap_or_default();
                    answer.next = target.find("/v2/").map(|at| target[at..].to_owned());
                }
                _ => {}
            }
        }
    }

    fn throw_away(&mut self, answer: &Answer) -> Result<()> {
        if !answer.chunked {
            return self.throw(answer.length);
        }
        while let Some(length) = self.chunk()? {
            self.throw(length)?;
        }
        Ok(())
    }

    /// The length of the next chunk, read up to its first byte; nothing after the last.
    fn chunk(&mut self) -> Result<Option<u64>> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.trim().is_empty() {
            line.clear(); // the end of the chunk before
            self.answers.read_line(&mut line)?;
        }
        let length = u64::from_str_radix(line.trim(), 16).with_context(|| format!("no chunk: {line:?}"))?;
        if length == 0 {
            self.answers.read_line(&mut line)?;
            return Ok(None);
        }
        Ok(Some(length))
    }

    /// Throws bytes away without copying them out of the kernel (tcp(7), `MSG_TRUNC`): the client's part of the work
    /// would otherwise be as large as the server's.
    fn throw(&mut self, length: u64) -> Result<()> {
        let held = (self.answers.buffer().len() as u64).min(length);
        self.answers.consume(held as usize);
        let mut left = length - held;
        self.thrown.resize(THROWN, 0);
        while left > 0 {
            let wanted = left.min(THROWN as u64) as usize;
            let got = recv(self.stream.as_raw_fd(), &mut self.thrown[..wanted], MsgFlags::MSG_TRUNC)?;
            ensure!(got > 0, "the server closed the connection in the middle of a body");
            left -= got as u64;
        }
        Ok(())
    }
}
