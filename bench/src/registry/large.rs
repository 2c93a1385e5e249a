//! What a registry of 100,000 repositories with an image each is asked by people: old images, quotas, search, storage.
//!
//! Ours alone: the peer has none of it. The command line asks, so its own time is in the wall time; CPU is the server's.

use std::{
    process::{Command, Stdio},
    time::Instant,
};

use anyhow::{Result, ensure};

use super::{
    Options,
    connection::Connection,
    content::{Image, Layers},
    subject::{Programs, Subject, Which},
    transfers::{How, drive, push},
};
use crate::figures::Figures;

const REPOSITORIES: usize = 100_000;
const QUICK: usize = 2_000;
/// Pushes at the same time while it is filled.
const PUSHERS: usize = 16;
/// Bytes of the layer that all share.
const LAYER: usize = 3_000;

/// What is asked.
const QUESTIONS: &[(&str, &[&str])] = &[
    ("old images, all of them", &["image", "aging", "--format", "json"]),
    ("old images in use", &["image", "aging", "--in-use", "--format", "json"]),
    ("quotas and what is used", &["registry", "quota", "ls", "--format", "json"]),
    ("search by part of a name", &["search", "app-0421", "--format", "json"]),
    ("search by a label", &["search", "bench.example/number=4217", "--format", "json"]),
    ("storage", &["registry", "storage", "--format", "json"]),
];

/// Fills it and asks.
pub fn run(programs: &Programs, options: &Options) -> Result<()> {
    if !options.wants("large") {
        return Ok(());
    }
    let count = if options.quick { QUICK } else { REPOSITORIES };
    let subject = programs.start(Which::Ours)?;
    let home = tempfile::tempdir()?;
    let cli = |arguments: &[&str]| {
        let mut command = Command::new(&programs.boltseal);
        command.arg("--data").arg(home.path()).args(arguments).env("HOME", home.path());
        command
    };
    sign_in(&subject, cli(&[]))?;
    for scope in ["*", "team-007/*"] {
        let status = cli(&["registry", "quota", "set", scope, "--bytes", "100GB"]).status()?;
        ensure!(status.success(), "no quota of {scope}: {status}");
    }
    fill(&subject, count)?;
    for (question, arguments) in QUESTIONS {
        let (mut wall, mut cpu) = (Figures::default(), Figures::default());
        let mut bytes = 0;
        for _ in 0..options.rounds {
            let (before, began) = (subject.cpu()?, Instant::now());
            let output = cli(arguments).stderr(Stdio::inherit()).output()?;
            ensure!(output.status.success(), "{question}: {}", output.status);
            wall.push(began.elapsed().as_secs_f64() * 1e3);
            cpu.push(subject.cpu()? - before);
            bytes = output.stdout.len();
        }
        println!(
            "large: {question} ({count}): {:.1} ms, server CPU {:.1} ms, {bytes} bytes",
            wall.median(),
            cpu.median()
        );
    }
    println!(
        "large: memory after it {:.1} MiB, at peak {:.1} MiB",
        subject.memory("VmRSS")?,
        subject.memory("VmHWM")?
    );
    Ok(())
}

fn sign_in(subject: &Subject, mut command: Command) -> Result<()> {
    use std::io::Write as _;
    command.args([
        "login",
        &format!("https://127.0.0.1:{}", subject.dashboard),
        "--name",
        "admin",
        "--secret-stdin",
    ]);
    command.arg("--ca").arg(subject.authority());
    let mut child = command.stdin(Stdio::piped()).spawn()?;
    if let Some(mut stdin) = child.stdin.take() {
        writeln!(stdin, "{}", subject.printed_secret()?)?;
    }
    ensure!(child.wait()?.success(), "no login");
    Ok(())
}

/// A push of each image, then the pulls and judgements are waited for.
fn fill(subject: &Subject, count: usize) -> Result<()> {
    let began = Instant::now();
    let layer = Layers::of(LAYER).number(0);
    let before = subject.cpu()?;
    drive(subject, PUSHERS, count, None, &|connection: &mut Connection<'_>, number| {
        let name = format!("team-{:03}/app-{number:06}", number % 500);
        push(connection, &name, "latest", &Image::old(&layer, number)?, How::Monolith)
    })?;
    let pushed = began.elapsed().as_secs_f64();
    while subject.rest().is_err() {}
    println!(
        "\nfilled with {count} repositories in {pushed:.1} s, all judged after {:.1} s, server CPU {:.2} ms an image",
        began.elapsed().as_secs_f64(),
        (subject.cpu()? - before) / count as f64
    );
    Ok(())
}
