//! `boltseal __runtime`: the role that makes containers, in which this program starts itself and nobody else starts it.
//!
//! One request on standard input, or in the file that is named; one answer on standard output. It has to be the only thread
//! of its process, so it comes before everything else: no arguments are parsed, nothing is set up. `boltseal __seal` and
//! `boltseal __init` are what other runtimes start a container with.

use std::{
    ffi::OsString,
    io::{Read as _, Write as _, stdin, stdout},
    process::ExitCode,
};

use boltseal_runtime::start::{Answer, Request, Served, inside, oci::first, serve};
use serde::de::DeserializeOwned;

/// What the program is called in this role.
const ROLE: &str = "__runtime";
/// What it is called where it keeps the terminal of a program that nobody sits at any more.
pub const HOLD: &str = "__hold";
/// Bytes of a request: a thousand layers and as many variables.
const MAX_REQUEST: u64 = 8 << 20;
/// It answered; or what it was asked to run ended with what is said instead.
const ANSWERED: u8 = 0;
/// What it was asked to run could not be started, as other runtimes say it.
const NOT_STARTED: u8 = 126;

/// Plays the role if this process was started for it.
pub fn play() -> Option<ExitCode> {
    let mut arguments = std::env::args_os().skip(1);
    let role = arguments.next()?;
    if role == inside::SEAL {
        return Some(within(arguments, inside::become_sealed));
    }
    if role == first::ROLE {
        return Some(within(arguments, first::begin));
    }
    if role == HOLD {
        // Until nobody holds the terminal any more, which it says by an error.
        let _ = std::io::copy(&mut stdin(), &mut std::io::sink());
        return Some(ExitCode::SUCCESS);
    }
    if role != ROLE {
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

/// `boltseal __seal REQUEST PROGRAM …`, and `__init`: the first program of a container that another runtime made.
fn within<Request: DeserializeOwned>(
    arguments: impl Iterator<Item = OsString>,
    play: impl FnOnce(&Request, &[String]) -> i32,
) -> ExitCode {
    let words: Result<Vec<String>, _> = arguments.map(OsString::into_string).collect();
    let asked = words.map_err(|_| "it is no text".to_owned()).and_then(|words| {
        let (request, command) = words.split_first().ok_or("there is none")?;
        let request: Request = serde_json::from_str(request).map_err(|error| error.to_string())?;
        Ok((request, command.to_vec()))
    });
    let code = match asked {
        Ok((request, command)) => play(&request, &command),
        Err(why) => {
            let _ = writeln!(std::io::stderr(), "boltseal: this is no request: {why}");
            NOT_STARTED.into()
        }
    };
    ExitCode::from(u8::try_from(code).unwrap_or(NOT_STARTED))
}

fn said(answer: &Answer) -> ExitCode {
    let text = serde_json::to_string(answer).unwrap_or_default();
    // Whoever asked is gone where this fails, and finds the container by its state.
    let _ = writeln!(stdout(), "{text}");
    ExitCode::from(ANSWERED)
}
