//! A real server that speaks the language of S3, started for one test.
#![expect(clippy::expect_used, reason = "a test that cannot go on fails there")]

use std::{
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{peer, skip};

/// How long the server may take to come up on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Names the program, where the path does not have it.
const PROGRAM: &str = "BOLTSEAL_MOTO";

/// A running server with one bucket. It ends when it is dropped.
#[derive(Debug)]
pub struct S3 {
    child: Child,
    port: u16,
}

impl S3 {
    /// Starts moto's server, or says that it is missing.
    ///
    /// # Panics
    /// Where it is installed and cannot be started.
    pub fn start() -> Option<Self> {
        let program = match std::env::var_os(PROGRAM) {
            Some(program) => program.into(),
            None if on_path("moto_server") => peer("moto_server")?,
            None => {
                skip("no moto_server (pip install 'moto[server]', or BOLTSEAL_MOTO=…)");
                return None;
            }
        };
        let port =
            TcpListener::bind(("127.0.0.1", 0)).and_then(|free| free.local_addr()).expect("a port").port();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let this = Self { child: command.spawn().expect("moto_server starts"), port };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < PATIENCE, "moto_server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        this.make_bucket();
        Some(this)
    }

    /// Where blobs go.
    pub fn address(&self) -> String {
        format!("s3://images/registry?endpoint=http://127.0.0.1:{}&region=us-east-1", self.port)
    }

    /// Where it listens, at 127.0.0.1.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Credentials, as variables of the environment.
    pub const fn environment(&self) -> [(&'static str, &'static str); 2] {
        [("AWS_ACCESS_KEY_ID", "test"), ("AWS_SECRET_ACCESS_KEY", "test")]
    }

    fn make_bucket(&self) {
        use std::io::{Read as _, Write as _};
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("moto_server answers");
        let request = format!(
            "PUT /images HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
            self.port
        );
        stream.write_all(request.as_bytes()).expect("moto_server reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("moto_server writes");
        assert!(answer.split(' ').nth(1).is_some_and(|status| status == "200"), "{answer}");
    }
}

impl Drop for S3 {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

fn on_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(name).is_file())
}
