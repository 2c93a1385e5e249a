//! A command that waits for somebody to sign in, at a pipe or at a terminal.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, Read},
    process::{Child, Command, Stdio},
};

use super::{World, issuer::Issuer, texts};

pub struct Asking {
    child: Child,
    err: BufReader<Box<dyn Read>>,
}

impl Asking {
    /// With a pipe for what it tells.
    pub fn start(world: &World, issuer: &Issuer, more: &[&str]) -> Self {
        let mut child = sign(world, issuer, more).stderr(Stdio::piped()).spawn().unwrap();
        let err = child.stderr.take().unwrap();
        Self { child, err: BufReader::new(Box::new(err)) }
    }

    /// With a terminal, and with `environment`.
    pub fn at_terminal(world: &World, issuer: &Issuer, more: &[&str], environment: &[(&str, &str)]) -> Self {
        let pair = nix::pty::openpty(None, None).unwrap();
        let mut command = sign(world, issuer, more);
        command.env("TERM", "dumb").envs(environment.iter().copied()).stderr(Stdio::from(pair.slave));
        let child = command.spawn().unwrap();
        Self { child, err: BufReader::new(Box::new(File::from(pair.master))) }
    }

    /// The next line that it tells.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.err.read_line(&mut line).unwrap();
        line.trim().to_owned()
    }

    /// How it ends, and what it says at the end.
    pub fn ended(mut self) -> (Option<i32>, String) {
        let mut rest = Vec::new();
        // A terminal ends with an error.
        let _read = self.err.read_to_end(&mut rest);
        (self.child.wait().unwrap().code(), String::from_utf8(rest).unwrap())
    }

    /// Nobody waits for it any longer.
    pub fn broken_off(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn sign(world: &World, issuer: &Issuer, more: &[&str]) -> Command {
    let keyless = world.keyless();
    let args = ["--oidc-issuer", &issuer.url];
    let mut command =
        world.user.command(&[&["sign", &world.image], &texts(&keyless)[..], &args, more].concat());
    // A runner's token does not count where somebody chose an issuer.
    command.env("SIGSTORE_ID_TOKEN", "no token").stdout(Stdio::null());
    command
}
