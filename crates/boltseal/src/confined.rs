//! `boltseal __runtime`: the role that makes containers, in which this program starts itself and nobody else starts it.
//!
//! One request on standard input, or in the file that is named; one answer on standard output. It has to be the only thread
//! of its process, so it comes before everything else: no arguments are parsed, nothing is set up.

use std::{
    io::{Read as _, Write as _, stdin, stdout},
    process::ExitCode,
};

use boltseal_runtime::start::{Answer, Request, Served, serve};

/// What the program is called in this role.
const ROLE: &str = "__runtime";
/// Bytes of a request: a thousand layers and as many variables.
const MAX_REQUEST: u64 = 8 << 20;
/// It answered; or what it was asked to run ended with what is said instead.
const ANSWERED: u8 = 0;
/// What it was asked to run could not be started, as other runtimes say it.
const NOT_STARTED: u8 = 126;

/// Plays the role if this process was started for it.
pub fn play() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next()? != ROLE {
        return None;
    }
    let mut text = Vec::new();
    let read = match arguments.next() {
        Some(path) => {
            std::fs::File::open(path).and_then(|file| file.take(MAX_REQUEST).read_to_end(&mut text))
        }
        None => stdin().take(MAX_REQUEST).read_to_end(&mut text),
    };
    let request: Request = match read
        .map_err(|error| error.to_string())
        .and_then(|_| serde_json::from_slice(&text).map_err(|error| error.to_string()))
    {
        Ok(request) => request,
        Err(why) => return Some(said(&Answer::Refused(format!("this is no request: {why}")))),
    };
    Some(match serve(&request) {
        Ok(Served::Answer(answer)) => said(&answer),
        Ok(Served::Exit(code)) => ExitCode::from(u8::try_from(code).unwrap_or(NOT_STARTED)),
        Err(error) if matches!(request, Request::Join(_)) => {
            let _ = writeln!(std::io::stderr(), "boltseal: {}", error.whole());
            ExitCode::from(NOT_STARTED)
        }
        Err(error) => said(&Answer::Refused(error.whole())),
    })
}

fn said(answer: &Answer) -> ExitCode {
    let text = serde_json::to_string(answer).unwrap_or_default();
    // Whoever asked is gone where this fails, and finds the container by its state.
    let _ = writeln!(stdout(), "{text}");
    ExitCode::from(ANSWERED)
}
