//! The process of one thread that makes, joins and ends containers.

use std::{
    io::{Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
};

use boltseal_runtime::start::{Answer, End, Request, Start, Started};

use super::Error;

/// Bytes of what it says; an answer has some dozens.
const MAX_SAID: u64 = 64 << 10;
/// What makes this program that process.
pub const ROLE: &str = "__runtime";

/// Makes a container and starts it.
pub fn start(program: &Path, wanted: Start) -> Result<Started, Error> {
    match ask(program, &Request::Start(wanted))? {
        Answer::Started(started) => Ok(started),
        Answer::Refused(why) => Err(Error::Runtime(why)),
        Answer::Ended => Err(Error::Runtime("it answered something else".to_owned())),
    }
}

/// Ends a container at once, and removes what is left of it.
pub fn end(program: &Path, wanted: End) -> Result<(), Error> {
    match ask(program, &Request::End(wanted))? {
        Answer::Ended => Ok(()),
        Answer::Refused(why) => Err(Error::Runtime(why)),
        Answer::Started(_) => Err(Error::Runtime("it answered something else".to_owned())),
    }
}

fn ask(program: &Path, request: &Request) -> Result<Answer, Error> {
    let failed = |what: &'static str| Error::io(format!("{} {ROLE}: {what}", program.display()));
    let mut child = Command::new(program)
        .arg(ROLE)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed("starting it"))?;
    let text = serde_json::to_vec(request).map_err(|error| failed("asking")(error.into()))?;
    if let Some(mut stdin) = child.stdin.take() {
        stdin.write_all(&text).map_err(failed("asking"))?;
    }
    let (mut answer, mut said) = (Vec::new(), String::new());
    if let Some(stdout) = child.stdout.take() {
        stdout.take(MAX_SAID).read_to_end(&mut answer).map_err(failed("its answer"))?;
    }
    if let Some(stderr) = child.stderr.take() {
        // What it says beside is for people; it may be none.
        let _ = stderr.take(MAX_SAID).read_to_string(&mut said);
    }
    let ended = child.wait().map_err(failed("its end"))?;
    serde_json::from_slice(&answer).map_err(|_| {
        let said = said.trim();
        Error::Runtime(format!("the process that makes containers ended ({ended}) without an answer: {said}"))
    })
}
