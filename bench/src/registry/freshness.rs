//! How soon a verdict turns: from the end of the command that changes a policy, feeds or a signature to the first pull that is
//! answered otherwise.
//!
//! Each change is made through the binary, as people do. Pulls follow each other without a pause, so that no more than one is
//! between the turn and its being seen. Files are looked at twice a second, which is most of what policies in files and feeds
//! take. The bar of the design: one second.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Result, ensure};
use boltseal_testkit::image::{Image, Layer};

use super::{
    connection::{Connection, Request},
    content::MANIFEST,
    subject::{Programs, Subject, Which},
};
use crate::figures::Figures;

/// Times that each turns, and back.
const ROUNDS: usize = 10;
const PATIENCE: Duration = Duration::from_secs(60);
const OPEN: &str = "version: 1\nname: open\nrules: []\n";
const BANNED: &str = "version: 1\nname: banned\nrules:\n\
    - { name: old, effect: deny, packages: { ban: [{ purl: 'pkg:apk/alpine/busybox@1.36.1-r0' }] } }\n\
    - { name: gaps, effect: warn, coverage: {} }\n";
const NO_FINDINGS: &str = "version: 1\nname: clean\nrules:\n\
    - { name: known, effect: deny, vulnerabilities: {} }\n\
    - { name: gaps, effect: warn, coverage: {} }\n";
const SIGNED: &str = "version: 1\nname: signed\nrules:\n\
    - { name: signed, effect: deny, signatures: { keys: [ours.pub] } }\n";

/// Runs it and prints what it found.
pub fn run(arguments: &[String]) -> Result<()> {
    let binary = match arguments {
        [flag, path] if flag == "--binary" => Some(path.as_str()),
        [] => None,
        other => anyhow::bail!("{other:?}: freshness [--binary FILE]"),
    };
    let world = World::new(&Programs::find(binary)?)?;
    world.policies()?;
    world.feeds()?;
    world.signatures()?;
    println!("bar: one second");
    Ok(())
}

/// A server, and somebody who is logged in there.
struct World {
    program: String,
    home: tempfile::TempDir,
    subject: Subject,
}

impl World {
    fn new(programs: &Programs) -> Result<Self> {
        let (home, subject) = (tempfile::tempdir()?, programs.start(Which::Ours)?);
        let world = Self { program: programs.boltseal.clone(), home, subject };
        world.feed(
            &["login", &world.server(), "--name", "admin", "--secret-stdin", "--ca", &world.authority()],
            &world.subject.printed_secret()?,
        )?;
        Ok(world)
    }

    fn server(&self) -> String {
        format!("https://127.0.0.1:{}", self.subject.dashboard)
    }

    fn authority(&self) -> String {
        self.subject.authority().display().to_string()
    }

    fn run(&self, arguments: &[&str]) -> Result<()> {
        self.feed(arguments, "")
    }

    fn feed(&self, arguments: &[&str], input: &str) -> Result<()> {
        let mut command = Command::new(&self.program);
        command.args(arguments).env("HOME", self.home.path()).current_dir(self.home.path());
        command.env("BOLTSEAL_DATA", self.subject.data()).env("COSIGN_PASSWORD", "horse staple");
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(input.as_bytes())?;
        }
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(())
    }

    fn file(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.home.path().join(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/")))?;
        fs::write(&path, text)?;
        Ok(path)
    }

    /// Puts a policy in force as its file does: moved there whole.
    fn write_policy(&self, text: &str) -> Result<()> {
        let new = self.subject.data().join("policy.new");
        fs::write(&new, text)?;
        Ok(fs::rename(new, self.subject.data().join("policy.yaml"))?)
    }

    /// An Alpine with an old busybox, of its own.
    fn push(&self, name: &str) -> Result<()> {
        let layer = Layer::new()
            .file("etc/os-release", "ID=alpine\nVERSION_ID=3.23.0\nPRETTY_NAME=\"Alpine Linux v3.23\"\n")
            .file("etc/name", name)
            .file(
                "lib/apk/db/installed",
                "C:Q1abc=\nP:busybox\nV:1.36.1-r0\nA:x86_64\nS:1\nI:1\nT:t\nL:MIT\no:busybox\n\n",
            );
        let layout = self.home.path().join(name);
        Image::new().layer(layer).build().write_oci(&layout, None);
        let to = format!("127.0.0.1:{}/bench/{name}:1", self.subject.dashboard);
        self.run(&["image", "copy", &format!("oci:{}", layout.display()), &to])
    }

    fn served(&self, connection: &mut Connection<'_>, name: &str) -> Result<bool> {
        let path = format!("/v2/bench/{name}/manifests/1");
        let wanted = [("Accept", MANIFEST)];
        let status = connection.send(Request::new("GET", &path).headers(&wanted))?.status;
        ensure!([200, 403].contains(&status), "{path} answered {status}");
        Ok(status == 200)
    }

    /// Milliseconds until the image is served, or is not.
    fn turns(&self, name: &str, to: bool) -> Result<f64> {
        let (began, mut connection) = (Instant::now(), Connection::new(&self.subject)?);
        while self.served(&mut connection, name)? != to {
            ensure!(began.elapsed() < PATIENCE, "{name} did not turn");
        }
        Ok(began.elapsed().as_secs_f64() * 1e3)
    }

    fn policies(&self) -> Result<()> {
        self.push("policy")?;
        self.turns("policy", true)?;
        let mut files = Figures::default();
        for _ in 0..ROUNDS {
            for (text, served) in [(BANNED, false), (OPEN, true)] {
                self.write_policy(text)?;
                files.push(self.turns("policy", served)?);
            }
        }
        files.print("a policy file that was changed", "ms");
        Ok(())
    }

    fn feeds(&self) -> Result<()> {
        self.push("feeds")?;
        self.write_policy(NO_FINDINGS)?;
        let mut figures = Figures::default();
        for round in 0..=ROUNDS {
            for (fixes, served) in [("", true), (r#""1.36.1-r9":["CVE-2026-1"]"#, false)] {
                let feed = format!(
                    r#"{{"apkurl":"{{{{urlprefix}}}}/{{{{distroversion}}}}/{{{{reponame}}}}/{{{{arch}}}}/{{{{pkg.name}}}}-{{{{pkg.ver}}}}.apk",
                    "archs":["x86_64"],"reponame":"main","urlprefix":"https://dl-cdn.alpinelinux.org/alpine",
                    "distroversion":"v3.23","packages":[{{"pkg":{{"name":"busybox","secfixes":{{{fixes}}}}}}}]}}"#
                );
                let path = self.file("v3.23/main.json", &feed)?;
                self.run(&["feeds", "import", &path.display().to_string()])?;
                let took = self.turns("feeds", served)?;
                if round > 0 {
                    figures.push(took);
                }
            }
        }
        figures.print("feeds that were taken in", "ms");
        Ok(())
    }

    fn signatures(&self) -> Result<()> {
        let word = self.file("word", "horse staple\n")?.display().to_string();
        self.run(&["key", "generate", "ours", "--password-file", &word])?;
        fs::copy(self.home.path().join("ours.pub"), self.subject.data().join("ours.pub"))?;
        self.write_policy(SIGNED)?;
        let mut figures = Figures::default();
        for round in 0..ROUNDS {
            let name = format!("signed-{round}");
            self.push(&name)?;
            self.turns(&name, false)?;
            let image = format!("127.0.0.1:{}/bench/{name}:1", self.subject.dashboard);
            self.run(&["sign", &image, "--key", "ours.key", "--password-file", &word])?;
            figures.push(self.turns(&name, true)?);
        }
        figures.print("a signature that was pushed", "ms");
        Ok(())
    }
}
